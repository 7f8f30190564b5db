/* Totals of a dataset, or of any part of it: everything that metrics are made of.
 *
 * All sums are exact, so parts can be merged in any order and split in any way, and
 * the metrics of the whole have the same bits. */
#ifndef LOSSD_ENGINE_SUMMARY_H
#define LOSSD_ENGINE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/engine/exact_sum.h"
#include "lossd/engine/metrics.h"

__extension__ typedef unsigned __int128 confidence_sum; /* counts 2^-90 */

struct slab; /* rows that are scored together: src/engine/slab.h */

struct tally {
    int64_t rows[2];       /* all, and those that are correct */
    int64_t confidence[2]; /* of those that are pending: high and low parts */
};

struct bin {
    struct tally tally;
    confidence_sum confidence;
    double above; /* confidences up to the next bin's */
};

struct summary {
    int64_t count, top5;
    struct exact_sum nll, brier, entropy;
    size_t bin_count, pending;
    struct bin *bins;
};

/* Makes an empty one, with `count` bins of equal width. */
void summary_init(struct summary *summary, struct bin *bins, size_t count);

/* Adds the rows that are kept; all, when that is NULL.  `truth` has the true class of
 * each.  Where the slab's sums have no moments, only the bins are filled; else they are
 * used up, and with targets the slab has exps; where losses_are_nll(), the nll is left to
 * who adds those. */
void summary_add(struct summary *summary, const struct slab *slab, const int64_t *truth,
                 const bool *kept);

/* Brings pending rows into the bins, for who looks at them. */
void summary_settle(struct summary *summary);

/* Adds `other`, which has as many bins and stays as it is in value. */
void summary_merge(struct summary *summary, struct summary *other);

struct metrics summary_metrics(struct summary *summary);

/* Fills the columns, which have room for the summary's bins. */
void summary_calibration(struct summary *summary, struct calibration *out);

#endif
