#include "lossd/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lossd/base/utf8.h"

static const struct {
    const char *code;
    enum err_phase phase;
} kinds[ERR_KINDS] = {
    [ERR_NONE] = {"internal", PHASE_TRANSPORT}, /* nobody said why */
#define ERROR(kind, code, phase, status, title) [ERR_##kind] = {code, PHASE_##phase},
#include "lossd/base/errors.def"
#undef ERROR
};

enum err_phase err_phase(enum err_kind kind)
{
    return kinds[kind].phase;
}

const char *err_code(enum err_kind kind)
{
    return kinds[kind].code;
}

bool err_by(const struct err *err, enum err_phase phase)
{
    return err->kind != ERR_NONE && err_phase(err->kind) <= phase;
}

__attribute__((format(printf, 2, 0))) static void
write_detail(struct err *err, const char *format, va_list args)
{
    static const char cut[] = "...";

    int len = vsnprintf(err->detail, sizeof err->detail, format, args);
    if (len >= (int)sizeof err->detail)
        memcpy(err->detail +
                   utf8_fit(span_of(err->detail), sizeof err->detail - sizeof cut),
               cut, sizeof cut);
}

static bool replace(struct err *err, enum err_kind kind, const char *pointer)
{
    if (err_by(err, err_phase(kind)))
        return false;
    memset(err, 0, sizeof *err);
    err->kind = kind;
    if (pointer && strlen(pointer) < sizeof err->pointer)
        memcpy(err->pointer, pointer, strlen(pointer) + 1);
    return true;
}

bool fail(struct err *err, enum err_kind kind, const char *pointer, const char *format,
          ...)
{
    va_list args;

    if (!replace(err, kind, pointer))
        return false;
    va_start(args, format);
    write_detail(err, format, args);
    va_end(args);
    return false;
}

bool fail_limit(struct err *err, enum err_kind kind, const char *pointer, uint64_t limit,
                const char *flag, const char *format, ...)
{
    va_list args;

    if (!replace(err, kind, pointer))
        return false;
    err->limit = limit;
    err->flag = flag;
    va_start(args, format);
    write_detail(err, format, args);
    va_end(args);
    return false;
}
