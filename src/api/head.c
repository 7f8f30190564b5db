/* The head of a request: who answers, in which formats, and whether it may begin. */
#include "api/head.h"

#include "api/access.h"
#include "api/body.h"
#include "api/cors.h"
#include "api/model.h"
#include "api/query.h"
#include "api/request_id.h"
#include "api/route.h"
#include "api/text_length.h"
#include "lossd/base/excerpt.h"
#include "lossd/codec/codec.h"
#include "lossd/codec/inflater.h"

enum {
    OVERHEAD_BYTES = 65536, /* a request's memory besides its arrays */
    PROBE_MEMORY = 2 << 20
};

/* ---- formats ---------------------------------------------------------------- */

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
    exchange->writer = codec_for_answer(head->accept, NULL);
    return exchange->writer || fail_accept(exchange);
}

/* What is less welcome may do where the first choice has no room for the answer. */
bool head_writer_fits(struct exchange *exchange)
{
    const struct codec *writer = exchange->writer, *other = NULL;
    const struct batch *batch = &exchange->batch;
    struct err err = {.kind = ERR_NONE};

    if (!writer->can_encode || writer->can_encode(batch, &err))
        return true;
    if (!exchange->route->codec)
        other = codec_for_answer(exchange->head.accept, batch);
    if (other)
        exchange->writer = other;
    else
        exchange->err = err;
    return other;
}

/* ---- what is to be scored ----------------------------------------------------- */

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

/* The header first: the address may say otherwise. */
static bool read_timeout(struct exchange *exchange)
{
    struct span text = exchange->head.timeout;

    return text.len == 0 || timeout_read("X-Request-Timeout", text, ERR_BAD_HEADER, NULL,
                                         &exchange->wishes.timeout_ns, &exchange->err);
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
    query_read(exchange->head.target, &exchange->batch, &exchange->wishes, &exchange->mem,
               err);
    model_set_loss(exchange);
    if (err_by(err, PHASE_TRANSPORT) ||
        (knows_outputs(exchange) && !head_writer_fits(exchange)))
        return false;
    return body_begin(exchange) &&
           (!exchange->route->codec || text_length_tell(exchange));
}

/* ---- who answers ------------------------------------------------------------ */

/* Where only health is told nothing else is there, whatever the method. */
static bool is_hidden(const struct exchange *exchange, struct span path)
{
    if (!exchange->health_only)
        return false;
    struct err ignored = {0};
    return !route_is_probe(route_at(path, &ignored));
}

static void fail_hidden(struct exchange *exchange, struct span path)
{
    fail(
        &exchange->err, ERR_UNKNOWN_ROUTE, NULL,
        "there is no %s at this address, where /livez, /readyz and /metrics tell how the "
        "service is; all else is where it listens by --listen, or by --host and --port",
        excerpt_of(path).text);
}

/* The route of a path is told in logs and metrics also when it does not answer the method.
 * A preflight is granted for every path of an address where not only health is told: it has
 * no key, and a refusal would tell what is here and what is not. */
static void choose_route(struct exchange *exchange, struct span path)
{
    struct err ignored = {0};

    if (is_hidden(exchange, path)) {
        fail_hidden(exchange, path);
        return;
    }
    if (!exchange->preflight)
        exchange->route = route_find(exchange->head.method, path, &exchange->err);
    if (exchange->route)
        model_choose(exchange);
    else
        exchange->route = route_at(path, &ignored);
}

static bool begin(struct exchange *exchange)
{
    if (exchange->route->task)
        return begin_scoring(exchange);
    query_read(exchange->head.target, NULL, &exchange->wishes, &exchange->mem,
               &exchange->err);
    return exchange->err.kind == ERR_NONE;
}

bool api_route(struct exchange *exchange)
{
    struct span path = query_path(exchange->head.target);

    request_id_choose(exchange);
    trace_id_read(exchange);
    exchange->from_page = cors_is_from_page(exchange);
    exchange->preflight = cors_is_preflight(exchange);
    /* who is refused here is still routed, for the name in the log */
    access_check(exchange, path);
    choose_route(exchange, path);
    if (route_is_probe(exchange->route)) /* answered when the budget is spent, too */
        arena_init(&exchange->mem, PROBE_MEMORY, NULL, NULL);
    exchange->refused = exchange->err.kind != ERR_NONE;
    if (!exchange->refused && !exchange->preflight)
        exchange->refused = !begin(exchange);
    return !exchange->refused;
}
