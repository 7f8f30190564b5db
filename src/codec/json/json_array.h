/* An array of numbers, of any rank, out of JSON text into typed memory.
 *
 * The reader tells of brackets and elements as they come.  Between them it lets
 * json_array_numbers() run ahead over what an array mostly is: numbers, commas
 * and the brackets between two rows.
 *
 * Functions that return bool (or NULL) refuse with ERR_TOO_LARGE or
 * ERR_OVERLOADED, which end the reading.  Other errors are noted in `err`; then
 * `failed` is set, the memory is given back and the rest of the value is to be
 * skipped. */
#ifndef LOSSD_CODEC_JSON_ARRAY_H
#define LOSSD_CODEC_JSON_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/json/json_integers.h"
#include "codec/json/json_narrow.h"
#include "codec/json/json_place.h"
#include "codec/json/json_token.h"
#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

/* Elements that are true or false. */
struct json_truths {
    bool any;
    size_t index; /* of the first, */
    bool first;   /* which is this */
};

struct json_array {
    const char *name;
    struct array *out;
    struct arena *mem;
    size_t max_elements;
    bool may_be_bare; /* a number without any array is an array of rank 0 */
    bool may_be_null; /* instead of an array: then `is_null` is set */
    bool is_null;
    bool is_labels;
    bool is_logits;             /* NaN and the infinities are taken */
    struct json_narrow *narrow; /* for doubles that may become floats, or NULL */
    struct json_integers
        *integers;              /* for those that may become integers: `narrow`, too */
    struct json_truths *truths; /* true and false are 1 and 0; NULL: no numbers */

    bool failed;
    size_t capacity;
    unsigned depth;          /* of open arrays */
    unsigned rank;           /* depth at which numbers stand, 0 until known */
    unsigned known;          /* bit d: the length of arrays at depth d is */
    size_t row_from;         /* `count` when the open row of numbers began */
    size_t filled[RANK_MAX]; /* elements so far of the open array at depth d + 1 */
};

/* Begins to read the array of that name into `out`. */
void json_array_begin(struct json_array *a, const char *name, struct array *out,
                      enum element element, size_t max_elements, struct arena *mem);

/* The same for a member of a batch.  For logits that may be asked for as float32 later
 * `narrow` takes notes. */
void json_array_begin_member(struct json_array *a, struct batch *batch,
                             enum member member, enum element element,
                             struct json_narrow *narrow, struct arena *mem);

bool json_array_open(struct json_array *a, struct err *err);
bool json_array_close(struct json_array *a, struct err *err);
bool json_array_object(struct json_array *a, struct err *err);
bool json_array_scalar(struct json_array *a, enum json_scalar scalar, struct span text,
                       struct err *err);

/* Takes the numbers that lie between `at`, where a value may begin, and `stop`;
 * returns where it left off, and what may come there in `state`.  Leaves to the
 * caller what is not worth speed.  `place` is that of `at`'s text. */
const char *json_array_numbers(struct json_array *a, const char *at, const char *stop,
                               enum json_state *state, struct json_place *place,
                               struct err *err);

/* Room for more numbers. */
bool json_array_grow(struct json_array *a, struct err *err);

/* Has an array at this depth ended, so that the others must be as long? */
static inline bool json_array_knows(const struct json_array *a, unsigned depth)
{
    return a->known >> depth & 1;
}

/* The value is complete. */
bool json_array_end(struct json_array *a, struct err *err);

#endif
