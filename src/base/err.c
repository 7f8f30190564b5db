#include "lossd/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lossd/base/utf8.h"

enum err_phase err_phase(enum err_kind kind)
{
    switch (kind) {
    case ERR_INVALID_JSON:
    case ERR_TRAILING_DATA:
    case ERR_BAD_TENSOR:
        return PHASE_TEXT;
    case ERR_DUPLICATE_MEMBER:
        return PHASE_DUPLICATE;
    case ERR_UNKNOWN_MEMBER:
        return PHASE_UNKNOWN;
    case ERR_MISSING_MEMBER:
        return PHASE_MISSING;
    case ERR_CONFLICTING_MEMBERS:
        return PHASE_CONFLICT;
    case ERR_WRONG_TYPE:
    case ERR_LABEL_NOT_INTEGER:
    case ERR_RAGGED_ARRAY:
    case ERR_EMPTY_BATCH:
    case ERR_SHAPE_MISMATCH:
        return PHASE_SHAPE;
    case ERR_NON_FINITE_VALUE:
    case ERR_LABEL_OUT_OF_RANGE:
    case ERR_INVALID_OPTION:
    case ERR_ALL_MASKED:
    case ERR_MASKED_LABEL:
        return PHASE_VALUE;
    case ERR_NONE:
    case ERR_INTERNAL:
    case ERR_OVERLOADED:
    case ERR_DRAINING:
    case ERR_UNAUTHORIZED:
    case ERR_UNKNOWN_ROUTE:
    case ERR_UNKNOWN_MODEL:
    case ERR_MODEL_BUILT_IN:
    case ERR_METHOD_NOT_ALLOWED:
    case ERR_NOT_ACCEPTABLE:
    case ERR_BAD_HEADER:
    case ERR_EXPECTATION_FAILED:
    case ERR_UNSUPPORTED_MEDIA_TYPE:
    case ERR_UNSUPPORTED_ENCODING:
    case ERR_UPLOAD_TIMEOUT:
    case ERR_ADDRESS_TOO_LONG:
    case ERR_HEADERS_TOO_LARGE:
    case ERR_HTTP_VERSION:
    case ERR_TOO_LARGE:
    case ERR_KINDS:
        break;
    }
    return PHASE_TRANSPORT;
}

const char *err_code(enum err_kind kind)
{
    static const char *const codes[ERR_KINDS] = {
        [ERR_NONE] = "internal", /* nobody said why */
        [ERR_INTERNAL] = "internal",
        [ERR_OVERLOADED] = "overloaded",
        [ERR_DRAINING] = "draining",
        [ERR_UNAUTHORIZED] = "unauthorized",
        [ERR_UNKNOWN_ROUTE] = "unknown_route",
        [ERR_UNKNOWN_MODEL] = "unknown_model",
        [ERR_MODEL_BUILT_IN] = "model_built_in",
        [ERR_METHOD_NOT_ALLOWED] = "method_not_allowed",
        [ERR_NOT_ACCEPTABLE] = "not_acceptable",
        [ERR_BAD_HEADER] = "bad_header",
        [ERR_EXPECTATION_FAILED] = "expectation_failed",
        [ERR_UNSUPPORTED_MEDIA_TYPE] = "unsupported_media_type",
        [ERR_UNSUPPORTED_ENCODING] = "unsupported_encoding",
        [ERR_UPLOAD_TIMEOUT] = "upload_timeout",
        [ERR_ADDRESS_TOO_LONG] = "address_too_long",
        [ERR_HEADERS_TOO_LARGE] = "headers_too_large",
        [ERR_HTTP_VERSION] = "http_version",
        [ERR_TOO_LARGE] = "too_large",
        [ERR_INVALID_JSON] = "invalid_json",
        [ERR_TRAILING_DATA] = "trailing_data",
        [ERR_BAD_TENSOR] = "bad_tensor",
        [ERR_DUPLICATE_MEMBER] = "duplicate_member",
        [ERR_UNKNOWN_MEMBER] = "unknown_member",
        [ERR_MISSING_MEMBER] = "missing_member",
        [ERR_CONFLICTING_MEMBERS] = "conflicting_members",
        [ERR_WRONG_TYPE] = "wrong_type",
        [ERR_LABEL_NOT_INTEGER] = "label_not_integer",
        [ERR_RAGGED_ARRAY] = "ragged_array",
        [ERR_EMPTY_BATCH] = "empty_batch",
        [ERR_SHAPE_MISMATCH] = "shape_mismatch",
        [ERR_NON_FINITE_VALUE] = "non_finite_value",
        [ERR_LABEL_OUT_OF_RANGE] = "label_out_of_range",
        [ERR_INVALID_OPTION] = "invalid_option",
        [ERR_ALL_MASKED] = "all_masked",
        [ERR_MASKED_LABEL] = "masked_label",
    };

    return codes[kind];
}

static enum err_phase phase_of(const struct err *err)
{
    return err->is_of_value ? PHASE_VALUE : err_phase(err->kind);
}

bool err_by(const struct err *err, enum err_phase phase)
{
    return err->kind != ERR_NONE && phase_of(err) <= phase;
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

static bool replace(struct err *err, enum err_kind kind, enum err_phase phase,
                    const char *pointer)
{
    if (err_by(err, phase))
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

    if (!replace(err, kind, err_phase(kind), pointer))
        return false;
    va_start(args, format);
    write_detail(err, format, args);
    va_end(args);
    return false;
}

bool fail_value(struct err *err, enum err_kind kind, const char *pointer,
                const char *format, ...)
{
    va_list args;

    if (!replace(err, kind, PHASE_VALUE, pointer))
        return false;
    err->is_of_value = true;
    va_start(args, format);
    write_detail(err, format, args);
    va_end(args);
    return false;
}

bool fail_limit(struct err *err, enum err_kind kind, const char *pointer, uint64_t limit,
                const char *flag, const char *format, ...)
{
    va_list args;

    if (!replace(err, kind, err_phase(kind), pointer))
        return false;
    err->limit = limit;
    err->flag = flag;
    va_start(args, format);
    write_detail(err, format, args);
    va_end(args);
    return false;
}
