#include "engine/warnings.h"

#include <math.h>

#include "lossd/engine/loss.h"

/* Not negative, and sums to 1.  *between: some number is neither 0 nor 1. */
static bool is_distribution(const struct batch *batch, size_t position, bool *between)
{
    size_t row = batch_row(batch, position);
    double sum = 0;

    for (size_t c = 0; c < batch->classes; c++) {
        double logit = batch_logit(batch, row + c * batch->inner);
        if (logit < 0)
            return false;
        *between |= logit > 0 && logit < 1;
        sum += logit;
    }
    return fabs(sum - 1) <= 1e-3;
}

/* Scores of 0 and 1 may be meant as they are; a row that is otherwise ends it. */
static bool look_like_probabilities(const struct batch *batch)
{
    bool between = false;

    if (batch->classes < 2 || batch_is_linear(batch))
        return false;
    for (size_t n = 0; n < batch->positions; n++)
        if (!is_distribution(batch, n, &between))
            return false;
    return between;
}

const char *const *warnings_of(const struct batch *batch)
{
    static const char *const none[] = {NULL};
    static const char *const probabilities[] = {
        "the logits look like probabilities already: every row is non-negative and sums "
        "to 1; what is wanted are the scores before the softmax",
        NULL};

    return batch->loss->needs_softmax && look_like_probabilities(batch) ? probabilities
                                                                        : none;
}
