/* What softcap and temperature make of logits, rounded once, and what they make of them
 * for a type that has fewer bits. */
#ifndef LOSSD_ENGINE_KERNEL_SOFTCAP_H
#define LOSSD_ENGINE_KERNEL_SOFTCAP_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "engine/kernel/pairs.h"

/* What all logits are capped by. */
struct cap {
    double scale;            /* a power of two that leaves room for the parts, */
    double softcap, inverse; /* the softcap times that, and 1 / it */
    double fraction;         /* the temperature without its power of two, from 1/2 on */
    double warming;          /* 1 / the fraction */
    double unscale[2];       /* takes scale and power back, in two products */
    double temperature;
};

static inline struct cap cap_of(double softcap, double temperature)
{
    const double large = 0x1p900;
    int room = softcap > large ? -200 : softcap < 1 / large ? 200 : 0, power;
    double scale = ldexp(1, room), fraction = frexp(temperature, &power);
    int back = -room - power;

    return (struct cap){.scale = scale,
                        .softcap = softcap * scale,
                        .inverse = 1 / (softcap * scale),
                        .fraction = fraction,
                        .warming = 1 / fraction,
                        .unscale = {ldexp(1, back / 2), ldexp(1, back - back / 2)},
                        .temperature = temperature};
}

/* Of sizes: near 0 they are their own cap to much more than the last bit. */
static inline double_mask is_straight(double_vector size, const struct cap *by)
{
    return size * by->scale * by->inverse < 0x1p-34;
}

/* Of sizes that are not straight: softcap * tanh(size / softcap) / temperature, but for
 * the factors of by->unscale. */
static inline struct pair bent(double_vector size, const struct cap *by)
{
    const double_vector none = {0}, most = none + 40;
    const double_vector softcap = none + by->softcap;

    double_vector scaled = size * by->scale;
    double_vector ratio = scaled * by->inverse;
    double_mask is_within = ratio < most;
    double_vector within = double_choose(is_within, ratio, most);
    struct pair back = pair_of_product(within, softcap);
    double_vector left = ((scaled - back.high) - back.low) * by->inverse;
    struct pair a = {within, (double_vector)((double_mask)left & is_within)};
    struct pair z = pair_times(pair_tanh(a), softcap);

    return by->fraction == 0.5 ? (struct pair){2 * z.high, 2 * z.low}
                               : pair_over(z, none + by->fraction, none + by->warming);
}

/* softcap * tanh(x / softcap) / temperature; what is masked stays so. */
static inline double_vector capped(double_vector x, const struct cap *by)
{
    const double_vector none = {0};

    double_vector size = LARGER_DOUBLES(-x, x);
    struct pair z = bent(size, by);
    double_vector value = (z.high + z.low) * by->unscale[0] * by->unscale[1];

    value = double_choose(is_straight(size, by), size / by->temperature, value);
    value = double_choose(size > DBL_MAX, none + (double)INFINITY, value);
    return double_choose(x < 0, -value, value);
}

/* ---- for another rounding ------------------------------------------------------------ */

/* high + low, high being that rounded, where the last bit tells that something was rounded
 * off: what is rounded to less than 52 bits afterwards is as if rounded once (S. Boldo,
 * G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
 * rounding to odd", 2008). */
static inline double_vector rounded_to_odd(struct pair of)
{
    double_mask bits = (double_mask)of.high;
    double_mask is_even = ~bits & 1 & (of.low != 0);
    double_mask is_less = (bits ^ (double_mask)of.low) >> 63;

    return (double_vector)(bits + is_even - 2 * (is_even & is_less));
}

/* What is beyond every float need not be odd. */
static inline double_vector odd_quotient(double_vector x, double by)
{
    const double most = 0x1p500;

    double_vector quotient = x / by, size = LARGER_DOUBLES(-quotient, quotient);
    struct pair back = pair_of_product(quotient, by - (double_vector){0});
    struct pair exact = {quotient, (x - back.high) - back.low};

    return double_choose((size < most) & (size > 1 / most), rounded_to_odd(exact),
                         quotient);
}

static inline double_vector odd_capped(double_vector x, const struct cap *by)
{
    double_vector size = LARGER_DOUBLES(-x, x);
    double_vector value =
        rounded_to_odd(bent(size, by)) * by->unscale[0] * by->unscale[1];

    value = double_choose(x < 0, -value, value);
    return double_choose(is_straight(size, by), odd_quotient(x, by->temperature), value);
}

/* Whether doubles may round to other floats than what they stand for does.  They are
 * ABOVE times that, within 50 units, which is more than it in any case: those that may are
 * right above the middle of two floats, and told by the bits that a float has not, but for
 * the last 8.  What these differ in from the middle's stands behind a -1, and of all
 * vectors that are looked at the nearest is kept, which is -1 in the end or less.  What is
 * subnormal as a float has its middles elsewhere. */
#define ABOVE (1 + 0x1p-46)

static inline void look_for_middles(double_vector x, double_vector *nearest)
{
    const int64_t middle = INT64_C(1) << 28, rest = 2 * middle - 256;
    const double_mask wanted = (double_mask)((double_vector){0} - 1) ^ middle;

    double_vector differs = (double_vector)(((double_mask)x & rest) ^ wanted);
    *nearest = LARGER_DOUBLES(differs, *nearest);
}

/* Of all vectors the smallest is kept, negative; zeros are as good as the largest. */
static inline void look_for_subnormals(float_vector z, float_vector *least)
{
    const float_mask largest = (float_mask)(FLT_MAX - (float_vector){0});

    float_mask size = (float_mask)z & INT32_MAX;
    float_mask other = (size == 0) & largest;
    *least = LARGER_FLOATS((float_vector)(size | other | INT32_MIN), *least);
}

#endif
