#include "engine/average.h"

#include <math.h>

#include "engine/worker.h"
#include "lossd/engine/exact_sum.h"
#include "lossd/engine/loss.h"

enum {
    TOGETHER = 512, /* weights to be added at once */
    DOWN = -100     /* a power of two that brings any divisor into the range */
};

static void sum_weights(const struct batch *batch, const double *class_weights,
                        struct exact_sum *sum)
{
    const int64_t *labels = batch->labels.data;
    double weights[TOGETHER];

    for (size_t from = 0; from < batch->positions; from += TOGETHER) {
        size_t count = 0;
        for (size_t n = from; n < batch->positions && n - from < TOGETHER; n++)
            if (batch_keeps(batch, n))
                weights[count++] = batch_sample_weight(batch, n) *
                                   (class_weights ? class_weights[labels[n]] : 1);
        exact_sum_add_all(sum, weights, count);
    }
}

static size_t count_ignored(const struct batch *batch)
{
    const int64_t *labels = batch->labels.data;
    size_t ignored = 0;

    for (size_t n = 0; labels && n < batch->positions; n++)
        ignored += labels[n] == batch->ignore_index;
    return ignored;
}

/* For labels positions weigh class weight times sample weight, for targets the sample
 * weights alone. */
void average_count(const struct batch *batch, struct state *state)
{
    bool counts_weights = batch->labels.data && !batch->loss->ignores_weights;
    const double *class_weights = counts_weights ? batch->class_weights.data : NULL;

    state->ignored = count_ignored(batch);
    state->count = batch->positions - state->ignored;
    state->is_weighted = class_weights || batch->sample_weights.data;
    if (state->is_weighted)
        sum_weights(batch, class_weights, &state->weights);
}

/* What the mean divides by; all that for each class when the loss is elementwise. */
static void divide(const struct batch *batch, struct state *state, struct result *result,
                   struct average *average)
{
    double each = batch->loss->is_elementwise ? (double)batch->classes : 1;

    result->ignored = state->ignored;
    result->count = state->count;
    if (batch_has(batch, MEMBER_divisor)) {
        result->divisor = batch->divisor;
    } else if (state->is_weighted) {
        result->divisor = exact_sum_value(&state->weights) * each;
        average->small_divisor = exact_sum_scaled(&state->weights, DOWN) * each;
    } else {
        result->divisor = (double)state->count * each;
    }
}

/* What penalties are divided by: the plain count. */
static double penalty_divisor(const struct batch *batch, const struct result *result)
{
    return batch_has(batch, MEMBER_divisor) ? batch->divisor : (double)result->count;
}

/* A divisor may be so small that 1 / divisor is infinite where the gradient, which
 * has the same small weights above the line, is not; or so large that it is 0. */
static void scale_gradient(double divisor, double penalty_divisor,
                           struct average *average)
{
    const double large = 0x1p600;

    if (divisor == 0) {
        average->scale = average->penalty_scale = 0;
        return;
    }
    if (divisor < 1 / large) {
        average->scale = large;
        average->rest = 1 / (divisor * large);
    } else if (isinf(divisor)) {
        average->scale = 1 / average->small_divisor;
        average->rest = ldexp(1, DOWN);
    } else {
        average->scale = 1 / divisor;
    }
    average->penalty_scale = 1 / penalty_divisor / average->rest;
}

struct average average_of(const struct batch *batch, struct result *result)
{
    struct average average = {.scale = 1, .rest = 1, .penalty_scale = 1};

    divide(batch, &result->workers[0].state, result, &average);
    if (batch->reduction == REDUCTION_MEAN)
        scale_gradient(result->divisor, penalty_divisor(batch, result), &average);
    return average;
}

static double mean_of(const struct average *average, double divisor,
                      struct exact_sum *losses)
{
    return isinf(divisor) ? exact_sum_scaled(losses, DOWN) / average->small_divisor
                          : exact_sum_over(losses, divisor);
}

void average_finish(const struct average *average, const struct batch *batch,
                    struct result *result)
{
    struct state *state = &result->workers[0].state;
    struct exact_sum *losses = &state->losses, *penalties = &state->penalties;
    bool is_mean = batch->reduction == REDUCTION_MEAN;
    double divisor = result->divisor, other = penalty_divisor(batch, result);

    if (is_mean && divisor == 0) {
        result->loss_sum = exact_sum_value(losses);
        result->loss = (double)NAN;
    } else if (is_mean && has_penalties(batch) && other != divisor) {
        result->loss =
            mean_of(average, divisor, losses) + exact_sum_over(penalties, other);
        result->loss_sum = result->loss * divisor;
    } else {
        struct exact_sum both, *whole = losses;
        if (has_penalties(batch)) {
            both = *losses;
            exact_sum_merge(&both, penalties);
            whole = &both;
        }
        result->loss = result->loss_sum = exact_sum_value(whole);
        if (is_mean)
            result->loss = mean_of(average, divisor, whole);
    }
}
