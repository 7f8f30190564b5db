/* Integers by value: 3, 3.0, 30e-1 and 0.3e1 are the same. */
#include "lossd/base/number.h"

#include "base/number/number_exponent.h"

/* *value * 10^power + digit, away from zero on the negative side, which holds one
 * integer more. */
static bool shift_in(int64_t *value, int64_t power, int digit)
{
    for (; power > 0 && *value != 0; power--)
        if (__builtin_mul_overflow(*value, 10, value))
            return false;
    return !__builtin_sub_overflow(*value, digit, value);
}

/* The digits without trailing zeros are an integer times a power of ten; if that
 * power is not negative the number is an integer. */
bool number_read_integer(struct span text, int64_t *value)
{
    const char *at = text.at, *end = text.at + text.len;
    bool negative = at < end && *at == '-', fraction = false;
    int64_t sum = 0, zeros = 0, places = 0;

    if (number_read_int64(text, value))
        return true;
    for (at += negative; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        places += fraction;
        if (*at == '0') {
            zeros++;
        } else {
            if (!shift_in(&sum, zeros + 1, *at - '0'))
                return false;
            zeros = 0;
        }
    }
    int64_t power = zeros - places + number_exponent(at, end);
    if (sum != 0 && (power < 0 || !shift_in(&sum, power, 0)))
        return false;
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}

int number_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
