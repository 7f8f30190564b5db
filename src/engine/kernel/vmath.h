/* Exponentials, logarithms and powers for the engine: the same bits on every machine.
 *
 * The C library chooses its own variants by processor, and they differ in the
 * last bit; these use nothing but IEEE additions, multiplications and divisions
 * in a fixed order.  They have no branches on data, so a compiler can run them
 * on vectors.  Fused multiply-add must be off (-ffp-contract=off) and fast-math
 * too: the rounding trick below would be folded away. */
#ifndef LOSSD_ENGINE_KERNEL_VMATH_H
#define LOSSD_ENGINE_KERNEL_VMATH_H

#ifdef __FAST_MATH__
#error "the engine's arithmetic is exact by order; -ffast-math would change it"
#endif

#include <stdint.h>
#include <string.h>

/* Exponentials are kept times this power of two, so that those too small for a
 * double still add up and only the final product is rounded. */
#define EXPS_SCALE 0x1p512

/* ln 2 in two parts; the first has 11 low bits of zero, so that n * LN2_HIGH is
 * exact for every exponent n. */
#define LN2_HIGH 0x1.62e42fefa3800p-1
#define LN2_LOW 0x1.ef35793c76730p-45
#define LOG2_E 0x1.71547652b82fep+0

static inline double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t to_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* (exp(t) - 1 - t) / t^2: its Taylor series from t^10 / 12! down, `p` being what stands
 * before that, over t^11. */
static inline double exp_rest(double p, double t)
{
    p = p * t + 1.0 / 479001600;
    p = p * t + 1.0 / 39916800;
    p = p * t + 1.0 / 3628800;
    p = p * t + 1.0 / 362880;
    p = p * t + 1.0 / 40320;
    p = p * t + 1.0 / 5040;
    p = p * t + 1.0 / 720;
    p = p * t + 1.0 / 120;
    p = p * t + 1.0 / 24;
    p = p * t + 1.0 / 6;
    p = p * t + 1.0 / 2;
    return p;
}

/* 2 (atanh(s) / s - 1) with q = s^2. */
static inline double atanh_rest(double q)
{
    double r = 2.0 / 23;
    r = r * q + 2.0 / 21;
    r = r * q + 2.0 / 19;
    r = r * q + 2.0 / 17;
    r = r * q + 2.0 / 15;
    r = r * q + 2.0 / 13;
    r = r * q + 2.0 / 11;
    r = r * q + 2.0 / 9;
    r = r * q + 2.0 / 7;
    r = r * q + 2.0 / 5;
    r = r * q + 2.0 / 3;
    return r * q;
}

/* exp(d + tail) * EXPS_SCALE for d <= 0; `tail` is what rounding left off d.
 *
 * Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits, where it
 * becomes the exponent of the result.  The scale keeps everything down to the
 * smallest subnormal a normal number here; the product that removes it rounds
 * once.  Below -800 the result is as good as zero after that product.  The
 * polynomial is the Taylor series, long enough for |t| <= ln 2 / 2; what the two
 * large additions round off is added with it. */
static inline double exp_scaled(double d, double tail)
{
    const double to_integer = 0x1.8p52, lowest = -800;

    double t0 = d > lowest ? d : lowest;
    double left = d > lowest ? tail : 0;
    double z = t0 * LOG2_E + to_integer;
    double n = z - to_integer;
    double t_high = t0 - n * LN2_HIGH, t_low = left - n * LN2_LOW;
    double t = t_high + t_low;
    double t_tail = t_low - (t - t_high);
    double p = exp_rest(1.0 / 6227020800, t);
    double sum = 1 + t;
    double rest = ((1 - sum) + t) + (t_tail + t * t * p);
    return (sum + rest) * from_bits((to_bits(z) + 1023 + 512) << 52);
}

/* What rounding left off high = a - b (D. E. Knuth's two-sum). */
static inline double difference_tail(double a, double b, double high)
{
    double virtual_b = high - a;

    return (a - (high - virtual_b)) - (b + virtual_b);
}

/* log(1 + v) for 0 <= v < 2^1023, good to the last bits however small v is.
 *
 * With u = 1 + v rounded, log(1 + v) = log(u) + lost / u to first order.  And
 * u = 2^n (1 + x) with 1 + x in [sqrt 1/2, sqrt 2); log(1 + x) = 2 atanh(s) with
 * s = x / (2 + x), written as x - (x^2/2 - s (x^2/2 + r)), which keeps x whole.
 * The two largest terms are added with what rounding leaves off them. */
static inline double log1p_of(double v)
{
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcd;

    double u = 1 + v;
    double lost = v < 1 ? v - (u - 1) : 1 - (u - v);
    uint64_t bits = to_bits(u);
    int64_t k = (int64_t)(bits - sqrt_half) >> 52;
    double x = from_bits(bits - ((uint64_t)k << 52)) - 1;
    double s = x / (2 + x);
    double q = s * s;
    double r = atanh_rest(q);
    double half = 0.5 * x * x;
    double n = (double)k;
    double high = n * LN2_HIGH + x;
    double tail = x - (high - n * LN2_HIGH);
    return high + (tail + ((n * LN2_LOW + lost / u) - (half - s * (half + r))));
}

/* exp(d) - 1 for d <= 0, and exp(d).  With d = n ln 2 + t the former is
 * 2^n (exp(t) - 1) + (2^n - 1): for n = 0 there is the first term only, and else it is
 * less than half of the second. */
static inline double expm1_and_exp(double d, double *exp)
{
    const double to_integer = 0x1.8p52, lowest = -800;

    double t0 = d > lowest ? d : lowest;
    double z = t0 * LOG2_E + to_integer;
    double n = z - to_integer;
    double t = (t0 - n * LN2_HIGH) - n * LN2_LOW;
    double p = exp_rest(1.0 / 87178291200 * t + 1.0 / 6227020800, t);
    double less = t + t * t * p;
    double scaled = from_bits((to_bits(z) + 1023 + 512) << 52);
    double power = scaled * (1 / EXPS_SCALE);
    *exp = (scaled + scaled * less) * (1 / EXPS_SCALE);
    return power * less + (power - 1);
}

static inline double expm1_of(double d)
{
    double exp;

    return expm1_and_exp(d, &exp);
}

/* tanh(u) = -m / (2 + m) with m = exp(-2 |u|) - 1, and the sign of u. */
static inline double tanh_of(double u)
{
    double size = u < 0 ? -u : u;
    double m = expm1_of(-2 * size);
    double value = -m / (2 + m);

    return u < 0 ? -value : value;
}

/* d tanh(u) / d u = 4 e / (1 + e)^2 with e = exp(-2 |u|). */
static inline double tanh_slope_of(double u)
{
    double e = exp_scaled(u < 0 ? 2 * u : -2 * u, 0) * (1 / EXPS_SCALE);

    return 4 * e / ((1 + e) * (1 + e));
}

/* log(x) for 0 < x < infinity, and in *tail what rounding left off it: as log1p_of(),
 * whose comment says how.  What is subnormal is made larger by a product: a compiler
 * would make two ways of a choice, and on vectors go both. */
static inline double log_of(double x, double *tail)
{
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcd;

    double is_tiny = x < 0x1p-1000;
    uint64_t bits = to_bits(x * (1 + is_tiny * 0x1p100));
    int64_t k = (int64_t)(bits - sqrt_half) >> 52;
    double f = from_bits(bits - ((uint64_t)k << 52)) - 1;
    double s = f / (2 + f);
    double q = s * s;
    double r = atanh_rest(q);
    double half = 0.5 * f * f;
    double n = (double)k - 100 * is_tiny;
    double high = n * LN2_HIGH + f;
    double low = (f - (high - n * LN2_HIGH)) + (n * LN2_LOW - (half - s * (half + r)));
    double sum = high + low;
    *tail = (high - sum) + low;
    return sum;
}

/* What rounding left off high = a * b (T. J. Dekker's product). */
static inline double product_tail(double a, double b, double high)
{
    const double splitter = 0x1p27 + 1;

    double big_a = splitter * a, big_b = splitter * b;
    double high_a = big_a - (big_a - a), high_b = big_b - (big_b - b);
    double low_a = a - high_a, low_b = b - high_b;
    return ((high_a * high_b - high) + high_a * low_b + low_a * high_b) + low_a * low_b;
}

/* x to the power y, for 0 <= x <= 1 and y >= 0: to two units for y up to 8.  What the
 * logarithm is off by is multiplied with y. */
static inline double power_of(double x, double y)
{
    double tail, log = log_of(x > 0 ? x : 1, &tail);
    double high = y * log;
    double low = product_tail(y, log, high) + y * tail;
    double power = exp_scaled(high, low) * (1 / EXPS_SCALE);

    power = x > 0 ? power : 0;
    return y == 0 || x == 1 ? 1 : power;
}

#endif
