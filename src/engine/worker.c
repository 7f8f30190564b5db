#include "engine/worker.h"

#include "engine/layout.h"
#include "engine/linear.h"
#include "engine/metrics.h"
#include "lossd/engine/loss.h"

enum {
    GRAIN_LOGITS = 16384,  /* a thread takes at least so many at a time; */
    SHARES = 8,            /* neighbouring rows, for they are fetched ahead */
    INLINE_LOGITS = 65536, /* fewer are not worth waking a thread */
};

/* ---- who makes how much at a time ------------------------------------------------ */

size_t worker_grain(const struct batch *batch, size_t width)
{
    size_t least = GRAIN_LOGITS / batch->classes + 1;
    size_t share = batch->positions / (SHARES * width);

    return share > least ? share : least;
}

size_t worker_count(const struct batch *batch, size_t width)
{
    size_t grain = worker_grain(batch, width);
    size_t shares = batch->positions / grain + (batch->positions % grain > 0);

    if (batch->logits.count < INLINE_LOGITS || shares <= 1)
        return 1;
    return shares < width ? shares : width;
}

/* ---- what is asked for -------------------------------------------------------- */

bool needs_predictions(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_PREDICTIONS) || tables_are_wanted(batch);
}

bool needs_losses(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_LOSSES) ||
           (batch_wants(batch, OUTPUT_LOSS) && batch->reduction == REDUCTION_NONE);
}

bool needs_gradient(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_GRADIENT) || linear_wants_gradient(batch);
}

bool needs_exps(const struct batch *batch)
{
    bool of_loss = needs_gradient(batch) && batch->loss->needs_softmax;
    bool of_metrics = moments_are_wanted(batch) && batch->targets.data;

    return of_loss || of_metrics ||
           (batch_wants(batch, OUTPUT_PROBABILITIES) && !batch->loss->probabilities);
}

bool needs_softmax(const struct batch *batch)
{
    bool of_loss = batch->task->needs_truth && batch->loss->needs_softmax;

    return of_loss || needs_exps(batch) || summary_is_wanted(batch) ||
           batch_wants(batch, OUTPUT_LOG_PROBABILITIES) ||
           batch_wants(batch, OUTPUT_LOGSUMEXP) || needs_predictions(batch);
}

void *home_of_exps(const struct batch *batch, const struct result *result)
{
    if (!layout_is_plain(batch) ||
        batch->classes <= kernel_here()->in[batch->dtype]->tiled_classes)
        return NULL;
    return result->gradient && batch->loss->needs_softmax ? result->gradient
                                                          : result->probabilities;
}

bool needs_row(const struct batch *batch)
{
    return batch->targets.data || batch->label_smoothing > 0 || batch->focal_gamma > 0 ||
           (batch->dtype == DTYPE_FLOAT32 &&
            (batch->z_loss > 0 || batch_wants(batch, OUTPUT_LOGSUMEXP))) ||
           batch->loss->needs_row;
}

/* Probabilities can do without it. */
bool needs_log_sum(const struct batch *batch)
{
    return batch->task->needs_truth || batch_wants(batch, OUTPUT_LOG_PROBABILITIES) ||
           batch_wants(batch, OUTPUT_LOGSUMEXP);
}
