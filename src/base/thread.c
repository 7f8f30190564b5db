/* Since Linux 6.12 a thread may ask for slices of its own length.  Who asks for a short
 * one and has not had its share runs as soon as it wakes; otherwise whoever computes
 * has about three milliseconds to go on. */
#include "lossd/base/thread.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLICE_NS = 100000 /* the shortest there is */ };

/* As sched_setattr(2) has it, for which the C library has neither name nor type. */
struct wish {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void thread_be_prompt(void)
{
    struct wish wish = {.size = sizeof wish,
                        .policy = SCHED_OTHER,
                        .nice = getpriority(PRIO_PROCESS, 0),
                        .runtime_ns = SLICE_NS};

    /* a thread of another policy was given it by its operator */
    if (sched_getscheduler(0) == SCHED_OTHER)
        syscall(SYS_sched_setattr, 0, &wish, 0);
}

/* In Linux each thread has a nice value of its own. */
void thread_give_way(unsigned steps)
{
    if (steps > 0)
        setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + (int)steps);
}
