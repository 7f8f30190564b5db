/* The formulas once more, plainly, in long double: what the engine is held to.
 *
 * A long double has a mantissa of 64 bits at least, and a range in which nothing
 * of interest underflows.  Its own error is 5e-20 for one operation; sums carry
 * what rounding leaves off, so what comes out is good to about 1e-17, a hundred
 * times better than what it judges.
 *
 * Every row of losses.def needs a row in reference_losses[]: a test fails for a
 * loss that has none. */
#ifndef LOSSD_TESTS_REFERENCE_H
#define LOSSD_TESTS_REFERENCE_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"

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

static inline long double reference_weight(const struct truth *truth, size_t c)
{
    return truth->class_weights ? (long double)truth->class_weights[c] : 1;
}

/* - sum_c w_c ((1-e) q_c + e/C) log p_c */
static inline long double reference_cross_entropy(const long double *logits,
                                                  size_t classes,
                                                  const struct truth *truth)
{
    struct reference_row row = reference_softmax(logits, classes);
    long double e = truth->label_smoothing;
    struct reference_sum sum = {0};

    for (size_t c = 0; c < classes; c++) {
        long double q =
            truth->targets ? (long double)truth->targets[c] : truth->label == (int64_t)c;
        long double share =
            reference_weight(truth, c) * ((1 - e) * q + e / (long double)classes);
        if (share != 0)
            reference_add(&sum, -share * reference_log_probability(&row, c));
    }
    return reference_total(&sum);
}

/* - w_label z_label */
static inline long double reference_nll(const long double *logits, size_t classes,
                                        const struct truth *truth)
{
    size_t label = (size_t)truth->label;
    long double weight = reference_weight(truth, label);

    (void)classes;
    return weight == 0 ? 0 : -weight * logits[label];
}

struct reference_loss {
    const char *name;
    uint32_t options; /* bits of the members that `value` knows */
    long double (*value)(const long double *logits, size_t classes,
                         const struct truth *truth);
};

/* The temperature is not theirs: logits are divided by it before. */
static const struct reference_loss reference_losses[] = {
    {"cross_entropy",
     1u << MEMBER_class_weights | 1u << MEMBER_label_smoothing | 1u << MEMBER_temperature,
     reference_cross_entropy},
    {"nll", 1u << MEMBER_class_weights, reference_nll},
};

enum { REFERENCE_LOSSES = sizeof reference_losses / sizeof *reference_losses };

static inline const struct reference_loss *reference_find(const char *name)
{
    for (size_t i = 0; i < REFERENCE_LOSSES; i++)
        if (span_is(span_of(name), reference_losses[i].name))
            return &reference_losses[i];
    return NULL;
}

#endif
