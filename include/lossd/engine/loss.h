/* A loss: its name, its options, its values and its gradients for some rows.
 *
 * A loss is one file in src/engine/loss/ and one row in losses.def. */
#ifndef LOSSD_ENGINE_LOSS_H
#define LOSSD_ENGINE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/engine/batch.h"

struct slab; /* rows that are scored together: src/engine/slab.h */

enum truth { TRUTH_LABELS = 1, TRUTH_TARGETS = 2 };

/* What a row of targets has to be, beside finite and not negative. */
enum target_rule {
    TARGETS_DISTRIBUTE, /* sums to 1 */
    TARGETS_TELL,       /* each says how true its class is: at most 1 */
    TARGETS_MEASURE     /* anything */
};

struct loss {
    const char *name;
    const char *formula;
    const char *source;
    uint32_t options; /* bits of the members that are options of this loss alone */
    unsigned truths;  /* bits of enum truth: what it takes */
    enum target_rule target_rule;
    bool ignores_weights; /* a mean is divided by a count without class weights */
    bool needs_softmax;
    bool needs_row;      /* of doubles in the slab, also without targets or smoothing */
    bool is_elementwise; /* a loss for each logit, not for each row */

    /* The loss of each row, sample weights left out: values[rows], or [rows, classes]
     * when it is elementwise.  And, where the batch asks for them, what is averaged
     * over the plain count and not over weights: penalties[rows].  The values of a
     * row without weight are of no matter, but they must not be looked up out of
     * bounds.
     *
     * With them, where the slab has room for it, the gradient: one function makes both,
     * because they have much in common.  It is d value / d z times slab->scale[row], and
     * d penalty / d z times slab->penalty_scale[row]. */
    void (*score)(const struct slab *slab, double *values, double *penalties);

    /* Are the values -log p of the labels, and nothing else?  NULL: never. */
    bool (*is_nll)(const struct batch *batch);

    /* What the loss takes for probabilities; NULL when it is the softmax. */
    void (*probabilities)(const struct slab *slab, void *out);
    void (*log_probabilities)(const struct slab *slab, void *out);
};

/* Rows of losses.def, in its order. */
extern const struct loss *const loss_table[];
extern const size_t loss_count;
extern const char *const loss_names[]; /* ends with NULL */

/* Is the sum of the losses that of -log p of the labels? */
bool losses_are_nll(const struct batch *batch);

/* Bits of the members that are options of the loss: its own and those of every loss. */
uint32_t loss_options(const struct loss *loss);

#endif
