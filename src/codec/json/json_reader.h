/* A reader of JSON, and where it is: what json_read.c and those who help it share. */
#ifndef LOSSD_CODEC_JSON_READER_H
#define LOSSD_CODEC_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/json/json_array.h"
#include "codec/json/json_number.h"
#include "codec/json/json_place.h"
#include "codec/json/json_string.h"
#include "codec/json/json_token.h"
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
    const char *what;         /* for errors: "the body", unless it is told otherwise, */
    const char *pointer;      /* and where it is; NULL: it is all there is */
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

#endif
