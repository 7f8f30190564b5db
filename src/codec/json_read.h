/* A strict reader of JSON (RFC 8259), fed with pieces cut anywhere.
 *
 * The text is one object.  For each of its members the reader asks what to do
 * with the value: look at the syntax only, copy the text, or take the numbers of
 * an array as they come, or enter an array of objects, whose members are then asked
 * about likewise.  Or it is one such value by itself.  What is wrong with the syntax is
 * reported with offset,
 * line and column; what cannot be used is reported too, and the syntax is
 * checked to the end nevertheless.
 *
 * A reader belongs to one thread at a time. */
#ifndef LOSSD_CODEC_JSON_READ_H
#define LOSSD_CODEC_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_array.h"
#include "json_number.h"
#include "json_place.h"
#include "json_string.h"
#include "json_token.h"
#include "lossd/base/arena.h"
#include "lossd/base/buf.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

struct json_reader;

enum json_way {
    JSON_SKIP, /* syntax only */
    JSON_COPY, /* the text is wanted */
    JSON_TAKE, /* an array: to reader->array */
    JSON_ENTER /* an array of objects, whose members come next; not within another */
};

/* An array without its brackets.  Its first element may be all there is, and then it is
 * none: it is held until something follows. */
enum json_list { LIST_NONE, LIST_FIRST, LIST_OPEN };

/* Who gets the members. */
struct json_handler {
    /* The next member's name, decoded.  May set `array` and `bare_tokens`. */
    enum json_way (*name)(void *ctx, struct json_reader *reader, struct span name,
                          struct err *err);
    /* The text of a value that was to be copied.  It is not kept.  False: the
     * reading ends. */
    bool (*text)(void *ctx, struct span text, struct err *err);
    /* An object of the array that is entered begins, and has ended.  False: the reading
     * ends.  NULL, as is the next, for who enters none. */
    bool (*open)(void *ctx, struct err *err);
    bool (*close)(void *ctx, struct err *err);
    /* What should be such an array is `what`; or, when it has begun, an element of it is,
     * and the rest is skipped. */
    void (*misfit)(void *ctx, const char *what, bool has_begun, struct err *err);
};

struct json_reader {
    const struct json_handler *handler;
    void *ctx;
    const struct limits *limits;
    struct json_array *array; /* for JSON_TAKE */
    const char *what;         /* for errors: "the body", unless it is told otherwise */
    bool no_object;           /* the text is JSON, but not an object: an error */
    bool bare_tokens;         /* NaN, Infinity and -Infinity may stand in this value */

    enum json_state state;
    enum json_way way;
    enum json_list list;
    enum json_scalar first; /* of the list */
    struct span first_text; /* in `token` */
    size_t depth;
    size_t level;      /* depth of the members that are asked about, 0 for a text that is
                          the value of one */
    uint64_t *objects; /* bit d: the container at depth d is an object */

    struct json_string string;
    enum json_number number;
    enum json_scalar literal;
    size_t matched;   /* bytes of the literal */
    struct buf text;  /* names and copied values */
    struct buf token; /* the array's token that is being read */
    size_t text_from; /* where in its buffer a text starts */
    bool keeping;     /* what is read is kept, from here on: */
    const char *keep_from;

    struct json_place place;
    struct err *err;
};

/* Is the innermost open container an object? */
static inline bool json_in_object(const struct json_reader *r)
{
    return r->depth > 0 && (r->objects[r->depth / 64] >> r->depth % 64 & 1);
}

/* Prepares to read.  False: no memory. */
bool json_read_begin(struct json_reader *reader, const struct json_handler *handler,
                     void *ctx, const struct limits *limits, struct arena *mem,
                     struct err *err);

/* Turns the reader, which has just begun, to a text that is a single value.  An array to
 * be taken may lack its outermost brackets there: "0,1" is [0,1]; a number alone is the
 * number itself, where that may be. */
void json_read_single(struct json_reader *reader, enum json_way way);

/* The next piece, which is not kept.  False: ERR_INVALID_JSON, ERR_TRAILING_DATA,
 * ERR_TOO_LARGE or ERR_OVERLOADED, and more is of no use. */
bool json_read(struct json_reader *reader, struct span piece, struct err *err);

/* The same up to the end of the value: takes from `piece` what belongs to it. */
bool json_read_value(struct json_reader *reader, struct span *piece, struct err *err);

/* Has all of the value been read?  (A number may go on, until something else comes.) */
static inline bool json_is_complete(const struct json_reader *reader)
{
    return reader->state == JSON_END;
}

/* The text is complete.  False: it should not be. */
bool json_read_end(struct json_reader *reader, struct err *err);

#endif
