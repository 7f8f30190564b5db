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
#include <string.h>

#include "engine/kernel/odds.h"
#include "engine/slab.h"
#include "lossd/engine/loss.h"

/* Logits of a slab that are done together, and the places they are at. */
struct part {
    size_t from, count;
    struct odds odds; /* filled as far as it is wanted */
};

/* Begins with from = count = 0; false: there is no more. */
static bool next_part(const struct slab *slab, struct part *part)
{
    size_t all = slab->rows * slab->classes;

    part->from += part->count;
    part->count = all - part->from < ODDS_MOST ? all - part->from : ODDS_MOST;
    if (part->count > 0)
        slab->real->odds(slab_logits_from(slab, part->from), part->count, &part->odds);
    return part->count > 0;
}

/* Places of a part that are of one row. */
struct run {
    size_t at, count, row, class;
};

/* Begins with at = count = 0; false: there is no more. */
static bool next_run(const struct slab *slab, const struct part *part, struct run *run)
{
    run->at += run->count;
    run->row = (part->from + run->at) / slab->classes;
    run->class = (part->from + run->at) % slab->classes;
    run->count = slab->classes - run->class;
    if (run->count > part->count - run->at)
        run->count = part->count - run->at;
    return run->count > 0;
}

static void fill_weights(const struct slab *slab, struct part *part)
{
    const double *weights = slab->batch->pos_weight.data;

    for (struct run run = {0}; next_run(slab, part, &run);)
        memcpy(part->odds.weight + run.at, weights + run.class,
               run.count * sizeof *weights);
}

static void fill_scales(const struct slab *slab, struct part *part)
{
    for (struct run run = {0}; next_run(slab, part, &run);)
        for (size_t i = 0; i < run.count; i++)
            part->odds.scale[run.at + i] = slab->scale[run.row];
}

static void put_gradient(const struct slab *slab, struct part *part)
{
    fill_scales(slab, part);
    slab->real->odds_gradient(&part->odds, part->count);
    slab_give(slab, part->odds.slope, part->from, part->count, slab->gradient);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    struct part part;

    (void)penalties;
    part.from = part.count = 0;
    for (size_t i = 0; i < ODDS_MOST; i++)
        part.odds.weight[i] = 1;
    while (next_part(slab, &part)) {
        size_t size = part.count * sizeof(double);
        memcpy(part.odds.target, slab->targets + part.from, size);
        if (slab->batch->pos_weight.data)
            fill_weights(slab, &part);
        slab->real->odds_losses(&part.odds, part.count);
        memcpy(values + part.from, part.odds.value, size);
        if (slab->gradient)
            put_gradient(slab, &part);
    }
}

static void probabilities(const struct slab *slab, void *out)
{
    struct part part;

    part.from = part.count = 0;
    while (next_part(slab, &part)) {
        slab->real->odds_probabilities(&part.odds, part.count);
        slab_give(slab, part.odds.likely, part.from, part.count, out);
    }
}

static void log_probabilities(const struct slab *slab, void *out)
{
    struct part part;
    struct odds *odds = &part.odds;

    part.from = part.count = 0;
    while (next_part(slab, &part)) {
        for (size_t i = 0; i < part.count; i++)
            odds->likely[i] = (odds->z[i] < 0 ? odds->z[i] : 0) - odds->bent[i];
        slab_give(slab, odds->likely, part.from, part.count, out);
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
