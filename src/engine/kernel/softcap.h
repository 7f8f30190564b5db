/* What softcap and temperature make of logits, rounded once. */
#ifndef LOSSD_ENGINE_KERNEL_SOFTCAP_H
#define LOSSD_ENGINE_KERNEL_SOFTCAP_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "engine/kernel/pairs.h"

/* What all logits are capped by.  `scale` is a power of two that leaves room for the
 * parts and the inverse of a softcap. */
struct cap {
    double scale, unscale;
    double softcap, inverse;     /* the softcap times the scale */
    double temperature, cooling; /* 1 / temperature; 0 where parts have no room */
};

static inline struct cap cap_of(double softcap, double temperature)
{
    const double large = 0x1p900, most = 0x1p200;
    bool is_mild = temperature > 0x1p-60 && temperature < large;
    double scale = softcap > large ? 1 / most : softcap < 1 / large ? most : 1;

    return (struct cap){scale,           1 / scale,
                        softcap * scale, 1 / (softcap * scale),
                        temperature,     is_mild ? 1 / temperature : 0};
}

static inline double_vector cooled(struct pair z, const struct cap *by)
{
    const double_vector none = {0};

    if (by->temperature == 1)
        return z.high + z.low;
    if (by->cooling == 0)
        return (z.high + z.low) / by->temperature;
    z = pair_over(z, none + by->temperature, none + by->cooling);
    return z.high + z.low;
}

/* softcap * tanh(x / softcap) / temperature; with a temperature that is not mild in two
 * roundings.  What is masked stays so; what is near 0 is x to much more than the last
 * bit. */
static inline double_vector capped(double_vector x, const struct cap *by)
{
    const double least = 0x1p-34;
    const double_vector none = {0}, most = none + 40;
    const double_vector softcap = none + by->softcap;

    double_vector size = LARGER_DOUBLES(-x, x), scaled = size * by->scale;
    double_vector ratio = scaled * by->inverse;
    double_mask is_within = ratio < most, is_straight = ratio < least;
    double_vector within = double_choose(is_within, ratio, most);
    struct pair back = pair_of_product(within, softcap);
    double_vector left = ((scaled - back.high) - back.low) * by->inverse;
    struct pair a = {within, (double_vector)((double_mask)left & is_within)};
    struct pair bent = pair_times(pair_tanh(a), softcap);
    struct pair z = {
        double_choose(is_straight, scaled, bent.high),
        (double_vector)((double_mask)bent.low & ~is_straight),
    };
    double_vector value = double_choose(size > DBL_MAX, none + (double)INFINITY,
                                        cooled(z, by) * by->unscale);

    return double_choose(x < 0, -value, value);
}

#endif
