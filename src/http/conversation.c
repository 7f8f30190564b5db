/* A request's way through the server:
 *
 *     begin ── headers ──┬─ body ── answer here ─────────────┬─ sent ── end
 *                        │     └─── on the pool, suspended ──┤
 *                        └─ refused ─ swallow the body ──────┘
 *                               └─ at once, and keep the socket a while
 *
 * The library calls again and again with what there is; each call either goes on
 * or queues the response.  It takes no response in the middle of a body: there,
 * unless so little is left that it can be awaited, the answer is written to the
 * socket by hand.  That is safe because the library has nothing to write then. */
#include "http/conversation.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "http/connection.h"
#include "http/ending.h"
#include "http/inside.h"
#include "http/tally.h"
#include "http/vet.h"
#include "lossd/base/clock.h"

enum {
    SWALLOW_MAX = 1 << 20, /* bytes of a refused body worth awaiting */
    FILL_BLOCK = 32768
};

/* Whoever sees the state sees what was done before. */
static void become(struct conversation *talk, enum talk_state state)
{
    atomic_store_explicit(&talk->state, state, memory_order_release);
}

/* ---- the head ---------------------------------------------------------------- */

void conversation_begin(struct connection *connection, const char *uri)
{
    struct conversation *talk = &connection->talk;
    struct server *server = connection->net->server;
    size_t size = strlen(uri) + 1;

    exchange_init(&talk->exchange, server->api, server->budget);
    talk->exchange.health_only = connection->net->is_admin;
    become(talk, TALK_BEGUN);
    talk->mhd = NULL;
    talk->user_agent = (struct span){NULL, 0};
    talk->shed = SHED_MEMORY;
    talk->chunked = talk->last = talk->by_hand = talk->ends_twice = false;
    atomic_store_explicit(&talk->sent, 0, memory_order_relaxed);
    talk->spilled = talk->spill_size = 0;
    /* the library decodes its own in place */
    talk->target = size <= sizeof talk->room ? talk->room : malloc(size);
    if (talk->target)
        memcpy(talk->target, uri, size);
    connection_count(&connection->turn, 1);
    connection_enter(connection, CONNECTION_HEAD);
}

/* "http://host/path" is "/path" to us. */
static struct span origin_form(struct span target)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);
        if (target.len < len || strncasecmp(target.at, schemes[i], len) != 0)
            continue;
        while (len < target.len && target.at[len] != '/' && target.at[len] != '?')
            len++;
        return len < target.len ? (struct span){target.at + len, target.len - len}
                                : span_of("/");
    }
    return target;
}

static enum MHD_Result see_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                  size_t key_size, const char *value, size_t value_size)
{
    (void)kind;
    vet_header(cls, (struct span){key, key_size}, (struct span){value, value_size});
    return MHD_YES;
}

/* From its method to the end of its headers; later libraries read lines another way, and
 * show us all of them. */
static struct span block_of(struct MHD_Connection *mhd, const char *method)
{
#if MHD_VERSION < 0x00097700
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return (struct span){method, info ? info->header_size : 0};
#else
    (void)mhd, (void)method;
    return (struct span){NULL, 0};
#endif
}

/* Fills the head.  False: unsound, `exchange.err` says why. */
static bool read_head(struct conversation *talk, const char *method, const char *version,
                      bool *expects_continue)
{
    struct exchange *exchange = &talk->exchange;
    struct vetting vetting = vet_begin(&exchange->head, &exchange->err);

    exchange->head.method = span_of(method);
    if (talk->target)
        exchange->head.target = origin_form(span_of(talk->target));
    else
        fail(&exchange->err, ERR_OVERLOADED, NULL, "there is no memory for the address");
    vet_method(&vetting, exchange->head.method);
    vetting.block = block_of(talk->mhd, method);
    MHD_get_connection_values_n(talk->mhd, MHD_HEADER_KIND, see_header, &vetting);
    talk->chunked = vetting.chunked;
    talk->user_agent = vetting.user_agent;
    *expects_continue = vetting.expects_continue;
    return vet_end(&vetting, span_of(version));
}

/* ---- the answer ---------------------------------------------------------------- */

/* The library offers what is left of the connection's buffer, and next to nothing
 * is left after headers that have nearly filled it. */
static size_t fill_little(struct conversation *talk, char *out, size_t capacity)
{
    if (talk->spilled == talk->spill_size) {
        talk->spilled = 0;
        talk->spill_size =
            talk->response.fill(talk->response.ctx, talk->spill, sizeof talk->spill);
    }
    size_t left = talk->spill_size - talk->spilled, n = left < capacity ? left : capacity;
    memcpy(out, talk->spill + talk->spilled, n);
    talk->spilled += n;
    return n;
}

static ssize_t fill_response(void *cls, uint64_t position, char *out, size_t capacity)
{
    struct conversation *talk = cls;
    bool little = capacity < sizeof talk->spill || talk->spilled < talk->spill_size;
    size_t n = little ? fill_little(talk, out, capacity)
                      : talk->response.fill(talk->response.ctx, out, capacity);

    (void)position;
    connection_count(&talk->sent, n);
    return n > 0 ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct conversation *talk)
{
    const struct response *response = &talk->response;

    if (response->fill)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, FILL_BLOCK,
                                                 fill_response, talk, NULL);
    /* the library does not write to a persistent buffer */
    return MHD_create_response_from_buffer(
        response->body.len, (void *)(uintptr_t)response->body.at, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_response(struct connection *connection)
{
    struct conversation *talk = &connection->talk;
    const struct response *response = &talk->response;
    struct MHD_Response *made;

    if (!connection_enter(connection, CONNECTION_WRITING) ||
        !(made = make_response(talk)))
        return MHD_NO;
    enum MHD_Result good = MHD_YES;
    for (size_t i = 0; i < response->headers; i++)
        good &= MHD_add_response_header(made, response->header[i].name,
                                        response->header[i].value);
    if (talk->last || atomic_load(&connection->net->server->draining))
        good &= MHD_add_response_header(made, "Connection", "close");
    if (good)
        good = MHD_queue_response(talk->mhd, response->status, made);
    MHD_destroy_response(made);
    if (good) {
        become(talk, TALK_SENT);
        if (!response->fill)
            connection_count(&talk->sent, response->body.len);
    }
    return good;
}

/* A request that waits to continue, though with nothing, the library ends twice when
 * more has come behind it; the first time it takes no response. */
static enum MHD_Result answer_at_end(struct connection *connection)
{
    struct conversation *talk = &connection->talk;
    bool comes_again = talk->ends_twice;

    talk->ends_twice = false;
    talk->state = TALK_ANSWERED;
    return send_response(connection) || comes_again ? MHD_YES : MHD_NO;
}

static void refuse(struct connection *connection)
{
    struct conversation *talk = &connection->talk;
    struct err *err = &talk->exchange.err;

    if (err->kind == ERR_OVERLOADED)
        err->retry_after_s = admission_retry_after_s(&connection->net->server->admission);
    api_refuse(&talk->exchange, &talk->response);
}

/* Refuses now, though more of the request may be on its way. */
static enum MHD_Result refuse_at_once(struct connection *connection)
{
    struct conversation *talk = &connection->talk;

    talk->last = true;
    refuse(connection);
    refuser_keep(connection->net->server->refuser, connection->fd);
    return send_response(connection);
}

static enum MHD_Result refuse_in_the_middle(struct connection *connection)
{
    struct conversation *talk = &connection->talk;

    if (!connection_enter(connection, CONNECTION_WRITING))
        return MHD_NO;
    refuse(connection);
    refuse_by_hand(connection->fd, &talk->response);
    refuser_keep(connection->net->server->refuser, connection->fd);
    connection_count(&talk->sent, talk->response.body.len);
    talk->by_hand = true;
    become(talk, TALK_SENT);
    return MHD_NO;
}

/* ---- on the pool --------------------------------------------------------------- */

/* A client that has closed its side has gone, as far as anyone can tell. */
static bool has_left(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* A request whose turn has come: TALK_QUEUED while it is to be answered, or else the
 * end that it has come to. */
static enum talk_state take_turn(struct connection *connection, int64_t waited_ns)
{
    struct conversation *talk = &connection->talk;
    struct err *err = &talk->exchange.err;

    if (has_left(connection->fd))
        return TALK_GONE;
    if (server_ending(connection->net->server)) {
        fail(err, ERR_DRAINING, NULL, "this server is stopping");
    } else if (waited_ns > talk->timeout_ns) {
        talk->shed = SHED_LATE;
        fail(err, ERR_OVERLOADED, NULL,
             "this request has waited for %.3f s, longer than the %.3f s that it may",
             (double)waited_ns / 1e9, (double)talk->timeout_ns / 1e9);
    } else {
        return TALK_QUEUED;
    }
    refuse(connection);
    return TALK_ANSWERED;
}

static void run_job(struct job *job)
{
    struct conversation *talk =
        (struct conversation *)((char *)job - offsetof(struct conversation, job));
    struct connection *connection =
        (struct connection *)((char *)talk - offsetof(struct connection, talk));
    struct server *server = connection->net->server;
    struct admission *admission = &server->admission;
    bool others_wait = admission_begin(admission);
    int64_t began = clock_ns(), took = 0;

    talk->exchange.stage_ns[STAGE_QUEUE] = began - talk->queued_ns;
    enum talk_state state = take_turn(connection, began - talk->queued_ns);
    if (state == TALK_QUEUED) {
        api_answer(&talk->exchange, server->pool, &talk->response);
        took = clock_ns() - began;
        state = TALK_ANSWERED;
    }
    admission_leave(admission, talk->cost_ns, others_wait ? took : 0);
    struct MHD_Connection *mhd = talk->mhd;
    become(talk, state); /* from here on the conversation is the network thread's */
    MHD_resume_connection(mhd);
    server_end_job(server);
}

static enum MHD_Result refuse_to_queue(struct connection *connection)
{
    refuse(connection);
    return answer_at_end(connection);
}

static enum MHD_Result hand_over(struct connection *connection)
{
    struct conversation *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    struct server *server = connection->net->server;
    int64_t timeout = exchange->wishes.timeout_ns;
    struct task_estimate task = {
        .cost_ns = talk->cost_ns,
        .timeout_ns = timeout ? timeout : server->settings.request_timeout_ns,
        .is_small = api_is_small(exchange)};

    if (!admission_enter(&server->admission, &task, &talk->shed, &exchange->err))
        return refuse_to_queue(connection);
    if (!server_begin_job(server)) {
        admission_begin(&server->admission);
        admission_leave(&server->admission, talk->cost_ns, 0);
        fail(&exchange->err, ERR_DRAINING, NULL, "this server is stopping");
        return refuse_to_queue(connection);
    }
    talk->job.run = run_job;
    talk->timeout_ns = task.timeout_ns;
    talk->queued_ns = clock_ns();
    become(talk, TALK_QUEUED);
    MHD_suspend_connection(talk->mhd);
    bool queued = pool_submit(server->pool, &talk->job);
    assert(queued); /* admission has counted those that wait */
    (void)queued;
    return MHD_YES;
}

/* ---- the library's calls --------------------------------------------------------- */

/* True when so little of the body is left that it is awaited, and the connection
 * goes on. */
static bool worth_swallowing(const struct conversation *talk)
{
    const struct exchange *exchange = &talk->exchange;

    return !talk->chunked &&
           exchange->head.content_length - exchange->body_bytes <= SWALLOW_MAX;
}

static enum MHD_Result take_head(struct connection *connection, const char *method,
                                 const char *version)
{
    struct conversation *talk = &connection->talk;
    bool expects_continue, sound = read_head(talk, method, version, &expects_continue);
    bool has_body = talk->chunked || talk->exchange.head.content_length > 0;

    /* with an error from above this only finds out the names for the log */
    bool routed = api_route(&talk->exchange) != NULL;
    if (!sound)
        return refuse_at_once(connection);
    become(talk, routed ? TALK_BODY : TALK_SWALLOW);
    talk->ends_twice = expects_continue && !has_body;
    if (has_body && !routed && (expects_continue || !worth_swallowing(talk)))
        return refuse_at_once(connection);
    atomic_store_explicit(&connection->taken, 0, memory_order_relaxed);
    return connection_enter(connection, CONNECTION_BODY) ? MHD_YES : MHD_NO;
}

static enum MHD_Result take_piece(struct connection *connection, struct span piece)
{
    struct conversation *talk = &connection->talk;

    connection_count(&connection->taken, piece.len);
    if (api_feed(&talk->exchange, piece) || talk->state == TALK_SWALLOW)
        return MHD_YES;
    if (!worth_swallowing(talk))
        return refuse_in_the_middle(connection);
    become(talk, TALK_SWALLOW);
    return MHD_YES;
}

static enum MHD_Result take_end(struct connection *connection)
{
    struct conversation *talk = &connection->talk;
    struct server *server = connection->net->server;

    if (!connection_enter(connection, CONNECTION_BUSY))
        return MHD_NO;
    talk->cost_ns = api_cost_ns(&talk->exchange);
    if (talk->state == TALK_BODY && server->pool &&
        talk->cost_ns > server->settings.inline_cost_ns)
        return hand_over(connection);
    api_answer(&talk->exchange, NULL, &talk->response);
    return answer_at_end(connection);
}

enum MHD_Result conversation_go_on(struct connection *connection,
                                   struct MHD_Connection *mhd, const char *method,
                                   const char *version, const char *piece, size_t *size)
{
    struct conversation *talk = &connection->talk;
    enum talk_state state = talk->state;

    switch (state) {
    case TALK_BEGUN:
        talk->mhd = mhd;
        return take_head(connection, method, version);
    case TALK_BODY:
    case TALK_SWALLOW:
        if (*size == 0)
            return take_end(connection);
        struct span bytes = {piece, *size};
        *size = 0;
        return take_piece(connection, bytes);
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

void conversation_end(struct connection *connection, struct MHD_Connection *mhd,
                      bool complete)
{
    struct conversation *talk = &connection->talk;

    if (talk->state == TALK_OVER)
        return;
    struct ending ending = ending_of(connection, mhd, complete);
    tally_request(connection->net->server, &talk->exchange, &ending);
    ending_log(&ending, connection);
    exchange_release(&talk->exchange);
    if (talk->target != talk->room)
        free(talk->target);
    talk->target = NULL;
    become(talk, TALK_OVER);
    connection_enter(connection, CONNECTION_IDLE);
}
