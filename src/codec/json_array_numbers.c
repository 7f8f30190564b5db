/* The numbers of an array where they lie, with the kernel of number_scan.h.  What is
 * known here besides is a comma, white space behind it, and "],[" between two rows.
 * Whatever is not that (a number the kernel declines, null, NaN, the end) is left to
 * the reader, which hands in one element through json_array_scalar(), and on it goes.
 *
 * The kernel wants NUMBER_SCAN_SLACK readable bytes, so the last of a piece are
 * copied to where zeros follow them. */
#include <string.h>

#include "json_array.h"
#include "lossd/base/number_scan.h"

enum kind { KIND_FLOAT, KIND_DOUBLE, KIND_NARROW, KIND_INTEGER };

enum { INTEGER_DIGITS = 18 };

/* As number_scan_double(), for integers of up to 18 digits. */
static inline const char *scan_integer(const char *at, const char *end, int64_t *value)
{
    int64_t sum = 0;

    if (end - at < NUMBER_SCAN_SLACK)
        return NULL;
    bool negative = *at == '-';
    const char *first = at + negative;
    for (at = first; *at >= '0' && *at <= '9'; at++) {
        if (at - first == INTEGER_DIGITS)
            return NULL;
        sum = sum * 10 + (*at - '0');
    }
    bool leading_zero = *first == '0' && at - first > 1;
    if (at == first || leading_zero || *at == '.' || (*at | 0x20) == 'e')
        return NULL;
    *value = negative ? -sum : sum;
    return at;
}

union number {
    double wide;
    float slim;
    int64_t integer;
};

static inline const char *scan(enum kind kind, const char *at, const char *end,
                               union number *value)
{
    switch (kind) {
    case KIND_FLOAT:
        return number_scan_float(at, end, &value->slim);
    case KIND_INTEGER:
        return scan_integer(at, end, &value->integer);
    case KIND_DOUBLE:
    case KIND_NARROW:
        break;
    }
    return number_scan_double(at, end, &value->wide);
}

static inline void store(enum kind kind, void *data, size_t index, union number value)
{
    if (kind == KIND_FLOAT)
        ((float *)data)[index] = value.slim;
    else if (kind == KIND_INTEGER)
        ((int64_t *)data)[index] = value.integer;
    else
        ((double *)data)[index] = value.wide;
}

/* Bytes of "],[" at `at` if it leads to the next row and the row that ends, with
 * `count` numbers read altogether, is as long as the others (0 is its length when it
 * is the first: that is left to the reader). */
static inline size_t next_row(struct json_array *a, const char *at, size_t count)
{
    size_t bytes = at[1] != ','                   ? 0
                   : at[2] == '['                 ? 3
                   : at[2] == ' ' && at[3] == '[' ? 4
                                                  : 0;

    if (bytes == 0 || a->rank < 2 ||
        count - a->row_from != a->out->shape.dim[a->rank - 1])
        return 0;
    a->filled[a->rank - 2]++;
    a->row_from = count;
    return bytes;
}

/* The numbers from `at` on, which may be read up to `end` and is text up to `stop`.
 * A number that the kernel takes leaves enough to read behind it for "], [". */
static inline __attribute__((always_inline)) const char *
take(struct json_array *a, enum kind kind, const char *at, const char *stop,
     const char *end, enum json_state *state, struct json_place *place, struct err *err)
{
    size_t count = a->out->count, bytes;

    for (;;) {
        union number value;
        const char *next = scan(kind, at, end, &value);
        if (!next || next >= stop)
            break;
        if (count == a->capacity && !json_array_grow(a, err))
            return NULL;
        if (kind == KIND_NARROW && __builtin_expect(narrow_doubtful(value.wide), 0) &&
            !narrow_note(a->narrow, count, (struct span){at, (size_t)(next - at)},
                         value.wide, a->mem, err))
            return NULL;
        store(kind, a->out->data, count++, value);
        at = next;
        if (*at == ',') {
            *state = JSON_VALUE;
            at++;
            if (*at == ' ')
                at++;
            if ((unsigned char)*at <= ' ')
                at = json_skip_space(place, at, stop);
        } else if (*at == ']' && (bytes = next_row(a, at, count)) > 0) {
            *state = JSON_VALUE_OR_CLOSE;
            at += bytes;
        } else {
            *state = JSON_AFTER_VALUE;
            break;
        }
    }
    a->out->count = count;
    return at;
}

static const char *take_kind(struct json_array *a, const char *at, const char *stop,
                             const char *end, enum json_state *state,
                             struct json_place *place, struct err *err)
{
    if (a->is_labels)
        return take(a, KIND_INTEGER, at, stop, end, state, place, err);
    if (a->out->element == ELEMENT_FLOAT32)
        return take(a, KIND_FLOAT, at, stop, end, state, place, err);
    if (a->narrow)
        return take(a, KIND_NARROW, at, stop, end, state, place, err);
    return take(a, KIND_DOUBLE, at, stop, end, state, place, err);
}

const char *json_array_numbers(struct json_array *a, const char *at, const char *stop,
                               enum json_state *state, struct json_place *place,
                               struct err *err)
{
    char last[2 * NUMBER_SCAN_SLACK];

    if (a->rank == 0 || a->depth != a->rank)
        return at;
    if (stop - at >= NUMBER_SCAN_SLACK)
        at = take_kind(a, at, stop, stop, state, place, err);
    if (!at || stop - at >= NUMBER_SCAN_SLACK || *state == JSON_AFTER_VALUE)
        return at;
    size_t left = (size_t)(stop - at);
    struct json_place there = {last, json_offset(place, at), place->line,
                               place->line_from};
    memcpy(last, at, left);
    memset(last + left, 0, NUMBER_SCAN_SLACK);
    const char *end = last + left + NUMBER_SCAN_SLACK;
    const char *reached = take_kind(a, last, last + left, end, state, &there, err);
    place->line = there.line;
    place->line_from = there.line_from;
    return reached ? at + (reached - last) : NULL;
}
