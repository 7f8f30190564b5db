/* From w * 10^q to the nearest binary number (the method of Eisel and Lemire).
 *
 * w times the table's entry is a product P of 192 bits.  The entry is rounded
 * up by less than one, so the truth T lies in (P - 2^64, P]: only the low word
 * is uncertain.  P therefore rounds as T does, unless a midpoint lies in that
 * interval, which shows as "the middle word is 0 and what is cut from the high
 * word is exactly one half".  Then
 *
 *   0 <= q <= 55        the entry is exact: T = P;
 *   5^-q divides w      T has at most 64 bits, so it is the midpoint itself;
 *   otherwise           T is no midpoint, and close to one: undecided here.
 *
 * The cut may be any width, so subnormals need nothing special. */
#ifndef LOSSD_BASE_NUMBER_ROUND_H
#define LOSSD_BASE_NUMBER_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/number/number_powers.h"

/* A binary format: bits of the fraction, and the bias of its exponent. */
struct number_format {
    int fraction_bits, bias;
};

static const struct number_format number_float64 = {52, 1023};
static const struct number_format number_float32 = {23, 127};

/* Beyond these every w of 64 bits and at most 19 digits is infinite or zero. */
enum { ROUND_POWER_MIN = -342, ROUND_POWER_MAX = 308 };

static inline uint64_t number_infinity(struct number_format format)
{
    return (uint64_t)(2 * format.bias + 1) << format.fraction_bits;
}

static inline bool round_divides_power_of_five(uint64_t w, int q)
{
    uint64_t five = 1;
    if (q >= 0 || q < -27)
        return false;
    for (; q < 0; q++)
        five *= 5;
    return w % five == 0;
}

/* The bits of w * 10^q, without sign, infinity included.  w is not 0 and at
 * most 10^19.  False when undecided. */
static inline bool number_round(uint64_t w, int64_t q, struct number_format format,
                                uint64_t *bits)
{
    if (q < ROUND_POWER_MIN || q > ROUND_POWER_MAX) {
        *bits = q < 0 ? 0 : number_infinity(format);
        return true;
    }
    int power = (int)q;
    int shift = __builtin_clzll(w);
    struct number_product p =
        number_power_multiply(number_power_of_ten(power), w << shift);
    int lead = __builtin_clzll(p.high);
    int exponent = 64 - lead - shift + number_power_log2(power) + format.bias;
    int cut = 63 - lead - format.fraction_bits;
    if (exponent > 2 * format.bias) {
        *bits = number_infinity(format);
        return true;
    }
    if (exponent <= 0)
        cut += 1 - exponent;
    if (cut > 64) {
        *bits = 0;
        return true;
    }

    uint64_t half = UINT64_C(1) << (cut - 1);
    uint64_t rest = p.high & (half | (half - 1));
    uint64_t kept = cut == 64 ? 0 : p.high >> cut;
    bool up = rest >= half;
    if (rest == half && p.middle == 0) {
        bool exact = power >= 0 && power <= NUMBER_POWER_EXACT_MAX;
        if (!exact && !round_divides_power_of_five(w, power))
            return false;
        up = (exact && p.low != 0) || (kept & 1);
    }
    *bits = kept + up;
    if (exponent > 0)
        *bits += (uint64_t)(exponent - 1) << format.fraction_bits;
    return true;
}

#endif
