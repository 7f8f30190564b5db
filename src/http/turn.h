/* A talk's turns on the pool.
 *
 * A request that takes more than a moment is let in by its head, or refused before any
 * work is done for it.  Then its network thread only fills and empties its parcel, and
 * what takes time is done in turns on the pool, the connection suspended meanwhile:
 *
 *     head ── let in ── body ─▶ [read] ─▶ body ─▶ [answer] ─▶ sent ─▶ [write] ─▶ sent
 *
 * One thread has the talk at any time. */
#ifndef LOSSD_HTTP_TURN_H
#define LOSSD_HTTP_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct connection;

enum turn {
    TURN_READ,   /* what is in the parcel, a part of the body */
    TURN_ANSWER, /* the rest of it, and the answer, and the first part of that */
    TURN_WRITE   /* the next part of the answer into the parcel */
};

/* Does a request of this cost need the pool?  One with a compressed body always does. */
bool turn_is_due(const struct connection *connection, int64_t cost_ns);

/* Lets the request in.  False, with ERR_OVERLOADED: there are enough. */
bool turn_admit(struct connection *connection, int64_t cost_ns);

/* The request costs so much in all, if that is more than was known of it.  For one that
 * has not been let in, nothing. */
void turn_grow(struct connection *connection, int64_t cost_ns);

/* There is something to be done for the request.  False, with ERR_OVERLOADED: nothing has
 * been, and there are enough that wait. */
bool turn_is_open(struct connection *connection);

/* Its body is in: the numbers of that count among those that wait, until it leaves. */
void turn_hold(struct connection *connection);

/* Suspends the connection, to be resumed after that turn.  False: this server is
 * stopping, and the connection is not suspended. */
bool turn_begin(struct connection *connection, enum turn turn);

/* The request needs the pool no more.  For one that has not been let in, nothing. */
void turn_leave(struct connection *connection);

#endif
