/* Threads that work for everybody: loops shared out, and whole jobs queued.
 *
 * A NULL pool is allowed everywhere and means "on this thread".
 * All functions may be called from any thread, also from within a job. */
#ifndef LOSSD_BASE_POOL_H
#define LOSSD_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* A job, embedded in what it works on, so that queueing allocates nothing.
 * The owner fills `run` and may free or queue the job again from within it. */
struct job {
    void (*run)(struct job *job);
    struct job *next; /* the pool's while queued */
};

/* A pool of `threads` threads (>= 1), which are so many steps nicer than the caller.  NULL
 * when a thread could not be made. */
struct pool *pool_new(size_t threads, unsigned steps);

/* Finishes the queued jobs and ends the threads.  NULL is allowed. */
void pool_free(struct pool *pool);

/* Threads that may work on a loop at the same time, the caller among them:
 * pool's threads + 1, or 1 for NULL. */
size_t pool_width(const struct pool *pool);

/* Queues the job.  The queue has no end: whoever submits sheds what would wait too long. */
void pool_submit(struct pool *pool, struct job *job);

/* Does the job that waits for longest on this thread.  False: none does. */
bool pool_help(struct pool *pool);

/* Jobs waiting in the queue. */
size_t pool_queued(const struct pool *pool);

/* Threads of the pool, and those of them that do not sleep. */
size_t pool_threads(const struct pool *pool);
size_t pool_busy(const struct pool *pool);

/* Calls body(ctx, from, to, worker) until [0, n) is covered, each range at most
 * `grain` long and starting at a multiple of it; ranges run at the same time and
 * in any order.  `worker` is below pool_width() and below the number of ranges, and no
 * two calls that one loop makes at the same time have the same one.  The caller works
 * too and returns when all is done. */
void pool_for(struct pool *pool, size_t n, size_t grain,
              void (*body)(void *ctx, size_t from, size_t to, size_t worker), void *ctx);

#endif
