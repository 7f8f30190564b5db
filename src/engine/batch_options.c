/* What an option or an output has to go with: a loss that has it, labels, a linear
 * model.  Ranges are batch.c's, for they need no other member.
 *
 * What would change nothing is refused: who gave it thinks that it does. */
#include "engine/batch_options.h"

#include <inttypes.h>
#include <stdio.h>

#include "lossd/engine/loss.h"
#include "lossd/engine/place.h"

enum { WHY_SIZE = 128 };

/* An option that the loss does not have may only be given at its default. */
static bool check_owner(const struct batch *batch, enum member member, struct err *err)
{
    const struct member_info *info = &member_infos[member];
    uint32_t of_others = 0;
    char pointer[PLACE_SIZE];

    for (size_t i = 0; i < loss_count; i++)
        of_others |= loss_table[i]->options;
    if (!(of_others >> member & 1) || batch->loss->options >> member & 1)
        return true;
    const void *field = (const char *)batch + info->offset;
    if (info->type == MEMBER_NUMBER && *(const double *)field == info->standard)
        return true;
    if (info->type == MEMBER_INTEGER &&
        *(const int64_t *)field == (int64_t)info->standard)
        return true;
    snprintf(pointer, sizeof pointer, "/%s", info->name);
    return fail(err, ERR_INVALID_OPTION, pointer, "%s is not an option of the loss %s",
                info->name, batch->loss->name);
}

/* l2 is of W, and there is one for all positions. */
static bool check_l2(const struct batch *batch, struct err *err)
{
    if (batch->l2 == 0)
        return true;
    if (!batch_is_linear(batch))
        return fail(err, ERR_INVALID_OPTION, "/l2",
                    "l2 is %s, but there is no W: it is an option of a linear model",
                    batch_spelling(batch, MEMBER_l2).text);
    return batch->reduction != REDUCTION_NONE ||
           fail(err, ERR_INVALID_OPTION, "/l2",
                "l2 is %s with reduction none: it belongs to no single position",
                batch_spelling(batch, MEMBER_l2).text);
}

static bool check_focal(const struct batch *batch, struct err *err)
{
    return batch->focal_gamma == 0 || !batch_has(batch, MEMBER_targets) ||
           fail(err, ERR_INVALID_OPTION, "/focal_gamma",
                "focal_gamma is %s with targets; it is an option for labels",
                batch_spelling(batch, MEMBER_focal_gamma).text);
}

/* Targets have a share for every class: there is no label to compare. */
static bool check_ignore_index(const struct batch *batch, struct err *err)
{
    bool may_be_labels =
        batch->loss->truths & TRUTH_LABELS && !batch_has(batch, MEMBER_targets);

    return may_be_labels ||
           (double)batch->ignore_index == member_infos[MEMBER_ignore_index].standard ||
           fail(err, ERR_INVALID_OPTION, "/ignore_index",
                "ignore_index is %" PRId64
                ", but targets have no labels to ignore; use sample_weights",
                batch->ignore_index);
}

/* Of an output that is asked for: by `return`, or by the outputs of an inference. */
static bool fail_output(const struct batch *batch, enum output output, const char *why,
                        struct err *err)
{
    return fail(err, ERR_INVALID_OPTION, batch->inference ? "/outputs" : "/return",
                "%s %s%s", batch->inference ? "outputs have" : "return has",
                output_names[output], why);
}

static bool check_output(const struct batch *batch, enum output output, struct err *err)
{
    bool is_of_linear = output >= OUTPUT_LOGITS && output <= OUTPUT_GRADIENT_B;
    bool is_of_one = output >= OUTPUT_METRICS && output < OUTPUT_STATE;
    char why[WHY_SIZE];

    if (is_of_linear && !batch_is_linear(batch))
        return fail_output(batch, output,
                           ", which is of a linear model: features and W are wanted",
                           err);
    if (output == OUTPUT_GRADIENT_B && !batch_has(batch, MEMBER_b))
        return fail_output(batch, output, ", but b is not given", err);
    if (output == OUTPUT_STATE && batch->reduction == REDUCTION_NONE)
        return fail_output(batch, output,
                           " with reduction none: losses of single positions are no sums",
                           err);
    if (is_of_one && batch->loss->is_elementwise) {
        snprintf(why, sizeof why,
                 ", which needs one class to be true; the loss %s has many",
                 batch->loss->name);
        return fail_output(batch, output, why, err);
    }
    if (output == OUTPUT_CONFUSION && batch->classes > batch->limits->max_confusion)
        return fail_limit(err, ERR_TOO_LARGE, batch->inference ? "/outputs" : "/return",
                          batch->limits->max_confusion, "--max-confusion",
                          "a confusion table of %zu classes is too large; at most %zu "
                          "are allowed",
                          batch->classes, batch->limits->max_confusion);
    return true;
}

bool batch_check_outputs(const struct batch *batch, struct err *err)
{
    for (enum output o = 0; o < OUTPUTS; o++)
        if (batch_wants(batch, o) && !check_output(batch, o, err))
            return false;
    return true;
}

bool batch_check_option(const struct batch *batch, enum member member, struct err *err)
{
    switch ((unsigned)member) {
    case MEMBER_ignore_index:
        return check_ignore_index(batch, err);
    case MEMBER_focal_gamma:
        return check_owner(batch, member, err) && check_focal(batch, err);
    case MEMBER_l2:
        return check_l2(batch, err);
    case MEMBER_return:
        return batch_check_outputs(batch, err);
    default:
        return check_owner(batch, member, err);
    }
}
