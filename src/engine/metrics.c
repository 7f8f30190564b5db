#include "engine/metrics.h"

#include "engine/worker.h"
#include "lossd/engine/state.h"

/* ---- room ----------------------------------------------------------------------- */

static bool room_for_calibration(struct calibration *out, size_t bins, struct arena *mem,
                                 struct err *err)
{
    double *doubles = arena_alloc(mem, 3 * bins + 1, sizeof *doubles, err);

    out->bins = bins;
    out->count = arena_alloc(mem, bins, sizeof *out->count, err);
    if (!doubles || !out->count)
        return false;
    out->edges = doubles;
    out->accuracy = doubles + bins + 1;
    out->confidence = out->accuracy + bins;
    return true;
}

static bool room_for_classes(struct per_class *out, size_t classes, struct arena *mem,
                             struct err *err)
{
    double *doubles = arena_alloc(mem, classes, 3 * sizeof *doubles, err);

    out->precision = doubles;
    out->recall = doubles ? doubles + classes : NULL;
    out->f1 = doubles ? doubles + 2 * classes : NULL;
    return doubles;
}

static bool room_for_tables(struct result *result, const struct batch *batch,
                            struct arena *mem, struct err *err)
{
    result->truths = arena_alloc(mem, batch->positions, sizeof *result->truths, err);
    if (batch_wants(batch, OUTPUT_CONFUSION))
        result->confusion = arena_zalloc(mem, batch->classes * batch->classes,
                                         sizeof *result->confusion, err);
    return result->truths && (result->confusion || !batch_wants(batch, OUTPUT_CONFUSION));
}

/* Classes are counted by the first alone, when all is done. */
static bool room_for_states(struct result *result, const struct batch *batch,
                            size_t width, struct arena *mem, struct err *err)
{
    size_t bins = summary_is_wanted(batch) ? (size_t)batch->ece_bins : 0;
    size_t classes = tables_are_wanted(batch) ? batch->classes : 0;

    for (size_t i = 0; i < width; i++)
        if (!state_init(&result->workers[i].state, bins, i == 0 ? classes : 0, mem, err))
            return false;
    return true;
}

bool metrics_init(struct result *result, const struct batch *batch, size_t width,
                  struct arena *mem, struct err *err)
{
    if (batch_wants(batch, OUTPUT_PER_CLASS) &&
        !room_for_classes(&result->per_class, batch->classes, mem, err))
        return false;
    if (batch_wants(batch, OUTPUT_CALIBRATION) &&
        !room_for_calibration(&result->calibration, (size_t)batch->ece_bins, mem, err))
        return false;
    if (batch->state || !metrics_are_wanted(batch))
        return true;
    if (tables_are_wanted(batch) && !room_for_tables(result, batch, mem, err))
        return false;
    return room_for_states(result, batch, width, mem, err);
}

/* ---- rows ------------------------------------------------------------------------ */

static size_t largest_share(const double *q, size_t classes)
{
    size_t largest = 0;

    for (size_t c = 1; c < classes; c++)
        if (q[c] > q[largest])
            largest = c;
    return largest;
}

static const int64_t *truth_of(const struct slab *slab, const struct worker *worker)
{
    return slab->labels ? slab->labels : worker->truth;
}

void metrics_ask(struct result *result, struct slab *slab, size_t from,
                 struct worker *worker)
{
    const int64_t *truth = truth_of(slab, worker);

    for (size_t r = 0; slab->targets && r < slab->rows; r++)
        worker->truth[r] =
            (int64_t)largest_share(slab->targets + r * slab->classes, slab->classes);
    for (size_t r = 0; result->truths && r < slab->rows; r++)
        result->truths[from + r] = batch_keeps(slab->batch, from + r) ? truth[r] : -1;
    if (!moments_are_wanted(slab->batch))
        return;
    worker->moments.labels = truth;
    slab->sums.moments = &worker->moments;
}

void metrics_add(const struct result *result, const struct slab *slab, size_t from,
                 struct worker *worker)
{
    if (!summary_is_wanted(slab->batch))
        return;
    for (size_t r = 0; result->ignored > 0 && r < slab->rows; r++)
        worker->kept[r] = batch_keeps(slab->batch, from + r);
    summary_add(&worker->state.summary, slab, truth_of(slab, worker),
                result->ignored > 0 ? worker->kept : NULL);
}

/* ---- tables ----------------------------------------------------------------------- */

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void count_classes(const struct result *result, const struct batch *batch,
                          const struct state *state)
{
    for (size_t n = 0; n < batch->positions; n++) {
        int64_t truth = result->truths[n], predicted = result->predictions[n];
        if (truth < 0)
            continue;
        state->support[truth]++;
        state->predicted[predicted]++;
        state->correct[truth] += truth == predicted;
        if (result->confusion)
            result->confusion[(size_t)truth * batch->classes + (size_t)predicted]++;
    }
}

void metrics_complete(const struct result *result, const struct batch *batch)
{
    struct state *state = &result->workers[0].state;

    if (moments_are_wanted(batch) && losses_are_nll(batch))
        state->summary.nll = state->losses;
    if (tables_are_wanted(batch))
        count_classes(result, batch, state);
}

static void compare_classes(struct per_class *out, const struct state *state,
                            size_t classes)
{
    out->support = state->support;
    out->predicted = state->predicted;
    for (size_t c = 0; c < classes; c++) {
        double right = (double)state->correct[c];
        double support = (double)out->support[c], predicted = (double)out->predicted[c];
        out->precision[c] = ratio(right, predicted);
        out->recall[c] = ratio(right, support);
        out->f1[c] = ratio(2 * right, support + predicted);
    }
}

void metrics_finish(struct result *result, const struct batch *batch)
{
    struct state *state = result->state;

    summary_settle(&state->summary);
    if (batch_wants(batch, OUTPUT_METRICS))
        result->metrics = summary_metrics(&state->summary);
    if (batch_wants(batch, OUTPUT_CALIBRATION))
        summary_calibration(&state->summary, &result->calibration);
    if (batch_wants(batch, OUTPUT_PER_CLASS))
        compare_classes(&result->per_class, state, batch->classes);
}
