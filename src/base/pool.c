/* One set of threads, two kinds of work.
 *
 * Jobs stand in a queue: an intrusive list under the pool's lock.  There is
 * nothing to gain from anything cleverer, a job is worth a hundred microseconds.
 *
 * Loops do not stand in the queue.  A loop is opened in one of a few slots, and
 * everybody who works on it, the caller first, takes chunks of it one by one
 * through a ticket
 *
 *     generation << 32 | next chunk
 *
 * that only compare-and-swap changes.  A thread that was about to take a chunk,
 * and slept while that loop ended and the slot was opened anew, finds another
 * generation and takes nothing.  So the caller waits for the chunks and never
 * for threads: one that is still asleep, or busy with a long job, holds up
 * nobody, and when all are busy the caller does the whole loop alone.  That also
 * is why a loop may be run from within a job, or from within a loop.
 *
 * The fields of a slot are written while its ticket is closed, and are atomic
 * because a late thread may be reading them just then; what it has read is of no
 * account, since its swap will fail.
 *
 * Threads with nothing to do sleep, after a short look for another loop: the
 * parts of one answer follow each other closely.  Only sleepers are woken. */
#include "lossd/base/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "lossd/base/thread.h"

enum {
    LOOPS = 64,  /* loops that may be open at once; bits of a word */
    SPINS = 200, /* looks at a word before sleeping, about 10 microseconds */
    CACHE_LINE = 64
};

static const uint32_t CLOSED = UINT32_MAX;

typedef void loop_body(void *ctx, size_t from, size_t to, size_t worker);

struct loop {
    _Alignas(CACHE_LINE) _Atomic uint64_t ticket;
    _Atomic uint32_t chunks;
    _Atomic size_t from, to, grain;
    _Atomic(loop_body *) body;
    _Atomic(void *) ctx;
    _Alignas(CACHE_LINE) _Atomic uint32_t done; /* chunks */
    _Atomic bool waited;                        /* the caller sleeps on `finished` */
    pthread_cond_t finished;
};

struct worker {
    struct pool *pool;
    size_t index;
    pthread_t thread;
};

struct pool {
    struct loop loops[LOOPS];
    _Alignas(CACHE_LINE) _Atomic uint64_t open; /* slots with chunks to take */
    _Atomic uint64_t taken;                     /* slots in use */
    _Atomic size_t sleepers;
    _Atomic size_t queued; /* written under the lock, read anywhere */
    pthread_mutex_t lock;  /* of the fields below, and of all sleep */
    pthread_cond_t work;   /* a job, a loop, or the end */
    struct job *first, *last;
    bool ending;
    unsigned steps; /* nicer than who made the pool */
    size_t threads;
    struct worker workers[];
};

/* A chunk that is ours to do. */
struct chunk {
    loop_body *body;
    void *ctx;
    size_t from, to;
    uint32_t index, chunks; /* which one, of how many in the whole loop */
    bool last;
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool claim(struct loop *loop, struct chunk *out)
{
    uint64_t ticket = atomic_load(&loop->ticket);

    for (;;) {
        uint32_t next = (uint32_t)ticket;
        uint32_t chunks = atomic_load(&loop->chunks);
        if (next >= chunks)
            return false;
        size_t grain = atomic_load(&loop->grain), to = atomic_load(&loop->to);
        out->from = atomic_load(&loop->from) + next * grain;
        out->body = atomic_load(&loop->body);
        out->ctx = atomic_load(&loop->ctx);
        if (!atomic_compare_exchange_weak(&loop->ticket, &ticket, ticket + 1))
            continue;
        out->to = to - out->from < grain ? to : out->from + grain;
        out->index = next;
        out->chunks = chunks;
        out->last = next == chunks - 1;
        return true;
    }
}

/* Whom a chunk is done as.  Few chunks go by themselves, so that a loop has use for no
 * more than it has chunks. */
static size_t worker_of(const struct pool *pool, const struct chunk *chunk, size_t worker)
{
    return chunk->chunks <= pool->threads ? chunk->index : worker;
}

/* Works on a loop until all its chunks are taken. */
static bool work_on(struct pool *pool, struct loop *loop, size_t worker)
{
    struct chunk chunk;
    bool worked = false;

    while (claim(loop, &chunk)) {
        if (chunk.last) /* before it is done, so the slot cannot be another loop's yet */
            atomic_fetch_and(&pool->open, ~(UINT64_C(1) << (loop - pool->loops)));
        chunk.body(chunk.ctx, chunk.from, chunk.to, worker_of(pool, &chunk, worker));
        worked = true;
        if (atomic_fetch_add(&loop->done, 1) + 1 == chunk.chunks &&
            atomic_load(&loop->waited)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_broadcast(&loop->finished);
            pthread_mutex_unlock(&pool->lock);
        }
    }
    return worked;
}

/* The threads */

static bool help_loops(struct pool *pool, size_t worker)
{
    uint64_t open = atomic_load(&pool->open);
    bool helped = false;

    for (; open != 0; open &= open - 1)
        helped |= work_on(pool, &pool->loops[__builtin_ctzll(open)], worker);
    return helped;
}

static void look_around(struct pool *pool)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool->open) != 0 || atomic_load(&pool->queued) != 0)
            return;
        relax();
    }
}

/* The one that waits for longest, NULL when none does.  Under the lock. */
static struct job *take_job(struct pool *pool)
{
    struct job *job = pool->first;

    if (job) {
        pool->first = job->next;
        atomic_fetch_sub(&pool->queued, 1);
    }
    return job;
}

/* Sleeps until there may be something to do.  True with `*job` NULL: a loop is
 * open.  False: the pool ends and the queue is empty. */
static bool await_work(struct pool *pool, struct job **job)
{
    bool alive = true;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        *job = take_job(pool);
        if (*job)
            break;
        /* counted before the look at `open`: who opens a loop after that look
         * sees the sleeper, and wakes it with the lock held */
        atomic_fetch_add(&pool->sleepers, 1);
        if (atomic_load(&pool->open) == 0 && !pool->ending)
            pthread_cond_wait(&pool->work, &pool->lock);
        atomic_fetch_sub(&pool->sleepers, 1);
        /* a job goes first: its one signal may have been meant for this thread */
        if (!pool->first && atomic_load(&pool->open) != 0)
            break;
        alive = !pool->ending || pool->first;
        if (!alive)
            break;
    }
    pthread_mutex_unlock(&pool->lock);
    return alive;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    struct job *job;

    thread_give_way(pool->steps);
    while (await_work(pool, &job)) {
        if (job)
            job->run(job);
        while (help_loops(pool, worker->index))
            look_around(pool);
    }
    return NULL;
}

static void end_threads(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
}

struct pool *pool_new(size_t threads, unsigned steps)
{
    assert(threads > 0);
    size_t size = sizeof(struct pool) + threads * sizeof(struct worker);
    struct pool *pool =
        aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (!pool)
        return NULL;
    *pool = (struct pool){.steps = steps};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    for (size_t i = 0; i < LOOPS; i++) {
        atomic_store(&pool->loops[i].ticket, CLOSED);
        pthread_cond_init(&pool->loops[i].finished, NULL);
    }
    for (; pool->threads < threads; pool->threads++) {
        struct worker *worker = &pool->workers[pool->threads];
        *worker = (struct worker){.pool = pool, .index = pool->threads};
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
            pool_free(pool);
            return NULL;
        }
        pthread_setname_np(worker->thread, "lossd-compute");
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    end_threads(pool);
    for (size_t i = 0; i < LOOPS; i++)
        pthread_cond_destroy(&pool->loops[i].finished);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t pool_width(const struct pool *pool)
{
    return pool ? pool->threads + 1 : 1;
}

/* Jobs */

void pool_submit(struct pool *pool, struct job *job)
{
    if (!pool) {
        job->run(job);
        return;
    }
    job->next = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->first)
        pool->last->next = job;
    else
        pool->first = job;
    pool->last = job;
    atomic_fetch_add(&pool->queued, 1);
    if (atomic_load(&pool->sleepers) > 0)
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

bool pool_help(struct pool *pool)
{
    if (!pool)
        return false;
    pthread_mutex_lock(&pool->lock);
    struct job *job = take_job(pool);
    pthread_mutex_unlock(&pool->lock);
    if (job)
        job->run(job);
    return job != NULL;
}

size_t pool_queued(const struct pool *pool)
{
    return pool ? atomic_load(&pool->queued) : 0;
}

size_t pool_threads(const struct pool *pool)
{
    return pool ? pool->threads : 0;
}

size_t pool_busy(const struct pool *pool)
{
    return pool ? pool->threads - atomic_load(&pool->sleepers) : 0;
}

/* Loops */

/* A slot for a loop, or NULL when all are in use. */
static struct loop *take_slot(struct pool *pool)
{
    uint64_t taken = atomic_load(&pool->taken);

    while (~taken != 0) {
        int slot = __builtin_ctzll(~taken);
        if (atomic_compare_exchange_weak(&pool->taken, &taken,
                                         taken | UINT64_C(1) << slot))
            return &pool->loops[slot];
    }
    return NULL;
}

static void wake_sleepers(struct pool *pool, size_t wanted)
{
    size_t sleepers = atomic_load(&pool->sleepers);

    if (sleepers == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    if (wanted >= sleepers)
        pthread_cond_broadcast(&pool->work);
    else
        for (size_t i = 0; i < wanted; i++)
            pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

static void await_chunks(struct pool *pool, struct loop *loop, uint32_t chunks)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&loop->done) == chunks)
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_store(&loop->waited, true);
    while (atomic_load(&loop->done) != chunks)
        pthread_cond_wait(&loop->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void run_shared(struct pool *pool, struct loop *loop, size_t from, size_t to,
                       size_t grain, loop_body *body, void *ctx)
{
    uint64_t slot = UINT64_C(1) << (loop - pool->loops);
    uint64_t generation = (atomic_load(&loop->ticket) >> 32) + 1;
    uint32_t chunks = (uint32_t)((to - from - 1) / grain + 1);

    atomic_store(&loop->ticket, generation << 32 | CLOSED);
    atomic_store(&loop->chunks, chunks);
    atomic_store(&loop->from, from);
    atomic_store(&loop->to, to);
    atomic_store(&loop->grain, grain);
    atomic_store(&loop->body, body);
    atomic_store(&loop->ctx, ctx);
    atomic_store(&loop->done, 0);
    atomic_store(&loop->waited, false);
    /* before the ticket opens: who takes the last chunk clears this bit again */
    atomic_fetch_or(&pool->open, slot);
    atomic_store(&loop->ticket, generation << 32);
    wake_sleepers(pool, chunks - 1);
    work_on(pool, loop, pool->threads);
    await_chunks(pool, loop, chunks);
    atomic_fetch_and(&pool->taken, ~slot);
}

static void run_alone(size_t from, size_t to, size_t grain, loop_body *body, void *ctx)
{
    for (size_t next; from < to; from = next) {
        next = to - from < grain ? to : from + grain;
        body(ctx, from, next, 0);
    }
}

void pool_for(struct pool *pool, size_t n, size_t grain,
              void (*body)(void *ctx, size_t from, size_t to, size_t worker), void *ctx)
{
    assert(grain > 0);
    size_t most = grain < SIZE_MAX / (CLOSED - 1) ? grain * (CLOSED - 1) : SIZE_MAX;

    for (size_t from = 0, to; from < n; from = to) {
        to = n - from < most ? n : from + most; /* chunks of one loop fit the ticket */
        struct loop *loop = pool && to - from > grain ? take_slot(pool) : NULL;
        if (loop)
            run_shared(pool, loop, from, to, grain, body, ctx);
        else
            run_alone(from, to, grain, body, ctx);
    }
}
