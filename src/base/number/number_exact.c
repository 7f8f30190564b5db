/* Exactly rounded numbers of any length by the C library's strtod.
 *
 * strtod wants a terminated text and looks up the locale's decimal point, so it
 * is given a text of our making: the significant digits as one integer and an
 * exponent, "-12345e-7".  Without a point there is nothing for a locale to say.
 *
 * No double, and no midpoint between two, has more than 768 significant digits.
 * Of what follows the first 800, all that matters is whether it is zero; if not,
 * one more digit 1 stands for it.  That bounds the text, and lets it live on
 * the stack. */
#include "base/number/number_exact.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/number/number_digits.h"
#include "base/number/number_exponent.h"

enum {
    EXACT_DIGITS = 800,
    /* Far enough out that 800 digits more or less change nothing. */
    EXACT_EXPONENT_MAX = 99999
};

struct exact {
    char text[EXACT_DIGITS + 16];
    int length, digits;
    int64_t power;
    bool cut;
};

static void exact_put(struct exact *x, char c)
{
    x->text[x->length++] = c;
}

static const char *exact_take_digits(struct exact *x, const char *at, const char *end,
                                     bool fraction)
{
    for (; at < end && digit_is(*at); at++) {
        if (x->digits == EXACT_DIGITS) {
            x->cut |= *at != '0';
            x->power += !fraction;
            continue;
        }
        x->power -= fraction;
        if (x->digits > 0 || *at != '0') {
            exact_put(x, *at);
            x->digits++;
        }
    }
    return at;
}

static void exact_put_exponent(struct exact *x)
{
    int64_t power = x->power;
    if (power > EXACT_EXPONENT_MAX)
        power = EXACT_EXPONENT_MAX;
    if (power < -EXACT_EXPONENT_MAX)
        power = -EXACT_EXPONENT_MAX;
    exact_put(x, 'e');
    if (power < 0)
        exact_put(x, '-');
    int rest = (int)(power < 0 ? -power : power);
    for (int unit = 10000; unit > 0; unit /= 10)
        exact_put(x, (char)('0' + rest / unit % 10));
}

static void exact_rewrite(struct exact *x, struct span number)
{
    const char *at = number.at, *end = number.at + number.len;
    x->length = x->digits = 0;
    x->power = 0;
    x->cut = false;
    if (at < end && *at == '-')
        exact_put(x, *at++);
    at = exact_take_digits(x, at, end, false);
    if (at < end && *at == '.')
        at = exact_take_digits(x, at + 1, end, true);
    if (x->cut) {
        exact_put(x, '1');
        x->power--;
    }
    if (x->digits == 0)
        exact_put(x, '0');
    x->power += number_exponent(at, end);
    exact_put_exponent(x);
    exact_put(x, '\0');
}

double number_exact_double(struct span text)
{
    struct exact x;
    exact_rewrite(&x, text);
    return strtod(x.text, NULL);
}

float number_exact_float(struct span text)
{
    struct exact x;
    exact_rewrite(&x, text);
    return strtof(x.text, NULL);
}
