/* Whether what is logged is taken: a pipe that nobody reads holds up whoever writes into
 * it, and with all threads there the service is dead, though none of them has ended; and a
 * disk that is full refuses lines, or the end of one.
 *
 * A flow that is all zero is one where nobody writes and nothing is lost.  Thread-safe; no
 * lock. */
#ifndef LOSSD_OBS_LOG_FLOW_H
#define LOSSD_OBS_LOG_FLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_flow {
    _Atomic size_t writers;
    _Atomic int64_t moved_ns; /* since when they have waited, unless one gets on */
    _Atomic uint64_t lost;    /* lines that were refused, since somebody was told */
    /* The last bytes that were taken are not the end of a line, as far as threads know that
     * write at the same time. */
    atomic_bool cut;
};

/* A line is being written; it has been. */
void log_flow_begin(struct log_flow *flow, int64_t now_ns);
void log_flow_end(struct log_flow *flow, int64_t now_ns);

/* So many lines have been lost, the last after some of its bytes had been taken? */
void log_flow_lose(struct log_flow *flow, uint64_t lines, bool is_cut);

/* Has a line been cut?  The next begins with the end of that one. */
bool log_flow_mend(struct log_flow *flow);

/* How many lines have been lost since that was last asked. */
uint64_t log_flow_tell(struct log_flow *flow);

/* For how long somebody has been writing and nobody has got on; 0: nobody writes. */
int64_t log_flow_stuck_ns(struct log_flow *flow, int64_t now_ns);

#endif
