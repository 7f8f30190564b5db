/* Confidences as integers, to be counted in bins: summary.c says how.  They are made for
 * all rows of a slab at once, by the kernel. */
#ifndef LOSSD_ENGINE_CONFIDENCES_H
#define LOSSD_ENGINE_CONFIDENCES_H

#include <stdint.h>

#include "engine/slab.h"

/* A high part counts 2^-38, a low one 2^-90, which is all there is of the confidence of
 * less than 2^38 classes. */
enum { CONFIDENCE_BITS = 90, HIGH_BITS = 38 };

/* In one struct, so that a compiler sees that nothing overlaps. */
struct confidences {
    _Alignas(64) double value[SLAB_ROWS]; /* in (0, 1] */
    int64_t edge[SLAB_ROWS];              /* the nearest of the bins' edges */
    int64_t high[SLAB_ROWS], low[SLAB_ROWS];
    double bins; /* of equal width, in (0, 1] */
};

#endif
