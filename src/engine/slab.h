/* Rows that one thread scores together: one row, or a few thousand logits. */
#ifndef LOSSD_ENGINE_SLAB_H
#define LOSSD_ENGINE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "engine/kernel/kernel.h"
#include "lossd/engine/batch.h"

enum { SLAB_ROWS = 256 }; /* at most */

struct slab {
    const struct arithmetic *real; /* works in the dtype of the batch */
    const struct batch *batch;
    size_t rows, classes;

    const void *logits; /* z, [rows, classes] in the dtype of the batch */
    void *exps;         /* of them, when somebody wants them */
    struct sums sums;   /* of the softmax, when somebody wants them */

    /* What is true.  A row that is ignored has weight 0 and label 0. */
    const int64_t *labels; /* [rows], NULL with targets */
    const double *targets; /* [rows, classes], NULL with labels */
    const double *weights; /* [rows]: of the samples */

    /* Where the gradient is to be made, [rows, classes] in the dtype of the batch; the
     * exps may stand there.  NULL: nobody wants it. */
    void *gradient;
    const double *scale;         /* [rows]: times d value / d z */
    const double *penalty_scale; /* [rows]: times d penalty / d z; NULL without any */

    /* Room for a row of doubles each, with targets, smoothing, focal_gamma or where the
     * loss or the outputs need it; else NULL. */
    double *row, *other_row;
};

/* Rows of a slab.  A row with many classes is a slab by itself. */
size_t slab_rows(const struct batch *batch);

/* A logit; a row of them as doubles, in `room` (slab->row, say) if need be. */
double slab_logit(const struct slab *slab, size_t row, size_t class);
const double *slab_logits(const struct slab *slab, size_t row, double *room);
void slab_copy_logits(const struct slab *slab, size_t row, double *copy);

/* Some of all that the slab has, rows behind each other: logits as they are, and numbers
 * of the dtype of the batch from doubles. */
const void *slab_logits_from(const struct slab *slab, size_t from);
void slab_give(const struct slab *slab, const double *values, size_t from, size_t count,
               void *array);

/* A row of logits as it is, in the dtype of the batch. */
const void *slab_logits_row(const struct slab *slab, size_t row);

/* Row `row` of an array of the dtype of the batch, or one of its elements, from
 * doubles.  -0 becomes 0. */
void slab_put_row(const struct slab *slab, const double *from, size_t row, void *array);
void slab_put(const struct slab *slab, double value, size_t row, size_t class,
              void *array);
void slab_put_zeros(const struct slab *slab, size_t row, void *array);
void slab_put_labels(const struct slab *slab, const double *values, void *array);
void *slab_row_of(const struct slab *slab, size_t row, void *array);

/* max - z without rounding it away: how far a logit is below the largest. */
static inline double slab_gap(const struct slab *slab, size_t row, size_t class)
{
    return slab->sums.max[row] - slab_logit(slab, row, class);
}

/* Relative to itself as close as its parts are, also where these nearly cancel; then, in
 * float32, it takes slab->row. */
double slab_log_sum_exp(const struct slab *slab, size_t row);

/* -log of each label's probability; metrics may have made it already. */
void slab_label_losses(const struct slab *slab, double *losses);

/* The probability of a class, and 1 minus it without cancellation. */
double slab_probability(const struct slab *slab, size_t row, size_t class);
static inline double slab_complement_of(const struct slab *slab, size_t row, size_t class,
                                        double probability)
{
    if ((int64_t) class == slab->sums.top[row])
        return slab->sums.rest[row] * slab->sums.peak[row];
    return 1 - probability;
}
double slab_complement(const struct slab *slab, size_t row, size_t class);

#endif
