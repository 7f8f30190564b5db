/* The softmax of one row. */
#ifndef LOSSD_ENGINE_SOFTMAX_H
#define LOSSD_ENGINE_SOFTMAX_H

#include <stddef.h>

#include "lossd/engine/loss.h"

/* Fills `row` from its logits, and exps[classes]; the row points at both. */
void softmax_row(const double *logits, size_t classes, double *exps, struct row *row);

/* The row's probability of a class, and 1 minus it without cancellation. */
double row_probability(const struct row *row, size_t class);
double row_complement(const struct row *row, size_t class);

/* Writes the row's probabilities, or their logarithms, into out[classes]. */
void row_probabilities(const struct row *row, double *out);
void row_log_probabilities(const struct row *row, double *out);

#endif
