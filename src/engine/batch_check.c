/* Is this batch sound?
 *
 * Errors win by phase, so the checks run by phase: members, shapes, values
 * (batch_values.c).  What passes here, score() can score without failing. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/batch_options.h"
#include "engine/batch_values.h"
#include "engine/batch_weights.h"
#include "engine/merge_check.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/place.h"

/* ---- members ---------------------------------------------------------------- */

/* What a linear model is made of, instead of logits. */
static void check_model(const struct batch *batch, struct err *err)
{
    static const enum member parts[] = {MEMBER_features, MEMBER_W, MEMBER_b};
    bool features = batch_has(batch, MEMBER_features), W = batch_has(batch, MEMBER_W);
    char pointer[PLACE_SIZE];

    if (batch_has(batch, MEMBER_logits)) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            const char *name = member_infos[parts[i]].name;
            if (!batch_has(batch, parts[i]))
                continue;
            snprintf(pointer, sizeof pointer, "/%s", name);
            fail(err, ERR_CONFLICTING_MEMBERS, pointer,
                 "logits and %s are both given; logits, or features and W are wanted",
                 name);
            return;
        }
    } else if (features && !W) {
        fail(err, ERR_MISSING_MEMBER, "/W", "W is missing; features come with it");
    } else if (!features && (W || batch_has(batch, MEMBER_b))) {
        fail(err, ERR_MISSING_MEMBER, "/features",
             "features is missing; W and b come with it");
    } else if (!features) {
        fail(err, ERR_MISSING_MEMBER, "/logits", "logits is missing");
    }
}

static void check_truth(const struct batch *batch, struct err *err)
{
    bool labels = batch_has(batch, MEMBER_labels);
    bool targets = batch_has(batch, MEMBER_targets);
    bool takes_labels = batch->loss->truths & TRUTH_LABELS;
    bool takes_targets = batch->loss->truths & TRUTH_TARGETS;

    if (!labels && !targets && !takes_labels)
        fail(err, ERR_MISSING_MEMBER, "/targets",
             "targets is missing; the loss %s takes it", batch->loss->name);
    else if (!labels && !targets && batch->task == &task_record)
        fail(err, ERR_MISSING_MEMBER, "/label", "label is missing%s",
             takes_targets ? "; label, labels or targets must say what is true" : "");
    else if (!labels && !targets)
        fail(err, ERR_MISSING_MEMBER, "/labels", "labels is missing%s",
             takes_targets ? "; labels or targets must say what is true" : "");
    if (labels && targets)
        fail(err, ERR_CONFLICTING_MEMBERS, "/targets",
             "labels and targets are both given; one of them is wanted");
    if (targets && !takes_targets)
        fail(err, ERR_CONFLICTING_MEMBERS, "/targets",
             "targets is given; the loss %s takes labels", batch->loss->name);
    if (labels && !takes_labels)
        fail(err, ERR_CONFLICTING_MEMBERS, "/labels",
             "labels is given; the loss %s takes targets", batch->loss->name);
}

static bool check_members(const struct batch *batch, struct err *err)
{
    check_model(batch, err);
    if (batch->task->needs_truth)
        check_truth(batch, err);
    return !err_by(err, PHASE_CONFLICT);
}

/* ---- shapes ----------------------------------------------------------------- */

static struct shape without_axis(const struct shape *shape, unsigned axis)
{
    struct shape rest = {0};

    for (unsigned d = 0; d < shape->rank; d++)
        if (d != axis)
            rest.dim[rest.rank++] = shape->dim[d];
    return rest;
}

static bool same_shape(const struct shape *a, const struct shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (unsigned d = 0; d < a->rank; d++)
        if (a->dim[d] != b->dim[d])
            return false;
    return true;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* The shape that the logits of a linear model will have: that of the features with
 * the classes in place of what a row of them holds. */
static bool derive_logits(struct batch *batch, struct err *err)
{
    const struct shape *W = &batch->W.shape, *features = &batch->features.shape;
    struct shape *logits = &batch->logits.shape;
    char words[PLACE_SIZE];

    if (batch->features.count == 0 || batch->W.count == 0)
        return fail(err, ERR_EMPTY_BATCH, batch->W.count ? "/features" : "/W",
                    "%s is empty; at least one number is wanted",
                    batch->W.count ? "features" : "W");
    if (W->rank != 2) {
        shape_words(words, W);
        return fail(err, ERR_SHAPE_MISMATCH, "/W",
                    "W has shape %s; a row for each class is wanted, [C,D]", words);
    }
    if (features->rank == 0 || features->dim[features->rank - 1] != W->dim[1]) {
        shape_words(words, features);
        return fail(
            err, ERR_SHAPE_MISMATCH, "/features",
            "features has shape %s; rows of %zu number%s are wanted for W of shape "
            "[%zu,%zu]",
            words, W->dim[1], plural(W->dim[1]), W->dim[0], W->dim[1]);
    }
    *logits = *features;
    logits->dim[logits->rank - 1] = W->dim[0];
    batch->features_of_row = W->dim[1];
    batch->logits.element =
        batch->dtype == DTYPE_FLOAT32 ? ELEMENT_FLOAT32 : ELEMENT_FLOAT64;
    size_t rows = batch->features.count / W->dim[1];
    if (rows > batch->limits->max_elements / W->dim[0])
        return fail_limit(err, ERR_TOO_LARGE, "/features", batch->limits->max_elements,
                          "--max-elements",
                          "%zu row%s of features make%s more than %zu logits of %zu "
                          "classes",
                          rows, plural(rows), rows == 1 ? "s" : "",
                          batch->limits->max_elements, W->dim[0]);
    batch->logits.count = shape_count(logits);
    return true;
}

/* Derives classes, positions and the rest from logits and axis. */
static bool derive(struct batch *batch, struct err *err)
{
    const struct shape *shape = &batch->logits.shape;

    if (batch_is_linear(batch) && !derive_logits(batch, err))
        return false;
    int64_t rank = shape->rank;
    if (batch->logits.count == 0)
        return fail(err, ERR_EMPTY_BATCH, "/logits",
                    "logits is empty; at least one row of one class is wanted");
    if (batch->axis < -rank || batch->axis >= rank)
        return fail(err, ERR_INVALID_OPTION, "/axis",
                    "axis is %" PRId64 "; an integer from %" PRId64 " to %" PRId64
                    " is wanted for logits of rank %" PRId64,
                    batch->axis, -rank, rank - 1, rank);
    unsigned axis = (unsigned)(batch->axis < 0 ? batch->axis + rank : batch->axis);
    batch->classes = shape->dim[axis];
    batch->positions = batch->logits.count / batch->classes;
    batch->inner = 1;
    for (unsigned d = axis + 1; d < shape->rank; d++)
        batch->inner *= shape->dim[d];
    batch->position_shape = without_axis(shape, axis);
    if (batch_is_linear(batch) && axis != shape->rank - 1)
        return fail(err, ERR_INVALID_OPTION, "/axis",
                    "axis is %" PRId64 "; the classes of a linear model are on the last "
                    "axis, -1",
                    batch->axis);
    if (batch->classes > batch->limits->max_classes)
        return fail_limit(err, ERR_TOO_LARGE, batch_is_linear(batch) ? "/W" : "/logits",
                          batch->limits->max_classes, "--max-classes",
                          "%s has %zu classes; at most %zu are allowed",
                          batch_is_linear(batch) ? "W" : "logits", batch->classes,
                          batch->limits->max_classes);
    return true;
}

/* What shape each would have had: labels and targets are often mistaken for each other. */
static const char *note_of_truth(const struct batch *batch, const struct array *array)
{
    if (array == &batch->labels && same_shape(&array->shape, &batch->logits.shape))
        return " (what has a number for each class is given as targets)";
    if (array == &batch->targets && same_shape(&array->shape, &batch->position_shape))
        return " (numbers of classes are given as labels)";
    return "";
}

/* "[2,3]", and what a scalar is where no array is wanted. */
static void wanted_words(char out[PLACE_SIZE], const struct shape *shape)
{
    if (shape->rank > 0)
        shape_words(out, shape);
    else
        snprintf(out, PLACE_SIZE, "a number without brackets");
}

/* Would all fit that has a number for each position, along another axis? */
static bool would_fit(const struct batch *batch, const struct array *wrong, unsigned axis)
{
    const struct shape shape = without_axis(&batch->logits.shape, axis);
    bool labels = batch_has(batch, MEMBER_labels);
    bool weights = batch_has(batch, MEMBER_sample_weights);

    return same_shape(&shape, &wrong->shape) &&
           (!labels || same_shape(&shape, &batch->labels.shape)) &&
           (!weights || same_shape(&shape, &batch->sample_weights.shape));
}

static bool fail_shape(const struct batch *batch, const char *name,
                       const struct array *array, const struct shape *wanted,
                       struct err *err)
{
    char pointer[PLACE_SIZE], found[PLACE_SIZE], want[PLACE_SIZE], logits[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    shape_words(found, &array->shape);
    wanted_words(want, wanted);
    shape_words(logits, &batch->logits.shape);
    for (unsigned axis = 0; !batch_is_linear(batch) && axis < batch->logits.shape.rank;
         axis++)
        if (wanted->rank < batch->logits.shape.rank && would_fit(batch, array, axis))
            return fail(err, ERR_SHAPE_MISMATCH, pointer,
                        "%s has shape %s; %s is wanted for logits of shape %s with axis "
                        "%" PRId64 " (axis %u would fit)",
                        name, found, want, logits, batch->axis, axis);
    return fail(err, ERR_SHAPE_MISMATCH, pointer,
                "%s has shape %s; %s is wanted for logits of shape %s%s", name, found,
                want, logits, note_of_truth(batch, array));
}

/* A number for each class. */
static bool check_class_shape(const struct batch *batch, const char *name,
                              const struct array *array, struct err *err)
{
    const struct shape wanted = {1, {batch->classes}};
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    if (same_shape(&array->shape, &wanted))
        return true;
    if (array->shape.rank == 1 && batch->classes == 1)
        return fail(err, ERR_SHAPE_MISMATCH, pointer,
                    "%s has %zu elements; one for the only class is wanted", name,
                    array->count);
    if (array->shape.rank == 1)
        return fail(err, ERR_SHAPE_MISMATCH, pointer,
                    "%s has %zu element%s; one for each of the %zu classes is wanted",
                    name, array->count, plural(array->count), batch->classes);
    return fail(err, ERR_SHAPE_MISMATCH, pointer,
                "%s has rank %u; a plain list of %zu number%s is wanted", name,
                array->shape.rank, batch->classes, plural(batch->classes));
}

static bool check_shape(const struct batch *batch, enum member member, struct err *err)
{
    switch ((unsigned)member) {
    case MEMBER_labels:
        return same_shape(&batch->labels.shape, &batch->position_shape) ||
               fail_shape(batch, "labels", &batch->labels, &batch->position_shape, err);
    case MEMBER_targets:
        return same_shape(&batch->targets.shape, &batch->logits.shape) ||
               fail_shape(batch, "targets", &batch->targets, &batch->logits.shape, err);
    case MEMBER_class_weights:
        return check_class_shape(batch, "class_weights", &batch->class_weights, err);
    case MEMBER_pos_weight:
        return check_class_shape(batch, "pos_weight", &batch->pos_weight, err);
    case MEMBER_b:
        return check_class_shape(batch, "b", &batch->b, err);
    case MEMBER_sample_weights:
        return same_shape(&batch->sample_weights.shape, &batch->position_shape) ||
               fail_shape(batch, "sample_weights", &batch->sample_weights,
                          &batch->position_shape, err);
    default:
        return true;
    }
}

static bool check_shapes(struct batch *batch, struct err *err)
{
    if (!derive(batch, err))
        return false;
    for (unsigned i = 0; i < batch->members; i++)
        if (!check_shape(batch, batch->order[i], err))
            return false;
    return true;
}

bool batch_check(struct batch *batch, struct err *err)
{
    if (batch->task == &task_merge || batch->task == &task_dataset)
        return merge_check(batch, err);
    if (!check_members(batch, err) || err_by(err, PHASE_SHAPE))
        return false;
    return check_shapes(batch, err) && batch_check_values(batch, err) &&
           batch_check_weights(batch, err) && batch_check_outputs(batch, err) &&
           err->kind == ERR_NONE;
}
