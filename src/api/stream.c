#include "api/stream.h"

enum {
    PIECE_MAX = 65536,   /* longer answers are sent in pieces, */
    PIECES = 4,          /* so many of which are written at the same time */
    NUMBER_ROOM = 26,    /* longest number and its comma */
    ENVELOPE_ROOM = 1024 /* an answer without its arrays */
};

_Static_assert(STREAM_FIRST_NUMBERS < PIECE_MAX / NUMBER_ROOM, "they fit");

/* An answer in pieces: what is written already, then the rest. */
struct stream {
    struct reply *reply;
    struct pool *pool;
    char *piece[PIECES];
    size_t len[PIECES];
    size_t pieces; /* filled */
    size_t next;   /* of them the one that is being sent */
    size_t sent;   /* bytes of it */
};

static size_t send_piece(struct stream *stream, char *out, size_t capacity)
{
    size_t left = stream->len[stream->next] - stream->sent;
    size_t n = left < capacity ? left : capacity;

    memcpy(out, stream->piece[stream->next] + stream->sent, n);
    stream->sent += n;
    if (n == left) {
        stream->next++;
        stream->sent = 0;
    }
    return n;
}

static size_t fill_from_stream(void *ctx, char *out, size_t capacity)
{
    struct stream *stream = ctx;

    if (stream->next == stream->pieces) {
        stream->next = 0;
        stream->pieces = reply_fill_pieces(stream->reply, stream->pool, stream->piece,
                                           stream->len, PIECES, PIECE_MAX);
    }
    return stream->pieces > 0 ? send_piece(stream, out, capacity)
                              : reply_fill(stream->reply, out, capacity);
}

/* The text so far is the first piece. */
static struct stream *stream_new(struct reply *reply, struct pool *pool, char *text,
                                 size_t len, struct arena *mem, struct err *err)
{
    struct stream *stream = arena_zalloc(mem, 1, sizeof *stream, err);

    if (!stream)
        return NULL;
    stream->reply = reply;
    stream->pool = pool;
    stream->piece[0] = text;
    stream->len[0] = len;
    stream->pieces = 1;
    for (size_t i = 1; i < PIECES; i++)
        if (!(stream->piece[i] = arena_alloc(mem, PIECE_MAX, 1, err)))
            return NULL;
    return stream;
}

bool stream_begin(struct reply *reply, size_t numbers, struct pool *pool,
                  struct arena *mem, struct response *response, struct err *err)
{
    bool is_short = numbers < STREAM_FIRST_NUMBERS;
    size_t room = is_short ? numbers * NUMBER_ROOM + ENVELOPE_ROOM : PIECE_MAX;
    char *text = arena_alloc(mem, room, 1, err);
    size_t len = 0, more = 1;

    if (!text)
        return false;
    while (more > 0 && room - len >= REPLY_ROOM) {
        more = reply_fill(reply, text + len, room - len);
        len += more;
    }
    response->body = (struct span){text, len};
    if (more == 0)
        return true;
    /* pieces written at the same time need buffers of one size */
    response->ctx = stream_new(reply, is_short ? NULL : pool, text, len, mem, err);
    response->fill = fill_from_stream;
    return response->ctx != NULL;
}
