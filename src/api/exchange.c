/* The straight line behind the head (head.c): body, answer.
 *
 *     decode  ->  batch_check  ->  score  ->  encode
 *
 * Every function below either goes on or leaves an error in the exchange; the
 * answer is made of whichever it was. */
#include <stdlib.h>
#include <sys/random.h>

#include "api/answer.h"
#include "api/body.h"
#include "api/cors.h"
#include "api/head.h"
#include "api/monitor.h"
#include "api/openapi/openapi.h"
#include "api/query.h"
#include "api/reply_size.h"
#include "api/response.h"
#include "api/route.h"
#include "api/statistics.h"
#include "api/text_length.h"
#include "api/timing.h"
#include "lossd/base/clock.h"
#include "lossd/codec/codec.h"

enum {
    DOCUMENT_MAX = 1 << 20,
    WHOLE_NUMBERS = 2500, /* an answer with more is written while it is sent */
    NUMBER_ROOM = 26,     /* longest number and its comma */
    ENVELOPE_ROOM = 1024, /* an answer without its arrays */
    ENCODE_NS = 30,       /* to write a number */
    BYTE_NS = 6,          /* to read a byte of a body and to answer it */
    INFLATE_NS = 5,       /* to decompress a byte of text */
    STREAM_BYTES = 1 << 20
};

struct api *api_new(const struct api_settings *settings)
{
    struct api *api = calloc(1, sizeof *api);

    if (!api)
        return NULL;
    api->settings = *settings;
    if (!settings->memory_flag)
        api->settings.memory_flag = "--max-request-memory";
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
    arena_init(&exchange->mem, api->settings.max_request_memory,
               api->settings.memory_flag, budget);
}

void exchange_release(struct exchange *exchange)
{
    arena_release(&exchange->mem);
}

/* ---- body ------------------------------------------------------------------- */

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
    int64_t prepared =
        exchange->writer->encode_ns ? exchange->writer->encode_ns(&exchange->batch) : 0;
    return score_cost_ns(&exchange->batch) + prepared + (int64_t)written * ENCODE_NS;
}

size_t api_elements(struct exchange *exchange)
{
    size_t elements = 0;

    for (enum member m = 0; m < MEMBERS; m++)
        elements += member_is_array(m) ? batch_array(&exchange->batch, m)->count : 0;
    return elements;
}

/* ---- answer ----------------------------------------------------------------- */

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
    answer_begin(exchange, response, 200, media_type);
    response->body = buf_span(&text);
    return true;
}

/* Of a 304 the HTTP layer leaves the body away, as it does for HEAD: only its length is
 * told, which has to be that of the page. */
static void answer_page(struct exchange *exchange, const struct page *page,
                        struct response *response)
{
    bool known = page_is_known(page, exchange->head.if_none_match);

    answer_begin(exchange, response, known ? 304 : 200, known ? NULL : page->media_type);
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
    return exchange->writer->answers_as;
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

/* Those of a dataset were scored on the way; of states none is. */
static size_t rows_scored(const struct exchange *exchange)
{
    const struct result *result = &exchange->result;

    return exchange->batch.task == &task_dataset ? result->count + result->ignored
                                                 : exchange->batch.positions;
}

static bool answer_score(struct exchange *exchange, struct pool *pool,
                         struct response *response)
{
    struct batch *batch = &exchange->batch;
    struct err *err = &exchange->err;
    int64_t start = clock_ns();

    if (!body_end(exchange) || !check_batch(exchange) || !head_writer_fits(exchange))
        return false;
    int64_t parsed = clock_ns();
    exchange->stage_ns[STAGE_PARSE] += parsed - start;
    if (!result_init(&exchange->result, batch, pool_width(pool), &exchange->mem, err))
        return false;
    score(batch, &exchange->result, pool);
    exchange->rows = rows_scored(exchange);
    int64_t computed = clock_ns();
    exchange->stage_ns[STAGE_COMPUTE] = computed - parsed;
    struct reply *reply = exchange->writer->encode(
        batch, &exchange->result, exchange->wishes.pretty, &exchange->mem, err);
    if (!reply)
        return false;
    answer_begin(exchange, response, 200, answer_type(exchange, reply));
    text_length_add(exchange, reply_text_length(reply), response);
    if (!exchange->route->codec)
        response_add(response, "Vary", "Accept");
    if (!set_body(exchange, reply, response))
        return false;
    exchange->stage_ns[STAGE_ENCODE] = clock_ns() - computed;
    return true;
}

static void answer_preflight(struct exchange *exchange, struct response *response)
{
    answer_begin(exchange, response, 204, NULL);
    cors_add_leave(response);
}

void api_answer(struct exchange *exchange, struct pool *pool, struct response *response)
{
    bool answered = false;

    if (exchange->preflight && !exchange->refused) {
        answer_preflight(exchange, response);
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
    statistics_count(exchange);
}
