/* The cells of all series lie one behind the other, and several times over: threads
 * that count at the same time each have a shard of their own, so that they do not
 * pull a line of memory back and forth between them.  A number is the sum of its
 * cells over the shards.  All is relaxed: numbers of one reading may be a few
 * requests apart, but none is ever lost. */
#include "lossd/obs/metrics.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lossd/obs/meter.h"

enum { SHARDS = 8, CACHE_LINE = 64, GAUGERS = 4 };

const struct metric_info metric_infos[METRIC_COUNT] = {
#define LABEL_BIT(id) UINT32_C(1) << LABEL_##id
#define METRIC(kind, id, unit, labels, help) {KIND_##kind, #id, unit, labels, help},
#include "lossd/obs/metrics.def"
};

const char *const metric_label_names[METRIC_LABELS] = {
#define LABEL(id, name) name,
#include "lossd/obs/metrics.def"
};

/* Bounds between which answers of a tenth of a millisecond and of some seconds can
 * be told apart; none is an integer, which older readers would spell in two ways. */
const struct bucket buckets[BUCKETS] = {
    {250000, "0.00025"}, {500000, "0.0005"},  {1000000, "0.001"},  {2500000, "0.0025"},
    {5000000, "0.005"},  {10000000, "0.01"},  {25000000, "0.025"}, {50000000, "0.05"},
    {100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},  {1500000000, "1.5"},
    {5500000000, "5.5"}, {INT64_MAX, "+Inf"},
};

struct gauger {
    void (*gauge)(void *ctx, struct meter *meter);
    void *ctx;
};

struct meter {
    struct metric_labels labels;
    size_t values[METRIC_LABELS];   /* of each label */
    size_t first[METRIC_COUNT + 1]; /* cell of each metric */
    size_t width[METRIC_COUNT];     /* its series */
    size_t shard_cells;             /* a whole number of cache lines */
    struct gauger gaugers[GAUGERS];
    _Atomic size_t asked;
    _Alignas(CACHE_LINE) _Atomic uint64_t cells[]; /* SHARDS * shard_cells */
};

static size_t cells_of_series(enum metric metric)
{
    return metric_infos[metric].kind == KIND_HISTOGRAM ? HISTOGRAM_CELLS : 1;
}

static bool has_label(enum metric metric, enum metric_label label)
{
    return metric_infos[metric].labels >> label & 1;
}

static size_t length(const char *const *values)
{
    size_t count = 0;

    while (values && values[count])
        count++;
    return count;
}

/* Where everything is, in a meter without cells. */
static void lay_out(struct meter *plan, const struct metric_labels *labels)
{
    size_t cells = 0, line = CACHE_LINE / sizeof(uint64_t);

    plan->labels = *labels;
    for (enum metric_label l = 0; l < METRIC_LABELS; l++)
        plan->values[l] = length(labels->values[l]);
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        plan->first[m] = cells;
        plan->width[m] = 1;
        for (enum metric_label l = 0; l < METRIC_LABELS; l++)
            if (has_label(m, l))
                plan->width[m] *= plan->values[l];
        cells += plan->width[m] * cells_of_series(m);
    }
    plan->first[METRIC_COUNT] = cells;
    plan->shard_cells = (cells + line - 1) / line * line;
}

struct meter *meter_new(const struct metric_labels *labels)
{
    struct meter plan = {0};

    lay_out(&plan, labels);
    size_t size = sizeof plan + SHARDS * plan.shard_cells * sizeof *plan.cells;
    size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct meter *meter = aligned_alloc(CACHE_LINE, size);
    if (!meter)
        return NULL;
    memset(meter, 0, size);
    lay_out(meter, labels);
    return meter;
}

void meter_free(struct meter *meter)
{
    free(meter);
}

/* ---- counting ---------------------------------------------------------------- */

static size_t shard_here(void)
{
    static _Atomic unsigned threads;
    static _Thread_local unsigned mine; /* from 1; 0 until asked for */

    if (mine == 0)
        mine = 1 + atomic_fetch_add(&threads, 1) % SHARDS;
    return mine - 1;
}

static _Atomic uint64_t *cell_at(struct meter *meter, size_t shard, enum metric metric,
                                 size_t series, size_t cell)
{
    assert(series < meter->width[metric]);
    return &meter->cells[shard * meter->shard_cells + meter->first[metric] +
                         series * cells_of_series(metric) + cell];
}

static void count(_Atomic uint64_t *cell, uint64_t n)
{
    atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

size_t meter_series(const struct meter *meter, enum metric metric, const size_t at[])
{
    size_t series = 0;

    if (!meter)
        return 0;
    for (enum metric_label l = 0; l < METRIC_LABELS; l++)
        if (has_label(metric, l)) {
            assert(*at < meter->values[l]);
            series = series * meter->values[l] + *at++;
        }
    return series;
}

void meter_add(struct meter *meter, enum metric metric, size_t series, uint64_t n)
{
    assert(metric_infos[metric].kind == KIND_COUNTER);
    if (meter)
        count(cell_at(meter, shard_here(), metric, series, 0), n);
}

void meter_set(struct meter *meter, enum metric metric, size_t series, uint64_t value)
{
    assert(metric_infos[metric].kind <= KIND_GAUGE);
    if (meter)
        atomic_store_explicit(cell_at(meter, 0, metric, series, 0), value,
                              memory_order_relaxed);
}

void meter_observe(struct meter *meter, enum metric metric, size_t series, int64_t ns)
{
    size_t bucket = 0;

    assert(metric_infos[metric].kind == KIND_HISTOGRAM);
    if (!meter)
        return;
    if (ns < 0)
        ns = 0;
    while (ns > buckets[bucket].most_ns)
        bucket++;
    _Atomic uint64_t *cells = cell_at(meter, shard_here(), metric, series, 0);
    count(&cells[bucket], 1);
    count(&cells[CELL_SUM], (uint64_t)ns);
}

/* ---- reading ----------------------------------------------------------------- */

void meter_ask(struct meter *meter, void (*gauge)(void *ctx, struct meter *meter),
               void *ctx)
{
    if (!meter)
        return;
    size_t place = atomic_load(&meter->asked);
    assert(place < GAUGERS);
    meter->gaugers[place] = (struct gauger){gauge, ctx};
    atomic_store(&meter->asked, place + 1);
}

void meter_gauge(struct meter *meter)
{
    size_t asked = atomic_load(&meter->asked);

    for (size_t i = 0; i < asked; i++)
        meter->gaugers[i].gauge(meter->gaugers[i].ctx, meter);
}

size_t meter_width(const struct meter *meter, enum metric metric)
{
    return meter->width[metric];
}

const char *meter_label(const struct meter *meter, enum metric metric, size_t series,
                        enum metric_label label)
{
    for (enum metric_label l = METRIC_LABELS - 1; l > label; l--)
        if (has_label(metric, l))
            series /= meter->values[l];
    return meter->labels.values[label][series % meter->values[label]];
}

uint64_t meter_read(const struct meter *meter, enum metric metric, size_t series,
                    size_t cell)
{
    size_t at = meter->first[metric] + series * cells_of_series(metric) + cell;
    uint64_t sum = 0;

    for (size_t shard = 0; shard < SHARDS; shard++)
        sum += atomic_load_explicit(&meter->cells[shard * meter->shard_cells + at],
                                    memory_order_relaxed);
    return sum;
}
