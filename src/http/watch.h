/* What the reaper remembers of a connection from one look to the next. */
#ifndef LOSSD_HTTP_WATCH_H
#define LOSSD_HTTP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "http/phase.h"

struct watch {
    enum connection_phase phase;
    uint64_t turn;    /* requests begun: their first lines have come */
    int64_t began_ns; /* of the window in which there must be progress; 0: no look yet */
    uint64_t moved;   /* bytes at its beginning */
    bool head_begun;  /* of an idle connection: a part of its next head has come */
    /* looks that found it so, in a row */
    unsigned half_closed, overdue;
};

/* The watch begins anew with each phase of each request, but for a head: that begins
 * before its first line is complete, and with it the request. */
void watch_keep(struct watch *watch, enum connection_phase phase, uint64_t turn,
                int64_t now_ns, uint64_t moved);

/* It is we who are busy: what comes then is another phase, though it may have the same name
 * as the one before. */
void watch_pause(struct watch *watch);

/* Of an idle connection. */
void watch_rest(struct watch *watch, int64_t now_ns, bool head_begun);

/* So many bytes a second, seen over windows of that length; at least one in each. */
struct pace {
    int64_t window_ns;
    uint64_t rate;
};

/* True when fewer bytes than that have moved in a window that is over; it is our fault, or
 * enough has: another begins. */
bool watch_stalled(struct watch *watch, const struct pace *pace, int64_t now_ns,
                   uint64_t moved, bool our_fault);

#endif
