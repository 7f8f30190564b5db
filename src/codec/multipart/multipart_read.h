/* A body of parts with a boundary between them (RFC 2046, section 5.1.1), fed with pieces
 * cut anywhere.
 *
 * Only a part's headers are kept, while they arrive; what is in it is handed on from where
 * it lies, in pieces that depend on how the body was cut.  What stands before the first
 * boundary and behind the last is passed over.
 *
 * A reader belongs to one thread at a time. */
#ifndef LOSSD_CODEC_MULTIPART_READ_H
#define LOSSD_CODEC_MULTIPART_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/multipart/multipart_header.h"
#include "lossd/base/arena.h"
#include "lossd/base/buf.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"

enum { PARTS_MAX = 64, PART_HEADERS_MAX = 8192 /* bytes */ };

/* Who gets the parts.  False ends the reading. */
struct multipart_handler {
    /* A part begins.  What `header` points to lives until it ends. */
    bool (*begin)(void *ctx, const struct part_header *header, struct err *err);
    bool (*data)(void *ctx, struct span piece, struct err *err);
    bool (*end)(void *ctx, struct err *err);
};

enum multipart_state {
    MULTIPART_PREAMBLE,
    MULTIPART_BOUNDARY, /* has ended: its line has to, or it is the last */
    MULTIPART_DASH,
    MULTIPART_BLANKS,
    MULTIPART_LINE_END,
    MULTIPART_HEADERS,
    MULTIPART_CONTENT,
    MULTIPART_EPILOGUE
};

struct multipart_reader {
    const struct multipart_handler *handler;
    void *ctx;
    char delimiter[4 + BOUNDARY_MAX + 1]; /* a line's end, two dashes and the boundary */
    size_t delimiter_len;
    enum multipart_state state;
    size_t matched; /* bytes of the delimiter that the piece before may have ended with */
    size_t not_data; /* of these, how many are no data even if it is none */
    struct buf headers;
    size_t parts;
};

/* Prepares to read a body of that Content-Type.  False: ERR_BAD_HEADER. */
bool multipart_read_begin(struct multipart_reader *reader, struct span content_type,
                          const struct multipart_handler *handler, void *ctx,
                          struct arena *mem, struct err *err);

/* The next piece.  False: what the handler said, ERR_BAD_TENSOR where the body is not in
 * parts, ERR_BAD_HEADER, ERR_UNSUPPORTED_ENCODING, ERR_TOO_LARGE or ERR_OVERLOADED; more is
 * of no use. */
bool multipart_read(struct multipart_reader *reader, struct span piece, struct err *err);

/* The body is complete.  False: it should not be. */
bool multipart_read_end(struct multipart_reader *reader, struct err *err);

#endif
