/* Which call fails: what a test tells the shim that is loaded into the service.
 *
 * Both map the same file.  The test writes it before the service starts, or while it
 * runs, and reads from it whether there was such a call. */
#ifndef LOSSD_TESTS_FAULT_PLAN_H
#define LOSSD_TESTS_FAULT_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>

/* The environment's name for the path of the file. */
#define FAULT_PLAN "FAULT_PLAN"

enum fault_function {
    FAULT_NONE,
    FAULT_MALLOC,
    FAULT_CALLOC,
    FAULT_REALLOC,
    FAULT_ALIGNED_ALLOC,
    FAULT_PTHREAD_CREATE,
    FAULT_MMAP,
    FAULT_ACCEPT4,
    FAULT_SEND, /* and sendmsg, writev, sendfile */
    FAULT_RECV,
    FAULT_EPOLL_CTL,
    FAULT_EVENTFD,
    FAULT_FUNCTIONS
};

struct fault_plan {
    _Atomic enum fault_function function; /* written last when a plan is made */
    _Atomic int error;                    /* the errno */
    _Atomic long left;                    /* calls that succeed before one fails */
    atomic_bool for_good;                 /* and all after it */
    _Atomic unsigned long failed;         /* calls that have failed */
};

#endif
