#include "lossd/engine/place.h"

#include <math.h>
#include <stdio.h>

#include "lossd/base/buf.h"
#include "lossd/base/number.h"

static void write_place(char *out, const char *start, const char *member,
                        const struct shape *shape, size_t index, const char *before,
                        const char *after)
{
    size_t at[RANK_MAX] = {0};
    int len = snprintf(out, PLACE_SIZE, "%s%s", start, member);

    for (unsigned d = shape->rank; d-- > 0;) {
        at[d] = shape->dim[d] ? index % shape->dim[d] : 0;
        index = shape->dim[d] ? index / shape->dim[d] : 0;
    }
    for (unsigned d = 0; d < shape->rank && len < PLACE_SIZE; d++)
        len += snprintf(out + len, (size_t)(PLACE_SIZE - len), "%s%zu%s", before, at[d],
                        after);
}

void place_pointer(char out[PLACE_SIZE], const char *member, const struct shape *shape,
                   size_t index)
{
    write_place(out, "/", member, shape, index, "/", "");
}

void place_words(char out[PLACE_SIZE], const char *member, const struct shape *shape,
                 size_t index)
{
    write_place(out, "", member, shape, index, "[", "]");
}

void number_words(char out[PLACE_SIZE], double value)
{
    if (isfinite(value))
        out[number_write_double(out, value)] = '\0';
    else
        snprintf(out, PLACE_SIZE, "%s",
                 isnan(value) ? "NaN"
                 : value > 0  ? "Infinity"
                              : "-Infinity");
}

void shape_words(char out[PLACE_SIZE], const struct shape *shape)
{
    int len = snprintf(out, PLACE_SIZE, "[");

    for (unsigned d = 0; d < shape->rank && len < PLACE_SIZE; d++)
        len += snprintf(out + len, (size_t)(PLACE_SIZE - len), "%s%zu", d ? "," : "",
                        shape->dim[d]);
    if (len < PLACE_SIZE)
        snprintf(out + len, (size_t)(PLACE_SIZE - len), "]");
}

/* A character as a pointer has it: RFC 6901 escapes two, and err.h says what a NUL is. */
static struct span in_pointer(const char *c)
{
    switch (*c) {
    case '~':
        return span_of("~0");
    case '/':
        return span_of("~1");
    case '\0':
        return span_of("\xC0\x80");
    default:
        return (struct span){c, 1};
    }
}

void place_member(char out[POINTER_SIZE], const char *object, struct span name)
{
    struct buf buf;

    buf_over(&buf, out, POINTER_SIZE - 1);
    buf_text(&buf, object);
    size_t end = buf.len;
    buf_char(&buf, '/');
    for (size_t i = 0; i < name.len && buf_ok(&buf); i++)
        buf_add(&buf, in_pointer(name.at + i));
    out[buf_ok(&buf) ? buf.len : end] = '\0';
}
