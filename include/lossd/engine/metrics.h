/* What is known of a classifier beside its loss, over the positions kept: no weights,
 * no smoothing.  Definitions: src/engine/summary.c. */
#ifndef LOSSD_ENGINE_METRICS_H
#define LOSSD_ENGINE_METRICS_H

#include <stddef.h>
#include <stdint.h>

/* In the order of the answer. */
#define METRICS(_)     \
    _(accuracy)        \
    _(top5_accuracy)   \
    _(nll)             \
    _(perplexity)      \
    _(bits)            \
    _(brier)           \
    _(ece)             \
    _(mce)             \
    _(mean_confidence) \
    _(mean_entropy)

/* NAN where there is nothing to average. */
struct metrics {
#define METRIC(name) double name;
    METRICS(METRIC)
#undef METRIC
};

/* Columns of [classes].  What is 0 / 0 is 0. */
struct per_class {
    int64_t *support;   /* positions of that class */
    int64_t *predicted; /* positions said to be of it */
    double *precision;  /* of those predicted, how many are right */
    double *recall;     /* of those that are, how many were found */
    double *f1;         /* 2 precision recall / (precision + recall) */
};

/* Columns of [bins]: of equal width, each without its lower and with its upper edge. */
struct calibration {
    size_t bins;
    double *edges;      /* [bins + 1] */
    int64_t *count;     /* positions whose confidence is in the bin */
    double *accuracy;   /* NAN for an empty bin, as is */
    double *confidence; /* the mean */
};

#endif
