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

#endif
