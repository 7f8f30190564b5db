/* Binary cross-entropy of each class by itself, s = 1 / (1 + exp(-z)) being the
 * probability that it is true, t how true it is, w its pos_weight:
 *
 *     loss = -(w t log s + (1 - t) log(1 - s))
 *          = z >= 0: (1 - t) z + (1 - t + w t) log1p(exp(-z))
 *            z <  0: w t (-z)  + (1 - t + w t) log1p(exp(z))
 *     d loss / d z = (1 - t) s - w t (1 - s)
 *
 * All terms of the loss have one sign, so nothing cancels.  A class without truth
 * may be masked: its loss is 0.
 *
 * Source: torch.nn.BCEWithLogitsLoss. */
#include "engine/slab.h"
#include "lossd/engine/loss.h"

/* s for a >= 0, 1 - s for less, with e = exp(-|a|): neither is a difference. */
static inline double half_of(double a, double e)
{
    return (a >= 0 ? 1 : e) / (1 + e);
}

static double pos_weight(const struct slab *slab, size_t class)
{
    const double *weights = slab->batch->pos_weight.data;

    return weights ? weights[class] : 1;
}

/* e: exp(-|z|), of a row. */
static void put_gradient(const struct slab *slab, size_t row, const double *z, double *e)
{
    const double *t = slab->targets + row * slab->classes;

    for (size_t c = 0; c < slab->classes; c++)
        e[c] = slab->scale[row] * ((1 - t[c]) * half_of(z[c], e[c]) -
                                   pos_weight(slab, c) * t[c] * half_of(-z[c], e[c]));
    slab_put_row(slab, e, row, slab->gradient);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    size_t classes = slab->classes;
    double *e = slab->other_row;

    (void)penalties;
    for (size_t r = 0; r < slab->rows; r++) {
        const double *z = slab_logits(slab, r, slab->row);
        const double *t = slab->targets + r * classes;
        double *bent = values + r * classes;
        slab->real->decays(z, classes, e);
        slab->real->log1ps(e, classes, bent);
        for (size_t c = 0; c < classes; c++) {
            double w = pos_weight(slab, c), size = z[c] < 0 ? -z[c] : z[c];
            double side = z[c] >= 0 ? 1 - t[c] : w * t[c];
            bent[c] = (side == 0 ? 0 : side * size) + (1 - t[c] + w * t[c]) * bent[c];
        }
        if (slab->gradient)
            put_gradient(slab, r, z, e);
    }
}

static void probabilities(const struct slab *slab, void *out)
{
    double *e = slab->other_row;

    for (size_t r = 0; r < slab->rows; r++) {
        const double *z = slab_logits(slab, r, slab->row);
        slab->real->decays(z, slab->classes, e);
        for (size_t c = 0; c < slab->classes; c++)
            e[c] = half_of(z[c], e[c]);
        slab_put_row(slab, e, r, out);
    }
}

static void log_probabilities(const struct slab *slab, void *out)
{
    double *l = slab->other_row;

    for (size_t r = 0; r < slab->rows; r++) {
        const double *z = slab_logits(slab, r, slab->row);
        slab->real->decays(z, slab->classes, l);
        slab->real->log1ps(l, slab->classes, l);
        for (size_t c = 0; c < slab->classes; c++)
            l[c] = (z[c] < 0 ? z[c] : 0) - l[c];
        slab_put_row(slab, l, r, out);
    }
}

const struct loss loss_bce_with_logits = {
    .name = "bce_with_logits",
    .formula =
        "-(pos_weight t log s + (1-t) log(1-s)) of each class, s = sigmoid(z), t the "
        "target",
    .source = "torch.nn.BCEWithLogitsLoss",
    .options = 1u << MEMBER_pos_weight | 1u << MEMBER_temperature | 1u << MEMBER_softcap,
    .truths = TRUTH_TARGETS,
    .target_rule = TARGETS_TELL,
    .is_elementwise = true,
    .score = score,
    .probabilities = probabilities,
    .log_probabilities = log_probabilities,
};
