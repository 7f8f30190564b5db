/* Giulietti's Schubfach, without a doubt left.
 *
 * A number is c * 2^q, and what rounds to it reaches half a unit to each side; a
 * quarter below where c is the first of its binade.  Choose k such that 10^k is
 * just not above the width of that interval.  Then it holds at most one
 * multiple of 10^(k+1), which if there is the answer, and at least one multiple
 * of 10^k, of which the one next to c * 2^q is.
 *
 * Lengths are taken in quarters of 10^k, so that the interval's ends are whole
 * multiples of 2^q / 4 and halves of 10^k have a name too.  Scaled by an entry
 * of number_powers.h the results need not be whole; they are cut off, and made
 * odd when something was cut ("sticky").  Every comparison is with an even
 * number, so it comes out as for the uncut value.  The table's rounding up is
 * below one unit of the middle word; hence "> 1" where one expects "!= 0". */
#include "base/number/number_shortest.h"

/* c * 2^q.  `uneven` where the number below is nearer than the one above. */
struct binary {
    uint64_t c;
    int q;
    bool uneven;
};

/* Lower end, number, and upper end of the interval, in quarters of 10^k. */
struct interval {
    uint64_t lower, middle, upper;
};

static struct binary binary_of(uint64_t bits, int fraction_bits, int bias)
{
    uint64_t unit = UINT64_C(1) << fraction_bits;
    uint64_t fraction = bits & (unit - 1);
    int exponent = (int)(bits >> fraction_bits);
    if (exponent == 0)
        return (struct binary){fraction, 1 - bias - fraction_bits, false};
    return (struct binary){fraction | unit, exponent - bias - fraction_bits,
                           fraction == 0 && exponent > 1};
}

/* floor(log10(2^q)), or of three quarters of it. */
static int power_below(struct binary b)
{
    return (b.q * 1262611 - (b.uneven ? 524031 : 0)) >> 22;
}

/* Odd numbers round to even, so an odd c does not own the interval's ends. */
static struct shortest choose(struct binary b, struct interval i, int k)
{
    uint64_t odd = b.c & 1;
    uint64_t lower = i.lower + odd, upper = i.upper - odd;
    uint64_t s = i.middle / 4, tens = s / 10;
    bool ten_below = lower <= 40 * tens, ten_above = 40 * tens + 40 <= upper;
    bool one_below = lower <= 4 * s, one_above = 4 * s + 4 <= upper;
    bool round_up = i.middle + (s & 1) > 4 * s + 2;
    bool only_one = one_below ^ one_above;
    bool up = (only_one & one_above) | (!only_one & round_up);
    uint64_t ten = 10 * (tens + ten_above), one = s + up;
    uint64_t take_ten = -(uint64_t)((ten_below ^ ten_above) & (s >= 10));
    return (struct shortest){(ten & take_ten) | (one & ~take_ten), k};
}

static uint64_t shortest_scale_double(struct number_power power, uint64_t c)
{
    struct number_product p = number_power_multiply(power, c);
    return p.high | (p.middle > 1);
}

struct shortest shortest_double_exactly(uint64_t bits)
{
    struct binary b = binary_of(bits, 52, 1023);
    int k = power_below(b);
    int h = b.q + number_power_log2(-k) + 1;
    struct number_power power = number_power_of_ten(-k);
    struct interval i = {
        .lower = shortest_scale_double(power, (4 * b.c - 2 + b.uneven) << h),
        .middle = shortest_scale_double(power, (4 * b.c) << h),
        .upper = shortest_scale_double(power, (4 * b.c + 2) << h),
    };
    return choose(b, i, k);
}

static uint64_t shortest_scale_float(uint64_t power, uint64_t c)
{
    __extension__ typedef unsigned __int128 u128;
    uint64_t p = (uint64_t)(((u128)power * c) >> 32);
    return p >> 32 | ((uint32_t)p > 1);
}

/* 64 bits of the power, rounded up again, are plenty for a float. */
struct shortest shortest_float_exactly(uint32_t bits)
{
    struct binary b = binary_of(bits, 23, 127);
    int k = power_below(b);
    int h = b.q + number_power_log2(-k) + 1;
    struct number_power entry = number_power_of_ten(-k);
    uint64_t power = entry.high + (entry.low != 0);
    struct interval i = {
        .lower = shortest_scale_float(power, (4 * b.c - 2 + b.uneven) << h),
        .middle = shortest_scale_float(power, (4 * b.c) << h),
        .upper = shortest_scale_float(power, (4 * b.c + 2) << h),
    };
    return choose(b, i, k);
}
