/* A request's way through the server:
 *
 *     begin ── headers ──┬─ body ── answer here ─────────────┬─ sent ── end
 *                        │     └─── on the pool: turn.c ─────┤
 *                        └─ refused ─ swallow the body ──────┘
 *                               └─ at once, and keep the socket a while
 *
 * The library calls again and again with what there is; each call either goes on
 * or queues the response.  It takes no response in the middle of a body: there,
 * unless so little is left that it can be awaited, the answer is written to the
 * socket by hand.  That is safe because the library has nothing to write then. */
#include "http/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/connection.h"
#include "http/ending.h"
#include "http/head.h"
#include "http/incoming.h"
#include "http/inside.h"
#include "http/net_load.h"
#include "http/refusal.h"
#include "http/tally.h"
#include "http/turn.h"

enum {
    LEAST_ROOM = 256,      /* bytes of the library's buffer through which a body comes */
    SWALLOW_MAX = 1 << 20, /* bytes of a refused body worth awaiting */
    AT_ONCE = 4096         /* bytes of a body that are read before the pool is asked */
};

/* ---- the head ---------------------------------------------------------------- */

/* The library is about to make a list of the arguments, which nobody will ask for; and
 * where it has no room for all of them it sends neither them nor an error.  It has their
 * text in a buffer of its own. */
static void hide_arguments(const char *uri)
{
#if MHD_VERSION < 0x00097700
    char *mark = (char *)(uintptr_t)strchr(uri, '?');

    if (mark && mark[1] != '\0')
        mark[1] = '\0';
#else
    (void)uri;
#endif
}

void conversation_begin(struct connection *connection, struct MHD_Connection *mhd,
                        const char *uri)
{
    struct talk *talk = &connection->talk;
    struct server *server = connection->net->server;
    size_t size = strlen(uri) + 1;

    exchange_init(&talk->exchange, server->api, server->budget);
    talk->exchange.health_only = connection->net->is_admin;
    talk_become(talk, TALK_BEGUN);
    talk->mhd = mhd;
    talk->response.status = 0;
    talk->response.fill = NULL;
    talk->response.body = (struct span){NULL, 0};
    talk->user_agent = (struct span){NULL, 0};
    talk->shed = SHED_MEMORY;
    talk->chunked = talk->last = talk->by_hand = talk->admitted = talk->unmade = false;
    talk->ends_twice = talk->headed = talk->to_head = talk->unread = false;
    talk->parcel = (struct parcel){0};
    atomic_store_explicit(&talk->sent, 0, memory_order_relaxed);
    talk->spilled = talk->spill_size = talk->head_size = 0;
    /* the library decodes its own in place */
    talk->target = size <= sizeof talk->room ? talk->room : malloc(size);
    if (talk->target)
        memcpy(talk->target, uri, size);
    hide_arguments(uri);
    atomic_store_explicit(&connection->taken, 0, memory_order_relaxed);
    connection_count(&connection->turn, 1);
    connection_enter(connection, CONNECTION_HEAD);
}

/* ---- the library's calls --------------------------------------------------------- */

/* True when so little of the body is left that it is awaited, and the connection
 * goes on. */
static bool worth_swallowing(const struct connection *connection)
{
    const struct talk *talk = &connection->talk;

    return !talk->chunked &&
           talk->exchange.head.content_length - atomic_load(&connection->taken) <=
               SWALLOW_MAX;
}

/* A body comes through what the head leaves of the library's buffer; where that is nothing
 * the library waits for it, and reads none, without end. */
static bool has_room_for_body(struct connection *connection)
{
    size_t room = connection->net->server->settings.connection_memory;

    return head_room(&connection->talk) + LEAST_ROOM <= room ||
           fail_limit(&connection->talk.exchange.err, ERR_HEADERS_TOO_LARGE, NULL, room,
                      "--connection-memory",
                      "the headers leave no room for a body in the %zu bytes of a "
                      "connection's buffer (--connection-memory raises that)",
                      room);
}

static enum MHD_Result take_head(struct connection *connection, const char *method,
                                 const char *version)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    bool expects_continue, sound = head_read(talk, method, version, &expects_continue);
    talk->to_head = span_is(exchange->head.method, "HEAD");
    bool has_body = talk->chunked || talk->exchange.head.content_length > 0;

    /* with an error from above this only finds out the names for the log */
    bool routed = api_route(exchange);
    int64_t cost = api_expected_ns(exchange, exchange->head.content_length);
    if (sound && routed && turn_is_due(connection, cost))
        routed = turn_admit(connection, cost);
    if (!sound || (has_body && !has_room_for_body(connection)))
        return refusal_at_once(connection);
    if (talk->chunked && talk->head_end)
        incoming_follow_chunks(connection->fd, talk->head_end);
    talk_become(talk, routed ? TALK_BODY : TALK_SWALLOW);
    talk->ends_twice = expects_continue && !has_body;
    if (has_body && !routed && (expects_continue || !worth_swallowing(connection)))
        return refusal_at_once(connection);
    return connection_enter(connection, CONNECTION_BODY) ? MHD_YES : MHD_NO;
}

/* The library has given us all that it has read of the body. */
static enum MHD_Result swallow(const struct connection *connection)
{
    const struct talk *talk = &connection->talk;

    if (!talk->chunked)
        incoming_drop(connection->fd, talk->exchange.head.content_length -
                                          atomic_load(&connection->taken));
    return MHD_YES;
}

static enum MHD_Result give_up(struct connection *connection)
{
    turn_leave(connection);
    if (!worth_swallowing(connection)) {
        refusal_past_library(connection);
        return MHD_NO;
    }
    talk_become(&connection->talk, TALK_SWALLOW);
    return swallow(connection);
}

/* How much of a piece is read by the thread that moves bytes. */
static size_t at_once(const struct connection *connection, size_t len)
{
    const struct talk *talk = &connection->talk;
    const struct exchange *exchange = &talk->exchange;

    if (api_is_compressed(exchange)) /* a few bytes may become a thousand times as many */
        return 0;
    if (talk->parcel.len == 0 && net_has_one(connection->net))
        return len;
    size_t now = exchange->body_bytes < AT_ONCE ? AT_ONCE - exchange->body_bytes : 0;
    return now < len ? now : len;
}

/* The body of a request that costs more than a moment, until there is enough of it
 * for a turn on the pool.  Its beginning is read at once: who sends something else
 * altogether is told so before the rest is on its way.  Returns how much was taken. */
static size_t pack(struct connection *connection, struct span piece)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    size_t now = at_once(connection, piece.len);

    if (now > 0 && !api_feed(exchange, (struct span){piece.at, now}))
        return piece.len;
    if (!talk->parcel.at && now < piece.len)
        exchange->refused = !parcel_open(&talk->parcel, &connection->net->shelf,
                                         &exchange->mem, &exchange->err);
    if (exchange->refused || now == piece.len)
        return piece.len;
    return now +
           parcel_put(&talk->parcel, (struct span){piece.at + now, piece.len - now});
}

/* A body in chunks costs what has come of it, which its head did not tell. */
static void expect_more(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    int64_t cost = api_expected_ns(&talk->exchange, atomic_load(&connection->taken));

    if (talk->admitted)
        turn_grow(connection, cost);
    else if (turn_is_due(connection, cost))
        turn_admit(connection, cost);
}

static void fail_stopping(struct exchange *exchange)
{
    fail(&exchange->err, ERR_DRAINING, NULL, "this server is stopping");
    exchange->refused = true;
}

static enum MHD_Result take_piece(struct connection *connection, struct span piece,
                                  size_t *left)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    size_t n = piece.len;

    if (talk->admitted)
        n = pack(connection, piece);
    else
        api_feed(exchange, piece);
    *left = piece.len - n;
    connection_count(&connection->taken, n);
    if (talk->state == TALK_SWALLOW)
        return swallow(connection);
    if (talk->chunked && !exchange->refused)
        expect_more(connection);
    if (exchange->refused)
        return give_up(connection);
    if (!talk->admitted || !talk->parcel.at || parcel_room(&talk->parcel) > 0)
        return MHD_YES;
    if (worth_swallowing(connection) && !turn_is_open(connection))
        return give_up(connection);
    if (!connection_enter(connection, CONNECTION_BUSY))
        return MHD_NO;
    if (turn_begin(connection, TURN_READ))
        return MHD_YES;
    fail_stopping(exchange);
    refusal_past_library(connection);
    return MHD_NO;
}

static enum MHD_Result take_end(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;

    if (!connection_enter(connection, CONNECTION_BUSY))
        return MHD_NO;
    talk->last |= talk->chunked && !incoming_chunks_have_ended(connection->fd);
    if (!talk->admitted && !exchange->refused) {
        int64_t cost = api_cost_ns(exchange);
        if (turn_is_due(connection, cost))
            turn_admit(connection, cost);
    }
    if (talk->admitted && !exchange->refused && turn_is_open(connection)) {
        struct err ignored = {0};
        if (!talk->parcel.at && !net_writes_alone(connection->net))
            parcel_open(&talk->parcel, &connection->net->shelf, &exchange->mem, &ignored);
        turn_hold(connection);
        if (turn_begin(connection, TURN_ANSWER))
            return MHD_YES;
        fail_stopping(exchange);
    }
    if (exchange->refused) {
        refusal_make(connection);
    } else {
        refusal_tell_when(connection); /* there may be no memory for the answer */
        api_answer(exchange, NULL, &talk->response);
    }
    return answer_at_end(connection);
}

enum MHD_Result conversation_go_on(struct connection *connection, const char *method,
                                   const char *version, const char *piece, size_t *size)
{
    struct talk *talk = &connection->talk;
    enum talk_state state = talk->state;

    switch (state) {
    case TALK_BEGUN:
        return take_head(connection, method, version);
    case TALK_BODY:
    case TALK_SWALLOW:
        if (*size == 0)
            return take_end(connection);
        return take_piece(connection, (struct span){piece, *size}, size);
    case TALK_ANSWERED:
        return answer_at_end(connection);
    case TALK_OVER:
    case TALK_QUEUED:
    case TALK_SENT:
    case TALK_GONE:
        break;
    }
    return MHD_NO;
}

/* ---- the end ------------------------------------------------------------------- */

void conversation_end(struct connection *connection, enum MHD_RequestTerminationCode how)
{
    struct talk *talk = &connection->talk;
    bool complete = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;

    if (talk->state == TALK_OVER)
        return;
    incoming_rest(connection->fd);
    turn_leave(connection);
    if (refusal_is_due_at_the_end(connection, how))
        refusal_at_the_end(connection);
    connection->net->lacks_room = false;
    /* what is still in the parcel has come, too */
    talk->exchange.body_bytes = atomic_load(&connection->taken);
    struct ending ending = ending_of(connection, complete);
    tally_request(connection->net->server, &talk->exchange, &ending);
    ending_log(&ending, connection);
    exchange_release(&talk->exchange);
    parcel_close(&talk->parcel, &connection->net->shelf);
    if (talk->target != talk->room)
        free(talk->target);
    talk->target = NULL;
    talk_become(talk, TALK_OVER);
    connection_rest(connection, talk->exchange.began_ns + ending.duration_ns);
}
