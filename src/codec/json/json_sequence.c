#include "codec/json/json_sequence.h"

#include <stdio.h>
#include <string.h>

#include "codec/json/json_fault.h"
#include "codec/json/json_read.h"

void json_sequence_begin(struct json_sequence *s, const struct json_values *values,
                         void *ctx, struct arena *mem)
{
    *s =
        (struct json_sequence){.values = values, .ctx = ctx, .mem = mem, .place.line = 1};
}

void json_sequence_keep(struct json_sequence *s)
{
    s->mark = NULL;
}

static void wanted(const struct json_sequence *s, char out[64])
{
    const char *what = s->values->what;

    switch (s->state) {
    case BETWEEN_FIRST:
        snprintf(out, 64, "%s or ']'", what);
        break;
    case BETWEEN_AFTER:
        snprintf(out, 64, "',' or ']'");
        break;
    default:
        snprintf(out, 64, "%s", what);
    }
}

/* ---- values ------------------------------------------------------------------ */

static bool free_last_value(struct json_sequence *s, struct err *err)
{
    if (s->mark)
        arena_rewind(s->mem, s->mark);
    else
        s->mark = arena_mark(s->mem, err);
    return s->mark;
}

static bool begin_value(struct json_sequence *s, const char *at, struct err *err)
{
    s->count++;
    s->bytes = 0;
    s->rest = (struct json_rest){0};
    s->state = BETWEEN_IN_VALUE;
    s->value_place = s->place;
    s->value_place.offset = json_offset(&s->place, at);
    if (!free_last_value(s, err) || !s->values->begin(s->ctx, &s->reader, err))
        return false;
    s->reader.place = s->value_place;
    return true;
}

static bool end_value(struct json_sequence *s, struct err *err)
{
    s->state = s->is_array ? BETWEEN_AFTER : BETWEEN_VALUES;
    return s->values->end(s->ctx, err);
}

static const char *line_end(const char *at, const char *end)
{
    const char *found = memchr(at, '\n', (size_t)(end - at));

    return found ? found : end;
}

/* How far the value may go: to the end of its line, and no further than a line may. */
static const char *value_end(const struct json_sequence *s, const char *at,
                             const char *end)
{
    size_t room = s->values->max_line - s->bytes;

    if (s->values->max_line == 0)
        return end;
    return line_end(at, (size_t)(end - at) > room ? at + room : end);
}

/* What begins before `at` cannot be read.  Where it ends is not known when it is too
 * large, and so not whether another one is behind it. */
static const char *give_up(struct json_sequence *s, const char *at, struct err *err)
{
    size_t from = err->has_position ? err->offset : s->value_place.offset;
    bool is_large = err->kind == ERR_TOO_LARGE;

    if (!s->values->skip || !s->values->skip(s->ctx, err))
        return NULL;
    s->rest = (struct json_rest){.from = from, .to = from, .may_hold = is_large};
    s->state = BETWEEN_LINES;
    return at;
}

/* Goes on to the end of the line.  What is wrong may be behind `at`, for a value is given
 * up as a piece.  Wherever a brace opens an object may begin. */
static const char *pass_over(struct json_sequence *s, const char *at, const char *end)
{
    struct json_rest *rest = &s->rest;
    const char *stop = line_end(at, end);
    size_t offset = json_offset(&s->place, at);
    const char *from = offset < rest->from ? at + (rest->from - offset) : at;

    if (from < stop && memchr(from, '{', (size_t)(stop - from)))
        rest->may_hold = true;
    rest->to = json_offset(&s->place, stop);
    s->state = stop < end ? BETWEEN_VALUES : BETWEEN_LINES;
    return stop;
}

/* Its place is where the value begins: what is said is of all of it. */
static void fail_line(const struct json_sequence *s, struct err *err)
{
    fail_limit(err, ERR_TOO_LARGE, NULL, s->values->max_line, "--max-line",
               "line %zu has more than %zu bytes; --max-line raises that",
               s->value_place.line, s->values->max_line);
    json_fault_place(&s->value_place, err);
}

/* The value ends here, at the end of its line or of the text, whether it may or not. */
static bool cut_value(struct json_sequence *s, struct err *err)
{
    return json_read_end(&s->reader, err) || !err_by(err, PHASE_TEXT);
}

/* Where the value that begins or goes on at `at` ends, `end` if it does not; NULL when
 * it cannot be read. */
static const char *read_value(struct json_sequence *s, const char *at, const char *end,
                              struct err *err)
{
    const char *stop = value_end(s, at, end);
    struct span piece = {at, (size_t)(stop - at)};

    if (!json_read_value(&s->reader, &piece, err))
        return give_up(s, at, err);
    s->bytes += (size_t)(piece.at - at);
    if (!json_is_complete(&s->reader)) {
        if (stop == end)
            return end;
        if (*stop != '\n') {
            fail_line(s, err);
            return give_up(s, stop, err);
        }
        if (!cut_value(s, err))
            return give_up(s, stop, err);
    }
    s->place.line = s->reader.place.line;
    s->place.line_from = s->reader.place.line_from;
    return end_value(s, err) ? piece.at : NULL;
}

/* ---- between them ------------------------------------------------------------- */

static const char *wrong(struct json_sequence *s, const char *at, struct err *err)
{
    char words[64];
    struct json_place place = s->place;

    place.offset = json_offset(&s->place, at);
    wanted(s, words);
    json_fault_between(&place, (unsigned char)*at, s->state == BETWEEN_END, words, err);
    return give_up(s, at, err);
}

static const char *begin_array(struct json_sequence *s, const char *at)
{
    s->is_array = true;
    s->state = BETWEEN_FIRST;
    return at + 1;
}

/* A comma or the array's end. */
static const char *after_value(struct json_sequence *s, const char *at, struct err *err)
{
    if (*at != ',' && *at != ']')
        return wrong(s, at, err);
    s->state = *at == ',' ? BETWEEN_NEXT : BETWEEN_END;
    return at + 1;
}

static const char *read_between(struct json_sequence *s, const char *at, struct err *err)
{
    if (s->state == BETWEEN_END)
        return wrong(s, at, err);
    if (s->state == BETWEEN_AFTER)
        return after_value(s, at, err);
    if (s->state == BETWEEN_START && *at == '[' && s->values->max_line == 0)
        return begin_array(s, at);
    if (s->state == BETWEEN_FIRST && *at == ']') {
        s->state = BETWEEN_END;
        return at + 1;
    }
    if (*at == ',' || *at == ']')
        return wrong(s, at, err);
    return begin_value(s, at, err) ? at : NULL;
}

bool json_sequence_read(struct json_sequence *s, struct span piece, struct err *err)
{
    const char *at = piece.at, *end = piece.at + piece.len;

    s->place.piece = piece.at;
    while (at && at < end) {
        if (s->state == BETWEEN_IN_VALUE) {
            at = read_value(s, at, end, err);
            continue;
        }
        if (s->state == BETWEEN_LINES)
            at = pass_over(s, at, end);
        at = json_skip_space(&s->place, at, end);
        if (at < end)
            at = read_between(s, at, err);
    }
    s->place.offset += piece.len;
    return at;
}

bool json_sequence_end(struct json_sequence *s, struct err *err)
{
    char words[64];

    if (s->state == BETWEEN_IN_VALUE) {
        if (!cut_value(s, err))
            return give_up(s, "", err);
        if (!end_value(s, err))
            return false;
    }
    bool lacks_value = s->needs_value && s->state == BETWEEN_START;
    if (!lacks_value && (!s->is_array || s->state == BETWEEN_END))
        return true;
    wanted(s, words);
    json_fault_cut(&s->place, words, err);
    return false;
}
