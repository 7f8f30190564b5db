/* reply_fill() may have to stop anywhere and to go on later, but asking before each
 * byte whether it must would cost more than writing the digits.  So it asks once for
 * a run of numbers of one row: as many as are sure to fit.  What stands between two
 * rows is short; it is written to the side and copied, in two goes if need be.
 *
 * Where many numbers are sure to fit and there is a pool, they are shared out: each
 * share is written where it is sure to have room, and the gaps are closed then. */
#include <assert.h>
#include <string.h>

#include "codec/ranking.h"
#include "codec/reply_parts.h"
#include "lossd/base/number.h"
#include "lossd/base/pool.h"
#include "lossd/codec/codec.h"

enum {
    NUMBER_ROOM = NUMBER_TEXT_MAX + 2, /* with what follows it */
    SHARE_LEAST = 1024,                /* numbers that are worth waking a thread */
    SHARES_MAX = 16,
    PIECE = 64 /* numbers that are converted before they are written */
};

_Static_assert(NUMBER_ROOM >= RANKED_MAX + sizeof "\"\"," /* and a blank */, "both fit");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are sent as they are");

/* --- brackets --- */

static void add_between(struct cursor *cursor, char c)
{
    cursor->between[cursor->between_len++] = c;
}

/* A line break and the indent of what is `depth` arrays deep. */
static void break_line(struct cursor *cursor, unsigned depth)
{
    unsigned around = cursor->part->depth;

    if (!cursor->pretty)
        return;
    add_between(cursor, '\n');
    for (unsigned i = 0; i < 2 * (depth + around); i++)
        add_between(cursor, ' ');
}

/* Brackets from depth `from` down to a row; all but the first on a line of its own. */
static void open_brackets(struct cursor *cursor, unsigned from, unsigned rank)
{
    for (unsigned d = from; d < rank; d++) {
        if (d > 0)
            break_line(cursor, d);
        add_between(cursor, '[');
    }
}

static size_t row_length(const struct shape *shape)
{
    return shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
}

static void begin_array(struct cursor *cursor, const struct shape *shape)
{
    cursor->in_array = true;
    memset(cursor->at, 0, sizeof cursor->at);
    open_brackets(cursor, 0, shape->rank);
    cursor->row_left = row_length(shape);
}

/* A row is complete: closes what ends with it and opens what comes next. */
static void end_row(struct cursor *cursor, const struct shape *shape)
{
    unsigned depth = shape->rank;

    cursor->row_left = row_length(shape);
    if (depth == 0)
        return;
    add_between(cursor, ']');
    for (depth--; depth > 0; depth--) {
        if (++cursor->at[depth - 1] < shape->dim[depth - 1]) {
            add_between(cursor, ',');
            open_brackets(cursor, depth, shape->rank);
            return;
        }
        cursor->at[depth - 1] = 0;
        break_line(cursor, depth - 1);
        add_between(cursor, ']');
    }
}

/* --- numbers --- */

static size_t write_doubles_as_floats(char *out, const double *data, size_t count,
                                      bool spaced)
{
    float piece[PIECE];
    char *at = out;

    for (size_t from = 0; from < count; from += PIECE) {
        size_t n = count - from < PIECE ? count - from : PIECE;
        for (size_t i = 0; i < n; i++)
            piece[i] = (float)data[from + i] + 0; /* -0 becomes 0 */
        at += number_write_floats(at, piece, n, spaced);
    }
    return (size_t)(at - out);
}

static size_t write_ranked(char *out, const struct ranking *ranking, size_t from,
                           size_t count, bool spaced)
{
    char *at = out;

    for (size_t i = from; i < from + count; i++) {
        *at++ = '"';
        at += ranking_write(ranking, i, at);
        *at++ = '"';
        *at++ = ',';
        *at = ' ';
        at += spaced;
    }
    return (size_t)(at - out);
}

/* Numbers of the part from its `from`th, each with a comma behind it. */
static size_t write_numbers(char *out, const struct part *part, size_t from, size_t count,
                            bool spaced)
{
    switch (part->numbers) {
    case REPLY_DOUBLES:
        return number_write_doubles(out, (const double *)part->data + from, count,
                                    spaced);
    case REPLY_DOUBLES_AS_FLOATS:
        return write_doubles_as_floats(out, (const double *)part->data + from, count,
                                       spaced);
    case REPLY_FLOATS:
        return number_write_floats(out, (const float *)part->data + from, count, spaced);
    case REPLY_RANKED:
        return write_ranked(out, part->data, from, count, spaced);
    case REPLY_INTEGERS:
        break;
    }
    return number_write_int64s(out, (const int64_t *)part->data + from, count, spaced);
}

/* So many numbers, or what is left of the current row. */
static char *fill_row(struct cursor *cursor, char *out, size_t most)
{
    const struct part *part = cursor->part;
    size_t run = most < cursor->row_left ? most : cursor->row_left;

    out += write_numbers(out, part, cursor->done, run, cursor->pretty);
    cursor->done += run;
    cursor->row_left -= run;
    if (run > 0 && cursor->row_left == 0) {
        out -= 1 + cursor->pretty; /* no comma after the last */
        end_row(cursor, &part->shape);
    }
    return out;
}

/* --- pieces of text --- */

static size_t copy(char *out, size_t room, const char *text, size_t len)
{
    size_t n = room < len ? room : len;

    memcpy(out, text, n);
    return n;
}

static char *fill_between(struct cursor *cursor, char *out, char *end)
{
    size_t n = copy(out, (size_t)(end - out), cursor->between + cursor->between_done,
                    cursor->between_len - cursor->between_done);

    cursor->between_done += n;
    if (cursor->between_done == cursor->between_len)
        cursor->between_len = cursor->between_done = 0;
    return out + n;
}

/* --- shares --- */

struct share {
    struct cursor cursor;
    size_t to; /* numbers of the part */
    char *out;
    size_t len;
};

/* Number `index` of the part comes next. */
static void move_to(struct cursor *cursor, size_t index)
{
    const struct shape *shape = &cursor->part->shape;
    size_t row = index / row_length(shape);

    cursor->done = index;
    cursor->row_left = row_length(shape) - index % row_length(shape);
    for (unsigned d = shape->rank; d-- > 1; row /= shape->dim[d - 1])
        cursor->at[d - 1] = row % shape->dim[d - 1];
}

static void write_share(struct share *share)
{
    struct cursor *cursor = &share->cursor;
    char *out = share->out;

    while (cursor->done < share->to) {
        out = fill_row(cursor, out, share->to - cursor->done);
        out = fill_between(cursor, out, out + sizeof cursor->between);
    }
    share->len = (size_t)(out - share->out);
}

static void write_shares(void *ctx, size_t from, size_t to, size_t worker)
{
    struct share *shares = ctx;

    (void)worker;
    for (size_t i = from; i < to; i++)
        write_share(&shares[i]);
}

/* How many numbers are sure to fit, with what is between their rows. */
static size_t sure_to_fit(const struct cursor *cursor, size_t room)
{
    size_t row = row_length(&cursor->part->shape);
    size_t between = cursor->pretty ? BETWEEN_MAX : 2 * RANK_MAX;
    size_t each = NUMBER_ROOM + (between + row - 1) / row;

    return room > 2 * BETWEEN_MAX ? (room - 2 * BETWEEN_MAX) / each : 0;
}

static char *fill_shares(struct cursor *cursor, struct pool *pool, size_t shares,
                         char *out, size_t room)
{
    struct share share[SHARES_MAX];
    size_t count = sure_to_fit(cursor, room / shares), done = cursor->done;

    for (size_t i = 0; i < shares; i++) {
        size_t left = cursor->part->count - done, n = count < left ? count : left;
        share[i].cursor = *cursor;
        move_to(&share[i].cursor, done);
        share[i].to = done += n;
        share[i].out = out + i * (room / shares);
    }
    pool_for(pool, shares, 1, write_shares, share);
    move_to(cursor, done);
    for (size_t i = 0; i < shares; i++) {
        memmove(out, share[i].out, share[i].len);
        out += share[i].len;
    }
    return out;
}

/* For this thread, and for those that have nothing else to do.  Asked before every row,
 * so what mostly settles it comes first. */
static size_t shares_of(const struct cursor *cursor, const struct pool *pool, size_t room)
{
    size_t idle = pool_threads(pool) - pool_busy(pool);

    if (idle == 0 || room < (size_t)2 * SHARE_LEAST * NUMBER_ROOM)
        return 1;
    size_t left = cursor->part->count - cursor->done, fit = sure_to_fit(cursor, room);
    size_t shares = (fit < left ? fit : left) / SHARE_LEAST;
    shares = shares < idle + 1 ? shares : idle + 1;
    return shares < SHARES_MAX ? shares : SHARES_MAX;
}

/* --- numbers as they are --- */

static size_t round_to_floats(char *out, const double *data, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float value = (float)data[i] + 0;
        memcpy(out + i * sizeof value, &value, sizeof value);
    }
    return count * sizeof(float);
}

static size_t copy_numbers(char *out, const struct part *part, size_t from, size_t count)
{
    size_t size = reply_number_size(part->numbers);

    if (part->numbers == REPLY_DOUBLES_AS_FLOATS)
        return round_to_floats(out, (const double *)part->data + from, count);
    memcpy(out, (const char *)part->data + from * size, count * size);
    return count * size;
}

static size_t copy_ranked(char *out, const struct ranking *ranking, size_t from,
                          size_t count)
{
    char *at = out;

    for (size_t i = from; i < from + count; i++)
        at += ranking_write_bytes(ranking, i, at);
    return (size_t)(at - out);
}

/* At most. */
static size_t bytes_of_one(const struct part *part)
{
    return part->numbers == REPLY_RANKED ? RANKED_BYTES_MAX
                                         : reply_number_size(part->numbers);
}

/* --- parts --- */

static void next_part(struct cursor *cursor)
{
    cursor->part = cursor->part->next;
    cursor->done = 0;
    cursor->in_array = false;
}

static char *fill_text(struct reply *reply, char *out, char *end)
{
    struct cursor *cursor = &reply->here;
    const struct part *part = cursor->part;
    const char *text = part->data ? part->data : reply->text.at;
    size_t n = copy(out, (size_t)(end - out), text + part->from + cursor->done,
                    part->to - part->from - cursor->done);

    cursor->done += n;
    if (part->from + cursor->done == part->to)
        next_part(cursor);
    return out + n;
}

/* Goes on with the array, whose next number fits. */
static char *fill_array(struct cursor *cursor, struct pool *pool, char *out, char *end)
{
    size_t room = (size_t)(end - out), shares;

    if (!cursor->in_array)
        begin_array(cursor, &cursor->part->shape);
    else if (cursor->done == cursor->part->count)
        next_part(cursor);
    else if ((shares = shares_of(cursor, pool, room)) > 1)
        out = fill_shares(cursor, pool, shares, out, room);
    else
        out = fill_row(cursor, out, room / NUMBER_ROOM);
    return out;
}

/* As many numbers as fit, which is one at least. */
static char *fill_bytes(struct cursor *cursor, char *out, char *end)
{
    const struct part *part = cursor->part;
    size_t fit = (size_t)(end - out) / bytes_of_one(part);
    size_t left = part->count - cursor->done, n = fit < left ? fit : left;

    out += part->numbers == REPLY_RANKED ? copy_ranked(out, part->data, cursor->done, n)
                                         : copy_numbers(out, part, cursor->done, n);
    cursor->done += n;
    if (cursor->done == part->count)
        next_part(cursor);
    return out;
}

size_t reply_fill(struct reply *reply, struct pool *pool, char *out, size_t capacity)
{
    struct cursor *cursor = &reply->here;
    char *at = out, *end = out + capacity;

    assert(capacity >= REPLY_ROOM);
    while (cursor->part && at < end) {
        if (cursor->between_len > 0)
            at = fill_between(cursor, at, end);
        else if (cursor->part->kind == PART_TEXT)
            at = fill_text(reply, at, end);
        else if (cursor->part->kind == PART_BYTES &&
                 (size_t)(end - at) >= bytes_of_one(cursor->part))
            at = fill_bytes(cursor, at, end);
        else if (cursor->part->kind == PART_ARRAY && end - at >= NUMBER_ROOM)
            at = fill_array(cursor, pool, at, end);
        else
            break;
    }
    return (size_t)(at - out);
}
