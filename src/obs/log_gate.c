/* A token bucket kept as one number: the time at which the bucket will be full again.
 * Each line moves it on by the time that a token takes to come; a line that would
 * move it further than the bucket is deep is left out.  A full bucket holds the lines
 * of a second, and of notes some even where few are allowed: what a service says when it
 * starts or stops comes all at once. */
#include "lossd/obs/log_gate.h"

enum { FEWEST_HELD = 16 };

static const int64_t second_ns = 1000000000;

bool log_gate_pass(struct log_gate *gate, enum log_kind kind, int64_t now_ns)
{
    _Atomic int64_t *due = &gate->due_ns[kind];

    if (gate->per_second == 0)
        return true;
    int64_t token_ns = second_ns / (int64_t)gate->per_second;
    int64_t least_ns = (kind == LOG_KIND_NOTE ? FEWEST_HELD : 1) * token_ns;
    int64_t depth_ns = least_ns > second_ns ? least_ns : second_ns;
    int64_t was = atomic_load(due), next;
    do {
        next = (was > now_ns ? was : now_ns) + token_ns;
        if (next > now_ns + depth_ns) {
            atomic_fetch_add(&gate->left_out, 1);
            return false;
        }
    } while (!atomic_compare_exchange_weak(due, &was, next));
    return true;
}

uint64_t log_gate_tell(struct log_gate *gate, int64_t now_ns)
{
    int64_t told = atomic_load(&gate->told_ns);

    if (atomic_load(&gate->left_out) == 0 || now_ns - told < second_ns ||
        !atomic_compare_exchange_strong(&gate->told_ns, &told, now_ns))
        return 0;
    return log_gate_rest(gate);
}

uint64_t log_gate_rest(struct log_gate *gate)
{
    return atomic_exchange(&gate->left_out, 0);
}
