/* Reads HTTP answers piece by piece and keeps only their status and size. */
#ifndef LOSSD_BENCH_REPLY_READER_H
#define LOSSD_BENCH_REPLY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reply_reader {
    enum {
        REPLY_STATUS,
        REPLY_HEADER,
        REPLY_BODY,
        REPLY_CHUNK_SIZE,
        REPLY_CHUNK,
        REPLY_CHUNK_END,
        REPLY_TRAILER,
        REPLY_DONE
    } state;
    unsigned status;
    bool chunked;
    bool is_last;   /* the server closes behind it */
    size_t left;    /* bytes of the body or of the chunk */
    size_t bytes;   /* of the whole answer so far */
    char line[200]; /* the part of a line that has come, cut if it is long */
    size_t line_len;
};

static inline void reply_header(struct reply_reader *reader)
{
    static const char length[] = "content-length:", coding[] = "transfer-encoding:";
    static const char connection[] = "connection:";

    if (strncasecmp(reader->line, length, sizeof length - 1) == 0)
        reader->left = strtoull(reader->line + sizeof length - 1, NULL, 10);
    if (strncasecmp(reader->line, coding, sizeof coding - 1) == 0)
        reader->chunked = strcasestr(reader->line, "chunked") != NULL;
    if (strncasecmp(reader->line, connection, sizeof connection - 1) == 0)
        reader->is_last = strcasestr(reader->line, "close") != NULL;
}

/* The end of the header block. */
static inline void reply_begin_body(struct reply_reader *reader)
{
    if (reader->status == 100) {
        size_t bytes = reader->bytes;
        *reader = (struct reply_reader){.bytes = bytes};
    } else if (reader->chunked) {
        reader->state = REPLY_CHUNK_SIZE;
    } else {
        reader->state = reader->left > 0 ? REPLY_BODY : REPLY_DONE;
    }
}

static inline void reply_line(struct reply_reader *reader)
{
    bool empty = reader->line[0] == '\0';

    switch (reader->state) {
    case REPLY_STATUS: /* "HTTP/1.1 200 OK" */
        if (reader->line_len > 9)
            reader->status = (unsigned)strtoul(reader->line + 9, NULL, 10);
        reader->state = REPLY_HEADER;
        break;
    case REPLY_HEADER:
        if (empty)
            reply_begin_body(reader);
        else
            reply_header(reader);
        break;
    case REPLY_CHUNK_SIZE:
        reader->left = strtoull(reader->line, NULL, 16);
        reader->state = reader->left > 0 ? REPLY_CHUNK : REPLY_TRAILER;
        break;
    case REPLY_CHUNK_END:
        reader->state = REPLY_CHUNK_SIZE;
        break;
    case REPLY_TRAILER:
        reader->state = empty ? REPLY_DONE : REPLY_TRAILER;
        break;
    case REPLY_BODY:
    case REPLY_CHUNK:
    case REPLY_DONE:
        break;
    }
}

static inline size_t reply_skip(struct reply_reader *reader, size_t len)
{
    size_t step = len < reader->left ? len : reader->left;

    reader->left -= step;
    if (reader->left == 0)
        reader->state = reader->state == REPLY_CHUNK ? REPLY_CHUNK_END : REPLY_DONE;
    return step;
}

static inline void reply_byte(struct reply_reader *reader, char c)
{
    if (c == '\n') {
        reader->line[reader->line_len] = '\0';
        reply_line(reader);
        reader->line_len = 0;
    } else if (c != '\r' && reader->line_len < sizeof reader->line - 1) {
        reader->line[reader->line_len++] = c;
    }
}

/* The next piece; true when the answer is complete. */
static inline bool reply_read(struct reply_reader *reader, const char *at, size_t len)
{
    reader->bytes += len;
    while (len > 0 && reader->state != REPLY_DONE) {
        size_t step = 1;
        if (reader->state == REPLY_BODY || reader->state == REPLY_CHUNK)
            step = reply_skip(reader, len);
        else
            reply_byte(reader, *at);
        at += step;
        len -= step;
    }
    return reader->state == REPLY_DONE;
}

#endif
