/* Any request into the API, without a socket.
 *
 * The input is a line "METHOD TARGET", lines "name:value" up to an empty one, and the
 * body.  Whole and in pieces it must be answered with the same words; with hardly any
 * memory it must be answered all the same; and afterwards nothing may be held. */
#include <string.h>

#include "http/vet.h"
#include "narrow.h"
#include "sense.h"

enum { ANSWER_MAX = 1 << 20, REQUEST_MEMORY = 4 << 20 /* never too little */ };

/* A request, in memory of its size. */
struct asked {
    char *copy;
    struct request head;
    char joined[VET_ROOM];
    struct err err; /* what is wrong with its headers */
    struct span body;
};

struct answer {
    unsigned status;
    bool changes; /* from one time to the next */
    char headers[4096];
    char body[ANSWER_MAX];
    size_t headers_len, body_len;
};

/* --- the request --- */

/* Cuts the text before `end` off; all of it where there is none. */
static struct span cut(struct span *rest, char end)
{
    const char *at = rest->len ? memchr(rest->at, end, rest->len) : NULL;
    size_t len = at ? (size_t)(at - rest->at) : rest->len;
    struct span piece = {rest->at, len};

    len += at != NULL;
    *rest = (struct span){rest->at + len, rest->len - len};
    return piece;
}

static void read_request(struct span input, struct asked *asked)
{
    struct vetting vetting = vet_begin(&asked->head, asked->joined, &asked->err);

    *asked = (struct asked){.copy = malloc(input.len + 1)};
    require(asked->copy != NULL, "there is memory");
    memcpy(asked->copy, input.at, input.len);
    struct span rest = {asked->copy, input.len}, line = cut(&rest, '\n');
    asked->head.method = cut(&line, ' ');
    asked->head.target = line;
    while (rest.len > 0 && (line = cut(&rest, '\n')).len > 0) {
        struct span name = cut(&line, ':');
        vet_header(&vetting, name, line);
    }
    asked->body = rest;
    asked->head.request_id = span_of("fuzz"); /* made up ones differ */
    if (asked->head.has_content_length)
        asked->head.content_length = rest.len; /* which is the caller's to hold */
}

/* --- the answer --- */

static void add_header(struct answer *answer, const char *name, const char *value)
{
    size_t room = sizeof answer->headers - answer->headers_len;

    for (const char *at = value; *at; at++)
        require((unsigned char)*at >= ' ' && *at != 0x7F, "a header is one line");
    if (strcmp(name, "Server-Timing") == 0)
        return;
    int len =
        snprintf(answer->headers + answer->headers_len, room, "%s: %s\n", name, value);
    require(len > 0 && (size_t)len < room, "headers are short");
    answer->headers_len += (size_t)len;
}

static void take_body(struct answer *answer, const struct response *response,
                      uint64_t *cuts)
{
    size_t n = response->body.len, capacity = n;

    answer->body_len = 0;
    require(n < sizeof answer->body, "no answer is so long");
    if (!response->fill) {
        if (n > 0)
            memcpy(answer->body, response->body.at, n);
        answer->body_len = n;
        return;
    }
    do {
        capacity = 256 + next_step(cuts);
        require(answer->body_len + capacity < sizeof answer->body,
                "no answer is so long");
        n = response->fill(response->ctx, NULL, answer->body + answer->body_len,
                           capacity);
        require(n <= capacity, "no more than there is room for");
        answer->body_len += n;
    } while (n > 0);
}

static void check_answer(const struct answer *answer, const struct response *response)
{
    struct span type = {NULL, 0}, id = {NULL, 0};

    for (size_t i = 0; i < response->headers; i++) {
        if (strcmp(response->header[i].name, "Content-Type") == 0)
            type = span_of(response->header[i].value);
        if (strcmp(response->header[i].name, "X-Request-ID") == 0)
            id = span_of(response->header[i].value);
    }
    require(span_is(id, "fuzz"), "the answer has the request's name");
    require(answer->status != 500, "no bug");
    require(answer->body_len > 0 || answer->status == 204, "there is something to say");
    require_sense(answer->status, type, id,
                  (struct span){answer->body, answer->body_len});
}

/* Feeds the body in pieces that are gone afterwards; whole without `in_pieces`. */
static bool feed(struct exchange *exchange, struct span body, bool in_pieces,
                 uint64_t *cuts)
{
    bool wanted = true;

    while (wanted && body.len > 0) {
        size_t step = in_pieces ? next_step(cuts) : body.len;
        step = step < body.len ? step : body.len;
        char *piece = malloc(step);
        require(piece != NULL, "there is memory");
        memcpy(piece, body.at, step);
        wanted = api_feed(exchange, (struct span){piece, step});
        free(piece);
        body = (struct span){body.at + step, body.len - step};
    }
    return wanted;
}

static void ask(struct api *api, const struct asked *asked, size_t memory, bool in_pieces,
                uint64_t cuts, struct answer *answer)
{
    struct budget budget = {.limit = memory, .kept = memory / 4};
    struct exchange exchange;
    struct response response;

    exchange_init(&exchange, api, &budget);
    exchange.head = asked->head;
    exchange.err = asked->err;
    bool routed = api_route(&exchange);
    require(routed != exchange.refused, "what has no route is refused");
    bool fed = feed(&exchange, asked->body, in_pieces, &cuts);
    require(fed || exchange.err.kind != ERR_NONE, "a refusal has a reason");
    require(api_cost_ns(&exchange) >= 0, "time does not go backwards");
    api_answer(&exchange, NULL, &response);
    answer->status = response.status;
    answer->changes = strcmp(route_name(exchange.route), "/metrics") == 0;
    answer->headers_len = 0;
    for (size_t i = 0; i < response.headers; i++)
        add_header(answer, response.header[i].name, response.header[i].value);
    take_body(answer, &response, &cuts);
    require((exchange.err.kind == ERR_NONE) == (response.status < 400),
            "errors are told, and nothing else is one");
    check_answer(answer, &response);
    exchange_release(&exchange);
    require(atomic_load(&budget.used) == 0, "all memory is given back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer whole, pieces, poor;
    static struct api *api;
    uint64_t cuts = cuts_of(data, size);
    struct asked asked;

    if (!api)
        api = narrow_api(REQUEST_MEMORY, narrow_meter(), NULL);
    read_request((struct span){(const char *)data, size}, &asked);
    ask(api, &asked, SIZE_MAX, false, cuts, &whole);
    ask(api, &asked, SIZE_MAX, true, cuts, &pieces);
    require(whole.status == pieces.status, "the same status");
    require(whole.headers_len == pieces.headers_len &&
                memcmp(whole.headers, pieces.headers, whole.headers_len) == 0,
            "the same headers");
    require(whole.changes || (whole.body_len == pieces.body_len &&
                              memcmp(whole.body, pieces.body, whole.body_len) == 0),
            "the same words");
    ask(api, &asked, (size_t)256 << cuts % 12, true, cuts, &poor);
    require(poor.status == whole.status || poor.status == 503,
            "want of memory changes nothing else");
    free(asked.copy);
    return 0;
}
