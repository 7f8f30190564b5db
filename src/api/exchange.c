/* The straight line: head, body, answer.
 *
 *     decode  ->  batch_check  ->  score  ->  encode
 *
 * Every function below either goes on or leaves an error in the exchange; the
 * answer is made of whichever it was. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "api/access.h"
#include "api/body.h"
#include "api/cors.h"
#include "api/model.h"
#include "api/monitor.h"
#include "api/openapi.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/reply_size.h"
#include "api/request_id.h"
#include "api/response.h"
#include "api/route.h"
#include "api/text_length.h"
#include "api/timing.h"
#include "lossd/base/clock.h"
#include "lossd/base/excerpt.h"
#include "lossd/codec/codec.h"
#include "lossd/codec/inflater.h"
#include "lossd/engine/loss.h"

enum {
    DOCUMENT_MAX = 1 << 20,
    WHOLE_NUMBERS = 2500, /* an answer with more is written while it is sent */
    NUMBER_ROOM = 26,     /* longest number and its comma */
    ENVELOPE_ROOM = 1024, /* an answer without its arrays */
    ENCODE_NS = 30,       /* to write a number */
    BYTE_NS = 6,          /* to read a byte of a body and to answer it */
    INFLATE_NS = 5,       /* to decompress a byte of text */
    STREAM_BYTES = 1 << 20,
    OVERHEAD_BYTES = 65536, /* a request's memory besides its arrays */
    PROBE_MEMORY = 2 << 20
};

struct api *api_new(const struct api_settings *settings)
{
    struct api *api = calloc(1, sizeof *api);

    if (!api)
        return NULL;
    api->settings = *settings;
    if (getrandom(&api->id_seed, sizeof api->id_seed, 0) != sizeof api->id_seed)
        api->id_seed = (uint64_t)clock_ns();
    if (openapi_make(api))
        return api;
    api_free(api);
    return NULL;
}

void api_free(struct api *api)
{
    if (api)
        arena_release(&api->mem);
    free(api);
}

void api_set_draining(struct api *api, bool draining)
{
    atomic_store(&api->draining, draining);
}

void exchange_init(struct exchange *exchange, struct api *api, struct budget *budget)
{
    memset(exchange, 0, offsetof(struct exchange, err));
    exchange->err.kind = ERR_NONE;
    exchange->batch.positions = exchange->batch.classes = 0;
    exchange->request_id[0] = exchange->trace_id[0] = '\0';
    exchange->api = api;
    exchange->began_ns = clock_ns();
    arena_init(&exchange->mem, api->settings.max_request_memory, "--max-request-memory",
               budget);
}

void exchange_release(struct exchange *exchange)
{
    arena_release(&exchange->mem);
}

/* ---- head ------------------------------------------------------------------- */

static bool fail_media_type(struct exchange *exchange)
{
    char known[MEDIA_TYPES_SIZE];

    route_media_types(exchange->route, known);
    return fail(&exchange->err, ERR_UNSUPPORTED_MEDIA_TYPE, NULL,
                "Content-Type is %s; one of %s is wanted",
                excerpt_of(exchange->head.content_type).text, known);
}

static bool fail_accept(struct exchange *exchange)
{
    char known[MEDIA_TYPES_SIZE];

    codec_answer_types(known);
    return fail(&exchange->err, ERR_NOT_ACCEPTABLE, NULL,
                "Accept is %s; one of %s is wanted",
                excerpt_of(exchange->head.accept).text, known);
}

/* A route with a format of its own has that and no other. */
static bool choose_codecs(struct exchange *exchange)
{
    const struct request *head = &exchange->head;
    const struct codec *own = exchange->route->codec;

    if (own) {
        exchange->codec = codec_reads(own, head->content_type) ? own : NULL;
        exchange->writer = own;
        return exchange->codec || fail_media_type(exchange);
    }
    exchange->codec = codec_for(exchange->route->task, head->content_type);
    if (!exchange->codec)
        return fail_media_type(exchange);
    exchange->writer = codec_for_answer(head->accept);
    return exchange->writer || fail_accept(exchange);
}

static bool check_head(struct exchange *exchange)
{
    const struct request *head = &exchange->head;

    if (!coding_find(head->content_encoding, &exchange->coding))
        return fail(&exchange->err, ERR_UNSUPPORTED_ENCODING, NULL,
                    "Content-Encoding is %s; one of %s is wanted",
                    excerpt_of(head->content_encoding).text, coding_names);
    if (!choose_codecs(exchange))
        return false;
    return !head->has_content_length || body_fits(exchange, head->content_length);
}

/* A number takes two bytes of text at least and eight of memory at most, but in
 * real text it is longer: three quarters of the text cover it and the arena asks
 * the budget for more when that was too little. */
static bool reserve(struct exchange *exchange)
{
    bool is_known = exchange->head.has_content_length && !body_is_stream(exchange);
    size_t text =
        is_known ? (size_t)body_text(exchange, exchange->head.content_length) : 0;
    size_t bytes = text / 4 * 3 + OVERHEAD_BYTES;
    size_t most = exchange->mem.limit;

    return arena_reserve(&exchange->mem, bytes < most ? bytes : most, &exchange->err);
}

bool api_is_small(const struct exchange *exchange)
{
    return !exchange->coding && exchange->head.has_content_length &&
           exchange->head.content_length <= exchange->api->settings.small_body;
}

/* The header first: the address may say otherwise. */
static bool read_timeout(struct exchange *exchange)
{
    struct span text = exchange->head.timeout;

    return text.len == 0 || timeout_read("X-Request-Timeout", text, ERR_BAD_HEADER,
                                         &exchange->wishes.timeout_ns, &exchange->err);
}

static bool check_writer(struct exchange *exchange)
{
    const struct codec *writer = exchange->writer;

    return !writer->can_encode || writer->can_encode(&exchange->batch, &exchange->err);
}

/* Does the head alone say what the answer has, and nothing that will be refused? */
static bool knows_outputs(const struct exchange *exchange)
{
    const struct batch *batch = &exchange->batch;

    return (!exchange->codec->has_options || batch_has(batch, MEMBER_return)) &&
           exchange->err.kind == ERR_NONE && batch->bad_option.kind == ERR_NONE;
}

static const struct task *task_of(const struct exchange *exchange)
{
    if (exchange->model.task)
        return exchange->model.task;
    return body_is_stream(exchange) ? exchange->codec->becomes : exchange->route->task;
}

static bool begin_scoring(struct exchange *exchange)
{
    struct err *err = &exchange->err;

    exchange->mem.favoured = api_is_small(exchange);
    if (!read_timeout(exchange))
        return false;
    if (!check_head(exchange) || !reserve(exchange))
        return false;
    batch_init(&exchange->batch, task_of(exchange), &exchange->api->settings.limits);
    model_set_loss(exchange);
    query_read(exchange->head.target, &exchange->batch, &exchange->wishes, &exchange->mem,
               err);
    if (err_by(err, PHASE_TRANSPORT) ||
        (knows_outputs(exchange) && !check_writer(exchange)))
        return false;
    return body_begin(exchange) &&
           (!exchange->route->codec || text_length_tell(exchange));
}

static void hide_route(struct exchange *exchange, struct span path)
{
    if (exchange->route)
        fail(&exchange->err, ERR_UNKNOWN_ROUTE, NULL,
             "there is no %s at this address; it tells how the service is, and no more",
             excerpt_of(path).text);
    exchange->route = NULL;
}

const struct route *api_route(struct exchange *exchange)
{
    struct span path = query_path(exchange->head.target);

    request_id_choose(exchange);
    trace_id_read(exchange);
    exchange->preflight = cors_is_preflight(exchange);
    /* who is refused here is still routed, for the name in the log */
    access_check(exchange, path);
    exchange->route = exchange->preflight
                          ? route_at(path, &exchange->err)
                          : route_find(exchange->head.method, path, &exchange->err);
    if (exchange->route)
        model_choose(exchange);
    if (exchange->health_only && !route_is_probe(exchange->route))
        hide_route(exchange, path);
    if (route_is_probe(exchange->route)) /* answered when the budget is spent, too */
        arena_init(&exchange->mem, PROBE_MEMORY, NULL, NULL);
    if (!exchange->route || exchange->err.kind != ERR_NONE) {
        exchange->refused = true;
    } else if (exchange->route->task && !exchange->preflight) {
        exchange->refused = !begin_scoring(exchange);
    } else if (!exchange->preflight) {
        query_read(exchange->head.target, NULL, &exchange->wishes, &exchange->mem,
                   &exchange->err);
        exchange->refused = exchange->err.kind != ERR_NONE;
    }
    return exchange->refused ? NULL : exchange->route;
}

/* ---- body ------------------------------------------------------------------- */

bool api_is_compressed(const struct exchange *exchange)
{
    return exchange->coding != NULL;
}

bool api_feed(struct exchange *exchange, struct span piece)
{
    int64_t start = clock_ns();

    if (exchange->refused) {
        exchange->body_bytes += piece.len;
        return false;
    }
    exchange->refused = !body_read(exchange, piece);
    exchange->stage_ns[STAGE_PARSE] += clock_ns() - start;
    return !exchange->refused;
}

int64_t api_expected_ns(const struct exchange *exchange, uint64_t bytes)
{
    bool computes = !exchange->refused && exchange->decoder;
    int64_t byte_ns = exchange->coding ? BYTE_NS + INFLATE_NS : BYTE_NS;
    uint64_t text = body_text(exchange, bytes);

    /* what is ahead of others is the next of its pieces */
    if (body_is_stream(exchange) && text > STREAM_BYTES)
        text = STREAM_BYTES;
    return computes && text < (uint64_t)(INT64_MAX / byte_ns) ? (int64_t)text * byte_ns
                                                              : 0;
}

int64_t api_cost_ns(const struct exchange *exchange)
{
    if (exchange->refused || !exchange->decoder)
        return 0;
    size_t written = reply_numbers(&exchange->batch);
    if (written > WHOLE_NUMBERS)
        written = 0;
    return score_cost_ns(&exchange->batch) + (int64_t)written * ENCODE_NS;
}

/* ---- answer ----------------------------------------------------------------- */

static void begin_response(struct exchange *exchange, struct response *response,
                           unsigned status, const char *media_type)
{
    memset(response, 0, sizeof *response);
    response->status = status;
    response_add(response, "Content-Type", media_type);
    response_add(response, "X-Request-ID", exchange->request_id);
    cors_add(exchange, response);
}

/* Another server, or this one again, is there in a moment after draining. */
static void add_retry_after(struct exchange *exchange, struct response *response)
{
    bool waits = exchange->err.kind == ERR_OVERLOADED && exchange->retry_after_s > 0;

    snprintf(exchange->retry_after, sizeof exchange->retry_after, "%u",
             waits ? exchange->retry_after_s : 1);
    response_add(response, "Retry-After", exchange->retry_after);
}

static void add_problem_headers(struct exchange *exchange, struct response *response)
{
    struct err ignored = {0};
    char text[MEDIA_TYPES_SIZE];
    const struct err *err = &exchange->err;

    if (err->kind == ERR_METHOD_NOT_ALLOWED) {
        route_methods(query_path(exchange->head.target), text);
        response_add(response, "Allow",
                     arena_text(&exchange->mem, span_of(text), &ignored));
    } else if (err->kind == ERR_NOT_ACCEPTABLE) {
        response_add(response, "Vary", "Accept");
    } else if (err->kind == ERR_UNAUTHORIZED) {
        response_add(response, "WWW-Authenticate", "Bearer realm=\"lossd\"");
    } else if (err->kind == ERR_UNSUPPORTED_MEDIA_TYPE) {
        route_media_types(exchange->route, text);
        response_add(response, "Accept-Post",
                     arena_text(&exchange->mem, span_of(text), &ignored));
    } else if (err->kind == ERR_UNSUPPORTED_ENCODING) {
        response_add(response, "Accept-Encoding", coding_names);
    } else if (err->kind == ERR_OVERLOADED || err->kind == ERR_DRAINING) {
        add_retry_after(exchange, response);
    }
}

/* Without memory to write it, the error is that there is none. */
static struct span problem_text(struct exchange *exchange)
{
    struct err ignored = {0};
    struct buf text;

    buf_init(&text, &exchange->mem, DOCUMENT_MAX, NULL, &ignored);
    problem_write(exchange, &text);
    if (buf_ok(&text))
        return buf_span(&text);
    exchange->err.kind = ERR_NONE;
    fail(&exchange->err, ERR_OVERLOADED, NULL, "there is no memory left to say more");
    return problem_without_memory();
}

void api_refuse(struct exchange *exchange, struct response *response)
{
    /* what the request held is of no more use, and the problem needs room */
    arena_release(&exchange->mem);
    exchange->mem.favoured = true;
    exchange->decoder = NULL;
    exchange->inflater = NULL;
    exchange->refused = true;
    struct span body = problem_text(exchange);
    begin_response(exchange, response, problem_status(exchange->err.kind),
                   "application/problem+json");
    response->body = body;
    add_problem_headers(exchange, response);
    timing_tell(exchange, response);
}

static bool describe(struct exchange *exchange, struct buf *text)
{
    const struct route *route = exchange->route;
    struct json json = json_into(text, exchange->wishes.pretty);

    buf_init(text, &exchange->mem, DOCUMENT_MAX, NULL, &exchange->err);
    if (!(route->describe ? route->describe(exchange->api, &json, &exchange->err)
                          : route->describe_model(exchange, &json)))
        return false;
    buf_char(text, '\n');
    return buf_ok(text);
}

static bool answer_description(struct exchange *exchange, struct response *response)
{
    const struct route *route = exchange->route;
    const char *media_type = "application/json";
    struct buf text;

    if (!(route->print ? route->print(exchange, &text, &media_type)
                       : describe(exchange, &text)))
        return false;
    begin_response(exchange, response, 200, media_type);
    response->body = buf_span(&text);
    return true;
}

/* Of a 304 the HTTP layer leaves the body away, as it does for HEAD: only its length is
 * told, which has to be that of the page. */
static void answer_page(struct exchange *exchange, const struct page *page,
                        struct response *response)
{
    bool known = page_is_known(page, exchange->head.if_none_match);

    begin_response(exchange, response, known ? 304 : 200,
                   known ? NULL : page->media_type);
    page_add_headers(page, response);
    response->body = page->text;
}

static bool answer_reading(struct exchange *exchange, struct response *response)
{
    const struct route *route = exchange->route;
    const struct page *page = route->page ? route->page(exchange) : NULL;

    if (page)
        answer_page(exchange, page, response);
    else if (!answer_description(exchange, response))
        return false;
    if (route->by_accept)
        response_add(response, "Vary", "Accept");
    return true;
}

static size_t fill_from_reply(void *ctx, struct pool *pool, char *out, size_t capacity)
{
    return reply_fill(ctx, pool, out, capacity);
}

/* A short answer is one text; a long one is written where it is sent from. */
static bool set_body(struct exchange *exchange, struct reply *reply,
                     struct response *response)
{
    size_t numbers = reply_numbers(&exchange->batch), n = 1;
    struct buf text;

    if (numbers > WHOLE_NUMBERS) {
        response->fill = fill_from_reply;
        response->ctx = reply;
        return true;
    }
    size_t room = numbers * NUMBER_ROOM + ENVELOPE_ROOM;
    buf_init(&text, &exchange->mem, SIZE_MAX, NULL, &exchange->err);
    for (char *at; n > 0 && (at = buf_room(&text, room)); room = REPLY_ROOM) {
        n = reply_fill(reply, NULL, at, text.capacity - text.len);
        text.len += n;
    }
    response->body = buf_span(&text);
    return buf_ok(&text);
}

static const char *answer_type(const struct exchange *exchange, const struct reply *reply)
{
    if (reply_text_length(reply) > 0)
        return "application/octet-stream";
    return batch_wants(&exchange->batch, OUTPUT_RECORDS) ? "application/x-ndjson"
                                                         : exchange->writer->answers_as;
}

/* An error in the batch is one in the body. */
static bool check_batch(struct exchange *exchange)
{
    if (batch_check(&exchange->batch, &exchange->err))
        return true;
    if (exchange->codec->locate)
        exchange->codec->locate(exchange->decoder, &exchange->err);
    return false;
}

static bool answer_score(struct exchange *exchange, struct pool *pool,
                         struct response *response)
{
    struct batch *batch = &exchange->batch;
    struct err *err = &exchange->err;
    int64_t start = clock_ns();

    if (!body_end(exchange) || !check_batch(exchange) || !check_writer(exchange))
        return false;
    int64_t parsed = clock_ns();
    exchange->stage_ns[STAGE_PARSE] += parsed - start;
    if (!result_init(&exchange->result, batch, pool_width(pool), &exchange->mem, err))
        return false;
    score(batch, &exchange->result, pool);
    int64_t computed = clock_ns();
    exchange->stage_ns[STAGE_COMPUTE] = computed - parsed;
    struct reply *reply = exchange->writer->encode(
        batch, &exchange->result, exchange->wishes.pretty, &exchange->mem, err);
    if (!reply)
        return false;
    begin_response(exchange, response, 200, answer_type(exchange, reply));
    text_length_add(exchange, reply_text_length(reply), response);
    if (!exchange->route->codec)
        response_add(response, "Vary", "Accept");
    if (!set_body(exchange, reply, response))
        return false;
    exchange->stage_ns[STAGE_ENCODE] = clock_ns() - computed;
    return true;
}

static bool answer_preflight(struct exchange *exchange, struct response *response)
{
    char methods[32];

    route_methods(query_path(exchange->head.target), methods);
    const char *kept = arena_text(&exchange->mem, span_of(methods), &exchange->err);
    if (!kept)
        return false;
    begin_response(exchange, response, 204, NULL);
    cors_add_leave(kept, response);
    return true;
}

void api_answer(struct exchange *exchange, struct pool *pool, struct response *response)
{
    bool answered = false;

    if (exchange->preflight && !exchange->refused) {
        if (!answer_preflight(exchange, response))
            api_refuse(exchange, response);
        return;
    }
    if (!exchange->refused)
        answered = exchange->route->task ? answer_score(exchange, pool, response)
                                         : answer_reading(exchange, response);
    if (!answered) {
        api_refuse(exchange, response);
        return;
    }
    timing_tell(exchange, response);
    if (exchange->route->task)
        monitor_count(exchange);
}
