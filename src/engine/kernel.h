/* The arithmetic of one row, on vectors.
 *
 * Built from kernel.c once for each instruction set; all builds give the same
 * bits, they differ in speed. */
#ifndef LOSSD_ENGINE_KERNEL_H
#define LOSSD_ENGINE_KERNEL_H

#include <stddef.h>

#include "lossd/engine/loss.h"

struct kernel {
    const char *name;

    /* Fills `row` from its logits, and exps[classes]; the row points at both. */
    void (*softmax)(const double *logits, size_t classes, double *exps, struct row *row);

    /* The row's probabilities times `scale`, or their logarithms, into
     * out[classes]. */
    void (*probabilities)(const struct row *row, double scale, double *out);
    void (*log_probabilities)(const struct row *row, double *out);

    /* float32 logits, divided by the temperature and rounded to float32 once. */
    void (*widen)(const float *from, size_t n, double temperature, double *to);
    void (*narrow)(const double *from, size_t n, float *to);
};

/* The fastest kernel that runs here; LOSSD_KERNEL in the environment names
 * another, for tests.  Decided once; thread-safe. */
const struct kernel *kernel_here(void);

/* The kernels that run here, the plainest first; returns how many. */
size_t kernels_here(const struct kernel *out[4]);

/* 1 / sum without the scale of the exps: what an exp is multiplied with. */
static inline double row_factor(const struct row *row)
{
    return 1 / row->sum * (1 / EXPS_SCALE);
}

#endif
