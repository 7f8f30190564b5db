/* The exponent at the end of a number, however long it is. */
#ifndef LOSSD_BASE_NUMBER_EXPONENT_H
#define LOSSD_BASE_NUMBER_EXPONENT_H

#include <stdint.h>

#include "base/number/number_digits.h"

/* An exponent stops growing once it is beyond this.  No text is long enough for
 * its digits to make up for that, and ten times it is no overflow yet. */
#define NUMBER_EXPONENT_MAX INT64_C(100000000000000000)

/* The exponent that starts at `at`, 0 when there is none. */
static inline int64_t number_exponent(const char *at, const char *end)
{
    int64_t value = 0;
    if (at >= end || (*at | 0x20) != 'e')
        return 0;
    at++;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end && digit_is(*at); at++)
        if (value < NUMBER_EXPONENT_MAX)
            value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

#endif
