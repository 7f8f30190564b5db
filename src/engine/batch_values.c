/* The values of a batch whose shapes are right.
 *
 * They are judged in the order of the text, which is the order in which the members
 * came.  What it takes two members to see (a masked label, a temperature that drives a
 * logit out of range, an option that has to go with another) has its turn where the
 * element is that is told to be at fault; the model, which is judged by its logits,
 * comes last. */
#include "engine/batch_values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "engine/batch_masks.h"
#include "engine/batch_options.h"
#include "engine/batch_place.h"
#include "engine/linear.h"
#include "lossd/base/number.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/place.h"

static const double sum_tolerance = 1e-3; /* of a row of targets, from 1 */

/* What rounding may add to that: half a unit for each target as it is read, and as
 * much for each addition. */
static double rounding_of_sum(size_t count)
{
    return (double)count * 0x1p-52;
}

static bool fail_element(enum err_kind kind, const char *name, const struct array *array,
                         size_t index, const char *found, const char *wanted,
                         struct err *err)
{
    char pointer[PLACE_SIZE], words[PLACE_SIZE];

    place_pointer(pointer, name, &array->shape, index);
    place_words(words, name, &array->shape, index);
    return fail(err, kind, pointer, "%s is %s; %s", words, found, wanted);
}

static bool fail_number(enum err_kind kind, const char *name, const struct array *array,
                        size_t index, double found, const char *wanted, struct err *err)
{
    char text[PLACE_SIZE];

    number_words(text, found);
    return fail_element(kind, name, array, index, text, wanted, err);
}

/* A single is told by as few digits as tell it from others. */
static bool fail_logit(const struct batch *batch, size_t index, double logit,
                       const char *wanted, struct err *err)
{
    char text[PLACE_SIZE];

    if (batch->logits.element == ELEMENT_FLOAT32)
        text[number_write_float(text, (float)logit)] = '\0';
    else
        number_words(text, logit);
    return fail_element(ERR_NON_FINITE_VALUE, "logits", &batch->logits, index, text,
                        wanted, err);
}

static bool fail_label(const struct batch *batch, size_t index, const char *found,
                       struct err *err)
{
    char pointer[PLACE_SIZE], words[PLACE_SIZE];

    place_pointer(pointer, "labels", &batch->labels.shape, index);
    place_words(words, "labels", &batch->labels.shape, index);
    return fail(err, ERR_LABEL_OUT_OF_RANGE, pointer,
                "%s is %s, outside 0..%zu (ignore_index is %" PRId64 ")", words, found,
                batch->classes - 1, batch->ignore_index);
}

static bool fail_flaw(const struct batch *batch, const char *name,
                      const struct array *array, struct err *err)
{
    switch (array->flaw) {
    case FLAW_NONE:
        return true;
    case FLAW_BEYOND_INT64:
        return fail_label(batch, array->flaw_index, array->flaw_text.text, err);
    case FLAW_OVERFLOW:
        return fail_element(
            ERR_NON_FINITE_VALUE, name, array, array->flaw_index, array->flaw_text.text,
            array->element == ELEMENT_FLOAT32 ? "beyond the range of float32"
                                              : "beyond the range of float64",
            err);
    case FLAW_BEYOND_FLOAT32:
        return fail_element(ERR_NON_FINITE_VALUE, name, array, array->flaw_index,
                            array->flaw_text.text, "beyond the range of float32", err);
    case FLAW_BEYOND_FLOAT16:
        return fail_element(ERR_NON_FINITE_VALUE, name, array, array->flaw_index,
                            array->flaw_text.text, "beyond the range of float16", err);
    case FLAW_NAN:
    case FLAW_INFINITE:
        break;
    }
    return fail_element(ERR_NON_FINITE_VALUE, name, array, array->flaw_index,
                        array->flaw_text.text,
                        array == &batch->logits ? "a finite number or -Infinity is wanted"
                                                : "a finite number is wanted",
                        err);
}

/* Index of the first element before `end` that is not in 0..most, or `end`. */
static size_t first_outside(const struct array *array, size_t end, double most)
{
    const double *data = array->data;
    size_t i = 0;

    while (i < end && data[i] >= 0 && data[i] <= most)
        i++;
    return i;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many elements are to be judged, those in front of `before` and of a flaw. */
static size_t end_of(const struct array *array, size_t before)
{
    return smaller(array->flaw ? array->flaw_index : array->count, before);
}

/* Is the flaw, if any, behind what is at fault otherwise? */
static bool check_flaw(const struct batch *batch, const char *name,
                       const struct array *array, size_t before, struct err *err)
{
    return !array->flaw || array->flaw_index > before ||
           fail_flaw(batch, name, array, err);
}

static bool check_weights(const struct batch *batch, const char *name,
                          const struct array *array, struct err *err)
{
    size_t end = end_of(array, SIZE_MAX);
    size_t negative = first_outside(array, end, INFINITY);

    if (negative < end)
        return fail_number(ERR_INVALID_OPTION, name, array, negative,
                           ((double *)array->data)[negative],
                           "a weight is finite and not negative", err);
    return check_flaw(batch, name, array, SIZE_MAX, err);
}

/* A label that is at fault is none that is ignored, whatever stands for it. */
static bool is_ignored(const struct batch *batch, size_t position)
{
    return !batch_keeps(batch, position) &&
           (!batch->labels.flaw || position < batch->labels.flaw_index);
}

/* Dividing by a temperature below 1 may leave the range of the dtype.  Of what is ignored
 * nobody minds. */
static bool check_temperature(const struct batch *batch, size_t end, struct err *err)
{
    double largest =
        batch->dtype == DTYPE_FLOAT32 ? 0x1.fffffep127 : 0x1.fffffffffffffp1023;
    double bound = largest * batch->temperature;

    if (batch->temperature >= 1 || batch->softcap <= bound)
        return true;
    for (size_t i = 0; i < end; i++) {
        double logit = batch_logit(batch, i);
        if (isinf(logit) || fabs(logit) <= bound ||
            is_ignored(batch, batch_position(batch, i)))
            continue;
        char wanted[160];
        snprintf(wanted, sizeof wanted,
                 "divided by temperature %s it leaves the range of %s",
                 batch_spelling(batch, MEMBER_temperature).text,
                 batch->dtype == DTYPE_FLOAT32 ? "float32" : "float64");
        return fail_logit(batch, i, logit, wanted, err);
    }
    return true;
}

static bool check_logits(const struct batch *batch, const struct mask *mask,
                         struct err *err)
{
    const struct array *logits = &batch->logits;

    if (!check_temperature(batch, end_of(logits, mask->index), err) ||
        !check_flaw(batch, "logits", logits, mask->index, err))
        return false;
    return mask->index == SIZE_MAX || batch_fail_mask(batch, mask, err);
}

static bool check_labels(const struct batch *batch, const struct mask *mask,
                         struct err *err)
{
    const int64_t *labels = batch->labels.data;
    size_t end = end_of(&batch->labels, mask->index);

    for (size_t i = 0; i < end; i++) {
        if ((labels[i] >= 0 && (uint64_t)labels[i] < batch->classes) ||
            labels[i] == batch->ignore_index)
            continue;
        char found[24];
        snprintf(found, sizeof found, "%" PRId64, labels[i]);
        return fail_label(batch, i, found, err);
    }
    if (!check_flaw(batch, "labels", &batch->labels, mask->index, err))
        return false;
    return mask->index == SIZE_MAX || batch_fail_mask(batch, mask, err);
}

/* Are all elements of the row shares?  One that is not is told by itself. */
static bool row_has_shares(const struct batch *batch, const double *row)
{
    for (size_t c = 0; c < batch->classes; c++)
        if (!(row[c * batch->inner] >= 0 && isfinite(row[c * batch->inner])))
            return false;
    return true;
}

/* Is each row that begins up to `last` a distribution? */
static bool check_sums(const struct batch *batch, size_t last, struct err *err)
{
    for (size_t n = 0; n < batch->positions && batch_row(batch, n) <= last; n++) {
        const double *row = (const double *)batch->targets.data + batch_row(batch, n);
        double sum = 0;
        for (size_t c = 0; c < batch->classes; c++)
            sum += row[c * batch->inner];
        if (fabs(sum - 1) <= sum_tolerance + rounding_of_sum(batch->classes) ||
            !row_has_shares(batch, row))
            continue;
        char pointer[PLACE_SIZE], words[PLACE_SIZE], found[PLACE_SIZE];
        number_words(found, sum);
        batch_row_place(batch, "targets", n, pointer, words);
        return fail(err, ERR_INVALID_OPTION, pointer,
                    "%s%s sums to %.30s; 1 within %g is wanted",
                    batch->position_shape.rank > 0 ? "the row of targets at " : "", words,
                    found, sum_tolerance);
    }
    return true;
}

static bool check_targets(const struct batch *batch, const struct mask *mask,
                          struct err *err)
{
    const struct array *targets = &batch->targets;
    bool tell = batch->loss->target_rule == TARGETS_TELL;
    bool is_masked = mask->index != SIZE_MAX; /* what is at fault is judged before that */
    size_t end = end_of(targets, is_masked ? mask->index + 1 : SIZE_MAX);
    size_t outside = first_outside(targets, end, tell ? 1 : INFINITY);

    if (batch->loss->target_rule == TARGETS_DISTRIBUTE &&
        !check_sums(batch, outside, err))
        return false;
    if (outside < end)
        return fail_number(ERR_INVALID_OPTION, "targets", targets, outside,
                           ((const double *)targets->data)[outside],
                           tell ? "a number from 0 to 1 is wanted"
                                : "a share of a distribution is not negative",
                           err);
    if (!check_flaw(batch, "targets", targets, mask->index, err))
        return false;
    return !is_masked || batch_fail_mask(batch, mask, err);
}

static bool check_value(const struct batch *batch, unsigned turn,
                        const struct masks *masks, struct err *err)
{
    enum member member = batch->order[turn];

    if (batch->bad_option.kind != ERR_NONE && batch->bad_option_at == turn) {
        *err = batch->bad_option;
        return false;
    }
    switch ((unsigned)member) {
    case MEMBER_logits:
        return check_logits(batch, &masks->logits, err);
    case MEMBER_labels:
        return check_labels(batch, &masks->labels, err);
    case MEMBER_targets:
        return check_targets(batch, &masks->targets, err);
    case MEMBER_class_weights:
        return check_weights(batch, "class_weights", &batch->class_weights, err) &&
               batch_check_option(batch, member, err);
    case MEMBER_pos_weight:
        return check_weights(batch, "pos_weight", &batch->pos_weight, err) &&
               batch_check_option(batch, member, err);
    case MEMBER_features:
        return fail_flaw(batch, "features", &batch->features, err);
    case MEMBER_W:
        return fail_flaw(batch, "W", &batch->W, err);
    case MEMBER_b:
        return fail_flaw(batch, "b", &batch->b, err);
    case MEMBER_sample_weights:
        return check_weights(batch, "sample_weights", &batch->sample_weights, err);
    default:
        return batch_check_option(batch, member, err);
    }
}

bool batch_check_values(const struct batch *batch, struct err *err)
{
    struct masks masks = batch_masks(batch);

    for (unsigned turn = 0; turn < batch->members; turn++)
        if (!check_value(batch, turn, &masks, err))
            return false;
    return !batch_is_linear(batch) || linear_check(batch, err);
}
