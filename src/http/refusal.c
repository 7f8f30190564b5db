#include "http/refusal.h"

#include <poll.h>

#include "http/answer.h"
#include "http/connection.h"
#include "http/head.h"
#include "http/inside.h"
#include "http/turn.h"

void refusal_tell_when(struct connection *connection)
{
    struct exchange *exchange = &connection->talk.exchange;

    exchange->retry_after_s =
        admission_retry_after_s(&connection->net->server->admission, exchange->began_ns);
}

void refusal_make(struct connection *connection)
{
    struct talk *talk = &connection->talk;

    refusal_tell_when(connection);
    turn_leave(connection);
    api_refuse(&talk->exchange, &talk->response);
}

enum MHD_Result refusal_at_once(struct connection *connection)
{
    struct talk *talk = &connection->talk;

    talk->last = true;
    refusal_make(connection);
    refuser_keep(connection->net->server->refuser, connection->fd);
    return answer_send(connection);
}

static void write_past_library(struct connection *connection)
{
    struct talk *talk = &connection->talk;

    refuse_by_hand(connection->fd, talk->to_head, &talk->response);
    refuser_keep(connection->net->server->refuser, connection->fd);
    connection_count(&talk->sent, talk->response.body.len);
    talk->by_hand = true;
    talk_become(talk, TALK_SENT);
}

void refusal_past_library(struct connection *connection)
{
    if (!connection_enter(connection, CONNECTION_WRITING))
        return;
    refusal_make(connection);
    write_past_library(connection);
}

void refusal_past_library_bare(struct connection *connection)
{
    if (!connection_enter(connection, CONNECTION_WRITING))
        return;
    refusal_make(connection);
    connection->talk.response.body = (struct span){NULL, 0};
    write_past_library(connection);
}

/* The head of an answer goes into the library's buffer, behind the request's head and
 * what has come behind that.  Where it finds no room the library closes the connection
 * without a word to the client, but not without one to us: one that has other words by
 * now is known by the size of the request's head. */
static bool lacks_room(const struct connection *connection)
{
    return connection->net->lacks_room ||
           head_room(&connection->talk) >=
               connection->net->server->settings.connection_memory / 4;
}

/* What else ends an answer in this way has broken the socket. */
bool refusal_is_due_at_the_end(const struct connection *connection,
                               enum MHD_RequestTerminationCode how)
{
    const struct talk *talk = &connection->talk;
    struct pollfd broken = {.fd = connection->fd};

    return how == MHD_REQUEST_TERMINATED_WITH_ERROR &&
           (talk->unmade || (talk->state == TALK_SENT && lacks_room(connection))) &&
           !talk->by_hand && !talk->headed &&
           atomic_load(&connection->phase) < CONNECTION_EXPIRED &&
           poll(&broken, 1, 0) == 0;
}

static void fail_without_room(struct exchange *exchange, size_t room)
{
    fail_limit(&exchange->err, ERR_HEADERS_TOO_LARGE, NULL, room, "--connection-memory",
               "the headers, and what came behind them, leave no room for an answer in "
               "the %zu bytes of a connection's buffer (--connection-memory raises that)",
               room);
}

/* What has been refused already is refused for that reason. */
void refusal_at_the_end(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;

    if (exchange->err.kind == ERR_NONE && talk->unmade)
        fail(&exchange->err, ERR_OVERLOADED, NULL, "the machine has no memory left");
    else if (exchange->err.kind == ERR_NONE)
        fail_without_room(exchange, connection->net->server->settings.connection_memory);
    refusal_make(connection);
    atomic_store(&talk->sent, 0); /* of what was given up */
    write_past_library(connection);
}
