/* What the losses of all positions come to, and what that makes of their gradients. */
#ifndef LOSSD_ENGINE_AVERAGE_H
#define LOSSD_ENGINE_AVERAGE_H

#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"
#include "lossd/engine/state.h"

struct average {
    double small_divisor; /* a power of two times the divisor, which may be infinite */
    double scale;         /* 1 / divisor for a mean, 0 when that is 0; in two factors, */
    double rest;          /* because it may be beyond the range */
    double penalty_scale; /* as `scale`, of penalties */
};

/* Counts the positions of the batch and the weights they have. */
void average_count(const struct batch *batch, struct state *state);

/* From what the first worker's state has counted: result->count, ignored, divisor. */
struct average average_of(const struct batch *batch, struct result *result);

/* The loss and its sum, of what the first worker's state has added up. */
void average_finish(const struct average *average, const struct batch *batch,
                    struct result *result);

#endif
