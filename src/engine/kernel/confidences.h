/* The confidences of rows, to be counted in bins: summary.c says how. */
#ifndef LOSSD_ENGINE_KERNEL_CONFIDENCES_H
#define LOSSD_ENGINE_KERNEL_CONFIDENCES_H

#include "lossd/engine/summary.h"

/* A high part counts 2^-38, a low one 2^-90, which is all there is of the confidence of
 * less than 2^38 classes. */
enum { CONFIDENCE_BITS = 90, HIGH_BITS = 38 };
#define CONFIDENCE_UNIT 0x1p-90

struct confidences {
    const double *value;        /* in (0, 1], of those that are kept */
    const int64_t *top, *truth; /* they are right where these are the same */
    const bool *kept;           /* NULL: all */
    struct bin *bins;
    size_t bin_count;
};

#endif
