/* Sums without rounding: the total of any number of doubles, in any order, split
 * in any way, rounded once at the end.
 *
 * A sum is a fixed-point number wide enough for every double, kept as limbs of
 * 32 bits in 64-bit words, so that carries may wait.  Adding costs a few
 * nanoseconds.  This is what makes a mean the same bits for any number of
 * threads.  (The idea: U. W. Kulisch's long accumulator; carries deferred as in
 * R. M. Neal, "Fast exact summation using small and large superaccumulators",
 * arXiv:1505.05571.) */
#ifndef LOSSD_ENGINE_EXACT_SUM_H
#define LOSSD_ENGINE_EXACT_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXACT_SUM_LIMBS = 68 };

struct exact_sum {
    int64_t limb[EXACT_SUM_LIMBS]; /* limb[i] counts 2^(32 i - 1074) */
    int up, down;     /* limbs that were touched: below `up`, and `down` from the end */
    uint32_t pending; /* additions since carries were settled */
    double beyond;    /* sum of what is infinite or NaN */
};

/* Sums are made by zeroing: struct exact_sum sum = {0}. */
void exact_sum_add(struct exact_sum *sum, double value);

void exact_sum_add_all(struct exact_sum *sum, const double *values, size_t count);

/* Adds `other`, which stays as it is in value. */
void exact_sum_merge(struct exact_sum *sum, struct exact_sum *other);

/* The total, rounded to nearest, ties to even; times 2^exponent, where what is beyond the
 * range may be within it. */
double exact_sum_value(struct exact_sum *sum);
double exact_sum_scaled(struct exact_sum *sum, int exponent);

/* The limbs of the total's absolute value; true when it is negative.  What is infinite or
 * NaN is not in them. */
bool exact_sum_limbs(const struct exact_sum *sum, uint32_t limbs[EXACT_SUM_LIMBS]);

/* The sum with those limbs. */
void exact_sum_set(struct exact_sum *sum, const uint32_t limbs[EXACT_SUM_LIMBS],
                   bool is_negative);

/* The total over a finite divisor, also where the total itself is beyond the range. */
double exact_sum_over(struct exact_sum *sum, double divisor);

#endif
