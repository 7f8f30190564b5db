/* What the labels of a slab come to in the gradient of cross-entropy, whose formulas are
 * in loss/cross_entropy.c.  It is made for all rows at once, by the kernel. */
#ifndef LOSSD_ENGINE_KERNEL_SLOPES_H
#define LOSSD_ENGINE_KERNEL_SLOPES_H

#include <float.h>
#include <math.h>

#include "engine/slab.h"

/* In one struct, so that a compiler sees that nothing overlaps. */
struct slopes {
    double gamma, poly; /* of the batch */
    double share, each; /* of a label, and of any class: 1 - e + e / C, e / C */
    _Alignas(64) double loss[SLAB_ROWS];       /* - log p */
    double weight[SLAB_ROWS], base[SLAB_ROWS]; /* w and base of it */
    double p[SLAB_ROWS], miss[SLAB_ROWS];      /* and 1 - p */
    double power[SLAB_ROWS];                   /* of that */
    double scale[SLAB_ROWS];   /* then it has the power in it: times S p_c - u_c */
    double penalty[SLAB_ROWS]; /* times p_c */
    double label[SLAB_ROWS];   /* times p_c - [c = label] */

    /* What follows: the gradient is p_c times one number, less another but for the
     * label, whose own it is. */
    double by[SLAB_ROWS], less[SLAB_ROWS], own[SLAB_ROWS];
};

/* Where p is 0 there is no slope, however large the factor. */
static inline double bounded(double factor)
{
    double below = factor < DBL_MAX ? factor : DBL_MAX;

    return below > -DBL_MAX ? below : -DBL_MAX;
}

/* g m^(g-1) base.  base / m is about w_y in a confident row, where both vanish. */
static inline double pull_of(double gamma, double base, double miss, double power)
{
    double ratio = base / miss;
    double pull = isinf(ratio) ? power / miss * base : power * ratio;

    return gamma == 0 || power == 0 || base == 0 ? 0 : bounded(gamma * pull);
}

/* S p - u of a class, without cancellation. */
static inline double beyond_share(double total, double share, double p, double miss)
{
    return 2 * share > total ? (total - share) - total * miss : total * p - share;
}

/* p base vanishes with p, also where base is beyond the range. */
static inline void slopes_of_labels(struct slopes *s, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        double pull = pull_of(s->gamma, s->base[r], s->miss[r], s->power[r]);
        double both = bounded(pull + bounded(s->poly * s->weight[r]));
        double label = bounded(s->scale[r] * s->p[r] * both);
        s->label[r] = s->p[r] > 0 ? label : 0;
        s->scale[r] *= s->power[r];
    }
}

/* Fills what follows from the rest. */
static inline void slopes_finish(struct slopes *s, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        double total = s->weight[r];
        double beyond = beyond_share(total, total * s->share, s->p[r], s->miss[r]);
        double by = s->scale[r] * total + s->label[r] + s->penalty[r];
        s->by[r] = bounded(by) + 0; /* -0 becomes 0 */
        s->less[r] = s->scale[r] * s->each;
        s->own[r] =
            s->scale[r] * beyond + s->penalty[r] * s->p[r] - s->label[r] * s->miss[r];
    }
}

#endif
