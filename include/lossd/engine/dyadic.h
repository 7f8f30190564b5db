/* Exact sums as text: an integer in hexadecimal digits times a power of two, as C writes
 * such numbers, but with as many digits as it takes: "-0x1f3p-1042".
 *
 * Reading takes what writing writes, and little else; false for all other text.
 * Thread-safe. */
#ifndef LOSSD_ENGINE_DYADIC_H
#define LOSSD_ENGINE_DYADIC_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/span.h"
#include "lossd/engine/exact_sum.h"
#include "lossd/engine/summary.h"

enum { DYADIC_MAX = 8 * EXACT_SUM_LIMBS + 16 };

/* Returns how much of `out` is text; no terminator.  A sum that is beyond all numbers is
 * "Infinity", "-Infinity" or "NaN". */
size_t dyadic_write_sum(const struct exact_sum *sum, char out[DYADIC_MAX]);
size_t dyadic_write_confidences(confidence_sum sum, char out[DYADIC_MAX]);

bool dyadic_read_sum(struct span text, struct exact_sum *sum);
bool dyadic_read_confidences(struct span text, confidence_sum *sum);

#endif
