/* One request and its answer on a connection, and how far they are.
 *
 * A connection has one at a time, so the talk is part of it and costs
 * no allocation. */
#ifndef LOSSD_HTTP_TALK_H
#define LOSSD_HTTP_TALK_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/admission.h"
#include "http/parcel.h"
#include "http/turn.h"
#include "http/vet.h"
#include "lossd/api/api.h"
#include "lossd/base/pool.h"
#include "lossd/base/span.h"

enum talk_state {
    TALK_OVER,     /* no request */
    TALK_BEGUN,    /* its first line has been read */
    TALK_BODY,     /* headers are in, the body is not */
    TALK_SWALLOW,  /* refused; the little that is left of the body is awaited */
    TALK_QUEUED,   /* having a turn on the pool; the connection is suspended */
    TALK_ANSWERED, /* the response is there */
    TALK_SENT,     /* and under way */
    TALK_GONE      /* the client left before its work was started */
};

struct talk {
    /* The last thing that the pool writes and the first that the network thread
     * reads when the talk comes back. */
    _Atomic enum talk_state state;
    struct exchange exchange;
    struct response response;
    struct MHD_Connection *mhd;
    bool admitted; /* what it costs is counted, and it has turns on the pool: */
    int64_t cost_ns;
    size_t elements; /* that it holds of those that may wait */
    int64_t took_ns; /* so far */
    bool crowded;    /* in each of them no thread was idle */
    struct parcel parcel;
    enum turn turn;
    struct job job;
    int64_t queued_ns,
        waited_ns;      /* when it last began to wait, and how long that took; */
    int64_t timeout_ns; /* and for how long it may, each time */
    enum shedding shed; /* why, when it was refused for want of room */
    struct span user_agent;
    size_t head_size; /* what the request's head takes of the library's buffer, about */
    const char *head_end; /* in that buffer, while the head is read; NULL: not known */
    bool chunked;
    bool to_head;          /* the request is HEAD; the reaper reads it, once in a body */
    bool by_hand;          /* the answer has been written past the library */
    bool unread;           /* the library ends it as a failure, answered or not */
    bool unmade;           /* the library had no memory for the answer */
    bool headed;           /* the head of the answer is on its way, and more of it */
    bool ends_twice;       /* the first end may be too early for the answer */
    bool last;             /* Connection: close, whatever the client asked for */
    _Atomic uint64_t sent; /* bytes of the response's body given to be sent */
    char *target;          /* a copy of the request's; ours to free unless it is `room` */
    char room[256];
    char joined[VET_ROOM]; /* of the head: lists that several headers tell */
    char spill[256];       /* made of the response, and not yet given to be sent: */
    size_t spilled, spill_size;
};

/* Whoever sees the state sees what was done before. */
static inline void talk_become(struct talk *talk, enum talk_state state)
{
    atomic_store_explicit(&talk->state, state, memory_order_release);
}

#endif
