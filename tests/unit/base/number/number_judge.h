/* What the tests of numbers have in common: random numbers, always the same, and
 * the checks that a text is read and a number is written as it should.
 *
 * The judge is the C library: correct, slow, and asked in the "C" locale.  Every
 * text is put at the very end of an allocation, so that AddressSanitizer sees a
 * look beyond it. */
#ifndef LOSSD_TESTS_NUMBER_JUDGE_H
#define LOSSD_TESTS_NUMBER_JUDGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lossd/base/number.h"
#include "lossd/base/number_scan.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t random_state = 88172645463325252;

static inline uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(2685821657736338717);
}

static inline int random_below(int limit)
{
    return (int)(random_bits() % (unsigned)limit);
}

static inline double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline double random_double(void)
{
    for (;;) {
        double value = double_of(random_bits());
        if (isfinite(value))
            return value;
    }
}

static inline float random_float(void)
{
    for (;;) {
        float value = float_of((uint32_t)random_bits());
        if (isfinite(value))
            return value;
    }
}

static inline double random_logit(void)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (double)(random_bits() >> 11) / 0x1p53;
    return 3 * (sum - 6);
}

/* The scanners asked for one number: the byte after it, or NULL. */
static inline const char *scan_double(const char *at, const char *end, double *value)
{
    size_t count;
    const char *after = number_scan_doubles(at, end, value, 1, &count);
    return count == 1 ? after : NULL;
}

static inline const char *scan_float(const char *at, const char *end, float *value)
{
    size_t count;
    const char *after = number_scan_floats(at, end, value, 1, &count);
    return count == 1 ? after : NULL;
}

/* They decline or agree; a number is all of what they were asked. */
static inline void assert_scan_agrees(const char *at, const char *end, size_t length,
                                      double wide, float narrow)
{
    double a;
    float b;
    const char *after = scan_double(at, end, &a);
    if (after && (after != at + length || bits_of(a) != bits_of(wide)))
        fail_msg("scanned %.*s as %a, not %a", (int)length, at, a, wide);
    after = scan_float(at, end, &b);
    if (after && (after != at + length || bits_of_float(b) != bits_of_float(narrow)))
        fail_msg("scanned %.*s as %a, not %a", (int)length, at, (double)b,
                 (double)narrow);
}

static inline void assert_reads(const char *text, double wide, float narrow)
{
    size_t length = strlen(text);
    char *exact = malloc(length), *followed = malloc(length + NUMBER_SCAN_SLACK);
    assert_true(exact && followed);
    memcpy(exact, text, length);
    memcpy(followed, text, length);
    memset(followed + length, ',', NUMBER_SCAN_SLACK);
    struct span span = {exact, length};

    if (number_length(span) != length)
        fail_msg("%s: %zu long, not %zu", text, number_length(span), length);
    if (bits_of(number_read_double(span)) != bits_of(wide))
        fail_msg("read %s as %a, not %a", text, number_read_double(span), wide);
    if (bits_of_float(number_read_float(span)) != bits_of_float(narrow))
        fail_msg("read %s as %a, not %a", text, (double)number_read_float(span),
                 (double)narrow);
    assert_scan_agrees(followed, followed + length + NUMBER_SCAN_SLACK, length, wide,
                       narrow);
    free(exact);
    free(followed);
}

static inline void assert_reads_as_libc(const char *text)
{
    assert_reads(text, strtod(text, NULL), strtof(text, NULL));
}

static inline const char *written_double(double value)
{
    static char text[NUMBER_TEXT_MAX + 1];
    memset(text, '#', NUMBER_TEXT_MAX);
    size_t length = number_write_double(text, value);
    assert_true(length <= NUMBER_TEXT_MAX);
    text[length] = '\0';
    return text;
}

static inline const char *written_float(float value)
{
    static char text[NUMBER_TEXT_MAX + 1];
    memset(text, '#', NUMBER_TEXT_MAX);
    size_t length = number_write_float(text, value);
    assert_true(length <= NUMBER_TEXT_MAX);
    text[length] = '\0';
    return text;
}

#endif
