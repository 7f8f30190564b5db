#include "http/turn.h"

#include <errno.h>
#include <sys/socket.h>

#include "http/connection.h"
#include "http/inside.h"
#include "lossd/base/clock.h"

enum { FILL_LEAST = 256 /* what a response can always write into */ };

bool turn_is_due(const struct connection *connection, int64_t cost_ns)
{
    const struct server *server = connection->net->server;

    return server->pool && (cost_ns > server->settings.inline_cost_ns ||
                            api_is_compressed(&connection->talk.exchange));
}

bool turn_admit(struct connection *connection, int64_t cost_ns)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    struct server *server = connection->net->server;
    int64_t timeout = exchange->wishes.timeout_ns;
    struct task_estimate task = {
        .cost_ns = cost_ns,
        .timeout_ns = timeout ? timeout : server->settings.request_timeout_ns,
        .is_small = api_is_small(exchange)};

    talk->admitted =
        admission_enter(&server->admission, &task, &talk->shed, &exchange->err);
    talk->timeout_ns = task.timeout_ns;
    talk->cost_ns = cost_ns;
    talk->took_ns = 0;
    talk->elements = 0;
    talk->crowded = true;
    exchange->refused = !talk->admitted;
    return talk->admitted;
}

void turn_grow(struct connection *connection, int64_t cost_ns)
{
    struct talk *talk = &connection->talk;

    if (!talk->admitted || cost_ns <= talk->cost_ns)
        return;
    admission_grow(&connection->net->server->admission, cost_ns - talk->cost_ns);
    talk->cost_ns = cost_ns;
}

bool turn_is_open(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;

    if (talk->took_ns > 0 || admission_may_begin(&connection->net->server->admission,
                                                 api_is_small(exchange), &exchange->err))
        return true;
    talk->shed = SHED_QUEUE;
    exchange->refused = true;
    return false;
}

void turn_hold(struct connection *connection)
{
    struct talk *talk = &connection->talk;

    talk->elements = api_elements(&talk->exchange);
    admission_hold(&connection->net->server->admission, talk->elements);
}

static void leave(struct connection *connection, int64_t took_ns)
{
    struct talk *talk = &connection->talk;
    struct admission *admission = &connection->net->server->admission;

    if (talk->admitted) {
        admission_let_go(admission, talk->elements);
        admission_leave(admission, talk->cost_ns, took_ns);
    }
    talk->admitted = false;
}

void turn_leave(struct connection *connection)
{
    leave(connection, 0);
}

/* A client that has closed its side may have gone, or wait for its answer: nobody can tell
 * before that is sent. */
static bool has_left(const struct connection *connection)
{
    char byte;
    ssize_t n = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n == 0)
        return !connection->net->server->settings.answer_half_closed;
    return n < 0 && errno != EAGAIN && errno != EINTR;
}

/* The body may have said so since it was admitted. */
static void check_lateness(struct talk *talk)
{
    struct exchange *exchange = &talk->exchange;

    if (exchange->wishes.timeout_ns > 0)
        talk->timeout_ns = exchange->wishes.timeout_ns;
    if (talk->waited_ns <= talk->timeout_ns || exchange->refused)
        return;
    talk->shed = SHED_LATE;
    exchange->refused = true;
    fail(&exchange->err, ERR_OVERLOADED, NULL,
         "this request has waited for %.3f s, longer than the %.3f s that it may",
         (double)talk->waited_ns / 1e9, (double)talk->timeout_ns / 1e9);
}

/* What is compressed costs what came out of it, which its head did not tell. */
static void read_parcel(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    struct span text = parcel_empty(&talk->parcel);

    if (text.len == 0 || exchange->refused)
        return;
    api_feed(exchange, text);
    turn_grow(connection, api_expected_ns(exchange, exchange->body_bytes));
}

static void write_parcel(struct talk *talk, struct pool *pool)
{
    struct parcel *parcel = &talk->parcel;
    struct response *response = &talk->response;
    size_t n = 1;

    parcel_empty(parcel);
    while (n > 0 && parcel_room(parcel) >= FILL_LEAST) {
        n = response->fill(response->ctx, pool, parcel_end(parcel), parcel_room(parcel));
        parcel->len += n;
    }
    parcel->last = n == 0;
}

/* The first part of a long answer, which may be all of it.  Without a parcel, it is
 * written where it is sent from. */
static void begin_writing(struct talk *talk, struct pool *pool)
{
    struct response *response = &talk->response;

    if (!response->fill || !talk->parcel.at)
        return;
    write_parcel(talk, pool);
    if (talk->parcel.last) {
        response->fill = NULL;
        response->body = parcel_empty(&talk->parcel);
    }
}

static enum talk_state take_answer_turn(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    struct exchange *exchange = &talk->exchange;
    struct server *server = connection->net->server;

    if (has_left(connection))
        return TALK_GONE;
    if (suspended_are_ending(&server->suspended) && !exchange->refused) {
        exchange->refused = true;
        fail(&exchange->err, ERR_DRAINING, NULL, "this server is stopping");
    } else {
        check_lateness(talk);
    }
    read_parcel(connection);
    check_lateness(talk);
    turn_grow(connection, api_cost_ns(exchange)); /* what its head did not tell */
    exchange->retry_after_s =
        admission_retry_after_s(&server->admission, exchange->began_ns);
    api_answer(exchange, server->pool, &talk->response);
    begin_writing(talk, server->pool);
    return TALK_ANSWERED;
}

static enum talk_state take_turn(struct connection *connection, enum turn turn)
{
    struct talk *talk = &connection->talk;

    switch (turn) {
    case TURN_READ:
        check_lateness(talk);
        read_parcel(connection);
        connection_enter(connection, CONNECTION_BODY);
        return TALK_BODY;
    case TURN_WRITE:
        write_parcel(talk, connection->net->server->pool);
        connection_enter(connection, CONNECTION_WRITING);
        return TALK_SENT;
    case TURN_ANSWER:
        break;
    }
    return take_answer_turn(connection);
}

/* Nothing is left to be done: makes room for others.  Freeing large arrays takes long
 * enough to be done here, and not on the network thread at the end.  The pace is what all
 * that was estimated took, when no idle thread helped with any of it. */
static void end_turns(struct connection *connection, bool gone)
{
    struct talk *talk = &connection->talk;
    bool all_done = !gone && !talk->exchange.refused;

    arena_trim(&talk->exchange.mem, talk->response.body.at);
    leave(connection, all_done && talk->crowded ? talk->took_ns : 0);
}

static bool was_last(const struct talk *talk, enum turn turn)
{
    return turn == TURN_ANSWER ? !talk->response.fill
                               : turn == TURN_WRITE && talk->parcel.last;
}

static void run_job(struct job *job)
{
    struct talk *talk = (struct talk *)((char *)job - offsetof(struct talk, job));
    struct connection *connection =
        (struct connection *)((char *)talk - offsetof(struct connection, talk));
    struct server *server = connection->net->server;
    int64_t began = clock_ns();

    talk->crowded &= admission_is_crowded(&server->admission);
    talk->waited_ns = began - talk->queued_ns;
    talk->exchange.stage_ns[STAGE_QUEUE] += talk->waited_ns;
    enum talk_state state = take_turn(connection, talk->turn);
    talk->took_ns += clock_ns() - began;
    if (state == TALK_GONE || was_last(talk, talk->turn))
        end_turns(connection, state == TALK_GONE);
    admission_end(&server->admission);
    struct MHD_Connection *mhd = talk->mhd;
    talk_become(talk, state); /* from here on it is the network thread's */
    MHD_resume_connection(mhd);
    suspended_end(&server->suspended);
}

bool turn_begin(struct connection *connection, enum turn turn)
{
    struct talk *talk = &connection->talk;
    struct server *server = connection->net->server;

    if (!suspended_begin(&server->suspended))
        return false;
    admission_begin(&server->admission);
    talk->job.run = run_job;
    talk->turn = turn;
    talk->queued_ns = clock_ns();
    talk_become(talk, TALK_QUEUED);
    MHD_suspend_connection(talk->mhd);
    pool_submit(server->pool, &talk->job);
    return true;
}
