/* The classes of each row that have the highest values: what the Open Inference Protocol
 * calls a classification. */
#ifndef LOSSD_CODEC_RANKING_H
#define LOSSD_CODEC_RANKING_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/engine/batch.h"

/* Made of an array with the shape of the logits; it has that shape but for the class axis,
 * along which there are some classes only, the highest value first. */
struct ranking {
    const void *values; /* doubles, or floats */
    bool is_float;
    size_t classes, inner; /* as in the batch */
    struct shape shape;
    size_t count;   /* product of shape.dim */
    size_t *places; /* in `values`, of each of them */
};

/* Ranks the classes of each row of `values`, which outlive the ranking, and keeps at most
 * so many (1 or more).  Of equal values the first comes first.  NULL: no memory. */
const struct ranking *ranking_new(const struct batch *batch, const void *values,
                                  bool is_float, size_t most, struct arena *mem,
                                  struct err *err);

/* Writes "value:class", which is at most so long, and returns how long it is; no
 * terminator.  The value is the shortest text that reads back as the same. */
enum { RANKED_MAX = 38 /* a number, a sign, and the digits of a class */ };
size_t ranking_write(const struct ranking *ranking, size_t index, char out[RANKED_MAX]);

/* The same behind its length in four bytes, as tensors of texts have them. */
enum { RANKED_BYTES_MAX = 4 + RANKED_MAX };
size_t ranking_write_bytes(const struct ranking *ranking, size_t index,
                           char out[RANKED_BYTES_MAX]);

/* How many bytes all of them have so. */
size_t ranking_bytes(const struct ranking *ranking);

#endif
