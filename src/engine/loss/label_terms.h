/* What cross-entropy has of the label alone; its formulas are in cross_entropy.c. */
#ifndef LOSSD_ENGINE_LOSS_LABEL_TERMS_H
#define LOSSD_ENGINE_LOSS_LABEL_TERMS_H

#include <stdbool.h>

#include "engine/slab.h"

/* Labels without smoothing touch one class only. */
static inline bool is_plain(const struct batch *batch)
{
    return batch->labels.data && batch->label_smoothing == 0;
}

/* Is there something that only the label has? */
static inline bool has_label_terms(const struct slab *slab)
{
    return slab->labels &&
           (slab->batch->focal_gamma != 0 || slab->batch->poly_epsilon != 0);
}

/* focal_gamma, which is not 0, multiplies what the label's miss, 1 - p, is off by: is that
 * too much?  Of a likely label it is off by as much as exponentials are, of another by p
 * times that, and by its rounding; and a subnormal one has few digits. */
static inline bool wants_close_power(const struct slab *slab, double p, double miss)
{
    double gamma = slab->batch->focal_gamma;
    bool is_single = slab->batch->dtype == DTYPE_FLOAT32;

    return gamma * p > (is_single ? 1.5 : 2.5) || gamma > (is_single ? 0x1p20 : 8) ||
           miss < 0x1p-1000;
}

/* The power itself, whatever the exponent.  It takes slab->row. */
static inline double close_power(const struct slab *slab, size_t row)
{
    return slab->real->miss_power(slab_logits(slab, row, slab->row), slab->classes,
                                  slab->sums.max[row], (size_t)slab->labels[row],
                                  slab->batch->focal_gamma);
}

/* Near -1 poly_epsilon takes away what the logarithm is to first order. */
static inline bool is_excess(const struct batch *batch)
{
    return batch->poly_epsilon < -0.5 && batch->focal_gamma == 0 &&
           batch->label_smoothing == 0;
}

/* x + poly (1 - exp(-x)), `miss` being the latter, as x - miss and the rest: near 0 the
 * first is its series, which does not cancel. */
static inline double excess_of(double x, double miss, double poly)
{
    double sum = 0;

    for (int k = 16; k >= 2 && x < 0.5; k--)
        sum = (1 - x * sum) / k;
    return (x < 0.5 ? x * x * sum : x - miss) + (1 + poly) * miss;
}

static inline double log_sum_exp(const struct slab *slab, size_t row)
{
    return slab->sums.max[row] + slab->sums.log_sum[row];
}

#endif
