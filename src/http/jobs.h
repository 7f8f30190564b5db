/* Connections that are suspended while the pool works for them.  The library ends the
 * process where a daemon is stopped that has one, so all of them are awaited before. */
#ifndef LOSSD_HTTP_JOBS_H
#define LOSSD_HTTP_JOBS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t none;
    size_t count;
    bool ending; /* no more of them may begin */
};

void jobs_init(struct jobs *jobs);
void jobs_release(struct jobs *jobs);

/* A connection is about to be suspended.  False: not any more. */
bool jobs_begin(struct jobs *jobs);

/* It has been resumed. */
void jobs_end(struct jobs *jobs);

/* True when nobody will wait for the answers to those whose work has not begun. */
bool jobs_are_ending(struct jobs *jobs);

/* Lets none begin any more, and waits for the end of the last. */
void jobs_finish(struct jobs *jobs);

#endif
