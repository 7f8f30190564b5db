/* Metrics of a batch while it is scored: who is asked for what, room, and totals. */
#ifndef LOSSD_ENGINE_METRICS_ROOM_H
#define LOSSD_ENGINE_METRICS_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/slab.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/score.h"

struct worker;

/* A state that has everything: where one class is true of a position. */
static inline bool state_is_whole(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_STATE) && !batch->loss->is_elementwise;
}

/* Tables that count classes. */
static inline bool tables_are_wanted(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_PER_CLASS) || batch_wants(batch, OUTPUT_CONFUSION) ||
           state_is_whole(batch);
}

/* What is made of each position's probabilities, and not of its confidence alone. */
static inline bool moments_are_wanted(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_METRICS) || state_is_whole(batch);
}

/* What is made of a summary, which takes the softmax. */
static inline bool summary_is_wanted(const struct batch *batch)
{
    return moments_are_wanted(batch) || batch_wants(batch, OUTPUT_CALIBRATION);
}

/* Anything at all. */
static inline bool metrics_are_wanted(const struct batch *batch)
{
    return summary_is_wanted(batch) || tables_are_wanted(batch);
}

/* Room for what is wanted, in the result and its workers.  False: no memory. */
bool metrics_init(struct result *result, const struct batch *batch, size_t width,
                  struct arena *mem, struct err *err);

/* What is true of the rows of a slab, the first of which is position `from`; a softmax
 * that follows makes what metrics need.  Then it can be added. */
void metrics_ask(struct result *result, struct slab *slab, size_t from,
                 struct worker *worker);
void metrics_add(const struct result *result, const struct slab *slab, size_t from,
                 struct worker *worker);

/* All rows have been scored, and the first worker's state has their sums: what is not
 * added row by row. */
void metrics_complete(const struct result *result, const struct batch *batch);

/* Fills the result from the first worker's state. */
void metrics_finish(struct result *result, const struct batch *batch);

#endif
