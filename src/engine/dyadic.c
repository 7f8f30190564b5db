#include "lossd/engine/dyadic.h"

#include <math.h>
#include <stdio.h>

#include "engine/kernel/confidences.h"
#include "lossd/base/number.h"

enum {
    LIMB_BITS = 32,
    LIMB_DIGITS = LIMB_BITS / 4,
    LEAST_EXPONENT = -1074, /* of an exact sum's first limb */
    /* of a sum; as many as there can be do not reach the last limb, where merging carries */
    SUM_DIGITS = LIMB_DIGITS * (EXACT_SUM_LIMBS - 1),
    EXPONENT_DIGITS = 4,
    CONFIDENCE_DIGITS = 32
};

/* ---- writing ---------------------------------------------------------------- */

static size_t write_beyond(double beyond, char *out)
{
    const char *text = isnan(beyond) ? "NaN" : beyond > 0 ? "Infinity" : "-Infinity";

    return (size_t)snprintf(out, DYADIC_MAX, "%s", text);
}

size_t dyadic_write_sum(const struct exact_sum *sum, char out[DYADIC_MAX])
{
    uint32_t limbs[EXACT_SUM_LIMBS];
    size_t low = 0, high = EXACT_SUM_LIMBS - 1;

    if (sum->beyond != 0)
        return write_beyond(sum->beyond, out);
    bool is_negative = exact_sum_limbs(sum, limbs);
    while (high > 0 && limbs[high] == 0)
        high--;
    while (low < high && limbs[low] == 0)
        low++;
    int len = snprintf(out, DYADIC_MAX, "%s0x%x", is_negative ? "-" : "",
                       (unsigned)limbs[high]);
    for (size_t i = high; i-- > low;)
        len += snprintf(out + len, DYADIC_MAX - (size_t)len, "%08x", (unsigned)limbs[i]);
    len += snprintf(out + len, DYADIC_MAX - (size_t)len, "p%+d",
                    LEAST_EXPONENT + LIMB_BITS * (int)low);
    return (size_t)len;
}

size_t dyadic_write_confidences(confidence_sum sum, char out[DYADIC_MAX])
{
    unsigned long long high = (unsigned long long)(sum >> 64);
    unsigned long long low = (unsigned long long)sum;

    return high ? (size_t)snprintf(out, DYADIC_MAX, "0x%llx%016llxp%+d", high, low,
                                   -CONFIDENCE_BITS)
                : (size_t)snprintf(out, DYADIC_MAX, "0x%llxp%+d", low, -CONFIDENCE_BITS);
}

/* ---- reading ---------------------------------------------------------------- */

struct dyadic {
    bool is_negative;
    struct span digits; /* hexadecimal, at least one */
    int exponent;
};

static bool take(struct span *text, const char *start)
{
    size_t len = strlen(start);

    if (text->len < len || memcmp(text->at, start, len) != 0)
        return false;
    *text = (struct span){text->at + len, text->len - len};
    return true;
}

static bool read_exponent(struct span text, int *exponent)
{
    bool is_negative = take(&text, "-");

    if (!is_negative && !take(&text, "+"))
        return false;
    if (text.len == 0 || text.len > EXPONENT_DIGITS)
        return false;
    *exponent = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        *exponent = 10 * *exponent + (text.at[i] - '0');
    }
    *exponent = is_negative ? -*exponent : *exponent;
    return true;
}

static bool read_dyadic(struct span text, struct dyadic *out)
{
    *out = (struct dyadic){.is_negative = take(&text, "-")};
    if (!take(&text, "0x"))
        return false;
    out->digits.at = text.at;
    while (text.len > 0 && number_hex_digit(*text.at) >= 0) {
        text = (struct span){text.at + 1, text.len - 1};
        out->digits.len++;
    }
    return out->digits.len > 0 && take(&text, "p") && read_exponent(text, &out->exponent);
}

static bool read_beyond(struct span text, struct exact_sum *sum)
{
    *sum = (struct exact_sum){0};
    if (span_is(text, "NaN"))
        sum->beyond = (double)NAN;
    else if (span_is(text, "Infinity"))
        sum->beyond = (double)INFINITY;
    else if (span_is(text, "-Infinity"))
        sum->beyond = -(double)INFINITY;
    return sum->beyond != 0;
}

bool dyadic_read_sum(struct span text, struct exact_sum *sum)
{
    uint32_t limbs[EXACT_SUM_LIMBS] = {0};
    struct dyadic number;

    if (!read_dyadic(text, &number))
        return read_beyond(text, sum);
    int up = number.exponent - LEAST_EXPONENT;
    if (up < 0 || up % LIMB_BITS != 0)
        return false;
    size_t place = (size_t)up / LIMB_BITS * LIMB_DIGITS; /* of the last digit */
    if (place + number.digits.len > SUM_DIGITS)
        return false;
    for (size_t i = number.digits.len; i-- > 0; place++)
        limbs[place / LIMB_DIGITS] |= (uint32_t)number_hex_digit(number.digits.at[i])
                                      << 4 * (place % LIMB_DIGITS);
    exact_sum_set(sum, limbs, number.is_negative);
    return true;
}

bool dyadic_read_confidences(struct span text, confidence_sum *sum)
{
    struct dyadic number;

    if (!read_dyadic(text, &number) || number.is_negative ||
        number.exponent != -CONFIDENCE_BITS || number.digits.len > CONFIDENCE_DIGITS)
        return false;
    *sum = 0;
    for (size_t i = 0; i < number.digits.len; i++)
        *sum = *sum << 4 | (unsigned)number_hex_digit(number.digits.at[i]);
    return true;
}
