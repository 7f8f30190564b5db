/* Is this batch sound?
 *
 * Errors win by phase, so the checks run by phase: members, shapes, values
 * (batch_values.c).  What passes here, score() can score without failing. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/batch_values.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"

/* ---- members ---------------------------------------------------------------- */

static bool check_members(const struct batch *batch, struct err *err)
{
    bool labels = batch_has(batch, MEMBER_labels);
    bool targets = batch_has(batch, MEMBER_targets);

    if (!batch_has(batch, MEMBER_logits))
        fail(err, ERR_MISSING_MEMBER, "/logits", "logits is missing");
    if (batch->task->needs_truth && !labels && !targets)
        fail(err, ERR_MISSING_MEMBER, "/labels",
             "labels is missing; labels or targets "
             "must say what is true");
    if (labels && targets)
        fail(err, ERR_CONFLICTING_MEMBERS, "/targets",
             "labels and targets are both given; one of them is wanted");
    if (targets && !batch->loss->takes_targets)
        fail(err, ERR_CONFLICTING_MEMBERS, "/targets",
             "targets is given; the loss %s takes labels", batch->loss->name);
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

/* Derives classes, positions and the rest from logits and axis. */
static bool derive(struct batch *batch, struct err *err)
{
    const struct shape *shape = &batch->logits.shape;
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
    if (batch->classes > batch->limits->max_classes)
        return fail_limit(err, "/logits", batch->limits->max_classes, "--max-classes",
                          "logits has %zu classes; at most %zu are allowed",
                          batch->classes, batch->limits->max_classes);
    return true;
}

static bool fail_shape(const struct batch *batch, const char *name,
                       const struct array *array, const struct shape *wanted,
                       struct err *err)
{
    char pointer[PLACE_SIZE], found[PLACE_SIZE], want[PLACE_SIZE], logits[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    shape_words(found, &array->shape);
    shape_words(want, wanted);
    shape_words(logits, &batch->logits.shape);
    for (unsigned axis = 0; axis < batch->logits.shape.rank; axis++) {
        struct shape other = without_axis(&batch->logits.shape, axis);
        if (wanted->rank < batch->logits.shape.rank && same_shape(&other, &array->shape))
            return fail(err, ERR_SHAPE_MISMATCH, pointer,
                        "%s has shape %s; %s is wanted for logits of shape %s with axis "
                        "%" PRId64 " (axis %u would fit)",
                        name, found, want, logits, batch->axis, axis);
    }
    return fail(err, ERR_SHAPE_MISMATCH, pointer,
                "%s has shape %s; %s is wanted for logits of shape %s", name, found, want,
                logits);
}

static bool check_shape(const struct batch *batch, enum member member, struct err *err)
{
    const struct shape weights = {1, {batch->classes}};

    switch ((unsigned)member) {
    case MEMBER_labels:
        return same_shape(&batch->labels.shape, &batch->position_shape) ||
               fail_shape(batch, "labels", &batch->labels, &batch->position_shape, err);
    case MEMBER_targets:
        return same_shape(&batch->targets.shape, &batch->logits.shape) ||
               fail_shape(batch, "targets", &batch->targets, &batch->logits.shape, err);
    case MEMBER_class_weights:
        if (same_shape(&batch->class_weights.shape, &weights))
            return true;
        if (batch->class_weights.shape.rank == 1)
            return fail(err, ERR_SHAPE_MISMATCH, "/class_weights",
                        "class_weights has %zu elements; one for each of the %zu classes "
                        "is wanted",
                        batch->class_weights.count, batch->classes);
        return fail(err, ERR_SHAPE_MISMATCH, "/class_weights",
                    "class_weights has rank %u; a plain list of %zu numbers is wanted",
                    batch->class_weights.shape.rank, batch->classes);
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
    if (!check_members(batch, err) || err_by(err, PHASE_SHAPE))
        return false;
    return check_shapes(batch, err) && batch_check_values(batch, err) &&
           err->kind == ERR_NONE;
}
