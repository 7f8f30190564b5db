#include "compressed.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

enum {
    FOR_ZLIB = 15,
    FOR_GZIP = 16 + 15,
    MEMORY = 8,
    SPARE = 1 << 17,
    BOMB_STEP = 1 << 16
};

static void begin(z_stream *z, int window_bits)
{
    *z = (z_stream){0};
    if (deflateInit2(z, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
}

static void add(z_stream *z, struct compressed *out, struct span text, int flush)
{
    out->at = realloc(out->at, out->len + deflateBound(z, text.len) + SPARE);
    if (!out->at)
        abort();
    z->next_in = (const unsigned char *)text.at;
    z->avail_in = (unsigned)text.len;
    z->next_out = (unsigned char *)out->at + out->len;
    z->avail_out = (unsigned)deflateBound(z, text.len) + SPARE;
    if (deflate(z, flush) == Z_STREAM_ERROR || z->avail_out == 0)
        abort();
    out->len = (size_t)((char *)z->next_out - out->at);
}

static struct compressed compress_text(struct span text, int window_bits)
{
    struct compressed out = {0};
    z_stream z;

    begin(&z, window_bits);
    add(&z, &out, text, Z_FINISH);
    deflateEnd(&z);
    return out;
}

struct compressed compressed_gzip(struct span text)
{
    return compress_text(text, FOR_GZIP);
}

struct compressed compressed_zlib(struct span text)
{
    return compress_text(text, FOR_ZLIB);
}

struct compressed compressed_as(const char *coding, struct span text)
{
    return strcmp(coding, "deflate") == 0 ? compressed_zlib(text) : compressed_gzip(text);
}

struct compressed compressed_bomb(const char *begins, const char *text, size_t count)
{
    struct compressed out = {0};
    size_t len = strlen(text), many = BOMB_STEP / len;
    char *step = malloc(many * len);
    z_stream z;

    if (!step)
        abort();
    for (size_t i = 0; i < many; i++)
        memcpy(step + i * len, text, len);
    begin(&z, FOR_GZIP);
    add(&z, &out, span_of(begins), Z_NO_FLUSH);
    for (; count > 0; count -= count < many ? count : many)
        add(&z, &out, (struct span){step, (count < many ? count : many) * len},
            Z_NO_FLUSH);
    add(&z, &out, span_of(""), Z_FINISH);
    deflateEnd(&z);
    free(step);
    return out;
}
