#include "lossd/obs/log_flow.h"

/* The time first: who sees the first writer then never sees the time of an earlier one. */
void log_flow_begin(struct log_flow *flow, int64_t now_ns)
{
    if (atomic_load(&flow->writers) == 0)
        atomic_store(&flow->moved_ns, now_ns);
    atomic_fetch_add(&flow->writers, 1);
}

void log_flow_end(struct log_flow *flow, int64_t now_ns)
{
    atomic_store(&flow->moved_ns, now_ns);
    atomic_fetch_sub(&flow->writers, 1);
}

void log_flow_lose(struct log_flow *flow, uint64_t lines, bool is_cut)
{
    atomic_fetch_add(&flow->lost, lines);
    if (is_cut)
        atomic_store(&flow->cut, true);
}

/* Asked for every line: mostly there is nothing to write. */
bool log_flow_mend(struct log_flow *flow)
{
    return atomic_load(&flow->cut) && atomic_exchange(&flow->cut, false);
}

uint64_t log_flow_tell(struct log_flow *flow)
{
    return atomic_load(&flow->lost) > 0 ? atomic_exchange(&flow->lost, 0) : 0;
}

int64_t log_flow_stuck_ns(struct log_flow *flow, int64_t now_ns)
{
    if (atomic_load(&flow->writers) == 0)
        return 0;
    int64_t stuck_ns = now_ns - atomic_load(&flow->moved_ns);
    return stuck_ns > 0 ? stuck_ns : 0;
}
