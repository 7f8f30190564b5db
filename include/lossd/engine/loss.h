/* A loss: its name, its options, its value and its gradient for one position.
 *
 * A loss is one file in src/engine/loss/ and one row in losses.def. */
#ifndef LOSSD_ENGINE_LOSS_H
#define LOSSD_ENGINE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/span.h"

/* Exponentials are kept times this power of two, so that those too small for a
 * double still add up and only the final product is rounded. */
#define EXPS_SCALE 0x1p512

struct kernel;

/* What the softmax of one row leaves for a loss to use. */
struct row {
    const struct kernel *kernel; /* works on whole rows: src/engine/kernel.h */
    size_t classes;
    const double *logits; /* z, after temperature; -INFINITY is a masked class */
    const double *exps;   /* exp(z_c - max) * EXPS_SCALE */
    size_t top;           /* the first class with the largest logit */
    double max;           /* its logit */
    double rest;          /* sum of exp(z_c - max) over all classes but `top` */
    double sum;           /* 1 + rest */
    double log_sum;       /* log1p(rest): log-sum-exp is max + log_sum */
};

/* What is true of the position, and how it is weighed. */
struct truth {
    int64_t label;               /* when targets is NULL */
    const double *targets;       /* `classes` numbers, or NULL */
    const double *class_weights; /* `classes` numbers, or NULL for all 1 */
    double label_smoothing;
};

struct loss {
    const char *name;
    const char *formula;
    const char *source;
    uint32_t options; /* bits of the members that are options of this loss */
    bool takes_targets;

    /* The loss of the position, sample weight left out. */
    double (*value)(const struct row *row, const struct truth *truth);

    /* d value / d z_c times `scale`, into out[classes]. */
    void (*gradient)(const struct row *row, const struct truth *truth, double scale,
                     double *out);
};

/* Rows of losses.def, in its order. */
extern const struct loss *const loss_table[];
extern const size_t loss_count;
extern const char *const loss_names[]; /* ends with NULL */

#endif
