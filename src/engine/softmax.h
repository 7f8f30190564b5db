/* Single probabilities of a row whose softmax is known. */
#ifndef LOSSD_ENGINE_SOFTMAX_H
#define LOSSD_ENGINE_SOFTMAX_H

#include <stddef.h>

#include "lossd/engine/loss.h"

/* The row's probability of a class, and 1 minus it without cancellation. */
double row_probability(const struct row *row, size_t class);
double row_complement(const struct row *row, size_t class);

#endif
