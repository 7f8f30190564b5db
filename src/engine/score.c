/* From batch to result: rows are shared out over the pool, each scored whole by
 * one thread with scratch of its own, and the losses are added exactly, so that
 * neither the number of threads nor the order in which they finish can be seen
 * in the result. */
#include "lossd/engine/score.h"

#include <math.h>
#include <string.h>

#include "engine/exact_sum.h"
#include "engine/kernel.h"
#include "lossd/engine/loss.h"

enum {
    GRAIN_LOGITS = 16384,  /* a thread takes about so many at a time */
    INLINE_LOGITS = 16384, /* fewer are not worth waking a thread */
    NS_PER_LOGIT = 6
};

/* What one thread needs: four rows and its share of the sum. */
struct worker {
    struct exact_sum losses;
    double *logits; /* gathered, widened, divided by the temperature */
    double *exps;
    double *out;     /* a row of results before it is narrowed and scattered */
    double *targets; /* gathered */
    float *floats;   /* gathered, before they are widened: shares room with `out` */
};

struct scoring {
    const struct batch *batch;
    struct result *result;
    const struct kernel *kernel;
    struct worker *workers;
    double gradient_scale; /* 1 / divisor for a mean, 0 when that is 0; in two */
    double gradient_rest;  /* factors, because it may be beyond the range */
};

/* ---- room ------------------------------------------------------------------- */

static bool needs_losses(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_LOSSES) ||
           (batch_wants(batch, OUTPUT_LOSS) && batch->reduction == REDUCTION_NONE);
}

static bool room_for_row_shaped(void **array, const struct batch *batch,
                                enum output output, struct arena *mem, struct err *err)
{
    size_t size = batch->dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);

    if (!batch_wants(batch, output))
        return true;
    *array = arena_alloc(mem, batch->logits.count, size, err);
    return *array != NULL;
}

static bool room_for_positions(void **array, const struct batch *batch, bool wanted,
                               struct arena *mem, struct err *err)
{
    if (!wanted)
        return true;
    *array = arena_alloc(mem, batch->positions, sizeof(double), err);
    return *array != NULL;
}

static bool room_for_workers(struct result *result, const struct batch *batch,
                             size_t width, struct arena *mem, struct err *err)
{
    struct worker *workers = arena_zalloc(mem, width, sizeof *workers, err);

    result->workers = workers;
    for (size_t i = 0; workers && i < width; i++) {
        double *rows = arena_alloc(mem, batch->classes, 4 * sizeof(double), err);
        if (!rows)
            return false;
        workers[i].logits = rows;
        workers[i].exps = rows + batch->classes;
        workers[i].out = rows + 2 * batch->classes;
        workers[i].targets = rows + 3 * batch->classes;
        workers[i].floats = (void *)workers[i].out;
    }
    return workers != NULL;
}

bool result_init(struct result *result, const struct batch *batch, size_t width,
                 struct arena *mem, struct err *err)
{
    void *losses = NULL, *logsumexp = NULL, *predictions = NULL;

    memset(result, 0, sizeof *result);
    if (!room_for_workers(result, batch, width, mem, err) ||
        !room_for_row_shaped(&result->probabilities, batch, OUTPUT_PROBABILITIES, mem,
                             err) ||
        !room_for_row_shaped(&result->log_probabilities, batch, OUTPUT_LOG_PROBABILITIES,
                             mem, err) ||
        !room_for_row_shaped(&result->gradient, batch, OUTPUT_GRADIENT, mem, err) ||
        !room_for_positions(&losses, batch, needs_losses(batch), mem, err) ||
        !room_for_positions(&logsumexp, batch, batch_wants(batch, OUTPUT_LOGSUMEXP), mem,
                            err) ||
        !room_for_positions(&predictions, batch, batch_wants(batch, OUTPUT_PREDICTIONS),
                            mem, err))
        return false;
    result->losses = losses;
    result->logsumexp = logsumexp;
    result->predictions = predictions;
    return true;
}

/* ---- one position ----------------------------------------------------------- */

static void gather(const double *from, size_t stride, size_t n, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i * stride];
}

static void gather_floats(const float *from, size_t stride, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i * stride];
}

/* The position's row in float64, next to each other, divided by the temperature. */
static const double *gather_logits(const struct scoring *scoring, size_t position,
                                   struct worker *worker)
{
    const struct batch *batch = scoring->batch;
    size_t row = batch_row(batch, position), classes = batch->classes;

    if (batch->logits.element == ELEMENT_FLOAT32) {
        const float *from = (const float *)batch->logits.data + row;
        if (batch->inner != 1) {
            gather_floats(from, batch->inner, classes, worker->floats);
            from = worker->floats;
        }
        scoring->kernel->widen(from, classes, batch->temperature, worker->logits);
        return worker->logits;
    }
    const double *from = (const double *)batch->logits.data + row;
    if (batch->inner == 1 && batch->temperature == 1)
        return from;
    gather(from, batch->inner, classes, worker->logits);
    for (size_t c = 0; c < classes; c++)
        worker->logits[c] /= batch->temperature;
    return worker->logits;
}

static const double *gather_targets(const struct batch *batch, size_t position,
                                    struct worker *worker)
{
    const double *targets = batch->targets.data;
    size_t row = batch_row(batch, position);

    if (!targets)
        return NULL;
    if (batch->inner == 1)
        return targets + row;
    gather(targets + row, batch->inner, batch->classes, worker->targets);
    return worker->targets;
}

/* Where a row of float64 results can be written without a copy, else scratch. */
static double *row_target(const struct batch *batch, size_t position, void *array,
                          struct worker *worker)
{
    if (batch->dtype == DTYPE_FLOAT64 && batch->inner == 1)
        return (double *)array + batch_row(batch, position);
    return worker->out;
}

static void scatter(const struct scoring *scoring, size_t position, const double *from,
                    void *array)
{
    const struct batch *batch = scoring->batch;
    size_t row = batch_row(batch, position), stride = batch->inner;

    if (batch->dtype == DTYPE_FLOAT32 && stride == 1) {
        scoring->kernel->narrow(from, batch->classes, (float *)array + row);
    } else if (batch->dtype == DTYPE_FLOAT32) {
        for (size_t c = 0; c < batch->classes; c++)
            ((float *)array)[row + c * stride] = (float)from[c] + 0; /* as narrow() */
    } else if (from != (double *)array + row) {
        for (size_t c = 0; c < batch->classes; c++)
            ((double *)array)[row + c * stride] = from[c];
    }
}

static double sample_weight(const struct batch *batch, size_t position)
{
    const double *weights = batch->sample_weights.data;

    return weights ? weights[position] : 1;
}

static bool is_kept(const struct batch *batch, size_t position)
{
    const int64_t *labels = batch->labels.data;

    return !labels || labels[position] != batch->ignore_index;
}

static void score_loss(const struct scoring *scoring, size_t position,
                       const struct row *row, struct worker *worker)
{
    const struct batch *batch = scoring->batch;
    struct result *result = scoring->result;
    const int64_t *labels = batch->labels.data;
    struct truth truth = {
        .label = labels ? labels[position] : -1,
        .targets = gather_targets(batch, position, worker),
        .class_weights = batch->class_weights.data,
        .label_smoothing = batch->label_smoothing,
    };
    double weight = is_kept(batch, position) ? sample_weight(batch, position) : 0;
    double loss = weight == 0 ? 0 : weight * batch->loss->value(row, &truth);

    exact_sum_add(&worker->losses, loss);
    if (result->losses)
        result->losses[position] = loss;
    if (!result->gradient)
        return;
    double scale = weight * scoring->gradient_scale;
    double *out = row_target(batch, position, result->gradient, worker);
    if (scale == 0)
        memset(out, 0, batch->classes * sizeof *out);
    else
        batch->loss->gradient(row, &truth, scale, out);
    if (scoring->gradient_rest != 1 || batch->temperature != 1)
        for (size_t c = 0; c < batch->classes; c++) /* z is logits / temperature */
            out[c] = out[c] * scoring->gradient_rest / batch->temperature;
    scatter(scoring, position, out, result->gradient);
}

static void score_position(const struct scoring *scoring, size_t position,
                           struct worker *worker)
{
    const struct batch *batch = scoring->batch;
    struct result *result = scoring->result;
    struct row row;

    scoring->kernel->softmax(gather_logits(scoring, position, worker), batch->classes,
                             worker->exps, &row);
    if (result->predictions)
        result->predictions[position] = (int64_t)row.top;
    if (result->logsumexp)
        result->logsumexp[position] = row.max + row.log_sum;
    if (result->probabilities) {
        double *out = row_target(batch, position, result->probabilities, worker);
        scoring->kernel->probabilities(&row, 1, out);
        scatter(scoring, position, out, result->probabilities);
    }
    if (result->log_probabilities) {
        double *out = row_target(batch, position, result->log_probabilities, worker);
        scoring->kernel->log_probabilities(&row, out);
        scatter(scoring, position, out, result->log_probabilities);
    }
    if (batch->task->needs_truth)
        score_loss(scoring, position, &row, worker);
}

static void score_range(void *ctx, size_t from, size_t to, size_t worker)
{
    const struct scoring *scoring = ctx;

    for (size_t n = from; n < to; n++)
        score_position(scoring, n, &scoring->workers[worker]);
}

/* ---- all positions ---------------------------------------------------------- */

/* What the mean divides by: for labels the sum of class weight times sample
 * weight over the positions kept, for targets that of the sample weights. */
static void count_positions(const struct batch *batch, struct result *result)
{
    const double *class_weights = batch->class_weights.data;
    const int64_t *labels = batch->labels.data;
    struct exact_sum divisor = {0};
    bool weighted = (labels && class_weights) || batch->sample_weights.data;

    for (size_t n = 0; n < batch->positions; n++) {
        if (!is_kept(batch, n))
            continue;
        result->count++;
        if (weighted)
            exact_sum_add(&divisor,
                          sample_weight(batch, n) *
                              (labels && class_weights ? class_weights[labels[n]] : 1));
    }
    result->ignored = batch->positions - result->count;
    result->divisor = weighted ? exact_sum_value(&divisor) : (double)result->count;
    if (batch_has(batch, MEMBER_divisor))
        result->divisor = batch->divisor;
}

/* A divisor may be so small that 1 / divisor is infinite where the gradient, which
 * has the same small weights above the line, is not. */
static void scale_gradient(struct scoring *scoring)
{
    const double large = 0x1p600;
    double divisor = scoring->result->divisor;

    if (scoring->batch->reduction != REDUCTION_MEAN)
        return;
    if (divisor == 0) {
        scoring->gradient_scale = 0;
    } else if (divisor < 1 / large) {
        scoring->gradient_scale = large;
        scoring->gradient_rest = 1 / (divisor * large);
    } else {
        scoring->gradient_scale = 1 / divisor;
    }
}

static void reduce(const struct batch *batch, struct result *result,
                   struct worker *workers, size_t width)
{
    for (size_t i = 1; i < width; i++)
        exact_sum_merge(&workers[0].losses, &workers[i].losses);
    result->loss_sum = exact_sum_value(&workers[0].losses);
    result->loss = result->loss_sum;
    if (batch->reduction == REDUCTION_MEAN)
        result->loss =
            result->divisor == 0 ? (double)NAN : result->loss_sum / result->divisor;
}

void score(const struct batch *batch, struct result *result, struct pool *pool)
{
    struct scoring scoring = {batch, result, kernel_here(), result->workers, 1, 1};
    struct pool *threads = batch->logits.count < INLINE_LOGITS ? NULL : pool;
    size_t grain = GRAIN_LOGITS / batch->classes + 1;

    if (batch->task->needs_truth) {
        count_positions(batch, result);
        scale_gradient(&scoring);
    }
    pool_for(threads, batch->positions, grain, score_range, &scoring);
    if (batch->task->needs_truth)
        reduce(batch, result, result->workers, pool_width(threads));
}

int64_t score_cost_ns(const struct batch *batch)
{
    return (int64_t)batch->logits.count * NS_PER_LOGIT;
}
