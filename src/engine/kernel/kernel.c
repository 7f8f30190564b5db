/* The kernel of one instruction set: KERNEL is its name.  What it does is in
 * rows.inc, once for each dtype; all builds give the same bits, because what is
 * rounded and in which order stands in the source, and nothing is fused. */
#include "engine/kernel/kernel.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "engine/kernel/confidences.h"
#include "engine/kernel/odds.h"
#include "engine/kernel/pairs.h"
#include "engine/kernel/powers.h"
#include "engine/kernel/slopes.h"
#include "engine/kernel/softcap.h"
#include "engine/kernel/vectors.h"
#include "engine/kernel/vmath.h"

#define PASTED(prefix, name) prefix##name
#define OBJECT(name) PASTED(kernel_, name)
#define MULTIPLY(name) PASTED(multiply_, name)
#define TEXT(name) #name
#define NAME_OF(name) TEXT(name)

extern const struct kernel OBJECT(KERNEL);
void MULTIPLY(KERNEL)(const struct product *product, size_t block, double *room);

/* Sums of many numbers, by lanes, with what rounding left off them: a number may be
 * too small to change the sum it is added to and yet be one of so many that they
 * count. */
struct total {
    double sum[16], lost[16];
};

static inline void total_add(struct total *total, const double *lane, size_t lanes)
{
    for (size_t i = 0; i < lanes; i++) {
        double next = total->sum[i] + lane[i];
        total->lost[i] += difference_tail(total->sum[i], -lane[i], next);
        total->sum[i] = next;
    }
}

/* Pairwise, halves upon each other. */
static inline double total_of(struct total *total, size_t lanes)
{
    for (size_t half = lanes / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) {
            double a = total->sum[i], b = total->sum[i + half], next = a + b;
            total->lost[i] += total->lost[i + half] + difference_tail(a, -b, next);
            total->sum[i] = next;
        }
    double value = total->sum[0] + total->lost[0];
    return value - value == 0 ? value : total->sum[0]; /* infinite: without a tail */
}

/* A group is GROUP_LINES lines with sums of their own; BLOCK_GROUPS of them are summed
 * in their own type before they go to a total: few enough to lose little. */
enum { GROUP_LINES = 4, BLOCK_GROUPS = 16, IN_STEP = 4, AHEAD = 4096, GAP_LANES = 16 };

/* Rows of more classes are as fast by themselves. */
static inline bool has_tiles_of_shares(size_t classes)
{
    return classes <= 64;
}

/* The sum of few numbers, by lanes that are folded upon each other. */
static inline double fold(double *lane, size_t lanes)
{
    for (size_t half = lanes / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

#include "engine/kernel/doubles.inc"

/* ---- float64 ---- */

static inline struct pair exact_exp(double z, double max)
{
    const double_vector none = {0};

    return pair_exp(pair_of_sum(none + z, none - max));
}

/* Subnormal probabilities once more, in twice the precision: they have units, and a
 * relative error of their exponentials would be several of those.  One at a time, in every
 * element of a vector: they are few. */
static void double_mend(const double *z, size_t classes, size_t top, double *p)
{
    const double scale = 0x1p600;
    const double_vector none = {0};
    struct pair sum = {none + EXPS_SCALE, none};

    for (size_t c = 0; c < classes; c++)
        if (c != top)
            sum = pair_plus(sum, exact_exp(z[c], z[top]));
    for (size_t c = 0; c < classes; c++) {
        if (!(p[c] > 0 && p[c] < 2 * DBL_MIN))
            continue;
        struct pair e = exact_exp(z[c], z[top]);
        struct pair wide = {e.high * scale, e.low * scale};
        struct pair quotient = pair_over(wide, sum.high, 1 / sum.high);
        double_vector more = quotient.low - quotient.high * sum.low / sum.high;
        p[c] = (quotient.high[0] + more[0]) * (1 / scale);
    }
}

static inline double_vector double_widened(const double *z)
{
    return (double_vector) * (const loose_doubles *)z;
}

static inline const double *double_as_doubles(const double *x, size_t n, double *room)
{
    (void)n;
    (void)room;
    return x;
}

/* A product with the inverse of a power of two is the quotient, and takes a quarter of the
 * time. */
static void double_divide(const double *x, size_t n, double by, double *z)
{
    double inverse = 1 / by;
    int exponent;

    if (frexp(by, &exponent) == 0.5 && isnormal(inverse))
        for (size_t i = 0; i < n; i++)
            z[i] = x[i] * inverse;
    else
        for (size_t i = 0; i < n; i++)
            z[i] = x[i] / by;
}

static void double_cap(const double *x, size_t n, double softcap, double temperature,
                       double *z)
{
    enum { WIDTH = VECTOR_BYTES / sizeof(double) };
    const struct cap by = cap_of(softcap, temperature);
    double few[WIDTH] = {0};
    size_t i = 0;

    for (; i + WIDTH <= n; i += WIDTH)
        *(loose_doubles *)(z + i) = (loose_doubles)capped(double_widened(x + i), &by);
    memcpy(few, x + i, (n - i) * sizeof *x);
    *(loose_doubles *)few = (loose_doubles)capped(double_widened(few), &by);
    memcpy(z + i, few, (n - i) * sizeof *z);
}

static void double_uncap(const void *logits, size_t n, double softcap, double by,
                         void *gradient)
{
    const double *x = logits;
    double *g = gradient;

    for (size_t i = 0; i < n; i++)
        g[i] = g[i] * by * tanh_slope_of(x[i] / softcap) + 0;
}

static void count_confidences(const struct confidences *of, size_t rows);
static double divergence(const double *z, const double *q, size_t classes, double max,
                         double *total);
static void divergence_of_tile(double *z, const double *targets, size_t rows,
                               size_t classes, const double *max, double *totals,
                               double *out);
static double close_divergence(const double *z, const double *q, size_t classes,
                               double max);
static void miss_powers(double *rows, size_t count, size_t classes, const int64_t *labels,
                        double y, double *powers);
static double close_log_sum_exp(const double *z, size_t classes, double max);

#define REAL double
#define R(name) double_##name
#define VECTOR double_vector
#define MASK double_mask
#define LOOSE loose_doubles
#define LARGER LARGER_DOUBLES
#define ANY ANY_DOUBLES
#define MOST_OF_TILE 128
#define UNSIGNED double_bits
#define BITS int64_t
#define MANTISSA_BITS 52
#define ROUNDER 0x1.8p52
#define INTEGERS 0x1p52
#define SQRT_HALF 0x3fe6a09e667f3bcd
#define LOG_TERMS                                                                      \
    {                                                                                  \
        2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, \
            2.0 / 7, 2.0 / 5, 2.0 / 3                                                  \
    }
#define ATANH_TERMS                                                                     \
    {                                                                                   \
        2.0 / 33, 2.0 / 31, 2.0 / 29, 2.0 / 27, 2.0 / 25, 2.0 / 23, 2.0 / 21, 2.0 / 19, \
            2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3  \
    }
#define BIAS 512
#define UNSCALE 0x1p-512
#define NEAR 2048.0
#define REACH 800.0
#define LEAST_PROBABILITY 0.0
#define LN2_HIGH_PART 0x1.62e42fefa0000p-1
#define LN2_LOW_PART 0x1.cf79abc9e3b3ap-40
#define STRAIGHT 0x1p-54
#define FAR INFINITY
#define LEAST_REST 0.0
#define LEAST_ROOT 0.0
#define LEAST_SCALE 0.0
#define LEAST_NORMAL DBL_MIN
#define LARGEST DBL_MAX
#define LARGEST_SCALE 0x1p1000
/* (exp(t) - 1 - t) / t^2 from the highest power down, the relative error of exp the
 * least for |t| <= 0.51 ln 2 / 16: 1.3e-17 (E. Y. Remez's exchange). */
#define EXP_TERMS                                                          \
    {                                                                      \
        0x1.6c14b23d6c282p-10, 0x1.111246b451879p-7, 0x1.555555594a078p-5, \
            0x1.555555547f3b4p-3, 0x1.fffffffffffb0p-2                     \
    }
#define REST_OF(z, classes, top, rest) (rest)
#include "engine/kernel/rows.inc"
#undef REAL
#undef R
#undef VECTOR
#undef MASK
#undef LOOSE
#undef LARGER
#undef ANY
#undef MOST_OF_TILE
#undef UNSIGNED
#undef BITS
#undef MANTISSA_BITS
#undef ROUNDER
#undef INTEGERS
#undef SQRT_HALF
#undef LOG_TERMS
#undef ATANH_TERMS
#undef BIAS
#undef UNSCALE
#undef NEAR
#undef REACH
#undef LEAST_PROBABILITY
#undef LN2_HIGH_PART
#undef LN2_LOW_PART
#undef STRAIGHT
#undef FAR
#undef LEAST_REST
#undef LEAST_ROOT
#undef LEAST_SCALE
#undef LEAST_NORMAL
#undef LARGEST
#undef LARGEST_SCALE
#undef EXP_TERMS
#undef REST_OF

#include "engine/kernel/confidences.inc"
#include "engine/kernel/divergence.inc"

#include "engine/kernel/misses.inc"

/* ---- float32 ---- */

/* So small a rest is beyond the exponents of float: the row once more in double. */
static double exact_rest(const float *z, size_t classes, size_t top)
{
    struct double_reference to = double_refer(double_splat((double)z[top]));
    double largest = double_exp(double_splat((double)z[top]), &to)[0];
    struct total total = {{0}, {0}};

    for (size_t from = 0; from < classes; from += double_LANES) {
        double lane[double_LANES];
        for (size_t i = 0; i < double_LANES; i++)
            lane[i] = from + i < classes && from + i != top ? (double)z[from + i]
                                                            : (double)-INFINITY;
        for (size_t v = 0; v < VECTORS; v++) {
            double *at = lane + v * double_WIDTH;
            double_store(at, double_exp(double_load(at), &to));
        }
        total_add(&total, lane, double_LANES);
    }
    return total_of(&total, double_LANES) / largest;
}

/* Subnormal probabilities once more, in double. */
static void float_mend(const float *z, size_t classes, size_t top, float *p)
{
    double max = (double)z[top], peak = 1 / (1 + exact_rest(z, classes, top));

    for (size_t c = 0; c < classes; c++)
        if (p[c] > 0 && p[c] < 2 * FLT_MIN)
            p[c] = (float)(exp_scaled((double)z[c] - max, 0) * (1 / EXPS_SCALE) * peak);
}

static inline double_vector float_widened(const float *z)
{
    return __builtin_convertvector((float_half) * (const loose_half *)z, double_vector);
}

static inline const double *float_as_doubles(const float *x, size_t n, double *room)
{
    for (size_t i = 0; i < n; i++)
        room[i] = (double)x[i];
    return room;
}

/* A product with the inverse is as good as a quotient for what is rounded to float, and
 * takes a fifth of the time: the two differ by a unit of the double.  Not so where the
 * inverse is subnormal, or infinite. */
static inline bool inverts(double x)
{
    return isnormal(1 / x);
}

static inline void put_floats(double_vector x, float *at)
{
    *(loose_half *)(void *)at = (loose_half) __builtin_convertvector(x, float_half);
}

enum { CHUNK = 64 }; /* floats that are tempered together */

static bool any_subnormal(const float z[CHUNK])
{
    float_vector least = -FLT_MAX - (float_vector){0};

    for (size_t i = 0; i < CHUNK; i += VECTOR_BYTES / sizeof *z)
        look_for_subnormals((float_vector) * (const loose_floats *)(const void *)(z + i),
                            &least);
    return ANY_FLOATS(least > -FLT_MIN);
}

static void divide_chunk(const float *x, const struct cap *by, float *z)
{
    bool is_exact = by->fraction == 0.5 && inverts(by->temperature);
    double inverse = 1 / by->temperature * (is_exact ? 1 : ABOVE);
    double_vector nearest = double_splat(-2);

    for (size_t i = 0; is_exact && i < CHUNK; i++)
        z[i] = (float)((double)x[i] * inverse);
    if (is_exact)
        return;
    for (size_t i = 0; i < CHUNK; i += double_WIDTH) {
        double_vector quotient = float_widened(x + i) * inverse;
        look_for_middles(quotient, &nearest);
        put_floats(quotient, z + i);
    }
    if (inverts(by->temperature) && !ANY_DOUBLES(nearest == -1) && !any_subnormal(z))
        return;
    for (size_t i = 0; i < CHUNK; i += double_WIDTH)
        put_floats(odd_quotient(float_widened(x + i), by->temperature), z + i);
}

static void cap_chunk(const float *x, const struct cap *by, float *z)
{
    const double most = 0x1p100; /* so that nothing leaves a double */
    double softcap = by->softcap / by->scale, temperature = by->temperature;
    double inverse = 1 / softcap, over = softcap / temperature * ABOVE, value[CHUNK];
    bool is_near =
        fmax(softcap, temperature) < most && fmin(softcap, temperature) > 1 / most;
    double_vector nearest = double_splat(-2);

    for (size_t i = 0; is_near && i < CHUNK; i++)
        value[i] = over * tanh_of((double)x[i] * inverse);
    for (size_t i = 0; is_near && i < CHUNK; i += double_WIDTH) {
        look_for_middles(double_load(value + i), &nearest);
        put_floats(double_load(value + i), z + i);
    }
    if (!is_near || ANY_DOUBLES(nearest == -1) || any_subnormal(z))
        for (size_t i = 0; i < CHUNK; i += double_WIDTH)
            put_floats(odd_capped(float_widened(x + i), by), z + i);
    for (size_t i = 0; i < CHUNK; i++) /* what is masked stays so */
        z[i] = x[i] < -FLT_MAX ? -INFINITY : z[i];
}

/* What stands in one place may go to the same: a chunk is looked at twice. */
static inline __attribute__((always_inline)) void
temper_chunks(void (*temper)(const float *x, const struct cap *by, float *z),
              const struct cap *by, const float *x, size_t n, float *z)
{
    float from[CHUNK] = {0}, to[CHUNK];

    for (; n >= CHUNK; n -= CHUNK, x += CHUNK, z += CHUNK) {
        temper(x, by, x == z ? to : z);
        if (x == z)
            memcpy(z, to, sizeof to);
    }
    memcpy(from, x, n * sizeof *x);
    temper(from, by, to);
    memcpy(z, to, n * sizeof *z);
}

static void float_divide(const float *x, size_t n, double by, float *z)
{
    const struct cap straight = cap_of(1, by);

    temper_chunks(divide_chunk, &straight, x, n, z);
}

static void float_cap(const float *x, size_t n, double softcap, double temperature,
                      float *z)
{
    const struct cap by = cap_of(softcap, temperature);

    temper_chunks(cap_chunk, &by, x, n, z);
}

static void float_uncap(const void *logits, size_t n, double softcap, double by,
                        void *gradient)
{
    const float *x = logits;
    float *g = gradient;
    double inverse = 1 / softcap;

    if (inverts(softcap))
        for (size_t i = 0; i < n; i++)
            g[i] = (float)((double)g[i] * by * tanh_slope_of((double)x[i] * inverse)) + 0;
    else
        for (size_t i = 0; i < n; i++)
            g[i] = (float)((double)g[i] * by * tanh_slope_of((double)x[i] / softcap)) + 0;
}

#define REAL float
#define R(name) float_##name
#define VECTOR float_vector
#define MASK float_mask
#define LOOSE loose_floats
#define LARGER LARGER_FLOATS
#define ANY ANY_FLOATS
#define MOST_OF_TILE 256
#define UNSIGNED float_bits
#define BITS int32_t
#define MANTISSA_BITS 23
#define ROUNDER 0x1.8p23f
#define INTEGERS 0x1p23f
#define SQRT_HALF 0x3f3504f3
#define LOG_TERMS                                         \
    {                                                     \
        2.0f / 11, 2.0f / 9, 2.0f / 7, 2.0f / 5, 2.0f / 3 \
    }
#define ATANH_TERMS                                                             \
    {                                                                           \
        2.0f / 15, 2.0f / 13, 2.0f / 11, 2.0f / 9, 2.0f / 7, 2.0f / 5, 2.0f / 3 \
    }
#define BIAS 64
#define UNSCALE 0x1p-64f
#define NEAR 256.0f
#define REACH 120.0f
#define LEAST_PROBABILITY 0x1p-172 /* above exp(-REACH), which is as good as none */
#define LN2_HIGH_PART 0x1.63p-1f
#define LN2_LOW_PART -0x1.bd0106p-13f
#define STRAIGHT 0x1p-25
#define FAR 120
#define LEAST_REST 0x1p-100
#define LEAST_ROOT 0x1p-50
#define LEAST_SCALE 0x1p-100
#define LEAST_NORMAL FLT_MIN
#define LARGEST FLT_MAX
#define LARGEST_SCALE 0x1p20 /* of a subnormal probability it makes next to nothing */
/* As above; 1.7e-9. */
#define EXP_TERMS                      \
    {                                  \
        0x1.55559ep-3f, 0x1.000234p-1f \
    }
#define REST_OF(z, classes, top, rest) \
    ((rest) < LEAST_REST ? exact_rest(z, classes, top) : (rest))
#include "engine/kernel/rows.inc"

const struct kernel OBJECT(KERNEL) = {
    .name = NAME_OF(KERNEL),
    .in = {&double_arithmetic, &float_arithmetic},
    .multiply = MULTIPLY(KERNEL),
};
