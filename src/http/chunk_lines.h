/* The lines between the chunks of a body (RFC 9112, section 7.1), from its first byte on, and
 * the trailers behind them.
 *
 * The library takes a trailer that begins with a colon or a NUL for the empty line that ends
 * them, and what is behind it for another request; it shows no such line.  So the bytes are
 * followed as they come in. */
#ifndef LOSSD_HTTP_CHUNK_LINES_H
#define LOSSD_HTTP_CHUNK_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk_lines {
    uint64_t left; /* of the chunk */
    enum chunk_state {
        CHUNK_NONE, /* no such body */
        CHUNK_SIZE,
        CHUNK_EXTENSION,
        CHUNK_DATA,
        CHUNK_END,
        CHUNK_TRAILER_BEGIN,
        CHUNK_TRAILER,
        CHUNK_OVER,
        CHUNK_ODD
    } state;
    char last; /* byte of a line; NUL: it was of a chunk */
};

/* A body begins. */
void chunk_lines_begin(struct chunk_lines *lines);

/* That is what came next; what is behind the end is not looked at. */
void chunk_lines_follow(struct chunk_lines *lines, const char *bytes, size_t size);

/* Has the body, if there is one, ended with an empty line? */
bool chunk_lines_have_ended(const struct chunk_lines *lines);

#endif
