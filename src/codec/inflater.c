/* zlib, with the memory of an arena.
 *
 * Gzip data is one member after another (RFC 1952, section 2.2), each begun anew; that of
 * `deflate` is a single one, in zlib's format (RFC 1950).  A fault is told when the text
 * before it has been taken: which of two errors comes first must not depend on where the
 * body was cut. */
#include "lossd/codec/inflater.h"

#include <inttypes.h>
#include <limits.h>
#include <strings.h>

#define ZLIB_CONST /* it does not write to what it reads */
#include <zlib.h>

enum { TEXT_SIZE = 32 << 10 /* it stays in the cache until it has been read */ };

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
    BEFORE, /* a member, if there is another */
    WITHIN,
    BROKEN, /* after the text that has been handed out */
    BEYOND  /* all the text that may be */
};

struct inflater {
    z_stream stream;
    const struct coding *coding;
    uint64_t most, count; /* bytes of text */
    const char *flag;
    enum where where;
    bool has_begun; /* a member */
    struct span rest;
    struct arena *mem;
    struct err *err; /* where zlib's lack of memory is written */
    char text[TEXT_SIZE];
};

static bool is_named(struct span header, const char *name)
{
    return header.len == strlen(name) && strncasecmp(header.at, name, header.len) == 0;
}

bool coding_find(struct span content_encoding, const struct coding **out)
{
    *out = NULL;
    if (content_encoding.len == 0 || is_named(content_encoding, identity))
        return true;
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
        if (is_named(content_encoding, codings[i].name))
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

struct inflater *inflater_new(const struct coding *coding, uint64_t most,
                              const char *flag, struct arena *mem, struct err *err)
{
    struct inflater *f = arena_alloc(mem, 1, sizeof *f, err);

    if (!f)
        return NULL;
    memset(f, 0, offsetof(struct inflater, text));
    f->stream.zalloc = take_memory;
    f->stream.zfree = leave_memory;
    f->stream.opaque = f;
    f->coding = coding;
    f->most = most;
    f->flag = flag;
    f->mem = mem;
    f->err = err;
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
    return fail_limit(err, NULL, f->most, f->flag,
                      "the body, decompressed, has more than the %" PRIu64
                      " bytes that are allowed (%s raises that)",
                      f->most, f->flag);
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

/* Up to the end of a member, of what was given, or of the room for text.  False: there
 * is no more text in what was given so far. */
static bool inflate_some(struct inflater *f, struct span *text)
{
    z_stream *z = &f->stream;
    uint64_t left = f->most - f->count;

    z->next_in = (const unsigned char *)f->rest.at;
    z->avail_in = f->rest.len < UINT_MAX ? (unsigned)f->rest.len : UINT_MAX;
    z->next_out = (unsigned char *)f->text;
    z->avail_out = TEXT_SIZE;
    int status = inflate(z, Z_NO_FLUSH);
    size_t used = (size_t)((const char *)z->next_in - f->rest.at);
    f->rest = (struct span){f->rest.at + used, f->rest.len - used};
    text->len = TEXT_SIZE - z->avail_out;
    if (status == Z_STREAM_END)
        f->where = BEFORE;
    else if (status != Z_OK && status != Z_BUF_ERROR)
        f->where = BROKEN;
    if (text->len > left) {
        text->len = (size_t)left;
        f->where = BEYOND;
    }
    f->count += text->len;
    return status != Z_BUF_ERROR;
}

bool inflater_next(struct inflater *f, struct span *text, struct err *err)
{
    *text = (struct span){f->text, 0};
    f->err = err;
    for (bool more = true; more && text->len == 0;) {
        if (f->where == BROKEN)
            return fail_broken(f, err);
        if (f->where == BEYOND)
            return fail_beyond(f, err);
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
