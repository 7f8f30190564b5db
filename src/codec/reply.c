/* reply_fill() may have to stop anywhere and to go on later, but asking before each
 * byte whether it must would cost more than writing the digits.  So it asks once for
 * a run of numbers of one row: as many as are sure to fit.  What stands between two
 * rows is short; it is written to the side and copied, in two goes if need be. */
#include "reply.h"

#include <assert.h>
#include <string.h>

#include "lossd/base/number.h"

enum {
    NUMBER_ROOM = NUMBER_TEXT_MAX + 2, /* with what follows it */
    DEPTH_MAX = 2,                     /* of objects around an array */
    BETWEEN_MAX = RANK_MAX * 2 * (2 * (RANK_MAX + 1 + DEPTH_MAX) + 2)
};

struct part {
    struct part *next;
    bool is_text;
    size_t from, to; /* of reply.text */
    enum reply_numbers numbers;
    const void *data;
    struct shape shape;
    size_t count;
    unsigned depth; /* of the objects around it */
};

struct reply {
    struct buf text;
    struct json json;
    size_t text_to;            /* what of `text` is in a part */
    struct part *first, **end; /* where the next part's address goes */
    struct arena *mem;
    struct err *err;
    bool pretty;
    bool failed; /* no memory for a part */

    /* how far reply_fill() is */
    const struct part *current; /* NULL: at the end */
    size_t done;                /* bytes or numbers of the current part */
    bool in_array;              /* which has begun */
    size_t row_left;            /* numbers of the current row */
    size_t at[RANK_MAX];        /* index of the row */
    char between[BETWEEN_MAX];  /* text before the next number */
    size_t between_len, between_done;
};

struct reply *reply_new(bool pretty, struct arena *mem, struct err *err)
{
    struct reply *reply = arena_zalloc(mem, 1, sizeof *reply, err);

    if (!reply)
        return NULL;
    reply->mem = mem;
    reply->err = err;
    reply->end = &reply->first;
    buf_init(&reply->text, mem, SIZE_MAX / 4, NULL, err);
    reply->json = json_into(&reply->text, pretty);
    reply->pretty = pretty;
    return reply;
}

struct json *reply_json(struct reply *reply)
{
    return &reply->json;
}

static void add_part(struct reply *reply, const struct part *part)
{
    struct part *kept = arena_alloc(reply->mem, 1, sizeof *kept, reply->err);

    if (!kept) {
        reply->failed = true;
        return;
    }
    *kept = *part;
    *reply->end = kept;
    reply->end = &kept->next;
}

/* The text since the last array is a part. */
static void cut_text(struct reply *reply)
{
    if (reply->text.len > reply->text_to)
        add_part(reply, &(struct part){.is_text = true,
                                       .from = reply->text_to,
                                       .to = reply->text.len});
    reply->text_to = reply->text.len;
}

static size_t shape_count(const struct shape *shape)
{
    size_t count = 1;

    for (unsigned d = 0; d < shape->rank; d++)
        count *= shape->dim[d];
    return count;
}

void reply_array(struct reply *reply, enum reply_numbers numbers, const void *data,
                 const struct shape *shape)
{
    json_before_value(&reply->json);
    cut_text(reply);
    size_t count = shape_count(shape);
    assert(data && count > 0);
    add_part(reply, &(struct part){.numbers = numbers,
                                   .data = data,
                                   .shape = *shape,
                                   .count = count,
                                   .depth = reply->json.depth});
}

bool reply_end(struct reply *reply)
{
    buf_char(&reply->text, '\n');
    cut_text(reply);
    reply->current = reply->first;
    return buf_ok(&reply->text) && !reply->failed;
}

/* --- brackets --- */

static void add_between(struct reply *reply, char c)
{
    reply->between[reply->between_len++] = c;
}

/* A line break and the indent of what is `depth` arrays deep. */
static void break_line(struct reply *reply, unsigned depth)
{
    unsigned around = reply->current->depth;

    if (!reply->pretty)
        return;
    add_between(reply, '\n');
    for (unsigned i = 0; i < 2 * (depth + around); i++)
        add_between(reply, ' ');
}

/* Brackets from depth `from` down to a row; all but the first on a line of its own. */
static void open_brackets(struct reply *reply, unsigned from, unsigned rank)
{
    for (unsigned d = from; d < rank; d++) {
        if (d > 0)
            break_line(reply, d);
        add_between(reply, '[');
    }
}

static size_t row_length(const struct shape *shape)
{
    return shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
}

static void begin_array(struct reply *reply, const struct shape *shape)
{
    reply->in_array = true;
    memset(reply->at, 0, sizeof reply->at);
    open_brackets(reply, 0, shape->rank);
    reply->row_left = row_length(shape);
}

/* A row is complete: closes what ends with it and opens what comes next. */
static void end_row(struct reply *reply, const struct shape *shape)
{
    unsigned depth = shape->rank;

    reply->row_left = row_length(shape);
    if (depth == 0)
        return;
    add_between(reply, ']');
    for (depth--; depth > 0; depth--) {
        if (++reply->at[depth - 1] < shape->dim[depth - 1]) {
            add_between(reply, ',');
            open_brackets(reply, depth, shape->rank);
            return;
        }
        reply->at[depth - 1] = 0;
        break_line(reply, depth - 1);
        add_between(reply, ']');
    }
}

/* --- numbers --- */

static inline __attribute__((always_inline)) size_t
write_number(char *out, enum reply_numbers numbers, const void *data, size_t index)
{
    switch (numbers) {
    case REPLY_DOUBLES:
        return number_write_double(out, ((const double *)data)[index]);
    case REPLY_DOUBLES_AS_FLOATS:
        return number_write_float(out, (float)((const double *)data)[index]);
    case REPLY_FLOATS:
        return number_write_float(out, ((const float *)data)[index]);
    case REPLY_INTEGERS:
        return number_write_int64(out, ((const int64_t *)data)[index]);
    }
    return 0;
}

/* Numbers `from` up to `to`, each with a comma behind it. */
static inline __attribute__((always_inline)) char *
write_run(char *out, enum reply_numbers numbers, const void *data, size_t from, size_t to,
          bool blank)
{
    for (size_t i = from; i < to; i++) {
        out += write_number(out, numbers, data, i);
        out[0] = ',';
        out[1] = ' ';
        out += 1 + blank;
    }
    return out;
}

static char *write_numbers(char *out, const struct part *part, size_t from, size_t to,
                           bool blank)
{
    switch (part->numbers) {
    case REPLY_DOUBLES:
        return write_run(out, REPLY_DOUBLES, part->data, from, to, blank);
    case REPLY_DOUBLES_AS_FLOATS:
        return write_run(out, REPLY_DOUBLES_AS_FLOATS, part->data, from, to, blank);
    case REPLY_FLOATS:
        return write_run(out, REPLY_FLOATS, part->data, from, to, blank);
    case REPLY_INTEGERS:
        break;
    }
    return write_run(out, REPLY_INTEGERS, part->data, from, to, blank);
}

/* As many numbers of the current row as are sure to fit. */
static char *fill_row(struct reply *reply, const struct part *part, char *out, char *end)
{
    size_t fit = (size_t)(end - out) / NUMBER_ROOM;
    size_t run = fit < reply->row_left ? fit : reply->row_left;

    out = write_numbers(out, part, reply->done, reply->done + run, reply->pretty);
    reply->done += run;
    reply->row_left -= run;
    if (run > 0 && reply->row_left == 0) {
        out -= 1 + reply->pretty; /* no comma after the last */
        end_row(reply, &part->shape);
    }
    return out;
}

/* --- parts --- */

static size_t copy(char *out, size_t room, const char *text, size_t len)
{
    size_t n = room < len ? room : len;

    memcpy(out, text, n);
    return n;
}

static char *fill_between(struct reply *reply, char *out, char *end)
{
    size_t n = copy(out, (size_t)(end - out), reply->between + reply->between_done,
                    reply->between_len - reply->between_done);

    reply->between_done += n;
    if (reply->between_done == reply->between_len)
        reply->between_len = reply->between_done = 0;
    return out + n;
}

static void next_part(struct reply *reply)
{
    reply->current = reply->current->next;
    reply->done = 0;
    reply->in_array = false;
}

static char *fill_text(struct reply *reply, const struct part *part, char *out, char *end)
{
    size_t n = copy(out, (size_t)(end - out), reply->text.at + part->from + reply->done,
                    part->to - part->from - reply->done);

    reply->done += n;
    if (part->from + reply->done == part->to)
        next_part(reply);
    return out + n;
}

/* Goes on with the array, whose next number fits. */
static char *fill_array(struct reply *reply, const struct part *part, char *out,
                        char *end)
{
    if (!reply->in_array)
        begin_array(reply, &part->shape);
    else if (reply->done < part->count)
        return fill_row(reply, part, out, end);
    else
        next_part(reply);
    return out;
}

size_t reply_fill(struct reply *reply, char *out, size_t capacity)
{
    char *at = out, *end = out + capacity;

    assert(capacity >= REPLY_ROOM);
    while (reply->current && at < end) {
        const struct part *part = reply->current;
        if (reply->between_len > 0)
            at = fill_between(reply, at, end);
        else if (part->is_text)
            at = fill_text(reply, part, at, end);
        else if (end - at >= NUMBER_ROOM)
            at = fill_array(reply, part, at, end);
        else
            break;
    }
    return (size_t)(at - out);
}
