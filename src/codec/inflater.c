/* zlib, with the memory of an arena.
 *
 * Gzip data is one member after another (RFC 1952, section 2.2), each begun anew; that of
 * `deflate` is a single one, in zlib's format (RFC 1950).  A fault is told when the text
 * before it has been taken: which of two errors comes first must not depend on where the
 * body was cut.
 *
 * For the same reason text is held against what was sent at places that follow from the
 * data alone: zlib is given no byte beyond the next of them until it has no more text to
 * give. */
#include "lossd/codec/inflater.h"

#include <inttypes.h>
#include <limits.h>

#define ZLIB_CONST /* it does not write to what it reads */
#include <zlib.h>

enum {
    TEXT_SIZE = 32 << 10,  /* it stays in the cache until it has been read */
    MOST_OF_A_BYTE = 1032, /* a match of 258 takes two bits */
    LEAST_STEP = 64        /* bytes of the body from one look to the next */
};

struct coding {
    const char *name;       /* in the header */
    const char *short_name; /* in sentences */
    int window_bits;
    unsigned char mask, first; /* how the first byte of its data can be told */
    bool joins;                /* one may follow another */
};

enum { ANY_WINDOW = 15, OF_GZIP = 16 };

static const struct coding codings[] = {
    {"gzip", "gzip", OF_GZIP + ANY_WINDOW, 0xFF, 0x1F, true},
    {"x-gzip", "gzip", OF_GZIP + ANY_WINDOW, 0xFF, 0x1F, true},
    {"deflate", "zlib", ANY_WINDOW, 0x8F, 0x08, false},
};

static const char identity[] = "identity";

const char coding_names[] = "gzip, deflate, identity";

enum where {
    BEFORE,   /* a member, if there is another */
    WITHIN,   /* one; the others are wrong: */
    BROKEN,   /* after the text that has been handed out */
    BEYOND,   /* all the text that may be */
    EXCESSIVE /* text for what was sent */
};

struct inflater {
    z_stream stream;
    const struct coding *coding;
    struct inflater_limits limits;
    uint64_t count, taken; /* bytes of text, and of the body */
    uint64_t look_at;      /* when so many are taken: is it too much text for them? */
    enum where where;
    bool has_begun; /* a member */
    struct span rest;
    struct arena *mem;
    struct err *err; /* where zlib's lack of memory is written */
    char text[TEXT_SIZE];
};

bool coding_find(struct span content_encoding, const struct coding **out)
{
    *out = NULL;
    if (content_encoding.len == 0 || span_is_caseless(content_encoding, identity))
        return true;
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
        if (span_is_caseless(content_encoding, codings[i].name))
            *out = &codings[i];
    return *out != NULL;
}

static void *take_memory(void *ctx, unsigned count, unsigned size)
{
    struct inflater *f = ctx;

    return arena_alloc(f->mem, count, size, f->err);
}

/* It goes with the arena. */
static void leave_memory(void *ctx, void *piece)
{
    (void)ctx, (void)piece;
}

/* What there may be of text so far. */
static uint64_t text_allowed(const struct inflater *f)
{
    uint64_t ratio = f->limits.ratio;

    if (ratio == 0 || f->taken > UINT64_MAX / ratio)
        return UINT64_MAX;
    uint64_t from = f->limits.ratio_from;
    return f->taken * ratio > from ? f->taken * ratio : from;
}

/* Holds the text against what was sent, and looks again before it can be too much. */
static void look(struct inflater *f)
{
    uint64_t allowed = text_allowed(f);

    if (f->count > allowed)
        f->where = EXCESSIVE;
    else
        f->look_at += LEAST_STEP + (allowed - f->count) / MOST_OF_A_BYTE;
}

struct inflater *inflater_new(const struct coding *coding, struct inflater_limits limits,
                              struct arena *mem, struct err *err)
{
    struct inflater *f = arena_alloc(mem, 1, sizeof *f, err);

    if (!f)
        return NULL;
    memset(f, 0, offsetof(struct inflater, text));
    f->stream.zalloc = take_memory;
    f->stream.zfree = leave_memory;
    f->stream.opaque = f;
    f->coding = coding;
    f->limits = limits;
    f->mem = mem;
    f->err = err;
    look(f);
    if (inflateInit2(&f->stream, coding->window_bits) == Z_OK)
        return f;
    fail(err, ERR_INTERNAL, NULL, "zlib does not start"); /* unless there is no memory */
    return NULL;
}

void inflater_give(struct inflater *f, struct span piece)
{
    f->rest = piece;
}

static bool fail_broken(const struct inflater *f, struct err *err)
{
    const char *why = f->stream.msg ? f->stream.msg : "it needs a dictionary";

    return fail(
        err, ERR_BAD_HEADER, NULL,
        "Content-Encoding is %s, but the body is broken %s data: %s, after %" PRIu64
        " bytes of text",
        f->coding->name, f->coding->short_name, why, f->count);
}

static bool fail_beyond(const struct inflater *f, struct err *err)
{
    return fail_limit(err, ERR_TOO_LARGE, NULL, f->limits.most, f->limits.flag,
                      "the body, decompressed, has more than the %" PRIu64
                      " bytes that are allowed (%s raises that)",
                      f->limits.most, f->limits.flag);
}

static bool fail_excessive(const struct inflater *f, struct err *err)
{
    return fail_limit(err, ERR_TOO_LARGE, NULL, f->limits.ratio, "--max-ratio",
                      "the first %" PRIu64 " bytes of the body have %" PRIu64
                      " when decompressed; at most %" PRIu64
                      " times as many are allowed (--max-ratio raises that)",
                      f->taken, f->count, f->limits.ratio);
}

static bool fail_trailing(const struct inflater *f, unsigned char byte, struct err *err)
{
    return fail(err, ERR_TRAILING_DATA, NULL,
                "byte 0x%02X follows the end of the %s data; %s is wanted there", byte,
                f->coding->short_name,
                f->coding->joins ? "more gzip data, or nothing," : "nothing");
}

static bool begin_member(struct inflater *f, struct err *err)
{
    const struct coding *coding = f->coding;
    unsigned char byte = (unsigned char)*f->rest.at;
    bool fits = (byte & coding->mask) == coding->first;

    if (f->has_begun && !(fits && coding->joins))
        return fail_trailing(f, byte, err);
    if (!fits)
        return fail(err, ERR_BAD_HEADER, NULL,
                    "Content-Encoding is %s, but the body begins with byte 0x%02X, as no "
                    "%s data does",
                    coding->name, byte, coding->short_name);
    inflateReset(&f->stream);
    f->has_begun = true;
    f->where = WITHIN;
    return true;
}

/* How much of what was given zlib may have now. */
static unsigned room(const struct inflater *f)
{
    uint64_t left = f->look_at - f->taken;
    uint64_t most = left < UINT_MAX ? left : UINT_MAX;

    return (unsigned)(f->rest.len < most ? f->rest.len : most);
}

static void take_in(struct inflater *f, size_t used)
{
    f->rest = (struct span){f->rest.at + used, f->rest.len - used};
    f->taken += used;
}

static enum where where_after(int status)
{
    if (status == Z_STREAM_END)
        return BEFORE;
    return status == Z_OK || status == Z_BUF_ERROR ? WITHIN : BROKEN;
}

/* Up to the end of a member, of what was given, or of the room for text.  False: there
 * is no more text in what was given so far. */
static bool inflate_some(struct inflater *f, struct span *text)
{
    z_stream *z = &f->stream;
    uint64_t left = f->limits.most - f->count;

    z->next_in = (const unsigned char *)f->rest.at;
    z->avail_in = room(f);
    z->next_out = (unsigned char *)f->text;
    z->avail_out = TEXT_SIZE;
    int status = inflate(z, Z_NO_FLUSH);
    take_in(f, (size_t)((const char *)z->next_in - f->rest.at));
    text->len = TEXT_SIZE - z->avail_out;
    f->where = where_after(status);
    if (text->len > left) {
        text->len = (size_t)left;
        f->where = BEYOND;
    }
    f->count += text->len;
    bool is_dry = z->avail_out > 0 || status == Z_STREAM_END;
    if (f->taken == f->look_at && is_dry && f->where <= WITHIN)
        look(f);
    return status != Z_BUF_ERROR || f->rest.len > 0;
}

bool inflater_next(struct inflater *f, struct span *text, struct err *err)
{
    static bool (*const failures[])(const struct inflater *, struct err *) = {
        [BROKEN] = fail_broken, [BEYOND] = fail_beyond, [EXCESSIVE] = fail_excessive};

    *text = (struct span){f->text, 0};
    f->err = err;
    for (bool more = true; more && text->len == 0;) {
        if (f->where > WITHIN)
            return failures[f->where](f, err);
        if (f->where == BEFORE && f->rest.len == 0)
            return true;
        if (f->where == BEFORE && !begin_member(f, err))
            return false;
        more = inflate_some(f, text);
    }
    return true;
}

bool inflater_finish(const struct inflater *f, struct err *err)
{
    if (f->where == BEFORE && f->has_begun)
        return true;
    return fail(
        err, ERR_BAD_HEADER, NULL,
        "Content-Encoding is %s, but the body ends before its %s data does, after "
        "%" PRIu64 " bytes of text",
        f->coding->name, f->coding->short_name, f->count);
}

uint64_t inflater_count(const struct inflater *f)
{
    return f->count;
}
