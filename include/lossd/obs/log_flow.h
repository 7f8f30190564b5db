/* Whether what is logged is taken: a pipe that nobody reads holds up whoever writes into
 * it, and with all threads there the service is dead, though none of them has ended.
 *
 * A flow that is all zero is one where nobody writes.  Thread-safe; no lock. */
#ifndef LOSSD_OBS_LOG_FLOW_H
#define LOSSD_OBS_LOG_FLOW_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct log_flow {
    _Atomic size_t writers;
    _Atomic int64_t moved_ns; /* since when they have waited, unless one gets on */
};

/* A line is being written; it has been. */
void log_flow_begin(struct log_flow *flow, int64_t now_ns);
void log_flow_end(struct log_flow *flow, int64_t now_ns);

/* For how long somebody has been writing and nobody has got on; 0: nobody writes. */
int64_t log_flow_stuck_ns(struct log_flow *flow, int64_t now_ns);

#endif
