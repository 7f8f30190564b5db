/* From what digits are worth to a number, where that takes no second thought: what
 * number_scan.c and number_scan_one.c share. */
#ifndef LOSSD_BASE_NUMBER_WORTH_H
#define LOSSD_BASE_NUMBER_WORTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/number/number_look.h"
#include "base/number/number_round.h"

enum {
    WORTH_DIGITS = 19, /* in 64 bits */
    /* Doubles this close to a midpoint of two floats are declined. */
    WORTH_FLOAT_DOUBT = 90112
};

/* Of more bytes than a look takes, those looked at must be worth this much. */
static const uint64_t worth_cut_least = UINT64_C(100000000000);

static inline bool worth_is_cut_short(uint64_t worth, size_t stop)
{
    return stop > LOOK && worth < worth_cut_least;
}

static inline double worth_double_of_bits(uint64_t bits, bool negative)
{
    double value;
    bits |= (uint64_t)negative << 63;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint64_t worth_bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Is the double of these bits too close to a midpoint of two floats? */
static inline bool worth_is_doubtful(uint64_t bits)
{
    const uint64_t midpoint = UINT64_C(1) << 28, below = 2 * midpoint - 1;
    return ((bits - midpoint + WORTH_FLOAT_DOUBT) & below) <= 2 * WORTH_FLOAT_DOUBT;
}

/* Of a number whose look at `at` is worth `worth`, with the `behind` digits that make it
 * nineteen, as if zeros followed those before `stop`. */
static inline uint64_t worth_of_nineteen(uint64_t worth, const char *at, size_t behind,
                                         size_t stop)
{
    static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000};
    return worth * tens[behind] + look_behind(at, behind, stop);
}

/* The bits of worth * 10^q for a worth of 1 or more, or 0 if that is not certain or not
 * of normal size. */
static inline uint64_t worth_round(uint64_t worth, int q)
{
    int shift = __builtin_clzll(worth);
    struct number_product p =
        number_power_multiply(number_power_of_ten(q), worth << shift);
    int lead = __builtin_clzll(p.high);
    int cut = 63 - lead - number_float64.fraction_bits;
    int exponent = 64 - lead - shift + number_power_log2(q) + number_float64.bias;
    uint64_t twice = p.high >> (cut - 1);
    if (p.middle == 0 && twice << (cut - 1) == p.high && (twice & 1))
        return 0;
    if (exponent < 1 || exponent >= 2 * number_float64.bias)
        return 0;
    return ((uint64_t)(exponent - 1) << number_float64.fraction_bits) +
           ((twice + 1) >> 1);
}

#endif
