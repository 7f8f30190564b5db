/* A meter from inside: for those who write it down. */
#ifndef LOSSD_OBS_METER_H
#define LOSSD_OBS_METER_H

#include <stdint.h>

#include "lossd/obs/metrics.h"

enum metric_kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM, KIND_INFO };

struct metric_info {
    enum metric_kind kind;
    const char *name;
    const char *unit; /* "" for none */
    uint32_t labels;  /* bits of enum metric_label */
    const char *help;
};

extern const struct metric_info metric_infos[METRIC_COUNT];
extern const char *const metric_label_names[METRIC_LABELS];

enum { BUCKETS = 14 }; /* the last without a bound */

struct bucket {
    int64_t most_ns;
    const char *most; /* the same in seconds, as it is written */
};

extern const struct bucket buckets[BUCKETS];

/* Cells of a series: its value, or of a histogram: */
enum { CELL_SUM = BUCKETS, HISTOGRAM_CELLS = BUCKETS + 1 };

/* Series of the metric. */
size_t meter_width(const struct meter *meter, enum metric metric);

/* The value of a label in a series of the metric. */
const char *meter_label(const struct meter *meter, enum metric metric, size_t series,
                        enum metric_label label);

/* A cell, all that threads have counted together. */
uint64_t meter_read(const struct meter *meter, enum metric metric, size_t series,
                    size_t cell);

/* Asks those who know to set the gauges. */
void meter_gauge(struct meter *meter);

#endif
