/* Merging: states of the parts of a dataset into the batch that stands for the whole.
 *
 * The batch's task is task_merge.  Its options are those that the first state was made
 * with; states that were made with others are no parts of the same dataset. */
#ifndef LOSSD_ENGINE_MERGE_H
#define LOSSD_ENGINE_MERGE_H

#include <stdbool.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/state.h"

/* Adds a part to `whole`.  `part` has the options (task_state) and the number of classes
 * that `state` was made with; pointers in the error are the part's.  The sums of the
 * whole live in `mem`, and `state` is as it was in value.  False: this is not the state
 * of anything, or not of a part of this dataset. */
bool merge_add(struct batch *whole, const struct batch *part, struct state *state,
               struct arena *mem, struct err *err);

#endif
