/* The answer to what is not answered: a problem document, and the headers that help. */
#include <stdio.h>

#include "api/answer.h"
#include "api/problem.h"
#include "api/response.h"
#include "api/route.h"
#include "api/statistics.h"
#include "api/timing.h"
#include "lossd/codec/codec.h"
#include "lossd/codec/inflater.h"

enum { DOCUMENT_MAX = 1 << 16 };

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
    statistics_count_refused(exchange);
    /* what the request held is of no more use, and the problem needs room */
    arena_release(&exchange->mem);
    exchange->mem.favoured = true;
    exchange->decoder = NULL;
    exchange->inflater = NULL;
    exchange->refused = true;
    struct span body = problem_text(exchange);
    answer_begin(exchange, response, problem_status(exchange->err.kind),
                 "application/problem+json");
    response->body = body;
    add_problem_headers(exchange, response);
    timing_tell(exchange, response);
}
