/* The array reader's inner loop: one number from bytes that may all be looked at.
 *
 * An array of logits is read at the speed of this file, and what costs time here
 * is branches on data: signs, digit counts and leading zeros are coin flips.  So
 * there are none on these.  A look at 16 bytes, or 32, gives a mask of those that are no
 * digits; sign, dot and end are its lowest bits.  Digits are glued over the
 * dot, masked to their count, and taken as if zeros followed up to sixteen, so the
 * power of ten depends on the dot alone.  Leading zeros are digits like others.
 * Branches remain where documents do not vary: is there a dot, is there an
 * exponent, are there more than 15 digits.
 *
 * The next number starts where this one ends, so that is the chain to keep short:
 * load, mask, two bit scans.  Asking memory for the sign again (*at == '-') would
 * lengthen it; it is checked beside the chain, as are all refusals.  These must
 * be branches: by a conditional move the next number waits for the value of this
 * one, and takes twice as long.  Hence __builtin_expect(), which clang needs.
 *
 * Beside the chain it is the number of instructions that counts.  Exponents have
 * functions of their own, which start over: called with what is known already, they
 * would have all other numbers save registers for them.
 *
 * float   One double multiplication.  Its error is below 5 units in the last
 *         place; what is cut off after sixteen digits of at least 10^13 is below
 *         901 units more; they are less where zeros take their places, and then
 *         without those.  So rounding once more is right unless the double is that
 *         close to a midpoint of two floats: once in 260 000, and then we decline.
 * double  Up to 15 digits, sixteen with the zero that follows are an exact double
 *         (even, and below 2^54), and so is 10^16: one exact division (Clinger).
 *         Otherwise 19 digits by number_powers.h, without the special cases of
 *         number_round.h. */
#include "lossd/base/number_scan.h"

#include <float.h>
#include <stddef.h>

#include "number_look.h"
#include "number_round.h"

/* Arithmetic wider than double would round twice; then all is left to the
 * caller. */
#define SCAN_ARITHMETIC_IS_EXACT (FLT_EVAL_METHOD == 0)

enum {
    SCAN_EXPONENT_DIGITS = 5,
    SHORT_INTEGER = 8,
    SHORT_DIGITS = 15,
    LONG_DIGITS = 19,
    FLOAT_POWER_MIN = -54,
    FLOAT_POWER_MAX = 23,
    /* Doubles this close to a midpoint of two floats are declined. */
    FLOAT_DOUBT = 1024
};

/* Of more than sixteen digits, those sixteen must be this much. */
static const uint64_t CUT_DIGITS_LEAST = UINT64_C(10000000000000);

static const double exact_powers[] = {
    1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
    1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
};

/* What sixteen digits, a number from 10^15 to 10^16, can be multiplied with to
 * give a float of normal size. */
static const double float_powers[FLOAT_POWER_MAX - FLOAT_POWER_MIN + 1] = {
    1e-54, 1e-53, 1e-52, 1e-51, 1e-50, 1e-49, 1e-48, 1e-47, 1e-46, 1e-45, 1e-44, 1e-43,
    1e-42, 1e-41, 1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31,
    1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19,
    1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,
    1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,   1e5,
    1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15,  1e16,  1e17,
    1e18,  1e19,  1e20,  1e21,  1e22,  1e23,
};

/* A number as it lies in the text: `count` digits from `first`, if it is `dotted` with a
 * dot after `split` of them, worth 0.ddd * 10^scale. */
struct shape {
    const char *first;
    unsigned split, count;
    int scale;
    bool negative, dotted;
};

/* All of the number but its exponent. */
static inline __attribute__((always_inline)) const char *
scan_shape(const char *at, const char *end, struct shape *shape)
{
    if (!SCAN_ARITHMETIC_IS_EXACT || end - at < NUMBER_SCAN_SLACK)
        return NULL;
    uint32_t others = look_at(at);
    unsigned sign = others & 1;
    others &= ~UINT32_C(1);
    uint32_t rest = others & (others - 1);
    if (rest == 0) {
        others |= look_at(at + 16) << 16;
        rest = others & (others - 1);
        if (others == 0 || (rest == 0 && at[__builtin_ctz(others)] == '.'))
            return NULL;
    }
    unsigned point = (unsigned)__builtin_ctz(others), stop = point;
    bool no_minus = sign & (at[0] != '-');
    bool leading_zero = (at[sign] == '0') & (point > sign + 1);
    if (no_minus | leading_zero | (point == sign))
        return NULL;

    shape->first = at + sign;
    shape->split = shape->count = point - sign;
    shape->scale = (int)shape->split;
    shape->negative = sign;
    shape->dotted = at[point] == '.';
    if (shape->dotted) {
        stop = (unsigned)__builtin_ctz(rest);
        if (stop == point + 1)
            return NULL;
        shape->count = stop - sign - 1;
    }
    return at + stop;
}

static inline bool begins_exponent(const char *at)
{
    return (*at | 0x20) == 'e';
}

static const char *scan_exponent(const char *at, int *scale)
{
    int value = 0, digits = 0;
    bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    while (digit_is(*at) && digits++ < SCAN_EXPONENT_DIGITS)
        value = value * 10 + (*at++ - '0');
    if (digits == 0 || digits > SCAN_EXPONENT_DIGITS)
        return NULL;
    *scale += negative ? -value : value;
    return at;
}

/* The same number without the zeros it starts with.  A dot among them is taken for the
 * one before the first digit that is left. */
static inline struct shape without_leading_zeros(struct shape shape)
{
    unsigned skip = look_leading_zeros(shape.first);
    unsigned zeros = skip - ((skip > 0) & shape.dotted);
    shape.first += zeros;
    shape.split &= (unsigned)(skip > 0) - 1;
    shape.count = zeros < shape.count ? shape.count - zeros : 0;
    shape.scale -= (int)zeros;
    return shape;
}

static inline double double_of_bits(uint64_t bits, bool negative)
{
    double value;
    bits |= (uint64_t)negative << 63;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline uint64_t sixteen_of(struct shape shape)
{
    return look_sixteen(shape.first, shape.split, shape.count);
}

static inline bool is_short_integer(struct shape shape)
{
    return !shape.dotted && shape.count <= SHORT_INTEGER;
}

/* What stands behind its digits is shifted out. */
static inline double short_integer_of(struct shape shape)
{
    uint64_t digits = digits_load(shape.first) ^ DIGITS_ZERO;
    return (double)digits_join(digits << (64 - 8 * shape.count));
}

/* With a dot among digits 17 to 19, or more digits, the number is no nineteen. */
static inline bool is_nineteen(struct shape shape)
{
    return shape.count <= LONG_DIGITS && (shape.split <= 16 || !shape.dotted);
}

static inline uint64_t nineteen_of(struct shape shape)
{
    const char *more = shape.first + 16 + (shape.split <= 16);
    return sixteen_of(shape) * 1000 + look_three_more(more, shape.count);
}

/* The bits of w * 10^q for a w of 1 or more, or 0 if that is not certain or not of
 * normal size. */
static inline uint64_t round_nineteen(uint64_t w, int q)
{
    int shift = __builtin_clzll(w);
    struct number_product p = number_power_multiply(number_power_of_ten(q), w << shift);
    int lead = __builtin_clzll(p.high);
    int cut = 63 - lead - number_float64.fraction_bits;
    int exponent = 64 - lead - shift + number_power_log2(q) + number_float64.bias;
    uint64_t twice = p.high >> (cut - 1);
    if (p.middle == 0 && twice << (cut - 1) == p.high && (twice & 1))
        return 0;
    if (exponent < 1 || exponent >= 2 * number_float64.bias)
        return 0;
    return ((uint64_t)(exponent - 1) << number_float64.fraction_bits) +
           ((twice + 1) >> 1);
}

/* All of a number with an exponent, without the zeros it starts with. */
static inline const char *scan_with_exponent(const char *at, const char *end,
                                             struct shape *shape)
{
    at = scan_shape(at, end, shape);
    at = scan_exponent(at + 1, &shape->scale);
    *shape = without_leading_zeros(*shape);
    return at;
}

static __attribute__((noinline)) const char *
scan_exponent_double(const char *at, const char *end, double *value)
{
    struct shape shape;

    at = scan_with_exponent(at, end, &shape);
    if (at == NULL || !is_nineteen(shape))
        return NULL;
    if (shape.count == 0) {
        *value = double_of_bits(0, shape.negative);
        return at;
    }
    int power = shape.scale - LONG_DIGITS;
    if (power < ROUND_POWER_MIN || power > ROUND_POWER_MAX)
        return NULL;
    uint64_t bits = round_nineteen(nineteen_of(shape), power);
    *value = double_of_bits(bits, shape.negative);
    return bits != 0 ? at : NULL;
}

const char *number_scan_double(const char *at, const char *end, double *value)
{
    struct shape shape;
    const char *after = scan_shape(at, end, &shape);

    if (after == NULL)
        return NULL;
    if (is_short_integer(shape) && !begins_exponent(after)) {
        *value = double_of_bits(bits_of_double(short_integer_of(shape)), shape.negative);
        return after;
    }
    if (begins_exponent(after))
        return scan_exponent_double(at, end, value);
    if (shape.count <= SHORT_DIGITS) {
        double digits =
            (double)(int64_t)sixteen_of(shape) / exact_powers[16 - shape.split];
        *value = double_of_bits(bits_of_double(digits), shape.negative);
        return after;
    }
    if (shape.count > LONG_DIGITS)
        shape = without_leading_zeros(shape);
    uint64_t w = is_nineteen(shape) ? nineteen_of(shape) : 0;
    if (__builtin_expect(w == 0, 0))
        return NULL;
    uint64_t bits = round_nineteen(w, shape.scale - LONG_DIGITS);
    *value = double_of_bits(bits, shape.negative);
    return __builtin_expect(bits != 0, 1) ? after : NULL;
}

/* Is this double too close to a midpoint of two floats? */
static inline bool is_doubtful(uint64_t bits)
{
    const uint64_t midpoint = UINT64_C(1) << 28, below = 2 * midpoint - 1;
    return ((bits - midpoint + FLOAT_DOUBT) & below) <= 2 * FLOAT_DOUBT;
}

static __attribute__((noinline)) const char *
scan_exponent_float(const char *at, const char *end, float *value)
{
    struct shape shape;

    at = scan_with_exponent(at, end, &shape);
    if (at == NULL)
        return NULL;
    if (shape.count == 0) {
        *value = (float)double_of_bits(0, shape.negative);
        return at;
    }
    unsigned row = (unsigned)(shape.scale - 16 - FLOAT_POWER_MIN);
    if (row > FLOAT_POWER_MAX - FLOAT_POWER_MIN)
        return NULL;
    uint64_t bits =
        bits_of_double((double)(int64_t)sixteen_of(shape) * float_powers[row]);
    bool normal = (bits >> 52) - (1023 - 126) < 253;
    *value = (float)double_of_bits(bits, shape.negative);
    return normal && !is_doubtful(bits) ? at : NULL;
}

/* From the first sixteen digits.  False: in doubt. */
static inline bool float_of_sixteen(struct shape shape, uint64_t sixteen, float *value)
{
    const double *power = float_powers - FLOAT_POWER_MIN - 16 + shape.scale;
    uint64_t bits = bits_of_double((double)(int64_t)sixteen * *power);
    *value = (float)double_of_bits(bits, shape.negative);
    return !is_doubtful(bits);
}

/* Where zeros take so many of the first sixteen digits that too few are left. */
static __attribute__((noinline)) bool float_without_zeros(struct shape shape,
                                                          float *value)
{
    shape = without_leading_zeros(shape);
    return float_of_sixteen(shape, sixteen_of(shape), value);
}

const char *number_scan_float(const char *at, const char *end, float *value)
{
    struct shape shape;
    const char *after = scan_shape(at, end, &shape);

    if (after == NULL)
        return NULL;
    if (is_short_integer(shape) && !begins_exponent(after)) {
        *value = (float)double_of_bits(bits_of_double(short_integer_of(shape)),
                                       shape.negative);
        return after;
    }
    if (begins_exponent(after))
        return scan_exponent_float(at, end, value);
    uint64_t sixteen = sixteen_of(shape);
    uint64_t least = CUT_DIGITS_LEAST & -(uint64_t)(shape.count > 16);
    bool sure = __builtin_expect(sixteen < least, 0)
                    ? float_without_zeros(shape, value)
                    : float_of_sixteen(shape, sixteen, value);
    return __builtin_expect(sure, 1) ? after : NULL;
}
