/* Connections that are suspended while the pool works for them.  The library ends the
 * process where a daemon is stopped that has one, so all of them are awaited before. */
#ifndef LOSSD_HTTP_SUSPENDED_H
#define LOSSD_HTTP_SUSPENDED_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suspended {
    pthread_mutex_t lock;
    pthread_cond_t none;
    size_t count;
    bool ending; /* no more of them may begin */
};

void suspended_init(struct suspended *suspended);
void suspended_release(struct suspended *suspended);

/* A connection is about to be suspended.  False: not any more. */
bool suspended_begin(struct suspended *suspended);

/* It has been resumed. */
void suspended_end(struct suspended *suspended);

/* True when nobody will wait for the answers to those whose work has not begun. */
bool suspended_are_ending(struct suspended *suspended);

/* Lets none begin any more. */
void suspended_forbid(struct suspended *suspended);

/* The same, and waits for the end of the last, though not for longer than so many
 * nanoseconds.  Returns how many there still are. */
size_t suspended_finish(struct suspended *suspended, int64_t longest_ns);

#endif
