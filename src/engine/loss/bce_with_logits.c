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

/* Logits of a slab that are done together, whatever rows they are of: rows may be too
 * short for vectors. */
enum { TOGETHER = 256 };

struct part {
    size_t from, count;
    double z[TOGETHER], e[TOGETHER]; /* exp(-|z|) */
};

/* Begins with from = count = 0; false: there is no more. */
static bool next_part(const struct slab *slab, struct part *part)
{
    size_t all = slab->rows * slab->classes;

    part->from += part->count;
    part->count = all - part->from < TOGETHER ? all - part->from : TOGETHER;
    slab_take(slab, part->from, part->count, part->z);
    slab->real->decays(part->z, part->count, part->e);
    return part->count > 0;
}

/* s for a >= 0, 1 - s for less, with e = exp(-|a|): neither is a difference. */
static inline double half_of(double a, double e)
{
    return (a >= 0 ? 1 : e) / (1 + e);
}

/* What stands for each class, [classes], for the classes of a part. */
static void fill_weights(const struct slab *slab, const struct part *part, double *w)
{
    const double *weights = slab->batch->pos_weight.data;
    size_t class = part->from % slab->classes;

    for (size_t i = 0; i < part->count; i++) {
        w[i] = weights ? weights[class] : 1;
        class = class + 1 < slab->classes ? class + 1 : 0;
    }
}

/* What stands for each row. */
static void fill_scales(const struct slab *slab, const struct part *part, double *scale)
{
    size_t row = part->from / slab->classes,
           left = (row + 1) * slab->classes - part->from;

    for (size_t i = 0; i < part->count; i++, left--) {
        if (left == 0) {
            row++;
            left = slab->classes;
        }
        scale[i] = slab->scale[row];
    }
}

static void put_values(const struct slab *slab, const struct part *part, const double *w,
                       double *values)
{
    const double *t = slab->targets + part->from, *z = part->z;
    double bent[TOGETHER];

    slab->real->log1ps(part->e, part->count, bent);
    for (size_t i = 0; i < part->count; i++) {
        double size = z[i] < 0 ? -z[i] : z[i];
        double side = z[i] >= 0 ? 1 - t[i] : w[i] * t[i], straight = side * size;
        values[part->from + i] =
            (side == 0 ? 0 : straight) + (1 - t[i] + w[i] * t[i]) * bent[i];
    }
}

static void put_gradient(const struct slab *slab, const struct part *part,
                         const double *w)
{
    const double *t = slab->targets + part->from, *z = part->z, *e = part->e;
    double scale[TOGETHER];

    fill_scales(slab, part, scale);
    for (size_t i = 0; i < part->count; i++)
        scale[i] *= (1 - t[i]) * half_of(z[i], e[i]) - w[i] * t[i] * half_of(-z[i], e[i]);
    slab_give(slab, scale, part->from, part->count, slab->gradient);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    struct part part = {.from = 0};
    double w[TOGETHER] = {0};

    (void)penalties;
    while (next_part(slab, &part)) {
        fill_weights(slab, &part, w);
        put_values(slab, &part, w, values);
        if (slab->gradient)
            put_gradient(slab, &part, w);
    }
}

static void probabilities(const struct slab *slab, void *out)
{
    struct part part = {.from = 0};

    while (next_part(slab, &part)) {
        for (size_t i = 0; i < part.count; i++)
            part.e[i] = half_of(part.z[i], part.e[i]);
        slab_give(slab, part.e, part.from, part.count, out);
    }
}

static void log_probabilities(const struct slab *slab, void *out)
{
    struct part part = {.from = 0};

    while (next_part(slab, &part)) {
        slab->real->log1ps(part.e, part.count, part.e);
        for (size_t i = 0; i < part.count; i++)
            part.e[i] = (part.z[i] < 0 ? part.z[i] : 0) - part.e[i];
        slab_give(slab, part.e, part.from, part.count, out);
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
