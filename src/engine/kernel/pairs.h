/* Numbers of twice the precision, on vectors: the sum of two doubles, the second of which
 * is what rounding left off the first.  For what would cancel otherwise, or has to be
 * rounded once.  As in vmath.h, nothing may be fused. */
#ifndef LOSSD_ENGINE_KERNEL_PAIRS_H
#define LOSSD_ENGINE_KERNEL_PAIRS_H

#include "engine/kernel/powers.h"
#include "engine/kernel/vectors.h"
#include "engine/kernel/vmath.h"

struct pair {
    double_vector high, low;
};

/* As difference_tail() has it. */
static inline struct pair pair_of_sum(double_vector a, double_vector b)
{
    double_vector high = a + b, virtual_b = high - a;

    return (struct pair){high, (a - (high - virtual_b)) + (b - virtual_b)};
}

/* As product_tail() has it. */
static inline struct pair pair_of_product(double_vector a, double_vector b)
{
    const double splitter = 0x1p27 + 1;

    double_vector high = a * b;
    double_vector big_a = splitter * a, big_b = splitter * b;
    double_vector high_a = big_a - (big_a - a), high_b = big_b - (big_b - b);
    double_vector low_a = a - high_a, low_b = b - high_b;
    double_vector low =
        ((high_a * high_b - high) + high_a * low_b + low_a * high_b) + low_a * low_b;
    return (struct pair){high, low};
}

/* The same number, its low part as small as it can be. */
static inline struct pair pair_settled(double_vector high, double_vector low)
{
    double_vector sum = high + low;

    return (struct pair){sum, (high - sum) + low};
}

static inline struct pair pair_plus(struct pair a, struct pair b)
{
    struct pair sum = pair_of_sum(a.high, b.high);

    return pair_settled(sum.high, sum.low + (a.low + b.low));
}

static inline struct pair pair_times(struct pair a, double_vector by)
{
    struct pair product = pair_of_product(a.high, by);

    return pair_settled(product.high, product.low + a.low * by);
}

/* `inverse` is 1 / by, nearly: what that is off goes into the low part. */
static inline struct pair pair_over(struct pair a, double_vector by,
                                    double_vector inverse)
{
    double_vector quotient = a.high * inverse;
    struct pair back = pair_of_product(quotient, by);
    double_vector left = ((a.high - back.high) - back.low) + a.low;

    return pair_settled(quotient, left * inverse);
}

/* ln 2 in three parts; the first two have so many low bits of zero that their products
 * with the sixteenths of an exponent are exact. */
#define LN2_FIRST 0x1.62e42fefa0000p-1
#define LN2_SECOND 0x1.cf79abc9e0000p-40
#define LN2_THIRD 0x1.d9cc01f97b57ap-79

/* What rounding left off the roots in powers.h: bits of doubles. */
static const int64_t root_tails[POWER_STEPS] __attribute__((aligned(LINE_BYTES))) = {
    0x0000000000000000,
    0x3c98a62e4adc610b,
    INT64_MIN + 0x3c819041b9d78a76,
    0x3c99b07eb6c70573,
    0x3c86f46ad23182e4,
    0x3c8ada0911f09ebc,
    0x3c7d4397afec42e2,
    0x3c96324c054647ad,
    INT64_MIN + 0x3c9bdd3413b26456,
    INT64_MIN + 0x3c841577ee04992f,
    0x3c96e9f156864b27,
    0x3c7c7c46b071f2be,
    0x3c97a1cd345dcc81,
    0x3c811065895048dd,
    0x3c82ed02d75b3707,
    INT64_MIN + 0x3c9e9c23179c2893,
};

/* exp(d) = power (root + more), times EXPS_SCALE. */
struct exponential {
    double_vector power;
    struct pair root, more;
};

/* For -800 <= d <= 0; as exponentials of rows are made (rows.inc), with what each step
 * loses.  Of exp(t) - 1 = t + t^2 / 2 + t^3 p(t) only the last term is a mere double: it
 * is below 2^-19 of the first. */
static inline struct exponential exponential_of(struct pair d)
{
    const double to_integer = 0x1.8p52;

    double_vector z = d.high * (POWER_STEPS * LOG2_E) + to_integer;
    double_vector n = z - to_integer;
    struct pair near = pair_of_sum(d.high - n * (LN2_FIRST / POWER_STEPS),
                                   -n * (LN2_SECOND / POWER_STEPS));
    struct pair t =
        pair_settled(near.high, near.low + (d.low - n * (LN2_THIRD / POWER_STEPS)));
    struct pair square = pair_of_product(t.high, t.high);
    double_vector p = t.high * (1.0 / 362880) + 1.0 / 40320;
    p = p * t.high + 1.0 / 5040;
    p = p * t.high + 1.0 / 720;
    p = p * t.high + 1.0 / 120;
    p = p * t.high + 1.0 / 24;
    p = p * t.high + 1.0 / 6;
    struct pair half = {0.5 * square.high, 0.5 * square.low + t.high * t.low};
    struct pair sum = pair_of_sum(t.high, half.high);
    struct pair less_one =
        pair_settled(sum.high, sum.low + ((t.low + half.low) + t.high * square.high * p));
    double_mask bits = (double_mask)z, k = bits & (POWER_STEPS - 1);
    struct exponential e;

    e.root.high =
        (double_vector)(double_look_up(double_roots, k) + (k << DOUBLE_ROOT_BITS));
    e.root.low = (double_vector)double_look_up(root_tails, k);
    e.more = pair_times(less_one, e.root.high);
    e.more.low += less_one.high * e.root.low;
    e.power = (double_vector)(((bits >> POWER_STEP_BITS) + 1023 + 512) << 52);
    return e;
}

/* exp(d) * EXPS_SCALE for d <= 0; below -800 as good as 0. */
static inline struct pair pair_exp(struct pair d)
{
    const double lowest = -800;
    double_mask is_within = d.high > lowest;
    struct pair within = {double_choose(is_within, d.high, lowest - (double_vector){0}),
                          (double_vector)((double_mask)d.low & is_within)};
    struct exponential e = exponential_of(within);
    struct pair sum = pair_plus(e.root, e.more);

    return (struct pair){sum.high * e.power, sum.low * e.power};
}

/* tanh(a) = -m / (2 + m), m = exp(-2 a) - 1, for 0 <= a <= 40. */
static inline struct pair pair_tanh(struct pair a)
{
    struct exponential e = exponential_of((struct pair){-2 * a.high, -2 * a.low});
    double_vector power = e.power * (1 / EXPS_SCALE);
    struct pair less_one = pair_of_sum(e.root.high * power, (double_vector){0} - 1);
    struct pair m =
        pair_plus((struct pair){less_one.high, less_one.low + e.root.low * power},
                  (struct pair){e.more.high * power, e.more.low * power});
    struct pair below = pair_of_sum((double_vector){0} + 2, m.high);
    double_vector inverse = 1 / below.high;
    struct pair most = pair_over((struct pair){-m.high, -m.low}, below.high, inverse);

    return pair_settled(most.high,
                        most.low - most.high * ((below.low + m.low) * inverse));
}

#endif
