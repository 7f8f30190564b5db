/* From batch to result: slabs of rows are shared out over the pool, each scored whole
 * by one thread with scratch of its own, and the losses are added exactly, so that
 * neither the number of threads nor the order in which they finish can be seen in
 * the result. */
#include "lossd/engine/score.h"

#include <math.h>
#include <string.h>

#include "engine/average.h"
#include "engine/kernel/kernel.h"
#include "engine/kernel/vmath.h"
#include "engine/layout.h"
#include "engine/linear.h"
#include "engine/metrics.h"
#include "engine/slab.h"
#include "engine/warnings.h"
#include "engine/worker.h"
#include "lossd/engine/exact_sum.h"
#include "lossd/engine/loss.h"

enum {
    TOGETHER = 512, /* doubles to be worked on at once */
    NS_PER_LOGIT = 3
};

struct scoring {
    const struct batch *batch;
    struct result *result;
    const struct arithmetic *real;
    const void *logits; /* given, or made by the linear model */
    bool wants_softmax, wants_exps, wants_log_sum;
    bool is_weighted; /* positions differ: some are ignored, or have weights */
    struct average average;
};

/* ---- a slab ------------------------------------------------------------------- */

static const void *gather_logits(const struct scoring *scoring, size_t from, size_t rows,
                                 const struct worker *worker)
{
    const struct batch *batch = scoring->batch;
    const void *logits = layout_gather(batch, scoring->logits, layout_size(batch), from,
                                       rows, worker->logits);

    if (!layout_is_tempered(batch))
        return logits;
    scoring->real->temper(logits, rows * batch->classes, batch->softcap,
                          batch->temperature, worker->logits);
    return worker->logits;
}

/* Where all positions are kept the labels are those of the batch. */
static const int64_t *gather_labels(const struct scoring *scoring, size_t from,
                                    size_t rows, const struct worker *worker)
{
    const int64_t *labels = scoring->batch->labels.data;

    if (!labels || scoring->result->ignored == 0)
        return labels ? labels + from : NULL;
    for (size_t r = 0; r < rows; r++)
        worker->labels[r] = batch_keeps(scoring->batch, from + r) ? labels[from + r] : 0;
    return worker->labels;
}

static void gather_weights(const struct scoring *scoring, size_t from, size_t rows,
                           const struct worker *worker)
{
    const struct batch *batch = scoring->batch;

    for (size_t r = 0; r < rows; r++)
        worker->weights[r] = 1;
    if (!scoring->is_weighted)
        return;
    for (size_t r = 0; r < rows; r++)
        worker->weights[r] =
            batch_keeps(batch, from + r) ? batch_sample_weight(batch, from + r) : 0;
}

static void gather_truth(const struct scoring *scoring, size_t from, size_t rows,
                         const struct worker *worker, struct slab *slab)
{
    const struct batch *batch = scoring->batch;

    gather_weights(scoring, from, rows, worker);
    slab->weights = worker->weights;
    slab->labels = gather_labels(scoring, from, rows, worker);
    if (batch->targets.data)
        slab->targets = layout_gather(batch, batch->targets.data, sizeof(double), from,
                                      rows, worker->targets);
}

static struct slab make_slab(const struct scoring *scoring, size_t from, size_t rows,
                             const struct worker *worker)
{
    const struct batch *batch = scoring->batch;
    struct slab slab = {.real = scoring->real,
                        .batch = batch,
                        .rows = rows,
                        .classes = batch->classes,
                        .logits = gather_logits(scoring, from, rows, worker),
                        .sums = worker->sums,
                        .row = worker->row,
                        .other_row = worker->other_row};
    void *home = home_of_exps(batch, scoring->result);

    if (!scoring->wants_log_sum)
        slab.sums.log_sum = NULL;
    if (scoring->wants_exps)
        slab.exps = home ? layout_at(batch, home, from * batch->classes) : worker->exps;
    if (batch->task->needs_truth)
        gather_truth(scoring, from, rows, worker, &slab);
    return slab;
}

/* Where the slab's part of a result is made. */
static void *part_of(const struct slab *slab, size_t from, void *array,
                     const struct worker *worker)
{
    return layout_is_plain(slab->batch)
               ? layout_at(slab->batch, array, from * slab->classes)
               : worker->out;
}

static void put_part(const struct slab *slab, size_t from, const void *part, void *array)
{
    layout_scatter(slab->batch, part, layout_size(slab->batch), from, slab->rows, array);
}

/* ---- results of the softmax ----------------------------------------------------- */

static void put_probabilities(const struct slab *slab, size_t from,
                              const struct worker *worker, void *array)
{
    const struct loss *loss = slab->batch->loss;
    void *part = part_of(slab, from, array, worker);

    if (loss->probabilities)
        loss->probabilities(slab, part);
    else
        slab->real->probabilities(slab->logits, slab->exps, slab->rows, slab->classes,
                                  &slab->sums, part);
    put_part(slab, from, part, array);
}

static void put_log_probabilities(const struct slab *slab, size_t from,
                                  const struct worker *worker, void *array)
{
    const struct loss *loss = slab->batch->loss;
    void *part = part_of(slab, from, array, worker);

    if (loss->log_probabilities)
        loss->log_probabilities(slab, part);
    else
        slab->real->log_probabilities(slab->logits, slab->rows, slab->classes,
                                      &slab->sums, part);
    put_part(slab, from, part, array);
}

static void put_softmax(const struct slab *slab, size_t from, const struct worker *worker,
                        struct result *result)
{
    for (size_t r = 0; result->predictions && r < slab->rows; r++)
        result->predictions[from + r] = slab->sums.top[r];
    for (size_t r = 0; result->logsumexp && r < slab->rows; r++)
        result->logsumexp[from + r] = slab_log_sum_exp(slab, r);
    if (result->log_probabilities)
        put_log_probabilities(slab, from, worker, result->log_probabilities);
    if (result->probabilities)
        put_probabilities(slab, from, worker, result->probabilities);
}

/* ---- losses --------------------------------------------------------------------- */

static double weighted(double weight, double value)
{
    double product = weight * value;

    return weight == 0 ? 0 : product;
}

/* Values of rows, `each` for a row, times the rows' weights. */
static void weigh(const double *weights, size_t rows, size_t each, double *values)
{
    if (each == 1) {
        for (size_t r = 0; r < rows; r++)
            values[r] = weighted(weights[r], values[r]);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t i = r * each; i < (r + 1) * each; i++)
            values[i] = weighted(weights[r], values[i]);
}

static void scale_rows(const struct slab *slab, const double *weights, double by,
                       double *scale)
{
    double temperature = slab->batch->temperature;

    for (size_t r = 0; temperature != 1 && r < slab->rows; r++)
        scale[r] = weights[r] / temperature * by;
    for (size_t r = 0; temperature == 1 && r < slab->rows; r++)
        scale[r] = weights[r] * by;
}

/* Of the slab's loss. */
static void ask_gradient(const struct scoring *scoring, size_t from,
                         const struct worker *worker, struct slab *slab)
{
    slab->gradient = part_of(slab, from, scoring->result->gradient, worker);
    slab->scale = worker->scale;
    scale_rows(slab, worker->weights, scoring->average.scale, worker->scale);
    if (!has_penalties(scoring->batch))
        return;
    slab->penalty_scale = worker->penalty_scale;
    scale_rows(slab, worker->weights, scoring->average.penalty_scale,
               worker->penalty_scale);
}

static void add_penalties(const struct slab *slab, struct worker *worker, double *values)
{
    double *penalties = worker->penalties_of;

    weigh(slab->weights, slab->rows, 1, penalties);
    exact_sum_add_all(&worker->state.penalties, penalties, slab->rows);
    for (size_t r = 0; r < slab->rows; r++)
        values[r] += penalties[r];
}

static void add_losses(const struct scoring *scoring, const struct slab *slab,
                       size_t from, struct worker *worker)
{
    const struct batch *batch = scoring->batch;
    size_t each = batch->loss->is_elementwise ? slab->classes : 1;
    double *values = worker->values;

    batch->loss->score(slab, values, has_penalties(batch) ? worker->penalties_of : NULL);
    if (scoring->is_weighted)
        weigh(slab->weights, slab->rows, each, values);
    exact_sum_add_all(&worker->state.losses, values, slab->rows * each);
    if (has_penalties(batch))
        add_penalties(slab, worker, values);
    if (!scoring->result->losses)
        return;
    if (each > 1)
        layout_scatter(batch, values, sizeof *values, from, slab->rows,
                       scoring->result->losses);
    else
        memcpy(scoring->result->losses + from, values, slab->rows * sizeof *values);
}

/* ---- gradients ------------------------------------------------------------------- */

/* z is made of the logits: the softcap, and what is left of the scale.  (The
 * temperature is in the scale.) */
static void follow_chain(const struct scoring *scoring, const struct slab *slab,
                         size_t from, void *part, const struct worker *worker)
{
    const struct batch *batch = scoring->batch;
    size_t count = slab->rows * slab->classes;
    double values[TOGETHER];

    if (batch_has(batch, MEMBER_softcap)) {
        const void *logits = layout_gather(batch, scoring->logits, layout_size(batch),
                                           from, slab->rows, worker->logits);
        scoring->real->uncap(logits, count, batch->softcap, scoring->average.rest, part);
        return;
    }
    for (size_t from_here = 0, n; from_here < count; from_here += n) {
        void *at = layout_at(batch, part, from_here);
        n = count - from_here < TOGETHER ? count - from_here : TOGETHER;
        scoring->real->widen(at, n, values);
        for (size_t i = 0; i < n; i++)
            values[i] *= scoring->average.rest;
        scoring->real->narrow(values, n, at);
    }
}

static void finish_gradient(const struct scoring *scoring, const struct slab *slab,
                            size_t from, const struct worker *worker)
{
    if (scoring->average.rest != 1 || batch_has(scoring->batch, MEMBER_softcap))
        follow_chain(scoring, slab, from, slab->gradient, worker);
    put_part(slab, from, slab->gradient, scoring->result->gradient);
}

static void score_slab(const struct scoring *scoring, size_t from, size_t rows,
                       struct worker *worker)
{
    struct slab slab = make_slab(scoring, from, rows, worker);

    if (metrics_are_wanted(scoring->batch))
        metrics_ask(scoring->result, &slab, from, worker);
    if (scoring->wants_softmax)
        scoring->real->softmax(slab.logits, rows, slab.classes, slab.exps, &slab.sums);
    if (metrics_are_wanted(scoring->batch))
        metrics_add(scoring->result, &slab, from, worker);
    put_softmax(&slab, from, worker, scoring->result);
    if (!scoring->batch->task->needs_truth)
        return;
    if (scoring->result->gradient)
        ask_gradient(scoring, from, worker, &slab);
    add_losses(scoring, &slab, from, worker);
    if (scoring->result->gradient)
        finish_gradient(scoring, &slab, from, worker);
}

static void score_range(void *ctx, size_t from, size_t to, size_t worker)
{
    const struct scoring *scoring = ctx;
    size_t most = slab_rows(scoring->batch);

    for (size_t n = from; n < to; n += most)
        score_slab(scoring, n, to - n < most ? to - n : most,
                   &scoring->result->workers[worker]);
}

/* ---- all positions ---------------------------------------------------------- */

/* It belongs to no position: parts of a mean are each that of all of it. */
static void add_l2(const struct batch *batch, struct result *result)
{
    double penalty = result->workers[0].state.l2_penalty;

    result->loss += penalty;
    result->loss_sum +=
        batch->reduction == REDUCTION_MEAN ? penalty * result->divisor : penalty;
}

/* What the first worker's state comes to. */
static void conclude(const struct batch *batch, const struct average *average,
                     struct result *result)
{
    if (batch_wants(batch, OUTPUT_LOSS)) {
        average_finish(average, batch, result);
        if (batch->l2 > 0)
            add_l2(batch, result);
    }
    if (metrics_are_wanted(batch))
        metrics_finish(result, batch);
}

static void join_states(const struct batch *batch, struct result *result, size_t width)
{
    struct state *state = &result->workers[0].state;

    for (size_t i = 1; i < width; i++)
        state_merge(state, &result->workers[i].state, 0);
    metrics_complete(result, batch);
    if (batch_is_linear(batch))
        state->l2_penalty = linear_penalty(batch);
}

static void score_state(const struct batch *batch, struct result *result)
{
    result->workers[0].state = *batch->state;
    struct average average = average_of(batch, result);
    conclude(batch, &average, result);
}

static void score_logits(const struct batch *batch, struct result *result,
                         struct pool *pool)
{
    struct scoring scoring = {.batch = batch,
                              .result = result,
                              .real = kernel_here()->in[batch->dtype],
                              .logits = batch_is_linear(batch) ? result->logits
                                                               : batch->logits.data,
                              .wants_softmax = needs_softmax(batch),
                              .wants_exps = needs_exps(batch),
                              .wants_log_sum = needs_log_sum(batch)};
    size_t width = worker_count(batch, pool_width(pool));

    if (batch->task->needs_truth) {
        average_count(batch, &result->workers[0].state);
        scoring.average = average_of(batch, result);
        scoring.is_weighted = result->ignored > 0 || batch->sample_weights.data;
    }
    if (batch_is_linear(batch))
        linear_logits(batch, result, pool);
    pool_for(width > 1 ? pool : NULL, batch->positions,
             worker_grain(batch, pool_width(pool)), score_range, &scoring);
    if (batch->task->needs_truth) {
        join_states(batch, result, width);
        conclude(batch, &scoring.average, result);
    }
    if (batch_is_linear(batch))
        linear_gradients(batch, result, pool);
}

void score(const struct batch *batch, struct result *result, struct pool *pool)
{
    if (batch->state) {
        score_state(batch, result);
    } else {
        score_logits(batch, result, pool);
        result->state->look = look_of(batch);
    }
    result->warnings = warnings_of(&result->state->look);
}

int64_t score_cost_ns(const struct batch *batch)
{
    if (batch_is_linear(batch))
        return (int64_t)fmin(linear_count(batch) * NS_PER_LOGIT + linear_cost_ns(batch),
                             (double)INT64_MAX / 2);
    return (int64_t)batch->logits.count * NS_PER_LOGIT;
}
