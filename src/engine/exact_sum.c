#include "lossd/engine/exact_sum.h"

#include <math.h>
#include <string.h>

#include "engine/kernel/kernel.h"
#include "lossd/engine/batch.h"

/* An addition changes a limb by less than 2^53. */
enum { PENDING_MAX = 1000, LIMB_BITS = 32, MANTISSA_BITS = 52 };

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Limbs from `first` to before `end` may be other than 0 from now on. */
static void touch(struct exact_sum *sum, int first, int end)
{
    sum->down = larger(sum->down, EXACT_SUM_LIMBS - first);
    sum->up = larger(sum->up, end);
}

static int first_limb(const struct exact_sum *sum)
{
    return EXACT_SUM_LIMBS - sum->down;
}

/* Brings every limb but the last into [0, 2^32). */
static void settle(struct exact_sum *sum)
{
    int64_t carry = 0;
    int i = first_limb(sum), last = EXACT_SUM_LIMBS - 1;

    sum->pending = 0;
    if (sum->down == 0)
        return;
    for (; i < last && (i < sum->up || carry != 0); i++) {
        int64_t limb = sum->limb[i] + carry;
        carry = limb >> LIMB_BITS;
        sum->limb[i] = limb - carry * (INT64_C(1) << LIMB_BITS);
    }
    if (carry != 0)
        sum->limb[i++] += carry;
    sum->up = larger(sum->up, i);
}

void exact_sum_add(struct exact_sum *sum, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
    unsigned exponent = bits >> MANTISSA_BITS & 0x7FF;
    if (exponent == 0x7FF) {
        sum->beyond += value;
        return;
    }
    if (exponent > 0)
        mantissa |= UINT64_C(1) << MANTISSA_BITS;
    else
        exponent = 1;
    unsigned limb = (exponent - 1) / LIMB_BITS, shift = (exponent - 1) % LIMB_BITS;
    int64_t low = (uint32_t)(mantissa << shift);
    int64_t high = (int64_t)(mantissa >> (LIMB_BITS - shift));
    bool negative = bits >> 63;
    sum->limb[limb] += negative ? -low : low;
    sum->limb[limb + 1] += negative ? -high : high;
    touch(sum, (int)limb, (int)limb + 2);
    if (++sum->pending >= PENDING_MAX)
        settle(sum);
}

void exact_sum_merge(struct exact_sum *sum, struct exact_sum *other)
{
    if (sum->pending + other->pending + 1 >= PENDING_MAX) {
        settle(sum);
        settle(other);
    }
    for (int i = first_limb(other); i < other->up; i++)
        sum->limb[i] += other->limb[i];
    touch(sum, first_limb(other), other->up);
    sum->pending += other->pending + 1; /* what is settled is less than an addition */
    sum->beyond += other->beyond;
}

static void negate(struct exact_sum *sum)
{
    for (int i = first_limb(sum); i < sum->up; i++)
        sum->limb[i] = -sum->limb[i];
    settle(sum);
}

bool exact_sum_limbs(const struct exact_sum *sum, uint32_t limbs[EXACT_SUM_LIMBS])
{
    struct exact_sum magnitude = *sum;

    settle(&magnitude);
    bool is_negative = magnitude.limb[EXACT_SUM_LIMBS - 1] < 0;
    if (is_negative)
        negate(&magnitude);
    for (int i = 0; i < EXACT_SUM_LIMBS; i++)
        limbs[i] = (uint32_t)magnitude.limb[i];
    return is_negative;
}

void exact_sum_set(struct exact_sum *sum, const uint32_t limbs[EXACT_SUM_LIMBS],
                   bool is_negative)
{
    *sum = (struct exact_sum){0};
    for (int i = 0; i < EXACT_SUM_LIMBS; i++)
        sum->limb[i] = is_negative ? -(int64_t)limbs[i] : (int64_t)limbs[i];
    touch(sum, 0, EXACT_SUM_LIMBS);
}

/* Most numbers are neither tiny nor huge. */
void exact_sum_add_all(struct exact_sum *sum, const double *values, size_t count)
{
    const struct arithmetic *real = kernel_here()->in[DTYPE_FLOAT64];

    while (count > 0) {
        size_t n = count < SLICED_MAX ? count : SLICED_MAX;
        double slices[SLICES];
        bool is_sliced = real->slice(values, n, slices);
        for (size_t i = 0; is_sliced && i < SLICES; i++)
            if (slices[i] != 0)
                exact_sum_add(sum, slices[i]);
        for (size_t i = 0; !is_sliced && i < n; i++)
            exact_sum_add(sum, values[i]);
        values += n;
        count -= n;
    }
}

__extension__ typedef unsigned __int128 uint128;

static int bit_length(uint128 value)
{
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;

    return high != 0  ? 128 - __builtin_clzll(high)
           : low != 0 ? 64 - __builtin_clzll(low)
                      : 0;
}

/* The total of a settled sum that is not negative, times 2^exponent: the three leading
 * limbs hold the bits that count, the rest only breaks ties. */
static double round_settled(const struct exact_sum *sum, int exponent)
{
    int top = larger(sum->up - 1, 2);

    while (top > 2 && sum->limb[top] == 0)
        top--;
    uint128 wide = (uint128)(uint64_t)sum->limb[top] << 64 |
                   (uint64_t)sum->limb[top - 1] << LIMB_BITS |
                   (uint64_t)sum->limb[top - 2];
    bool sticky = false;
    for (int i = first_limb(sum); i < top - 2; i++)
        sticky |= sum->limb[i] != 0;
    int cut = bit_length(wide) > 62 ? bit_length(wide) - 62 : 0;
    sticky |= (wide & (((uint128)1 << cut) - 1)) != 0;
    exponent += cut + (top - 2) * LIMB_BITS - 1074;
    return ldexp((double)(int64_t)((uint64_t)(wide >> cut) | sticky), exponent);
}

double exact_sum_scaled(struct exact_sum *sum, int exponent)
{
    if (sum->beyond != 0)
        return sum->beyond;
    settle(sum);
    if (sum->limb[EXACT_SUM_LIMBS - 1] >= 0)
        return round_settled(sum, exponent);
    negate(sum);
    double value = -round_settled(sum, exponent);
    negate(sum);
    return value;
}

double exact_sum_value(struct exact_sum *sum)
{
    return exact_sum_scaled(sum, 0);
}

double exact_sum_over(struct exact_sum *sum, double divisor)
{
    enum { DOWN = -100 };
    double value = exact_sum_value(sum);

    return isfinite(value) ? value / divisor
                           : exact_sum_scaled(sum, DOWN) / ldexp(divisor, DOWN);
}
