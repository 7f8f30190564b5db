/* What there is for each thread that scores, and what of a batch has to be made. */
#ifndef LOSSD_ENGINE_WORKER_H
#define LOSSD_ENGINE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/kernel/kernel.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"
#include "lossd/engine/state.h"

/* Room for a slab, and a share of the sums. */
struct worker {
    struct state state;
    void *logits;    /* gathered and tempered, [slab rows, classes] */
    void *exps;      /* of them, as the kernel keeps them */
    void *out;       /* results before they are scattered, shape of the logits */
    double *targets; /* gathered, the same shape */
    double *values;  /* the same shape when the loss is elementwise, else [slab rows] */
    double *row, *other_row; /* NULL unless somebody goes through a row in double */
    struct sums sums;
    double *weights, *scale, *penalties_of, *penalty_scale; /* [slab rows] */
    int64_t *labels, *truth;
    bool *kept;
    struct moments moments;
};

/* Positions that one of `width` threads takes at a time. */
size_t worker_grain(const struct batch *batch, size_t width);

/* Threads that score the batch, of `width`: no more than it is shared out to. */
size_t worker_count(const struct batch *batch, size_t width);

/* Is there something that is averaged over the plain count? */
static inline bool has_penalties(const struct batch *batch)
{
    return batch->z_loss > 0;
}

bool needs_predictions(const struct batch *batch);
bool needs_losses(const struct batch *batch);
bool needs_gradient(const struct batch *batch);
bool needs_exps(const struct batch *batch);
bool needs_softmax(const struct batch *batch);
bool needs_log_sum(const struct batch *batch);

/* Who has shares of all classes, or none of the softmax, may go through a row in double;
 * so may what float32 is not close enough for. */
bool needs_row(const struct batch *batch);

/* Where the exps are: in the result that is made of them last.  NULL: in scratch, for
 * the kernel keeps those of few classes in an order of its own. */
void *home_of_exps(const struct batch *batch, const struct result *result);

#endif
