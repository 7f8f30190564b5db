/* The formulas of the losses once more, plainly, in long double: what the engine is
 * held to.  Every row of losses.def needs a row in reference_losses[]: a test fails
 * for a loss that has none, and for an option that its formula does not know. */
#ifndef LOSSD_TESTS_REFERENCE_H
#define LOSSD_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"
#include "reference_row.h"

/* What is true of a row, and the options of its loss: each at its value or default. */
struct reference_truth {
    int64_t label;
    const double *targets; /* instead */
    const double *class_weights, *pos_weight;
    double option[MEMBERS];
};

/* A loss, and the sum of the sizes of its terms, to which its error is relative. */
struct reference_value {
    struct reference_sum value, size;
};

static inline void reference_term(struct reference_value *value, long double term)
{
    reference_add(&value->value, term);
    reference_add(&value->size, fabsl(term));
}

static inline long double reference_weight(const struct reference_truth *truth, size_t c)
{
    return truth->class_weights ? (long double)truth->class_weights[c] : 1;
}

static inline long double reference_complement(const struct reference_row *row, size_t c)
{
    return c == row->top ? row->rest / (1 + row->rest)
                         : 1 - reference_probability(row, c);
}

/* (1-p_y)^g (- sum_c w_c ((1-e) q_c + e/C) log p_c) + a w_y (1-p_y), and for targets
 * a sum_c w_c q_c (1-p_c) instead of the latter */
static inline struct reference_value
reference_cross_entropy(const long double *logits, size_t classes,
                        const struct reference_truth *truth)
{
    struct reference_row row = reference_softmax(logits, classes);
    long double e = truth->option[MEMBER_label_smoothing];
    long double g = truth->option[MEMBER_focal_gamma];
    long double a = truth->option[MEMBER_poly_epsilon], power = 1;
    struct reference_value value = {{0, 0}, {0, 0}};

    if (!truth->targets && g > 0)
        power = powl(reference_complement(&row, (size_t)truth->label), g);
    for (size_t c = 0; c < classes; c++) {
        long double q =
            truth->targets ? (long double)truth->targets[c] : truth->label == (int64_t)c;
        long double share =
            reference_weight(truth, c) * ((1 - e) * q + e / (long double)classes);
        if (share != 0 && power != 0)
            reference_term(&value, -power * share * reference_log_probability(&row, c));
        if (q != 0 && a != 0)
            reference_term(&value, a * reference_weight(truth, c) * q *
                                       reference_complement(&row, c));
    }
    return value;
}

/* - w_label z_label */
static inline struct reference_value reference_nll(const long double *logits,
                                                   size_t classes,
                                                   const struct reference_truth *truth)
{
    size_t label = (size_t)truth->label;
    struct reference_value value = {{0, 0}, {0, 0}};

    (void)classes;
    if (reference_weight(truth, label) != 0)
        reference_term(&value, -reference_weight(truth, label) * logits[label]);
    return value;
}

/* - (w t log s + (1-t) log(1-s)), s = 1 / (1 + exp(-z)) */
static inline long double reference_bce(long double z, size_t c,
                                        const struct reference_truth *truth)
{
    long double t = truth->targets[c], w = truth->pos_weight ? truth->pos_weight[c] : 1;
    long double log_s = z < 0 ? z - log1pl(expl(z)) : -log1pl(expl(-z));
    long double log_other = z < 0 ? -log1pl(expl(z)) : -z - log1pl(expl(-z));

    return -((t == 0 ? 0 : w * t * log_s) + (t == 1 ? 0 : (1 - t) * log_other));
}

static inline struct reference_value
reference_bce_row(const long double *logits, size_t classes,
                  const struct reference_truth *truth)
{
    struct reference_value value = {{0, 0}, {0, 0}};

    for (size_t c = 0; c < classes; c++)
        reference_term(&value, reference_bce(logits[c], c, truth));
    return value;
}

/* w_y / C sum_j max(0, margin - z_y + z_j)^p */
static inline struct reference_value reference_hinge(const long double *logits,
                                                     size_t classes,
                                                     const struct reference_truth *truth)
{
    size_t label = (size_t)truth->label;
    struct reference_value value = {{0, 0}, {0, 0}};

    for (size_t j = 0; j < classes; j++) {
        long double m = truth->option[MEMBER_margin] + (logits[j] - logits[label]);
        if (j == label || m <= 0 || reference_weight(truth, label) == 0)
            continue;
        reference_term(&value, reference_weight(truth, label) / (long double)classes *
                                   (truth->option[MEMBER_p] == 2 ? m * m : m));
    }
    return value;
}

/* sum_c q_c (log q_c - log p_c) */
/* sum_c q (log q - log p), as sum_c ((p - q) - q log(p / q)) and what q sums to beyond 1:
 * terms that are not negative, and do not cancel. */
static inline struct reference_value reference_kl_div(const long double *logits,
                                                      size_t classes,
                                                      const struct reference_truth *truth)
{
    struct reference_row row = reference_softmax(logits, classes);
    struct reference_value value = {{0, 0}, {0, 0}};
    struct reference_sum beyond = {-1, 0};

    for (size_t c = 0; c < classes; c++) {
        long double q = truth->targets[c], p = reference_probability(&row, c);
        long double log_ratio = p > q / 2 ? log1pl((p - q) / q)
                                          : reference_log_probability(&row, c) - logl(q);
        reference_add(&beyond, q);
        reference_term(&value, q == 0 ? p : (p - q) - q * log_ratio);
    }
    reference_term(&value, reference_total(&beyond));
    return value;
}

/* z_loss logsumexp^2, which is averaged over the plain count */
static inline long double reference_penalty(const long double *logits, size_t classes,
                                            const struct reference_truth *truth)
{
    struct reference_row row = reference_softmax(logits, classes);
    long double lse = row.max + row.log_sum;

    return truth->option[MEMBER_z_loss] * lse * lse;
}

struct reference_loss {
    const char *name;
    uint32_t options; /* bits of the members that it knows */
    struct reference_value (*value)(const long double *logits, size_t classes,
                                    const struct reference_truth *truth);
    /* of an elementwise loss; NULL when it is none */
    long double (*element)(long double z, size_t c, const struct reference_truth *truth);
};

#define REFERENCE_BIT(name) (UINT32_C(1) << MEMBER_##name)

/* What becomes of the logits before is not theirs: temperature, softcap. */
static const struct reference_loss reference_losses[] = {
    {"cross_entropy",
     REFERENCE_BIT(class_weights) | REFERENCE_BIT(label_smoothing) |
         REFERENCE_BIT(temperature) | REFERENCE_BIT(softcap) | REFERENCE_BIT(z_loss) |
         REFERENCE_BIT(focal_gamma) | REFERENCE_BIT(poly_epsilon),
     reference_cross_entropy, NULL},
    {"nll", REFERENCE_BIT(class_weights), reference_nll, NULL},
    {"bce_with_logits",
     REFERENCE_BIT(pos_weight) | REFERENCE_BIT(temperature) | REFERENCE_BIT(softcap),
     reference_bce_row, reference_bce},
    {"hinge",
     REFERENCE_BIT(class_weights) | REFERENCE_BIT(margin) | REFERENCE_BIT(p) |
         REFERENCE_BIT(temperature) | REFERENCE_BIT(softcap),
     reference_hinge, NULL},
    {"kl_div", REFERENCE_BIT(temperature) | REFERENCE_BIT(softcap), reference_kl_div,
     NULL},
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
