/* Who is at fault for a masked class that counts: a row without any other class, the
 * label, the target; or, with smoothing, the logit, for any label would do the same. */
#include "engine/batch_masks.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/batch_place.h"

/* Does the truth give this class some share, and one that has weight?  What smoothing
 * gives is one whatever it weighs. */
static bool class_counts(const struct batch *batch, size_t position, size_t class)
{
    const double *weights = batch->class_weights.data, *targets = batch->targets.data;
    const int64_t *labels = batch->labels.data;

    if (batch->label_smoothing > 0)
        return true;
    if (weights && weights[class] == 0)
        return false;
    if (targets)
        return targets[batch_row(batch, position) + class * batch->inner] > 0;
    return labels && labels[position] == (int64_t) class;
}

static void note(struct mask *first, struct mask mask)
{
    if (mask.index < first->index)
        *first = mask;
}

static void look_at_row(const struct batch *batch, size_t position, struct masks *masks)
{
    const double *sample_weights = batch->sample_weights.data;
    size_t row = batch_row(batch, position), masked = 0, counts = batch->classes;

    for (size_t c = 0; c < batch->classes; c++) {
        if (batch_logit(batch, row + c * batch->inner) != -INFINITY)
            continue;
        masked++;
        if (counts == batch->classes && class_counts(batch, position, c))
            counts = c;
    }
    bool has_share =
        batch->label_smoothing > 0 || !sample_weights || sample_weights[position] != 0;
    size_t index = row + counts * batch->inner;
    if (masked == batch->classes)
        note(&masks->logits, (struct mask){row, position, SIZE_MAX});
    else if (counts == batch->classes || !has_share)
        return;
    else if (batch->label_smoothing > 0)
        note(&masks->logits, (struct mask){index, position, counts});
    else if (batch_has(batch, MEMBER_targets))
        note(&masks->targets, (struct mask){index, position, counts});
    else
        note(&masks->labels, (struct mask){position, position, counts});
}

struct masks batch_masks(const struct batch *batch)
{
    const struct mask none = {.index = SIZE_MAX};
    struct masks masks = {none, none, none};

    for (size_t n = 0; batch->logits.has_minus_infinity && n < batch->positions; n++)
        if (batch_keeps(batch, n))
            look_at_row(batch, n, &masks);
    return masks;
}

static bool fail_row(const struct batch *batch, const struct mask *mask, struct err *err)
{
    char pointer[PLACE_SIZE], words[PLACE_SIZE];

    batch_row_place(batch, "logits", mask->position, pointer, words);
    return fail(err, ERR_ALL_MASKED, pointer,
                "every class of %s is -Infinity; at least one finite logit is wanted",
                words);
}

static bool fail_truth(const struct batch *batch, const struct mask *mask,
                       const char *logit, struct err *err)
{
    char pointer[PLACE_SIZE], words[PLACE_SIZE], found[PLACE_SIZE];
    bool by_targets = batch_has(batch, MEMBER_targets);
    const char *name = by_targets ? "targets" : "labels";
    const struct shape *shape = by_targets ? &batch->targets.shape : &batch->labels.shape;

    if (by_targets)
        number_words(found, ((const double *)batch->targets.data)[mask->index]);
    else
        snprintf(found, sizeof found, "%zu", mask->class);
    place_pointer(pointer, name, shape, mask->index);
    place_words(words, name, shape, mask->index);
    return fail(err, ERR_MASKED_LABEL, pointer,
                "%s is %s, but %s is -Infinity: the class is masked", words, found,
                logit);
}

bool batch_fail_mask(const struct batch *batch, const struct mask *mask, struct err *err)
{
    char pointer[PLACE_SIZE], logit[PLACE_SIZE];

    if (mask->class == SIZE_MAX)
        return fail_row(batch, mask, err);
    size_t index = batch_row(batch, mask->position) + mask->class * batch->inner;
    place_words(logit, "logits", &batch->logits.shape, index);
    if (batch->label_smoothing == 0)
        return fail_truth(batch, mask, logit, err);
    place_pointer(pointer, "logits", &batch->logits.shape, index);
    return fail(err, ERR_MASKED_LABEL, pointer,
                "%s is -Infinity, a masked class, to which label_smoothing %s would "
                "give a share",
                logit, batch_spelling(batch, MEMBER_label_smoothing).text);
}
