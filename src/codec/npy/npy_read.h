/* One NPY file, as it arrives, into an array of a batch.  What a file says of itself is
 * npy_header.c's, what its numbers are npy_type.c's; here is where one ends and the other
 * begins. */
#ifndef LOSSD_CODEC_NPY_READ_H
#define LOSSD_CODEC_NPY_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/json/json_narrow.h"
#include "codec/npy/npy_header.h"
#include "codec/npy/npy_numbers.h"
#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

enum { NPY_PREFIX_MAX = 12 /* magic, version and the length of the header */ };

struct npy_reader {
    const struct limits *limits;
    struct arena *mem;
    enum member member;
    const char *what; /* for errors: "the body", unless it is told otherwise */
    const char *hint; /* for errors: how bytes get lost; "" when it is told so */
    unsigned char prefix[NPY_PREFIX_MAX];
    size_t prefix_len;
    char *text; /* of the header, NULL until its length is known */
    size_t text_size, text_len;
    bool in_data; /* the header has been read */
    struct npy_header header;
    bool skips;      /* the shape is wrong: the data are counted, no more */
    size_t expected; /* bytes of data */
    size_t seen;
    struct npy_numbers numbers;
};

/* Begins to read the array of `member`, of which batch_begin() has said that it comes
 * next.  For logits that may be asked for as float32 later `narrow` takes notes. */
void npy_read_begin(struct npy_reader *reader, struct batch *batch, enum member member,
                    struct json_narrow *narrow, struct arena *mem);

/* The next piece, which is not kept.  False: ERR_BAD_TENSOR, ERR_TRAILING_DATA,
 * ERR_UNSUPPORTED_MEDIA_TYPE, ERR_TOO_LARGE or ERR_OVERLOADED, and more is of no use.
 * What else is wrong is noted in `err`. */
bool npy_read(struct npy_reader *reader, struct span piece, struct err *err);

/* The file is complete.  False: it should not be, or as above. */
bool npy_read_end(struct npy_reader *reader, struct err *err);

#endif
