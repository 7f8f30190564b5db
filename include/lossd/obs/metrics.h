/* Counts and gauges for monitoring: a dense array of numbers, one for each series
 * of each metric in metrics.def.
 *
 * The values that a label can take are tables handed over at the start, so a
 * series is an index and nothing that a client sends can make a new one.  Counting
 * takes no lock and no memory, some nanoseconds, and may be done from any thread.
 * A NULL meter takes nothing. */
#ifndef LOSSD_OBS_METRICS_H
#define LOSSD_OBS_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum metric_label {
#define LABEL(id, name) LABEL_##id,
#include "lossd/obs/metrics.def"
    METRIC_LABELS
};

enum metric {
#define METRIC(kind, id, ...) METRIC_##id,
#include "lossd/obs/metrics.def"
    METRIC_COUNT
};

/* Tables of the values of each label, each ending with NULL.  A label with one
 * value is the same everywhere. */
struct metric_labels {
    const char *const *values[METRIC_LABELS];
};

struct meter;

/* All zero.  The labels must outlive it.  NULL: no memory. */
struct meter *meter_new(const struct metric_labels *labels);
void meter_free(struct meter *meter);

/* The series in which each label of the metric has the value of that index, in the
 * order of the labels; of a metric with one label simply that index, without any 0. */
size_t meter_series(const struct meter *meter, enum metric metric, const size_t at[]);

/* Counters. */
void meter_add(struct meter *meter, enum metric metric, size_t series, uint64_t n);

/* Gauges, and counters that somebody else counts. */
void meter_set(struct meter *meter, enum metric metric, size_t series, uint64_t value);

/* Histograms. */
void meter_observe(struct meter *meter, enum metric metric, size_t series, int64_t ns);

/* Calls `gauge` whenever the meter is about to be read, to set what others know at
 * that moment; from any thread, also from several at once.  At most four. */
void meter_ask(struct meter *meter, void (*gauge)(void *ctx, struct meter *meter),
               void *ctx);

#endif
