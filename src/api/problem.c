/* TABLE: the one place where a kind of error meets a status and a title.
 * The switch has no default, so the compiler refuses a kind without a row. */
#include "api/problem.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "lossd/base/json_write.h"
#include "lossd/base/utf8.h"

struct problem {
    unsigned status;
    const char *title;
};

static struct problem problem_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
    case ERR_KINDS:
    case ERR_INTERNAL:
        break;
    case ERR_OVERLOADED:
        return (struct problem){503, "Overloaded"};
    case ERR_DRAINING:
        return (struct problem){503, "Draining"};
    case ERR_UNAUTHORIZED:
        return (struct problem){401, "Unauthorized"};
    case ERR_UNKNOWN_ROUTE:
        return (struct problem){404, "Unknown route"};
    case ERR_UNKNOWN_MODEL:
        return (struct problem){404, "Unknown model"};
    case ERR_MODEL_BUILT_IN:
        return (struct problem){400, "Model is built in"};
    case ERR_METHOD_NOT_ALLOWED:
        return (struct problem){405, "Method not allowed"};
    case ERR_NOT_ACCEPTABLE:
        return (struct problem){406, "Not acceptable"};
    case ERR_BAD_HEADER:
        return (struct problem){400, "Bad header"};
    case ERR_EXPECTATION_FAILED:
        return (struct problem){417, "Expectation failed"};
    case ERR_UNSUPPORTED_MEDIA_TYPE:
        return (struct problem){415, "Unsupported media type"};
    case ERR_UNSUPPORTED_ENCODING:
        return (struct problem){415, "Unsupported encoding"};
    case ERR_UPLOAD_TIMEOUT:
        return (struct problem){408, "Upload timed out"};
    case ERR_ADDRESS_TOO_LONG:
        return (struct problem){414, "Address too long"};
    case ERR_HEADERS_TOO_LARGE:
        return (struct problem){431, "Headers too large"};
    case ERR_HTTP_VERSION:
        return (struct problem){505, "HTTP version not supported"};
    case ERR_TOO_LARGE:
        return (struct problem){413, "Too large"};
    case ERR_INVALID_JSON:
        return (struct problem){400, "Invalid JSON"};
    case ERR_TRAILING_DATA:
        return (struct problem){400, "Trailing data"};
    case ERR_BAD_TENSOR:
        return (struct problem){400, "Bad tensor"};
    case ERR_DUPLICATE_MEMBER:
        return (struct problem){422, "Duplicate member"};
    case ERR_UNKNOWN_MEMBER:
        return (struct problem){422, "Unknown member"};
    case ERR_MISSING_MEMBER:
        return (struct problem){422, "Missing member"};
    case ERR_CONFLICTING_MEMBERS:
        return (struct problem){422, "Conflicting members"};
    case ERR_WRONG_TYPE:
        return (struct problem){422, "Wrong type"};
    case ERR_LABEL_NOT_INTEGER:
        return (struct problem){422, "Label not an integer"};
    case ERR_RAGGED_ARRAY:
        return (struct problem){422, "Ragged array"};
    case ERR_EMPTY_BATCH:
        return (struct problem){422, "Empty batch"};
    case ERR_SHAPE_MISMATCH:
        return (struct problem){422, "Shape mismatch"};
    case ERR_NON_FINITE_VALUE:
        return (struct problem){422, "Non-finite value"};
    case ERR_LABEL_OUT_OF_RANGE:
        return (struct problem){422, "Label out of range"};
    case ERR_INVALID_OPTION:
        return (struct problem){422, "Invalid option"};
    case ERR_ALL_MASKED:
        return (struct problem){422, "All classes masked"};
    case ERR_MASKED_LABEL:
        return (struct problem){422, "Masked label"};
    }
    return (struct problem){500, "Internal error"};
}

const char *problem_code(enum err_kind kind)
{
    return err_code(kind);
}

unsigned problem_status(enum err_kind kind)
{
    return problem_of(kind).status;
}

size_t problem_index(enum err_kind kind)
{
    assert(kind > ERR_NONE && kind < ERR_KINDS);
    return (size_t)kind - 1;
}

static const char *codes[ERR_KINDS]; /* one less, and NULL */

static void list_codes(void)
{
    for (enum err_kind kind = ERR_NONE + 1; kind < ERR_KINDS; kind++)
        codes[problem_index(kind)] = problem_code(kind);
}

const char *const *problem_codes(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, list_codes);
    return codes;
}

static void pointer_member(struct json *json, const char *pointer)
{
    char text[POINTER_SIZE];

    snprintf(text, sizeof text, "%s", pointer);
    json_key(json, "pointer");
    json_string(json, utf8_show_nuls(text));
}

void problem_write(const struct exchange *exchange, struct buf *out)
{
    const struct err *err = &exchange->err;
    struct problem problem = problem_of(err->kind);
    struct json json = json_into(out, exchange->wishes.pretty);

    json_open(&json, '{');
    json_text_member(&json, "type", "about:blank");
    json_text_member(&json, "title", problem.title);
    json_uint_member(&json, "status", problem.status);
    json_text_member(&json, "detail", err->detail);
    json_text_member(&json, "error", err->detail);
    json_text_member(&json, "code", err_code(err->kind));
    if (err->pointer[0])
        pointer_member(&json, err->pointer);
    if (err->has_position) {
        json_uint_member(&json, "offset", err->offset);
        json_uint_member(&json, "line", err->line);
        json_uint_member(&json, "column", err->column);
    }
    if (err->kind == ERR_TOO_LARGE || err->flag) {
        json_uint_member(&json, "limit", err->limit);
        if (err->flag)
            json_text_member(&json, "flag", err->flag);
    }
    json_text_member(&json, "request_id", exchange->request_id);
    json_close(&json, '}');
    buf_char(out, '\n');
}

struct span problem_without_memory(void)
{
    static const char text[] =
        "{\"type\":\"about:blank\",\"title\":\"Overloaded\",\"status\":503,"
        "\"detail\":\"there is no memory left to say more\","
        "\"error\":\"there is no memory left to say more\",\"code\":\"overloaded\"}\n";

    return (struct span){text, sizeof text - 1};
}
