/* The state of a dataset, or of any part of it: every sum that its result is made of.
 *
 * All sums are exact.  So states of parts that are merged are the state of the whole,
 * to the bit, in whatever way it was split and in whatever order they come; and what
 * score() makes of its threads' shares is made of any shards' states in the same way. */
#ifndef LOSSD_ENGINE_STATE_H
#define LOSSD_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/engine/exact_sum.h"
#include "lossd/engine/summary.h"

/* Sums of bins have room for so many positions. */
#define POSITIONS_MAX (INT64_C(1) << 37)

/* What the rows of logits look like, for warnings.  It is not written down: a state that
 * was sent knows nothing of it. */
struct look {
    bool has_other;    /* a row that is no distribution */
    bool has_fraction; /* a number that is neither 0 nor 1 */
};

struct state {
    size_t count, ignored;      /* positions kept, and not */
    struct exact_sum losses;    /* with the weights of the positions */
    struct exact_sum penalties; /* what is averaged over `count` whatever the weights */
    bool is_weighted;           /* false: the mean divides by `count`, and not by */
    struct exact_sum weights;
    double l2_penalty; /* of a linear model: the same in every part */

    struct summary summary; /* without bins where no metrics are wanted */
    /* Positions of a true class, said to be of it, and both; NULL where no classes are
     * counted. */
    int64_t *support, *predicted, *correct;
    struct look look;
};

/* Makes an empty one.  `bins` is 0 without metrics, `classes` where none are counted.
 * False: no memory. */
bool state_init(struct state *state, size_t bins, size_t classes, struct arena *mem,
                struct err *err);

/* Adds `other`, which was made for as many bins, and stays as it is in value.  Classes
 * are added where both count `classes` of them. */
void state_merge(struct state *state, struct state *other, size_t classes);

#endif
