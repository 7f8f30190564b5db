#include "api/problem.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "lossd/base/json_write.h"
#include "lossd/base/utf8.h"

static const struct problem {
    unsigned status;
    const char *title;
} problems[ERR_KINDS] = {
    [ERR_NONE] = {500, "Internal error"},
#define ERROR(kind, code, phase, status, title) [ERR_##kind] = {status, title},
#include "lossd/base/errors.def"
#undef ERROR
};

const char *problem_code(enum err_kind kind)
{
    return err_code(kind);
}

unsigned problem_status(enum err_kind kind)
{
    return problems[kind].status;
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
    struct problem problem = problems[err->kind];
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
