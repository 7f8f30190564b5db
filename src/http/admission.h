/* May this request come in?  And when should one that may not come back?
 *
 * A queue that is longer than what its requests will wait for does work for nobody:
 * by the time it is done, who asked has given up.  So a request that would wait for
 * longer than its timeout is refused at once, with the time after which there will
 * be room; and so is one too many.
 *
 * But only while every thread has something to do: requests that come over slow lines
 * are under way for long and take no thread's time, and where one is idle there is
 * nothing to wait for.  So many may come at once that there are more of them than places
 * when their bodies are in: then it is decided anew. */
#ifndef LOSSD_HTTP_ADMISSION_H
#define LOSSD_HTTP_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/err.h"

/* Why a request is not answered though nothing is wrong with it. */
enum shedding {
    SHED_QUEUE,  /* as many are under way as may, or as much work */
    SHED_WAIT,   /* it would have to wait for longer than its timeout */
    SHED_LATE,   /* it has waited for longer than that */
    SHED_MEMORY, /* there is none left for it */
    SHEDDINGS
};

/* Shared by all threads without a lock. */
struct admission {
    size_t threads;       /* that do the work */
    size_t places;        /* requests that may be under way, */
    size_t kept;          /* and those of them for small ones only */
    int64_t longest_ns;   /* that all of them together may keep the threads busy */
    size_t most_elements; /* that those which wait, or have a thread, may have together */
    _Atomic size_t under_way;
    _Atomic size_t elements; /* of bodies that are in */
    _Atomic size_t working;  /* those that have a thread or wait for one */
    _Atomic int64_t work_ns; /* estimated, of those under way */
    _Atomic int64_t pace;    /* what work takes, in thousandths of its estimate */
};

/* No threads count as one. */
struct admission admission_of(size_t threads, size_t places, size_t kept,
                              int64_t longest_ns, size_t most_elements);

/* What is to be done for a request, and how it may wait. */
struct task_estimate {
    int64_t cost_ns;    /* of one core */
    int64_t timeout_ns; /* it will wait for so long */
    bool is_small;      /* it may use the places that are kept for small ones */
};

/* Counts the request in.  False, with ERR_OVERLOADED and `why` filled: refused. */
bool admission_enter(struct admission *admission, const struct task_estimate *task,
                     enum shedding *why, struct err *err);

/* It will want a thread for the first time.  False, with ERR_OVERLOADED: as many as may
 * wait for one or have one already. */
bool admission_may_begin(const struct admission *admission, bool is_small,
                         struct err *err);

/* It wants a thread, and has had it; any number of times, but not two at once. */
void admission_begin(struct admission *admission);
void admission_end(struct admission *admission);

/* True when somebody waits for a thread. */
bool admission_is_crowded(const struct admission *admission);

/* It costs more than its estimate said. */
void admission_grow(struct admission *admission, int64_t more_ns);

/* Its body is in, and has so many numbers; they are let go of before it leaves. */
void admission_hold(struct admission *admission, size_t elements);
void admission_let_go(struct admission *admission, size_t elements);

/* It is over.  `took_ns` tells the pace, when all threads were busy: else 0. */
void admission_leave(struct admission *admission, int64_t cost_ns, int64_t took_ns);

/* Nanoseconds until what is waiting now has been done, about. */
int64_t admission_wait_ns(const struct admission *admission);

/* The same for Retry-After: 1 to 30 seconds, and up to a quarter more by chance, so
 * that those refused together do not come back together.  `chance`, not negative, is
 * a request's own: when it came, in nanoseconds. */
unsigned admission_retry_after_s(const struct admission *admission, int64_t chance);

#endif
