#include "engine/warnings.h"

#include <math.h>

#include "lossd/engine/loss.h"

/* Not negative, and sums to 1. */
static bool is_distribution(const struct batch *batch, size_t position,
                            bool *has_fraction)
{
    size_t row = batch_row(batch, position);
    double sum = 0;

    for (size_t c = 0; c < batch->classes; c++) {
        double logit = batch_logit(batch, row + c * batch->inner);
        if (logit < 0)
            return false;
        *has_fraction |= logit > 0 && logit < 1;
        sum += logit;
    }
    return fabs(sum - 1) <= 1e-3;
}

/* A row that is no distribution ends it: there will be no warning. */
struct look look_of(const struct batch *batch)
{
    struct look look = {.has_other = !batch->loss->needs_softmax || batch->classes < 2 ||
                                     batch_is_linear(batch)};

    for (size_t n = 0; n < batch->positions && !look.has_other; n++)
        look.has_other = !is_distribution(batch, n, &look.has_fraction);
    return look;
}

/* Scores of 0 and 1 may be meant as they are. */
const char *const *warnings_of(const struct look *look)
{
    static const char *const none[] = {NULL};
    static const char *const probabilities[] = {
        "the logits look like probabilities already: every row is non-negative and sums "
        "to 1; what is wanted are the scores before the softmax",
        NULL};

    return look->has_fraction && !look->has_other ? probabilities : none;
}
