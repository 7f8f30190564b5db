/* From a batch that passed batch_check() to a result: the engine's one call. */
#ifndef LOSSD_ENGINE_SCORE_H
#define LOSSD_ENGINE_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/arena.h"
#include "lossd/base/pool.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/metrics.h"

struct state; /* lossd/engine/state.h */
struct worker;

/* Arrays that were not asked for are NULL, or there because others are made of them.
 * They live in the arena. */
struct result {
    /* where they are asked for, else 0: */
    double loss;     /* reduced; NAN when there is nothing to average */
    double loss_sum; /* numerator of the mean: loss is loss_sum / divisor */
    double divisor;  /* denominator of the mean */
    size_t count;    /* positions kept */
    size_t ignored;  /* positions ignored */

    double *losses;                 /* of loss_shape, sample weights included */
    const struct shape *loss_shape; /* that of the positions, or of the logits when the
                                       loss is elementwise */
    double *logsumexp;              /* [positions] */
    int64_t *predictions;           /* [positions] */
    void *probabilities;            /* shape of logits, in the batch's dtype, as are */
    void *log_probabilities;
    void *gradient;
    void *logits; /* of a linear model, and what its inputs do to the loss: */
    void *gradient_features, *gradient_W, *gradient_b; /* shapes of the inputs */

    struct state *state; /* what all that is a total is made of; for a task with a loss */
    struct metrics metrics;
    struct per_class per_class;
    struct calibration calibration;
    int64_t *confusion;          /* [classes, classes]: a row for each true class */
    int64_t *truths;             /* [positions]: the true class, -1 where it is ignored */
    const char *const *warnings; /* ends with NULL */

    struct worker *workers; /* score()'s own: one for each thread that it uses */
    double *room;           /* what their products of matrices need */
};

/* Makes room for what the batch asks for.  `width` is that of the pool that
 * will score: pool_width().  A batch that is not shared out takes the same for any.
 * False: no memory. */
bool result_init(struct result *result, const struct batch *batch, size_t width,
                 struct arena *mem, struct err *err);

/* Scores the batch.  Cannot fail and allocates nothing.  Rows are shared out
 * over the pool; the result has the same bits for any pool, NULL included. */
void score(const struct batch *batch, struct result *result, struct pool *pool);

/* Nanoseconds that score() takes about, on one thread. */
int64_t score_cost_ns(const struct batch *batch);

/* The vectors that score() works with on this machine: "avx2". */
const char *score_vectors(void);

#endif
