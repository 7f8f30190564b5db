/* Metrics of a batch while it is scored: who is asked for what, room, and totals. */
#ifndef LOSSD_ENGINE_METRICS_ROOM_H
#define LOSSD_ENGINE_METRICS_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/slab.h"
#include "lossd/engine/score.h"

struct worker;

/* Tables that count classes. */
static inline bool tables_are_wanted(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_PER_CLASS) || batch_wants(batch, OUTPUT_CONFUSION);
}

/* What is made of a summary, which takes the softmax. */
static inline bool summary_is_wanted(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_METRICS) || batch_wants(batch, OUTPUT_CALIBRATION);
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

/* All rows have been added: fills the result. */
void metrics_finish(struct result *result, const struct batch *batch, size_t width);

#endif
