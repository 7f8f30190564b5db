/* What operations have in common: parameters, headers, problems. */
#include "api/openapi/openapi_shared.h"

#include <stdio.h>

#include "api/openapi/openapi_write.h"
#include "api/problem.h"

/* Of an answer with the status, 0: of any; and of what the routes answer. */
struct header {
    const char *name;
    const char *type;
    const char *help;
    unsigned status;
    enum openapi_routes routes;
};

static const struct header headers[] = {
    {"X-Request-ID", "string", "that of the request, or one made up", 0, OPENAPI_ANY},
    {"WWW-Authenticate", "string", "how a key is given", 401, OPENAPI_ANY},
    {"Allow", "string", "the methods of this path", 405, OPENAPI_ANY},
    {"Accept-Post", "string", "the media types that are understood", 415, OPENAPI_ANY},
    {"Accept-Encoding", "string", "the codings that are understood", 415, OPENAPI_ANY},
    {"Retry-After", "integer", "seconds after which to come again", 503, OPENAPI_ANY},
    {"Server-Timing", "string", "milliseconds of each stage: parse, compute, encode, ...",
     200, OPENAPI_SCORING},
    {"ETag", "string", "names the page, for If-None-Match", 200, OPENAPI_PAGES},
};

enum { HEADERS = sizeof headers / sizeof *headers };

struct parameter {
    const char *name;
    const char *in;
    const char *help;
    const char *type;
    enum openapi_routes routes;
};

static const struct parameter parameters[] = {
    {"pretty", "query", "indent the answer", "boolean", OPENAPI_ANY},
    {"timeout", "query", "seconds the request will wait to be begun with", "#timeout",
     OPENAPI_SCORING},
    {"X-Request-Timeout", "header", "the same; the address wins", "#timeout",
     OPENAPI_SCORING},
    {"X-Request-ID", "header",
     "up to 128 letters, digits and a few signs; stands in the answer and in the log",
     "string", OPENAPI_ANY},
    {"traceparent", "header", "W3C Trace Context; its trace id stands in the log",
     "string", OPENAPI_ANY},
    {"If-None-Match", "header", "ETags of the pages that are at hand", "string",
     OPENAPI_PAGES},
};

enum { PARAMETERS = sizeof parameters / sizeof *parameters };

void openapi_header_refs(struct json *json, unsigned status, enum openapi_routes routes)
{
    openapi_open(json, "headers", '{');
    for (size_t i = 0; i < HEADERS; i++) {
        if ((headers[i].status != 0 && headers[i].status != status) ||
            (headers[i].routes & ~(unsigned)routes))
            continue;
        openapi_open(json, headers[i].name, '{');
        openapi_ref(json, "headers", headers[i].name);
        json_close(json, '}');
    }
    json_close(json, '}');
}

void openapi_parameter_refs(struct json *json, enum openapi_routes routes)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (parameters[i].routes & ~(unsigned)routes)
            continue;
        json_open(json, '{');
        openapi_ref(json, "parameters", parameters[i].name);
        json_close(json, '}');
    }
}

static void write_typed(struct json *json, const char *help, const char *type)
{
    json_text_member(json, "description", help);
    openapi_open(json, "schema", '{');
    openapi_type(json, type);
    json_close(json, '}');
}

/* "invalid_json, trailing_data": the codes of a status. */
static void write_codes(struct json *json, unsigned status)
{
    char text[512];
    struct buf codes;

    buf_over(&codes, text, sizeof text);
    for (enum err_kind kind = ERR_NONE + 1; kind < ERR_KINDS; kind++) {
        if (problem_status(kind) != status)
            continue;
        buf_text(&codes, codes.len > 0 ? ", " : "");
        buf_text(&codes, problem_code(kind));
    }
    json_key(json, "description");
    json_string(json, buf_span(&codes));
}

static void write_problem(struct json *json, unsigned status)
{
    write_codes(json, status);
    openapi_header_refs(json, status, OPENAPI_ANY);
    openapi_open(json, "content", '{');
    openapi_open(json, "application/problem+json", '{');
    openapi_open(json, "schema", '{');
    openapi_ref(json, "schemas", "problem");
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, '}');
}

static bool is_problem(unsigned status)
{
    for (enum err_kind kind = ERR_NONE + 1; kind < ERR_KINDS; kind++)
        if (problem_status(kind) == status)
            return true;
    return false;
}

static void write_parameters(struct json *json)
{
    openapi_open(json, "parameters", '{');
    for (size_t i = 0; i < PARAMETERS; i++) {
        openapi_open(json, parameters[i].name, '{');
        json_text_member(json, "name", parameters[i].name);
        json_text_member(json, "in", parameters[i].in);
        write_typed(json, parameters[i].help, parameters[i].type);
        json_close(json, '}');
    }
    json_close(json, '}');
}

static void write_headers(struct json *json)
{
    openapi_open(json, "headers", '{');
    for (size_t i = 0; i < HEADERS; i++) {
        openapi_open(json, headers[i].name, '{');
        write_typed(json, headers[i].help, headers[i].type);
        json_close(json, '}');
    }
    json_close(json, '}');
}

void openapi_shared(struct json *json)
{
    char key[4];

    write_parameters(json);
    write_headers(json);
    openapi_open(json, "responses", '{');
    for (unsigned status = PROBLEM_FIRST; status < PROBLEM_END; status++) {
        if (!is_problem(status))
            continue;
        snprintf(key, sizeof key, "%u", status);
        openapi_open(json, key, '{');
        write_problem(json, status);
        json_close(json, '}');
    }
    json_close(json, '}');
}
