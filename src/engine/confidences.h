/* Confidences as integers, to be counted in bins: summary.c says how.  They are made for
 * all rows of a slab at once, by the kernel. */
#ifndef LOSSD_ENGINE_CONFIDENCES_H
#define LOSSD_ENGINE_CONFIDENCES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/slab.h"
#include "engine/vmath.h"

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

/* Added to a number so large that its unit is what is counted, a number is the low bits
 * of it. */
static inline void confidences_part(struct confidences *of, size_t rows)
{
    const double to_integer = 0x1.8p52, to_high = 0x1.8p14, to_low = 0x1.8p-38;

    for (size_t r = 0; r < rows; r++) {
        double value = of->value[r];
        double edge = value * of->bins + to_integer;
        double high = value + to_high;
        double low = (value - (high - to_high)) + to_low;
        of->edge[r] = (int64_t)(to_bits(edge) - to_bits(to_integer));
        of->high[r] = (int64_t)(to_bits(high) - to_bits(to_high));
        of->low[r] = (int64_t)(to_bits(low) - to_bits(to_low));
    }
}

#endif
