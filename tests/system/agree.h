/* Does an answer say what was expected of it?
 *
 * Byte for byte, member order and layout included, with two exceptions:
 *
 * - A number with a fraction or an exponent may differ by what section 8 of the
 *   API allows.  An integer is exact.
 * - "…" in the expected text stands for anything; inside a string, for anything
 *   up to the end of that string. */
#ifndef LOSSD_TESTS_AGREE_H
#define LOSSD_TESTS_AGREE_H

#include <stdbool.h>

struct allowance {
    double relative; /* of the expected value */
    double absolute; /* one unit of a subnormal result */
};

extern const struct allowance allowance_float64; /* 4e-15 */
extern const struct allowance allowance_float32; /* 1e-6 */

/* False when the texts do not agree; `why` then shows both from where they part. */
bool agree(const char *expected, const char *got, struct allowance allowance,
           char why[400]);

/* Are all numbers of a JSON text the shortest that read back as the same float64
 * or, with `or_float32`, as the same float32?  `why` shows the first that is not. */
bool all_shortest(const char *json, bool or_float32, char why[400]);

#endif
