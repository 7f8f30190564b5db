#include "base/number/number_scan_one.h"

#include "base/number/number_worth.h"

enum { EXPONENT_DIGITS = 5, FLOAT_POWER_MIN = -54, FLOAT_POWER_MAX = 24 };

/* What the worth of a look can be multiplied with to give a float of normal size. */
static const double float_powers[FLOAT_POWER_MAX - FLOAT_POWER_MIN + 1] = {
    1e-54, 1e-53, 1e-52, 1e-51, 1e-50, 1e-49, 1e-48, 1e-47, 1e-46, 1e-45, 1e-44, 1e-43,
    1e-42, 1e-41, 1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31,
    1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19,
    1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,
    1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,   1e5,
    1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15,  1e16,  1e17,
    1e18,  1e19,  1e20,  1e21,  1e22,  1e23,  1e24,
};

/* A number as it lies in the text: its bytes before `stop`, with a minus in front or not, a
 * dot at `dot` or none, are worth 0.ddd * 10^power. */
struct shape {
    const char *at;
    size_t minus, dot, stop;
    int power;
    bool negative;
};

static inline bool is_dotted(const struct shape *shape)
{
    return shape->dot < LOOK_NO_DOT;
}

/* All of it but the exponent. */
static const char *begin(struct shape *shape, const char *at)
{
    uint32_t others = look_others(look_at(at)) | look_others(look_at(at + LOOK)) << LOOK;
    size_t minus = *at == '-';
    others ^= (uint32_t)minus;
    uint32_t rest = others & (others - 1);
    if (others == 0)
        return NULL;
    size_t point = (unsigned)__builtin_ctz(others), stop = point;
    bool dotted = at[point] == '.';
    if (dotted) {
        if (point >= LOOK || rest == 0)
            return NULL;
        stop = (unsigned)__builtin_ctz(rest);
        if (stop == point + 1)
            return NULL;
    }
    bool leading_zero = at[minus] == '0' && point > minus + 1;
    if (point == minus || leading_zero)
        return NULL;
    *shape = (struct shape){.at = at,
                            .minus = minus,
                            .dot = dotted ? point : LOOK_NO_DOT,
                            .stop = stop,
                            .power = (int)(point - minus),
                            .negative = minus};
    return at + stop;
}

static const char *take_exponent(struct shape *shape, const char *at)
{
    int value = 0, digits = 0;
    bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    while (digit_is(*at) && digits++ < EXPONENT_DIGITS)
        value = value * 10 + (*at++ - '0');
    if (digits == 0 || digits > EXPONENT_DIGITS)
        return NULL;
    shape->power += negative ? -value : value;
    return at;
}

/* It starts at its first digit that is not 0, behind the dot. */
static void drop_leading_zeros(struct shape *shape)
{
    const char *first = shape->at + shape->minus;
    if (!is_dotted(shape) || *first != '0')
        return;
    size_t zeros = look_leading_zeros(first), length = shape->stop - shape->minus;
    shape->at = first + zeros;
    shape->minus = 0;
    shape->dot = LOOK_NO_DOT;
    shape->stop = zeros < length ? length - zeros : 0;
    shape->power -= (int)zeros - 1;
}

static const char *shape_of(struct shape *shape, const char *at)
{
    const char *after = begin(shape, at);
    if (after && number_begins_exponent(after))
        after = take_exponent(shape, after + 1);
    if (after)
        drop_leading_zeros(shape);
    return after;
}

static uint64_t worth_of(const struct shape *shape)
{
    return look_worth(look_at(shape->at), &look_layouts[shape->dot][shape->minus],
                      shape->stop);
}

static size_t digits_of_look(const struct shape *shape)
{
    return LOOK - shape->minus - is_dotted(shape);
}

static bool shape_to_double(const struct shape *shape, double *value)
{
    size_t behind = WORTH_DIGITS - digits_of_look(shape);
    if (shape->stop > LOOK + behind)
        return false;
    uint64_t worth = worth_of_nineteen(worth_of(shape), shape->at, behind, shape->stop);
    int power = shape->power - WORTH_DIGITS;
    uint64_t bits = 0;
    if (worth != 0 && power >= ROUND_POWER_MIN && power <= ROUND_POWER_MAX)
        bits = worth_round(worth, power);
    *value = worth_double_of_bits(bits, shape->negative);
    return worth == 0 || bits != 0;
}

static bool shape_to_float(const struct shape *shape, float *value)
{
    uint64_t worth = worth_of(shape), bits = 0;
    if (worth_is_cut_short(worth, shape->stop))
        return false;
    if (worth != 0) {
        int power = shape->power - (int)digits_of_look(shape);
        if (power < FLOAT_POWER_MIN || power > FLOAT_POWER_MAX)
            return false;
        double wide = (double)(int64_t)worth * float_powers[power - FLOAT_POWER_MIN];
        bits = worth_bits_of_double(wide);
        bool normal = (bits >> 52) - (1023 - 126) < 253;
        if (!normal || worth_is_doubtful(bits))
            return false;
    }
    *value = (float)worth_double_of_bits(bits, shape->negative);
    return true;
}

const char *number_scan_one_double(const char *at, double *value)
{
    struct shape shape;
    const char *after = shape_of(&shape, at);
    return after && shape_to_double(&shape, value) ? after : NULL;
}

const char *number_scan_one_float(const char *at, float *value)
{
    struct shape shape;
    const char *after = shape_of(&shape, at);
    return after && shape_to_float(&shape, value) ? after : NULL;
}
