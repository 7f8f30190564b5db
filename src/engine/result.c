/* Room for what a batch asks for, and for the threads that make it. */
#include <string.h>

#include "engine/layout.h"
#include "engine/linear.h"
#include "engine/metrics.h"
#include "engine/worker.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/score.h"

/* Room for `count` elements, if wanted; false: no memory. */
static bool room_for(void **array, bool wanted, size_t count, size_t size,
                     struct arena *mem, struct err *err)
{
    *array = wanted ? arena_alloc(mem, count, size, err) : NULL;
    return *array || !wanted;
}

static bool room_for_arrays(struct result *result, const struct batch *batch,
                            struct arena *mem, struct err *err)
{
    size_t count = batch->logits.count, size = layout_size(batch);
    size_t losses = batch->loss->is_elementwise ? count : batch->positions;
    void *doubles[2], *integers;

    if (!room_for(&result->probabilities, batch_wants(batch, OUTPUT_PROBABILITIES), count,
                  size, mem, err) ||
        !room_for(&result->log_probabilities,
                  batch_wants(batch, OUTPUT_LOG_PROBABILITIES), count, size, mem, err) ||
        !room_for(&result->gradient, needs_gradient(batch), count, size, mem, err) ||
        !room_for(&doubles[0], needs_losses(batch), losses, sizeof(double), mem, err) ||
        !room_for(&doubles[1], batch_wants(batch, OUTPUT_LOGSUMEXP), batch->positions,
                  sizeof(double), mem, err) ||
        !room_for(&integers, needs_predictions(batch), batch->positions, sizeof(int64_t),
                  mem, err))
        return false;
    result->losses = doubles[0];
    result->logsumexp = doubles[1];
    result->predictions = integers;
    result->loss_shape =
        batch->loss->is_elementwise ? &batch->logits.shape : &batch->position_shape;
    return true;
}

static bool room_for_slab(struct worker *worker, const struct batch *batch,
                          const struct result *result, struct arena *mem, struct err *err)
{
    size_t rows = slab_rows(batch), count = rows * batch->classes;
    size_t size = layout_size(batch);
    bool plain = layout_is_plain(batch);
    void *targets, *values, *row;

    if (!room_for(&worker->logits, !plain || layout_is_tempered(batch), count, size, mem,
                  err) ||
        !room_for(&worker->exps, needs_exps(batch) && !home_of_exps(batch, result),
                  exps_room(rows, batch->classes), size, mem, err) ||
        !room_for(&worker->out, !plain, count, sizeof(double), mem, err) ||
        !room_for(&targets, !plain && batch->targets.data, count, sizeof(double), mem,
                  err) ||
        !room_for(&values, batch->loss->is_elementwise, count, sizeof(double), mem,
                  err) ||
        !room_for(&row, needs_row(batch), batch->classes, 2 * sizeof(double), mem, err))
        return false;
    worker->targets = targets;
    worker->values = values;
    worker->row = row;
    worker->other_row = row ? worker->row + batch->classes : NULL;
    return true;
}

static bool room_for_rows(struct worker *worker, const struct batch *batch,
                          struct arena *mem, struct err *err)
{
    size_t rows = slab_rows(batch);
    double **const doubles[] = {
        &worker->sums.max,    &worker->sums.rest,       &worker->sums.log_sum,
        &worker->sums.peak,   &worker->sums.factor,     &worker->weights,
        &worker->scale,       &worker->penalties_of,    &worker->penalty_scale,
        &worker->moments.nll, &worker->moments.entropy, &worker->moments.brier};
    enum { DOUBLES = sizeof doubles / sizeof doubles[0], LINE = 64 / sizeof(double) };
    size_t stride = (rows + LINE - 1) / LINE * LINE;
    double *room = arena_alloc(mem, (size_t)(DOUBLES + 1) * stride, sizeof *room, err);
    int64_t *integers = arena_alloc(mem, (size_t)4 * stride, sizeof *integers, err);

    worker->kept = arena_alloc(mem, rows, sizeof *worker->kept, err);
    if (!room || !integers || !worker->kept)
        return false;
    for (size_t i = 0; i < DOUBLES; i++)
        *doubles[i] = room + i * stride;
    if (!worker->values)
        worker->values = room + (size_t)DOUBLES * stride;
    worker->sums.top = integers;
    worker->labels = integers + stride;
    worker->truth = integers + 2 * stride;
    worker->moments.rank = integers + 3 * stride;
    return true;
}

bool result_init(struct result *result, const struct batch *batch, size_t width,
                 struct arena *mem, struct err *err)
{
    size_t scorers = batch->state ? 1 : worker_count(batch, width);

    memset(result, 0, sizeof *result);
    result->workers = arena_zalloc(mem, scorers, sizeof *result->workers, err);
    if (!result->workers)
        return false;
    result->state = &result->workers[0].state;
    if (batch->state)
        return metrics_init(result, batch, scorers, mem, err);
    if (!room_for_arrays(result, batch, mem, err))
        return false;
    if (batch_is_linear(batch) && !linear_init(result, batch, width, mem, err))
        return false;
    if (!metrics_init(result, batch, scorers, mem, err))
        return false;
    for (size_t i = 0; i < scorers; i++)
        if (!room_for_slab(&result->workers[i], batch, result, mem, err) ||
            !room_for_rows(&result->workers[i], batch, mem, err))
            return false;
    return true;
}
