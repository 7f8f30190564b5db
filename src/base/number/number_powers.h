/* Powers of ten to 128 bits, for reading and for writing numbers.
 *
 *   10^q = (high * 2^64 + low - d) * 2^(number_power_log2(q) - 127),  0 <= d < 1
 *
 * with the top bit of `high` set.  Every entry is rounded up; those of 10^0 to
 * 10^55 are exact.  One direction of rounding for the whole table is what lets
 * one table serve both: the shortest-digits search wants powers rounded up, and
 * the reader only has to know the side on which the error lies. */
#ifndef LOSSD_BASE_NUMBER_POWERS_H
#define LOSSD_BASE_NUMBER_POWERS_H

#include <stdint.h>

#include "base/number/number_powers_range.h"

enum { NUMBER_POWER_EXACT_MAX = 55 };

struct number_power {
    uint64_t high, low;
};

extern const struct number_power number_powers[NUMBER_POWER_COUNT];

static inline struct number_power number_power_of_ten(int q)
{
    return number_powers[q - NUMBER_POWER_MIN];
}

/* floor(log2(10^q)), right for |q| up to 1233. */
static inline int number_power_log2(int q)
{
    return q * 1741647 >> 19;
}

/* The 192-bit product of a 64-bit number and an entry. */
struct number_product {
    uint64_t high, middle, low;
};

static inline struct number_product number_power_multiply(struct number_power power,
                                                          uint64_t factor)
{
    __extension__ typedef unsigned __int128 u128;
    u128 low = (u128)power.low * factor;
    u128 high = (u128)power.high * factor + (uint64_t)(low >> 64);
    return (struct number_product){(uint64_t)(high >> 64), (uint64_t)high, (uint64_t)low};
}

#endif
