#include "http/watch.h"

static const double SECOND_NS = 1e9;

/* A connection's first head has its time from the connection's start, any other from its
 * first byte.  What ended before a look saw it was another head. */
static bool is_same_head(const struct watch *watch, enum connection_phase phase,
                         uint64_t turn)
{
    if (phase != CONNECTION_HEAD || turn != watch->turn + 1)
        return false;
    return watch->phase == CONNECTION_HEAD
               ? watch->turn == 0
               : watch->phase == CONNECTION_IDLE && watch->head_begun;
}

void watch_keep(struct watch *watch, enum connection_phase phase, uint64_t turn,
                int64_t now_ns, uint64_t moved)
{
    if (watch->began_ns == 0 || ((watch->phase != phase || watch->turn != turn) &&
                                 !is_same_head(watch, phase, turn)))
        *watch = (struct watch){.began_ns = now_ns, .moved = moved};
    watch->phase = phase;
    watch->turn = turn;
}

void watch_pause(struct watch *watch)
{
    watch->phase = CONNECTION_BUSY;
}

void watch_rest(struct watch *watch, int64_t now_ns, bool head_begun)
{
    watch->head_begun = head_begun;
    if (!head_begun)
        watch->began_ns = now_ns;
}

bool watch_stalled(struct watch *watch, const struct pace *pace, int64_t now_ns,
                   uint64_t moved, bool our_fault)
{
    if (now_ns - watch->began_ns < pace->window_ns)
        return false;
    double wanted = (double)pace->rate * (double)pace->window_ns / SECOND_NS;
    if (!our_fault && (double)(moved - watch->moved) < (wanted > 1 ? wanted : 1))
        return true;
    watch->began_ns = now_ns;
    watch->moved = moved;
    return false;
}
