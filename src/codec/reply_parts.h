/* An answer as a list of parts, and how far its text is. */
#ifndef LOSSD_CODEC_REPLY_PARTS_H
#define LOSSD_CODEC_REPLY_PARTS_H

#include "codec/reply_numbers.h"
#include "lossd/base/buf.h"
#include "lossd/base/json_write.h"
#include "lossd/engine/batch.h"

enum {
    DEPTH_MAX = 2, /* of objects around an array */
    BETWEEN_MAX = RANK_MAX * 2 * (2 * (RANK_MAX + 1 + DEPTH_MAX) + 2)
};

enum part_kind {
    PART_TEXT,
    PART_ARRAY, /* numbers, to be written as text */
    PART_BYTES  /* numbers as they lie in memory */
};

struct part {
    struct part *next;
    enum part_kind kind;
    size_t from, to; /* of reply.text, or of `data` if there is such */
    enum reply_numbers numbers;
    const void *data;
    struct shape shape;
    size_t count;
    unsigned depth; /* of the objects around it */
};

struct cursor {
    const struct part *part; /* NULL: at the end */
    bool pretty;
    size_t done;               /* bytes or numbers of the part */
    bool in_array;             /* which has begun */
    size_t row_left;           /* numbers of the current row */
    size_t at[RANK_MAX];       /* index of the row */
    char between[BETWEEN_MAX]; /* text before the next number */
    size_t between_len, between_done;
};

struct reply {
    struct buf text;
    struct json json;
    size_t text_length;        /* where bytes follow the text */
    size_t text_to;            /* what of `text` is in a part */
    struct part *first, **end; /* where the next part's address goes */
    struct arena *mem;
    struct err *err;
    bool failed; /* no memory for a part */
    struct cursor here;
};

#endif
