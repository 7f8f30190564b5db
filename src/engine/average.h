/* What the losses of all positions come to, and what that makes of their gradients. */
#ifndef LOSSD_ENGINE_AVERAGE_H
#define LOSSD_ENGINE_AVERAGE_H

#include <stddef.h>

#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"

struct average {
    double small_divisor; /* a power of two times the divisor, which may be infinite */
    double scale;         /* 1 / divisor for a mean, 0 when that is 0; in two factors, */
    double rest;          /* because it may be beyond the range */
    double penalty_scale; /* as `scale`, of penalties */
};

/* Counts the positions of the batch and the weights they have: result->count, ignored,
 * divisor. */
struct average average_of(const struct batch *batch, struct result *result);

/* The loss and its sum, of what the first `width` workers have added up. */
void average_finish(const struct average *average, const struct batch *batch,
                    struct result *result, size_t width);

#endif
