#include "agree.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct allowance allowance_float64 = {4e-15, DBL_TRUE_MIN};
const struct allowance allowance_float32 = {1e-6, FLT_TRUE_MIN};

#define ANYTHING "…"

struct match {
    struct allowance allowance;
    const char *expected; /* where the texts part, the furthest that was reached */
    const char *got;
};

static size_t digits_span(const char *text)
{
    return strspn(text, "0123456789");
}

static size_t number_span(const char *text)
{
    size_t length = text[0] == '-';
    if (!isdigit((unsigned char)text[length]))
        return 0;
    length += digits_span(text + length);
    if (text[length] == '.')
        length += 1 + digits_span(text + length + 1);
    if (text[length] != 'e' && text[length] != 'E')
        return length;
    bool is_signed = text[length + 1] == '+' || text[length + 1] == '-';
    size_t before = is_signed ? 2 : 1, digits = digits_span(text + length + before);
    return digits > 0 ? length + before + digits : length;
}

static bool numbers_agree(const char *expected, size_t expected_length, const char *got,
                          size_t got_length, struct allowance allowance)
{
    if (expected_length == got_length && memcmp(expected, got, got_length) == 0)
        return true;
    if (got_length == 0 || strcspn(expected, ".eE") >= expected_length)
        return false;
    double want = strtod(expected, NULL), have = strtod(got, NULL);
    return fabs(have - want) <= allowance.relative * fabs(want) + allowance.absolute;
}

static bool matches(struct match *match, const char *expected, const char *got,
                    bool in_string);

/* `expected` stands behind an ANYTHING: is there an end of the gap that fits? */
static bool rest_matches(struct match *match, const char *expected, const char *got,
                         bool in_string)
{
    for (;; got++) {
        if (matches(match, expected, got, in_string))
            return true;
        if (*got == '\0' || (in_string && *got == '"'))
            return false;
        if (in_string && *got == '\\' && got[1] != '\0')
            got++;
    }
}

static bool matches(struct match *match, const char *expected, const char *got,
                    bool in_string)
{
    while (*expected) {
        if (got > match->got) {
            match->expected = expected;
            match->got = got;
        }
        if (strncmp(expected, ANYTHING, strlen(ANYTHING)) == 0)
            return rest_matches(match, expected + strlen(ANYTHING), got, in_string);
        size_t number = in_string ? 0 : number_span(expected);
        if (number > 0) {
            size_t other = number_span(got);
            if (!numbers_agree(expected, number, got, other, match->allowance))
                return false;
            expected += number;
            got += other;
            continue;
        }
        if (*expected != *got)
            return false;
        if (in_string && *expected == '\\' && expected[1] == got[1] && got[1] != '\0') {
            expected++;
            got++;
        } else if (*expected == '"') {
            in_string = !in_string;
        }
        expected++;
        got++;
    }
    return *got == '\0';
}

bool agree(const char *expected, const char *got, struct allowance allowance,
           char why[400])
{
    struct match match = {allowance, expected, got};
    if (matches(&match, expected, got, false))
        return true;
    snprintf(why, 400, "at byte %td: expected `%.150s`, got `%.150s`", match.got - got,
             match.expected, match.got);
    return false;
}

/* Digits from the first to the last that is not 0; a fraction that ends in 0 counts
 * as if it had no end. */
static size_t significant_digits(const char *number, size_t length)
{
    size_t mantissa = strcspn(number, "eE");
    if (mantissa > length)
        mantissa = length;
    if (memchr(number, '.', mantissa) && number[mantissa - 1] == '0')
        return SIZE_MAX;
    size_t digits = 0, zeros = 0;
    for (size_t i = 0; i < mantissa; i++) {
        if (!isdigit((unsigned char)number[i]) || (number[i] == '0' && digits == 0))
            continue;
        zeros = number[i] == '0' ? zeros + 1 : 0;
        digits++;
    }
    return digits - zeros;
}

static bool is_shortest(const char *number, size_t length, bool as_float32)
{
    char text[64];
    double value = as_float32 ? (double)strtof(number, NULL) : strtod(number, NULL);
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        double back = as_float32 ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (memcmp(&back, &value, sizeof value) == 0)
            return significant_digits(number, length) <= (size_t)precision;
    }
    return false;
}

bool all_shortest(const char *json, bool or_float32, char why[400])
{
    bool in_string = false;
    for (const char *at = json; *at; at++) {
        if (in_string && *at == '\\' && at[1] != '\0') {
            at++;
            continue;
        }
        if (*at == '"')
            in_string = !in_string;
        size_t length = in_string ? 0 : number_span(at);
        if (length == 0)
            continue;
        if (!is_shortest(at, length, false) &&
            !(or_float32 && is_shortest(at, length, true))) {
            snprintf(why, 400, "`%.*s` is not the shortest text of its value",
                     (int)length, at);
            return false;
        }
        at += length - 1;
    }
    return true;
}
