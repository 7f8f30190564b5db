/* The values of a batch whose shapes are right.
 *
 * They are judged in the order of the text, which is the order in which the members
 * came (what an option has to go with: batch_options.c); what needs two members at once
 * (a masked label) comes last. */
#include "engine/batch_values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "engine/batch_options.h"
#include "engine/linear.h"
#include "lossd/base/number.h"
#include "lossd/engine/loss.h"

static const double sum_tolerance = 1e-3; /* of a row of targets, from 1; */

/* and what rounding may add to that: half a unit for each target as it is read, and as
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

static void write_number(char out[NUMBER_TEXT_MAX + 1], double value)
{
    if (value == -INFINITY)
        memcpy(out, "-Infinity", sizeof "-Infinity");
    else
        out[number_write_double(out, value)] = '\0';
}

static bool fail_number(enum err_kind kind, const char *name, const struct array *array,
                        size_t index, double found, const char *wanted, struct err *err)
{
    char text[NUMBER_TEXT_MAX + 1];

    write_number(text, found);
    return fail_element(kind, name, array, index, text, wanted, err);
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

static bool check_weights(const struct batch *batch, const char *name,
                          const struct array *array, struct err *err)
{
    size_t end = array->flaw ? array->flaw_index : array->count;
    size_t negative = first_outside(array, end, INFINITY);

    if (negative < end)
        return fail_number(ERR_INVALID_OPTION, name, array, negative,
                           ((double *)array->data)[negative],
                           "a weight is finite and not negative", err);
    return fail_flaw(batch, name, array, err);
}

static bool check_labels(const struct batch *batch, struct err *err)
{
    const int64_t *labels = batch->labels.data;
    size_t end = batch->labels.flaw ? batch->labels.flaw_index : batch->labels.count;

    for (size_t i = 0; i < end; i++) {
        if ((labels[i] >= 0 && (uint64_t)labels[i] < batch->classes) ||
            labels[i] == batch->ignore_index)
            continue;
        char found[24];
        snprintf(found, sizeof found, "%" PRId64, labels[i]);
        return fail_label(batch, i, found, err);
    }
    return fail_flaw(batch, "labels", &batch->labels, err);
}

/* Is a row an array of its own in the text?  Else its first element stands for it. */
static bool rows_have_places(const struct batch *batch)
{
    return batch->axis == -1 || batch->axis == (int64_t)batch->logits.shape.rank - 1;
}

static void row_place(const struct batch *batch, const char *name, size_t position,
                      char pointer[PLACE_SIZE], char words[PLACE_SIZE])
{
    if (rows_have_places(batch)) {
        place_pointer(pointer, name, &batch->position_shape, position);
        place_words(words, name, &batch->position_shape, position);
    } else {
        place_pointer(pointer, name, &batch->logits.shape, batch_row(batch, position));
        place_words(words, name, &batch->logits.shape, batch_row(batch, position));
    }
}

static bool check_targets(const struct batch *batch, struct err *err)
{
    const struct array *targets = &batch->targets;
    const double *data = targets->data;
    size_t end = targets->flaw ? targets->flaw_index : targets->count;
    bool tell = batch->loss->target_rule == TARGETS_TELL;
    size_t outside = first_outside(targets, end, tell ? 1 : INFINITY);

    if (outside < end)
        return fail_number(ERR_INVALID_OPTION, "targets", targets, outside, data[outside],
                           tell ? "a number from 0 to 1 is wanted"
                                : "a share of a distribution is not negative",
                           err);
    if (targets->flaw)
        return fail_flaw(batch, "targets", targets, err);
    if (batch->loss->target_rule != TARGETS_DISTRIBUTE)
        return true;
    for (size_t n = 0; n < batch->positions; n++) {
        const double *row = data + batch_row(batch, n);
        double sum = 0;
        for (size_t c = 0; c < batch->classes; c++)
            sum += row[c * batch->inner];
        if (fabs(sum - 1) <= sum_tolerance + rounding_of_sum(batch->classes))
            continue;
        char pointer[PLACE_SIZE], words[PLACE_SIZE], found[NUMBER_TEXT_MAX + 1];
        write_number(found, sum);
        row_place(batch, "targets", n, pointer, words);
        return fail(err, ERR_INVALID_OPTION, pointer,
                    "the row of targets at %s sums to %s; 1 within %g is wanted", words,
                    found, sum_tolerance);
    }
    return true;
}

static bool check_value(const struct batch *batch, unsigned turn, struct err *err)
{
    enum member member = batch->order[turn];

    if (batch->bad_option.kind != ERR_NONE && batch->bad_option_at == turn) {
        *err = batch->bad_option;
        return false;
    }
    switch ((unsigned)member) {
    case MEMBER_logits:
        return fail_flaw(batch, "logits", &batch->logits, err);
    case MEMBER_labels:
        return check_labels(batch, err);
    case MEMBER_targets:
        return check_targets(batch, err);
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

static double logit_at(const struct batch *batch, size_t index)
{
    return batch->logits.element == ELEMENT_FLOAT32
               ? (double)((const float *)batch->logits.data)[index]
               : ((const double *)batch->logits.data)[index];
}

/* Dividing by a temperature below 1 may leave the range of the dtype. */
static bool check_temperature(const struct batch *batch, struct err *err)
{
    double largest =
        batch->dtype == DTYPE_FLOAT32 ? 0x1.fffffep127 : 0x1.fffffffffffffp1023;
    double bound = largest * batch->temperature;

    if (batch->temperature >= 1 || batch_is_linear(batch) || batch->softcap <= bound)
        return true;
    for (size_t i = 0; i < batch->logits.count; i++) {
        double logit = logit_at(batch, i);
        if (isinf(logit) || fabs(logit) <= bound)
            continue;
        char wanted[160];
        snprintf(wanted, sizeof wanted,
                 "divided by temperature %s it leaves the range of %s",
                 batch_spelling(batch, MEMBER_temperature).text,
                 batch->dtype == DTYPE_FLOAT32 ? "float32" : "float64");
        return fail_number(ERR_NON_FINITE_VALUE, "logits", &batch->logits, i, logit,
                           wanted, err);
    }
    return true;
}

static bool fail_masked(const struct batch *batch, size_t position, size_t class,
                        struct err *err)
{
    char pointer[PLACE_SIZE], words[PLACE_SIZE], logit[PLACE_SIZE];
    size_t index = batch_row(batch, position) + class * batch->inner;

    place_words(logit, "logits", &batch->logits.shape, index);
    if (batch->label_smoothing > 0) {
        place_pointer(pointer, "logits", &batch->logits.shape, index);
        return fail(err, ERR_MASKED_LABEL, pointer,
                    "%s is -Infinity, a masked class, to which label_smoothing %s would "
                    "give a share",
                    logit, batch_spelling(batch, MEMBER_label_smoothing).text);
    }
    if (batch_has(batch, MEMBER_targets)) {
        char target[NUMBER_TEXT_MAX + 1];
        write_number(target, ((const double *)batch->targets.data)[index]);
        place_pointer(pointer, "targets", &batch->targets.shape, index);
        place_words(words, "targets", &batch->targets.shape, index);
        return fail(err, ERR_MASKED_LABEL, pointer,
                    "%s is %s, but %s is -Infinity: the class is masked", words, target,
                    logit);
    }
    place_pointer(pointer, "labels", &batch->labels.shape, position);
    place_words(words, "labels", &batch->labels.shape, position);
    return fail(err, ERR_MASKED_LABEL, pointer,
                "%s is %zu, but %s is -Infinity: the class is masked", words, class,
                logit);
}

/* Does the truth give this class some weight? */
static bool class_counts(const struct batch *batch, size_t position, size_t class)
{
    const double *weights = batch->class_weights.data, *targets = batch->targets.data;
    const int64_t *labels = batch->labels.data;

    if (weights && weights[class] == 0)
        return false;
    if (batch->label_smoothing > 0)
        return true;
    if (targets)
        return targets[batch_row(batch, position) + class * batch->inner] > 0;
    return labels && labels[position] == (int64_t) class;
}

static bool check_masked_row(const struct batch *batch, size_t position, struct err *err)
{
    const double *sample_weights = batch->sample_weights.data;
    size_t row = batch_row(batch, position), masked = 0, counts = batch->classes;

    for (size_t c = 0; c < batch->classes; c++) {
        if (logit_at(batch, row + c * batch->inner) != -INFINITY)
            continue;
        masked++;
        if (counts == batch->classes && class_counts(batch, position, c))
            counts = c;
    }
    if (masked == batch->classes) {
        char pointer[PLACE_SIZE], words[PLACE_SIZE];
        row_place(batch, "logits", position, pointer, words);
        return fail(err, ERR_ALL_MASKED, pointer,
                    "every class of %s is -Infinity; at least one finite logit is wanted",
                    words);
    }
    if (counts == batch->classes || (sample_weights && sample_weights[position] == 0))
        return true;
    return fail_masked(batch, position, counts, err);
}

static bool check_masked(const struct batch *batch, struct err *err)
{
    const int64_t *labels = batch->labels.data;

    if (!batch->logits.has_minus_infinity)
        return true;
    for (size_t n = 0; n < batch->positions; n++) {
        if (labels && labels[n] == batch->ignore_index)
            continue;
        if (!check_masked_row(batch, n, err))
            return false;
    }
    return true;
}

bool batch_check_values(const struct batch *batch, struct err *err)
{
    for (unsigned turn = 0; turn < batch->members; turn++)
        if (!check_value(batch, turn, err))
            return false;
    if (batch_is_linear(batch) && !linear_check(batch, err))
        return false;
    return check_temperature(batch, err) && check_masked(batch, err);
}
