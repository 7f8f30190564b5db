/* The linear model in front of a loss: logits = features W^T + b.
 *
 * With G = d loss / d logits, the reduction's divisor in it:
 *
 *     d loss / d features = G W
 *     d loss / d W        = G^T features + l2 W
 *     d loss / d b        = sum over positions of G
 *
 * All are of the batch's dtype, made of double products and sums (matmul.h) and
 * rounded once; G is the gradient as it is returned, in the batch's dtype. */
#ifndef LOSSD_ENGINE_LINEAR_H
#define LOSSD_ENGINE_LINEAR_H

#include <stdbool.h>

#include "lossd/base/pool.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"

/* Are the numbers such that all logits and the l2 term are within range?  False
 * with `err` filled.  The shapes are right. */
bool linear_check(const struct batch *batch, struct err *err);

/* Is any gradient wanted but that by the logits?  It needs that one too. */
static inline bool linear_wants_gradient(const struct batch *batch)
{
    return batch_wants(batch, OUTPUT_GRADIENT_FEATURES) ||
           batch_wants(batch, OUTPUT_GRADIENT_W) || batch_wants(batch, OUTPUT_GRADIENT_B);
}

/* Makes room for the logits, the gradients that are wanted, and the work of `width`
 * threads.  The batch is a linear model, as for all below. */
bool linear_init(struct result *result, const struct batch *batch, size_t width,
                 struct arena *mem, struct err *err);

/* Fills result->logits; and, from result->gradient, the gradients that are wanted. */
void linear_logits(const struct batch *batch, struct result *result, struct pool *pool);
void linear_gradients(const struct batch *batch, struct result *result,
                      struct pool *pool);

/* l2 / 2 times the sum of the squares of W. */
double linear_penalty(const struct batch *batch);

/* How many logits there will be, and nanoseconds of all their products on one
 * thread, about; the batch need not be checked yet. */
double linear_count(const struct batch *batch);
double linear_cost_ns(const struct batch *batch);

#endif
