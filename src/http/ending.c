#include "http/ending.h"

#include "http/connection.h"
#include "http/inside.h"
#include "lossd/base/clock.h"

enum {
    NOT_MODIFIED = 304,
    CLIENT_LEFT = 499 /* the status that log readers know for it */
};

/* No answer, or not all of it: is it not we who ended the connection? */
static bool is_gone(const struct connection *connection)
{
    enum connection_phase phase = atomic_load(&connection->phase);

    return phase < CONNECTION_EXPIRED || phase == CONNECTION_LEFT;
}

/* The client was too slow, of which the reaper tells it where that is a body; or this server
 * is stopping, or the client has left. */
static void end_without_response(const struct connection *connection,
                                 struct ending *ending)
{
    if (atomic_load(&connection->phase) == CONNECTION_REFUSED)
        ending->kind = ERR_UPLOAD_TIMEOUT;
    if (!is_gone(connection)) {
        ending->status = problem_status(ERR_UPLOAD_TIMEOUT);
    } else if (suspended_are_ending(&connection->net->server->suspended)) {
        ending->status = problem_status(ERR_DRAINING);
    } else {
        ending->status = CLIENT_LEFT;
        ending->gone = true;
    }
}

struct ending ending_of(const struct connection *connection, bool complete)
{
    const struct talk *talk = &connection->talk;
    const struct exchange *exchange = &talk->exchange;
    bool is_bare = talk->to_head || talk->response.status == NOT_MODIFIED;
    struct ending ending = {.sent = is_bare ? 0 : talk->sent,
                            .duration_ns = clock_ns() - exchange->began_ns,
                            .shed = talk->shed,
                            .complete = complete || talk->by_hand || talk->unread};

    if (talk->state != TALK_SENT) {
        end_without_response(connection, &ending);
        return ending;
    }
    ending.status = talk->response.status;
    ending.kind = exchange->err.kind;
    ending.gone = !complete && !talk->by_hand && !talk->unread && is_gone(connection);
    return ending;
}

/* A request that asks how the service is, and was told. */
static bool is_probe(const struct ending *ending, const struct exchange *exchange)
{
    return route_is_probe(exchange->route) &&
           (ending->kind == ERR_NONE || ending->kind == ERR_DRAINING);
}

void ending_log(const struct ending *ending, const struct connection *connection)
{
    const struct talk *talk = &connection->talk;
    const struct exchange *exchange = &talk->exchange;
    const struct log *log = connection->net->server->log;

    if (is_probe(ending, exchange) && log->lowest > LOG_DEBUG)
        return;
    struct access access = {
        .method = exchange->head.method,
        .path = query_path(talk->target ? span_of(talk->target) : span_of("")),
        .route = route_name(exchange->route),
        .status = ending->status,
        .request_bytes = exchange->body_bytes,
        .response_bytes = ending->sent,
        .duration_ms = (double)ending->duration_ns / 1e6,
        .request_id = exchange->request_id,
        .trace_id = exchange->trace_id,
        .client = span_of(connection->client),
        .user_agent = talk->user_agent,
        .code = ending->kind != ERR_NONE ? problem_code(ending->kind) : "",
        .rows = exchange->rows > 0 ? exchange->rows : exchange->batch.positions,
        .classes = exchange->batch.classes,
        .complete = ending->complete,
    };
    log_access(log, &access);
}
