/* Cross-entropy of the softmax, for labels and for distributions.
 *
 * One form covers labels, targets, class weights and smoothing:
 *
 *     u_c  = w_c ((1 - e) q_c + e / C)        q: the target, one-hot for a label
 *     base = - sum_c u_c log p_c              log p_c = (z_c - max) - log1p(rest)
 *     d base / d z_c = S p_c - u_c            S = sum_c u_c
 *
 * All terms of base have one sign, so nothing cancels.  In the gradient the likeliest
 * class does: there S p - u is written with 1 - p = rest / (1 + rest).  Terms with
 * u_c = 0 are left out, which makes a masked class without a share count nothing, where
 * 0 * infinity would be NaN.
 *
 * With a label y, m = 1 - p_y, focal_gamma g and poly_epsilon a:
 *
 *     loss = m^g base + a w_y m
 *     d loss / d z_c = m^g (S p_c - u_c) + B (p_c - [c = y])
 *     B = p_y (g m^(g-1) base + a w_y)
 *
 * What m is off by is multiplied with g; where that is too much m^g is made from the
 * logits, in twice the precision.
 *
 * Without smoothing, an a near -1 takes away what the logarithm is to first order without
 * cancellation; with it the error is relative to the parts.
 *
 * With targets, poly_epsilon adds a sum_c w_c q_c (1 - p_c).  And z_loss k adds a
 * penalty of k lse^2, whose gradient is 2 k lse p_c.
 *
 * Sources: torch.nn.CrossEntropyLoss (class weights, smoothing), whose results it
 * reproduces; T.-Y. Lin et al., "Focal loss for dense object detection",
 * arXiv:1708.02002; Z. Leng et al., "PolyLoss", arXiv:2204.12511; z_loss: B. Zoph et
 * al., "ST-MoE", arXiv:2202.08906. */
#include <math.h>

#include "engine/loss/even_labels.h"
#include "engine/loss/label_terms.h"
#include "engine/loss/shared_rows.h"
#include "lossd/engine/loss.h"

/* Nothing but labels and class weights: w_y times - log p_y. */
static bool is_bare(const struct batch *batch)
{
    return is_plain(batch) && batch->focal_gamma == 0 && batch->poly_epsilon == 0 &&
           batch->z_loss == 0;
}

static bool is_nll(const struct batch *batch)
{
    return is_bare(batch) && !batch->class_weights.data;
}

/* Labels whose shares are those of no class in particular: what is true is in the label
 * alone, and rows are made all at once. */
static bool is_even(const struct slab *slab)
{
    return slab->labels &&
           (slab->batch->label_smoothing == 0 || !slab->batch->class_weights.data);
}

/* w_y (p_c - [c = y]): the label's element is less than nothing by what the others
 * have together. */
static void bare_gradients(const struct slab *slab)
{
    double by[SLAB_ROWS], own[SLAB_ROWS];

    slab->real->label_misses(slab->exps, slab->rows, slab->classes, &slab->sums,
                             slab->labels, own);
    for (size_t r = 0; r < slab->rows; r++) {
        by[r] =
            slab->scale[r] * batch_class_weight(slab->batch, (size_t)slab->labels[r]) + 0;
        own[r] *= -by[r];
    }
    slab->real->scaled(slab->exps, slab->rows, slab->classes, &slab->sums, by, NULL,
                       slab->gradient);
    slab_put_labels(slab, own, slab->gradient);
}

static void bare_values(const struct slab *slab, double *values)
{
    const double *weights = slab->batch->class_weights.data;

    slab_label_losses(slab, values);
    bool is_finite = slab->real->are_finite(values, slab->rows);
    for (size_t r = 0; weights && r < slab->rows; r++)
        values[r] = weights[slab->labels[r]] * values[r] + 0;
    for (size_t r = 0; !is_finite && r < slab->rows; r++)
        if (!isfinite(values[r]))
            values[r] = slab->weights[r] == 0 ? 0 : shared_value(slab, r);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    for (size_t r = 0; penalties && r < slab->rows; r++) {
        double log_sum_exp = slab_log_sum_exp(slab, r);
        penalties[r] = slab->batch->z_loss * log_sum_exp * log_sum_exp;
    }
    if (is_bare(slab->batch)) {
        bare_values(slab, values);
        if (slab->gradient)
            bare_gradients(slab);
    } else if (is_even(slab)) {
        even_labels(slab, values);
    } else {
        shared_rows(slab, values);
    }
}

const struct loss loss_cross_entropy = {
    .name = "cross_entropy",
    .formula = "(1-p_label)^focal_gamma (-sum_c w_c ((1-e) q_c + e/C) log p_c) + "
               "poly_epsilon sum_c w_c q_c (1-p_c) + z_loss logsumexp(z)^2, "
               "p = softmax(z), q one-hot at the label or the targets, e label_smoothing",
    .source = "torch.nn.CrossEntropyLoss",
    .options = 1u << MEMBER_class_weights | 1u << MEMBER_label_smoothing |
               1u << MEMBER_temperature | 1u << MEMBER_softcap | 1u << MEMBER_z_loss |
               1u << MEMBER_focal_gamma | 1u << MEMBER_poly_epsilon,
    .truths = TRUTH_LABELS | TRUTH_TARGETS,
    .needs_softmax = true,
    .score = score,
    .is_nll = is_nll,
};
