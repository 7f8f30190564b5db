/* The numbers of an array where they lie, a row at a time, by number_scan.h.  What is
 * known here besides is white space behind a comma, and "],[" between two rows.
 * Whatever is not that (a number the scanner declines, null, NaN, the end) is left to
 * the reader, which hands in one element through json_array_scalar(), and on it goes.
 *
 * The scanner wants NUMBER_SCAN_SLACK readable bytes, so the last of a piece are
 * copied to where zeros follow them. */
#include <string.h>

#include "codec/json/json_array.h"
#include "codec/json/json_number.h"
#include "lossd/base/number_scan.h"

enum { INTEGER_DIGITS = 18 };

/* An integer of up to 18 digits at `at`; what is behind it, or NULL. */
static inline const char *scan_integer(const char *at, int64_t *value)
{
    int64_t sum = 0;
    bool negative = *at == '-';
    const char *first = at + negative;

    for (at = first; *at >= '0' && *at <= '9'; at++) {
        if (at - first == INTEGER_DIGITS)
            return NULL;
        sum = sum * 10 + (*at - '0');
    }
    bool leading_zero = *first == '0' && at - first > 1;
    if (at == first || leading_zero || *at == '.' || (*at | 0x20) == 'e' || *at == '\0')
        return NULL;
    *value = negative ? -sum : sum;
    return at;
}

/* As number_scan_doubles(). */
static const char *scan_integers(const char *at, const char *end, int64_t *out,
                                 size_t room, size_t *count)
{
    const char *after = at;
    size_t taken = 0;

    while (end - at >= NUMBER_SCAN_SLACK && taken < room) {
        const char *next = scan_integer(at, &out[taken]);
        if (!next)
            break;
        taken++;
        after = next;
        if (*next != ',')
            break;
        at = next + 1 + (next[1] == ' ');
    }
    *count = taken;
    return after;
}

/* As many as there is room for. */
static inline const char *scan(const struct json_array *a, const char *at,
                               const char *end, size_t *count)
{
    size_t from = a->out->count, room = a->capacity - from;

    *count = 0;
    if (room == 0) /* and perhaps no memory yet */
        return at;
    if (a->is_labels)
        return scan_integers(at, end, (int64_t *)a->out->data + from, room, count);
    if (a->out->element == ELEMENT_FLOAT32)
        return number_scan_floats(at, end, (float *)a->out->data + from, room, count);
    double *out = (double *)a->out->data + from;
    return a->narrow ? number_scan_narrowed(at, end, out, room, count)
                     : number_scan_doubles(at, end, out, room, count);
}

/* Bytes of "],[" at `at` if it leads to the next row and the row that ends is as long as
 * the others (0 is its length when it is the first: that is left to the reader). */
static inline size_t next_row(struct json_array *a, const char *at)
{
    size_t count = a->out->count;
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

static inline bool begins_number(const char *at, const char *stop)
{
    return at < stop && (*at == '-' || json_is_digit(*at));
}

/* The numbers from `at` on, which may be read up to `end` and is text up to `stop`, with
 * zeros behind it.  A number that is taken leaves enough to read behind it for "], [". */
static const char *take(struct json_array *a, const char *at, const char *stop,
                        const char *end, enum json_state *state, struct json_place *place,
                        struct err *err)
{
    size_t count, bytes;

    for (;;) {
        if (a->out->count == a->capacity && begins_number(at, stop) &&
            !json_array_grow(a, err))
            return NULL;
        const char *next = scan(a, at, end, &count);
        if (count == 0)
            return at;
        a->rank = a->depth;
        a->out->count += count;
        at = next;
        if (*at == ',') {
            *state = JSON_VALUE;
            at = json_skip_space(place, at + 1, stop);
        } else if (*at == ']' && (bytes = next_row(a, at)) > 0) {
            *state = JSON_VALUE_OR_CLOSE;
            at += bytes;
        } else {
            *state = JSON_AFTER_VALUE;
            return at;
        }
    }
}

const char *json_array_numbers(struct json_array *a, const char *at, const char *stop,
                               enum json_state *state, struct json_place *place,
                               struct err *err)
{
    char last[2 * NUMBER_SCAN_SLACK];

    if (a->depth == 0 || (a->rank > 0 && a->depth != a->rank))
        return at;
    if (stop - at >= NUMBER_SCAN_SLACK)
        at = take(a, at, stop, stop, state, place, err);
    if (!at || stop - at >= NUMBER_SCAN_SLACK || *state == JSON_AFTER_VALUE)
        return at;
    size_t left = (size_t)(stop - at);
    struct json_place there = {last, json_offset(place, at), place->line,
                               place->line_from};
    memcpy(last, at, left);
    memset(last + left, 0, NUMBER_SCAN_SLACK);
    const char *end = last + left + NUMBER_SCAN_SLACK;
    const char *reached = take(a, last, last + left, end, state, &there, err);
    place->line = there.line;
    place->line_from = there.line_from;
    return reached ? at + (reached - last) : NULL;
}
