/* Totals of a dataset, or of any part of it: everything that metrics are made of.
 *
 * All sums are exact, so parts can be merged in any order and split in any way, and
 * the metrics of the whole have the same bits. */
#ifndef LOSSD_ENGINE_SUMMARY_H
#define LOSSD_ENGINE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/exact_sum.h"
#include "engine/slab.h"
#include "lossd/engine/metrics.h"

__extension__ typedef unsigned __int128 confidence_sum; /* counts 2^-90 */

struct bin {
    double above; /* confidences up to the next bin's */
    int64_t count, correct;
    confidence_sum confidence;
};

struct summary {
    int64_t count, correct, top5;
    struct exact_sum nll, brier, entropy;
    size_t bin_count;
    struct bin *bins;
};

/* Makes an empty one, with bins of equal width. */
void summary_init(struct summary *summary, struct bin *bins, size_t count);

/* Adds the rows that are kept.  The slab has exps; `moments` is what the kernel says of
 * its rows and the classes that are true of them. */
void summary_add(struct summary *summary, const struct slab *slab, const bool *kept,
                 const struct moments *moments);

/* Adds `other`, which has as many bins and stays as it is in value. */
void summary_merge(struct summary *summary, struct summary *other);

struct metrics summary_metrics(struct summary *summary);

/* Fills the columns, which have room for the summary's bins. */
void summary_calibration(const struct summary *summary, struct calibration *out);

#endif
