/* Numbers from text: where one ends, and what it is worth.
 *
 * The first 19 significant digits fit in 64 bits, as w; the rest of the text
 * only moves the power of ten.  w * 10^q is rounded by number_round().  When
 * digits were cut off the truth lies between w and w + 1: if both round to the
 * same number, that is the answer, and hardly ever is it not.  What remains goes
 * to number_exact.c: one or two in a thousand numbers of more than 19 digits, and
 * midpoints spelled out in full.
 *
 * A float is rounded from the digits, not from a double: rounding twice is wrong
 * for the texts that the first rounding puts on a midpoint.
 *
 * Short numbers could be had by one division of exact doubles.  Tried: 1 to 5 ns
 * of 20 to 30, for numbers that come singly; those of an array are read by
 * number_scan.c, which does that and more. */
#include "lossd/base/number.h"

#include "base/number/number_digits.h"
#include "base/number/number_exact.h"
#include "base/number/number_exponent.h"
#include "base/number/number_round.h"

enum { DECIMAL_DIGITS = 19 };

struct decimal {
    uint64_t digits;
    int64_t power;
    int room;
    bool negative, cut;
};

static const char *skip_digits(const char *at, const char *end)
{
    while (end - at >= 8 && digits_are_eight(digits_load(at)))
        at += 8;
    while (at < end && digit_is(*at))
        at++;
    return at;
}

size_t number_length(struct span text)
{
    const char *at = text.at, *end = text.at + text.len;
    if (at < end && *at == '-')
        at++;
    if (at == end || !digit_is(*at))
        return 0;
    at = *at == '0' ? at + 1 : skip_digits(at, end);
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        if (at == fraction)
            return 0;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        const char *exponent = at;
        at = skip_digits(exponent, end);
        if (at == exponent)
            return 0;
    }
    return (size_t)(at - text.at);
}

static void decimal_take_digit(struct decimal *d, char c, bool fraction)
{
    if (d->room == 0) {
        d->cut |= c != '0';
        d->power += !fraction;
        return;
    }
    d->digits = d->digits * 10 + (uint64_t)(c - '0');
    d->room -= d->digits != 0;
    d->power -= fraction;
}

static const char *decimal_take_digits(struct decimal *d, const char *at, const char *end,
                                       bool fraction)
{
    while (at < end && digit_is(*at)) {
        bool leading = d->digits == 0 && *at == '0';
        if (!leading && d->room >= 8 && end - at >= 8 &&
            digits_are_eight(digits_load(at))) {
            d->digits =
                d->digits * 100000000 + digits_join(digits_load(at) - DIGITS_ZERO);
            d->room -= 8;
            d->power -= fraction ? 8 : 0;
            at += 8;
        } else {
            decimal_take_digit(d, *at++, fraction);
        }
    }
    return at;
}

static struct decimal decimal_of(struct span text)
{
    struct decimal d = {.room = DECIMAL_DIGITS};
    const char *at = text.at, *end = text.at + text.len;
    d.negative = at < end && *at == '-';
    at += d.negative;
    at = decimal_take_digits(&d, at, end, false);
    if (at < end && *at == '.')
        at = decimal_take_digits(&d, at + 1, end, true);
    d.power += number_exponent(at, end);
    return d;
}

static inline bool decimal_round(const struct decimal *d, struct number_format format,
                                 uint64_t *bits)
{
    uint64_t above;
    if (d->digits == 0) {
        *bits = 0;
        return true;
    }
    if (!number_round(d->digits, d->power, format, bits))
        return false;
    return !d->cut ||
           (number_round(d->digits + 1, d->power, format, &above) && above == *bits);
}

double number_read_double(struct span text)
{
    struct decimal d = decimal_of(text);
    uint64_t bits;
    double value;
    if (!decimal_round(&d, number_float64, &bits))
        return number_exact_double(text);
    bits |= (uint64_t)d.negative << 63;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

float number_read_float(struct span text)
{
    struct decimal d = decimal_of(text);
    uint64_t wide;
    float value;
    if (!decimal_round(&d, number_float32, &wide))
        return number_exact_float(text);
    uint32_t bits = (uint32_t)wide | (uint32_t)d.negative << 31;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

bool number_read_int64(struct span text, int64_t *value)
{
    const char *at = text.at, *end = text.at + text.len;
    int64_t sum = 0;
    bool negative = at < end && *at == '-';
    at += negative;
    if (at == end)
        return false;
    for (; at < end; at++) {
        int64_t digit = *at - '0';
        if (!digit_is(*at) || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_sub_overflow(sum, digit, &sum))
            return false;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}
