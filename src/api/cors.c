/* A browser lets a page read what another origin answers only when that says so, and
 * asks first (OPTIONS, a preflight) whether it may send what a plain form could not:
 * JSON by its name, a key.  A preflight carries no key and needs none, and so it is told
 * the same of every path, be it there or not.
 *
 * Credentials are never allowed: a page sends its key itself, and there are no cookies
 * that it could abuse, so even * gives away nothing that a key protects.  Vary stands
 * in every answer when an origin is set, because a cache must not give the answer for
 * one page to another. */
#include "api/cors.h"

#include <string.h>

#include "api/response.h"
#include "api/route.h"

static const char *allowed_origin(const struct exchange *exchange)
{
    const char *origin = exchange->api->settings.cors_origin;

    return origin && *origin ? origin : NULL;
}

bool cors_is_from_page(const struct exchange *exchange)
{
    const char *allowed = allowed_origin(exchange);
    struct span origin = exchange->head.origin;

    return allowed && origin.len > 0 &&
           (strcmp(allowed, "*") == 0 || span_is(origin, allowed));
}

bool cors_is_preflight(const struct exchange *exchange)
{
    const struct request *head = &exchange->head;

    return span_is(head->method, "OPTIONS") &&
           head->access_control_request_method.len > 0 && exchange->from_page;
}

void cors_add(const struct exchange *exchange, struct response *response)
{
    const char *allowed = allowed_origin(exchange);

    if (!allowed)
        return;
    response_add(response, "Vary", "Origin");
    if (!exchange->from_page)
        return;
    response_add(response, "Access-Control-Allow-Origin", allowed);
    response_add(response, "Access-Control-Expose-Headers",
                 "X-Request-ID, Retry-After, Server-Timing, "
                 "Inference-Header-Content-Length");
}

void cors_add_leave(struct response *response)
{
    response_add(response, "Access-Control-Allow-Methods", "GET, HEAD, POST");
    response_add(response, "Access-Control-Allow-Headers",
                 "Authorization, Content-Type, Content-Encoding, X-Request-ID, "
                 "X-Request-Timeout, Inference-Header-Content-Length, traceparent");
    response_add(response, "Access-Control-Max-Age", "7200");
}

/* "https://app.example:8443": as a browser writes it, or it will never be equal. */
static bool is_origin(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
    static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]";
    size_t scheme = strspn(text, letters);

    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return false;
    const char *host = text + scheme + 3;
    return *host && host[strspn(host, others)] == '\0';
}

bool api_check_origin(const char *origin, struct err *err)
{
    if (*origin == '\0' || strcmp(origin, "*") == 0 || is_origin(origin))
        return true;
    return fail(
        err, ERR_INTERNAL, NULL,
        "--cors-origin is \"%s\"; wanted *, or an origin as browsers write it, in "
        "lower case and without a path: https://app.example",
        origin);
}
