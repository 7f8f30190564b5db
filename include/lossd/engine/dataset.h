/* A dataset of any length, record by record, in the memory of one block of rows.
 *
 * A record is a batch of its own, of one row or of many.  Rows of small ones are gathered
 * and scored together; what they come to is added to the state of the whole. */
#ifndef LOSSD_ENGINE_DATASET_H
#define LOSSD_ENGINE_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"
#include "lossd/engine/state.h"

struct dataset {
    struct batch *whole; /* whose state is made */
    struct batch record; /* what every record begins as */
    struct batch block;  /* the rows that have been gathered */
    size_t rows, rows_max;

    /* Told of every record that has been scored, by itself then, if somebody wants to know
     * more of it than the totals.  False: no memory for that. */
    bool (*scored)(void *ctx, const struct batch *batch, const struct result *result,
                   struct err *err);
    void *ctx;
};

/* Begins a dataset.  `whole` (task_dataset) has the options of all records.  False: one of
 * them is out of its range or does not go with the loss, or there is no memory. */
bool dataset_init(struct dataset *dataset, struct batch *whole, struct arena *mem,
                  struct err *err);

/* Adds a record, a copy of dataset->record that was filled.  The first one settles the
 * number of classes; what is kept of it is in `mem`, as is room for scoring, which may be
 * given back when this returns, but for the first record.  False: the record is not
 * sound, or there is no memory; nothing of it has been added. */
bool dataset_add(struct dataset *dataset, struct batch *record, struct arena *mem,
                 struct err *err);

/* Scores what is left.  False: no memory. */
bool dataset_finish(struct dataset *dataset, struct arena *mem, struct err *err);

#endif
