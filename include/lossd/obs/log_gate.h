/* How many log lines may pass: so many a second, access lines and notes apart, so
 * that a flood of requests does not hide what the service has to say of itself.
 *
 * A gate that is all zero lets everything pass.  Thread-safe; no lock. */
#ifndef LOSSD_OBS_LOG_GATE_H
#define LOSSD_OBS_LOG_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum log_kind { LOG_KIND_NOTE, LOG_KIND_ACCESS, LOG_KINDS };

struct log_gate {
    uint64_t per_second; /* of each kind, at most 1e9; 0: no limit */
    _Atomic int64_t due_ns[LOG_KINDS];
    _Atomic uint64_t left_out; /* lines, since somebody was told */
    _Atomic int64_t told_ns;
};

/* A line of that kind wants out at that time of clock_ns().  False: leave it out. */
bool log_gate_pass(struct log_gate *gate, enum log_kind kind, int64_t now_ns);

/* How many lines have been left out and are to be told of now; 0 when there are none,
 * or when others have been told of within a second. */
uint64_t log_gate_tell(struct log_gate *gate, int64_t now_ns);

/* The same at the end, whenever others have been told of. */
uint64_t log_gate_rest(struct log_gate *gate);

#endif
