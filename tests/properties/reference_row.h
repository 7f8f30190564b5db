/* The softmax once more, plainly, in long double: what the engine is held to.
 *
 * A long double has a mantissa of 64 bits at least, and a range in which nothing
 * of interest underflows.  Its own error is 5e-20 for one operation; sums carry
 * what rounding leaves off, so what comes out is good to about 1e-17, a hundred
 * times better than what it judges. */
#ifndef LOSSD_TESTS_REFERENCE_ROW_H
#define LOSSD_TESTS_REFERENCE_ROW_H

#include <float.h>
#include <math.h>
#include <stddef.h>

_Static_assert(LDBL_MANT_DIG >= 64, "the reference is better than what it judges");

/* A sum that keeps what rounding left off (A. Neumaier). */
struct reference_sum {
    long double sum, lost;
};

static inline void reference_add(struct reference_sum *sum, long double term)
{
    long double next = sum->sum + term;

    if (isfinite(next))
        sum->lost += fabsl(sum->sum) >= fabsl(term) ? (sum->sum - next) + term
                                                    : (term - next) + sum->sum;
    sum->sum = next;
}

static inline long double reference_total(const struct reference_sum *sum)
{
    return sum->sum + sum->lost;
}

/* The softmax of a row: log p_c = (z_c - max) - log_sum. */
struct reference_row {
    const long double *logits;
    size_t classes, top;
    long double max, rest, log_sum;
};

static inline struct reference_row reference_softmax(const long double *logits,
                                                     size_t classes)
{
    struct reference_row row = {.logits = logits, .classes = classes};
    struct reference_sum rest = {0};

    for (size_t c = 1; c < classes; c++)
        row.top = logits[c] > logits[row.top] ? c : row.top;
    row.max = logits[row.top];
    for (size_t c = 0; c < classes; c++)
        if (c != row.top)
            reference_add(&rest, expl(logits[c] - row.max));
    row.rest = reference_total(&rest);
    row.log_sum = log1pl(row.rest);
    return row;
}

static inline long double reference_probability(const struct reference_row *row, size_t c)
{
    return expl(row->logits[c] - row->max) / (1 + row->rest);
}

static inline long double reference_log_probability(const struct reference_row *row,
                                                    size_t c)
{
    return (row->logits[c] - row->max) - row->log_sum;
}

#endif
