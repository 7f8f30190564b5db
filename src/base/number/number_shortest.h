/* The shortest decimal digits that read back as the same binary number, the
 * closest ones where several are equally short.
 *
 * A number is c * 2^q, and what rounds to it reaches half of 2^q to each side.  With
 * k = floor(log10(2^q)) that is at least half of 10^k and less than five times as
 * much.  So there is at most one multiple of 10^(k+1) within reach, which if there is
 * the answer, and else it is the multiple of 10^k next to the number.
 *
 * Here one product with an entry of number_powers.h gives the number in units of 10^k:
 * whole ones, and 64 bits of a fraction.  The entry is a little off, and so is the
 * product; where that could matter, as where the number lies in the middle between
 * two candidates or one lies where the reach ends, number_shortest.c decides.
 *
 * The choices depend on the number's last bits and cannot be predicted: they are
 * written as arithmetic so that they become no branches. */
#ifndef LOSSD_BASE_NUMBER_SHORTEST_H
#define LOSSD_BASE_NUMBER_SHORTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/number/number_powers.h"

/* digits * 10^power; the digits may end in zeros. */
struct shortest {
    uint64_t digits;
    int power;
};

/* Of the bits of a number above 0; whatever it is, and slower. */
struct shortest shortest_double_exactly(uint64_t bits);
struct shortest shortest_float_exactly(uint32_t bits);

/* A number and its reach in units of 10^k.  Lengths below ten have 60 bits behind the
 * point, of which those below `doubt` mean nothing. */
struct shortest_scale {
    uint64_t whole, fraction, reach, doubt;
};

/* 1 if so, else 0. */
static inline unsigned shortest_are_near(uint64_t a, uint64_t b, uint64_t doubt)
{
    return a - b + doubt <= 2 * doubt;
}

/* False: in doubt. */
static inline bool shortest_choose(struct shortest_scale s, uint64_t *digits)
{
    const uint64_t ten = UINT64_C(10) << 60, half = UINT64_C(1) << 59;
    uint64_t tens = s.whole / 10;
    uint64_t part = s.fraction >> 4;
    uint64_t below = (s.whole - 10 * tens) << 60 | part, above = ten - below;
    bool ten_below = below < s.reach, ten_above = above < s.reach;
    uint64_t in_tens = 10 * (tens + ten_above), in_ones = s.whole + (part >= half);
    uint64_t take_tens = -(uint64_t)(ten_below | ten_above);
    *digits = in_ones ^ ((in_ones ^ in_tens) & take_tens);
    return (shortest_are_near(below, s.reach, s.doubt) |
            shortest_are_near(above, s.reach, s.doubt) |
            shortest_are_near(part, half, s.doubt)) == 0;
}

static inline struct shortest shortest_double(uint64_t bits)
{
    __extension__ typedef unsigned __int128 u128;
    const uint64_t unit = UINT64_C(1) << 52;
    int q = (int)(bits >> 52) - 1075;
    int k = q * 1262611 >> 22;
    int h = q + number_power_log2(-k) + 1; /* 1 to 4 */
    struct number_power power = number_power_of_ten(-k);
    uint64_t c = ((bits & (unit - 1)) | unit) << h;
    u128 product = (u128)power.high * c + (uint64_t)((u128)power.low * c >> 64);
    struct shortest_scale scale = {.whole = (uint64_t)(product >> 64),
                                   .fraction = (uint64_t)product,
                                   .reach = power.high >> (5 - h),
                                   .doubt = 4};
    struct shortest shortest = {0, k};
    /* the reach is less to one side where the fraction is 0 */
    if ((bits & (unit - 1)) == 0 || bits < unit ||
        !shortest_choose(scale, &shortest.digits))
        return shortest_double_exactly(bits);
    return shortest;
}

/* The upper half of the power is plenty for a float. */
static inline struct shortest shortest_float(uint32_t bits)
{
    __extension__ typedef unsigned __int128 u128;
    const uint32_t unit = UINT32_C(1) << 23;
    int q = (int)(bits >> 23) - 150;
    int k = q * 1262611 >> 22;
    int h = q + number_power_log2(-k) + 1; /* 1 to 4 */
    uint64_t power = number_power_of_ten(-k).high;
    uint64_t c = (uint64_t)((bits & (unit - 1)) | unit) << h;
    u128 product = (u128)power * c;
    struct shortest_scale scale = {.whole = (uint64_t)(product >> 64),
                                   .fraction = (uint64_t)product,
                                   .reach = power >> (5 - h),
                                   .doubt = UINT64_C(1) << 25};
    struct shortest shortest = {0, k};
    if ((bits & (unit - 1)) == 0 || bits < unit ||
        !shortest_choose(scale, &shortest.digits))
        return shortest_float_exactly(bits);
    return shortest;
}

#endif
