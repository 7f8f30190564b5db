/* A text of many JSON values, fed with pieces cut anywhere: the elements of one array, or
 * one value behind the other, a line each or not.
 *
 * Where a value begins its owner reads it, with a reader of its own, and says how far it
 * came.  Here is what stands between them, and where in the text that is. */
#ifndef LOSSD_CODEC_JSON_SEQUENCE_H
#define LOSSD_CODEC_JSON_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/json/json_place.h"
#include "codec/json/json_reader.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"

/* Who reads the values.  False ends the reading. */
struct json_values {
    /* Prepares the reader for the value that begins here. */
    bool (*begin)(void *ctx, struct json_reader *reader, struct err *err);
    /* It has been read. */
    bool (*end)(void *ctx, struct err *err);
    /* It cannot be read, for the reason in `err`.  True, with that taken out of it: the
     * rest of the line is passed over.  NULL: never. */
    bool (*skip)(void *ctx, struct err *err);
    const char *what; /* for errors: "a state" */
    size_t max_line;  /* bytes of a value, which ends with its line; 0: it need not, and
                         values may be in an array */
};

enum json_between {
    BETWEEN_START,
    BETWEEN_FIRST,  /* after '[' */
    BETWEEN_NEXT,   /* after ',' */
    BETWEEN_AFTER,  /* a value of an array */
    BETWEEN_VALUES, /* without an array */
    BETWEEN_END,    /* of the array */
    BETWEEN_LINES,  /* what is left of this one is passed over */
    BETWEEN_IN_VALUE
};

/* What was passed over of a line, from what is wrong to the line's end: offsets in the
 * text.  Of a value that is too large it is all of it. */
struct json_rest {
    size_t from, to;
    bool may_hold; /* other values */
};

struct json_sequence {
    const struct json_values *values;
    void *ctx;
    struct arena *mem;
    struct arena_block *mark;  /* what the current value has taken of it is behind that */
    struct json_reader reader; /* of the current value */
    enum json_between state;
    bool is_array, needs_value; /* a text without any is none */
    size_t count;               /* values that have begun */
    struct json_place place;
    struct json_place value_place; /* where the current value begins */
    size_t bytes;                  /* of it so far */
    struct json_rest rest;         /* empty, once another value has begun */
};

/* Each value may take of `mem`, and the next one gives it back. */
void json_sequence_begin(struct json_sequence *sequence, const struct json_values *values,
                         void *ctx, struct arena *mem);

/* What the current value has taken is kept. */
void json_sequence_keep(struct json_sequence *sequence);

/* The next piece, which is not kept.  False: ERR_INVALID_JSON, ERR_TRAILING_DATA, or what
 * a value's owner said, and more is of no use. */
bool json_sequence_read(struct json_sequence *sequence, struct span piece,
                        struct err *err);

/* The text is complete.  False: it should not be. */
bool json_sequence_end(struct json_sequence *sequence, struct err *err);

#endif
