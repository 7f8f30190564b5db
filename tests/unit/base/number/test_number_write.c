/* Numbers, written: the layout, that they read back, and that nothing shorter or
 * closer does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <inttypes.h>

#include "base/number/number_shortest.h"
#include "number_judge.h"

enum { ROUNDS = 50000, SHORTEST_ROUNDS = 10000 };

static void number_write__lays_out_as_javascript_does(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {1, "1"},
        {-10, "-10"},
        {0.1, "0.1"},
        {123.456, "123.456"},
        {1e-6, "0.000001"},
        {-1.25e-6, "-0.00000125"},
        {9.99e-7, "9.99e-7"},
        {-0.0000012345678901234567, "-0.0000012345678901234567"},
        {1e-7, "1e-7"},
        {1.5e-7, "1.5e-7"},
        {1e16, "10000000000000000"},
        {12345678901234568, "12345678901234568"},
        {1e17, "100000000000000000"},
        {1e20, "100000000000000000000"},
        {999999999999999900000.0, "999999999999999900000"},
        {1e21, "1e+21"},
        {-1.2345678901234567e21, "-1.2345678901234568e+21"},
        {9007199254740991, "9007199254740991"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MIN, "-2.2250738585072014e-308"},
        {0x1p-1074, "5e-324"},
        {0x1p-44, "5.684341886080802e-14"},
        {1e23, "1e+23"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_string_equal(written_double(rows[i].value), rows[i].text);
}

static void number_write_float__lays_out_as_javascript_does(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0f, "-0"},
        {NAN, "null"},
        {-INFINITY, "null"},
        {0.1f, "0.1"},
        {-1.5f, "-1.5"},
        {16777216, "16777216"},
        {0.3333333432674408f, "0.33333334"},
        {1.17549435e-38f, "1.1754944e-38"},
        {FLT_MAX, "3.4028235e+38"},
        {0x1p-149f, "1e-45"},
        {1e-6f, "0.000001"},
        {9.5e-7f, "9.5e-7"},
        {1e20f, "100000000000000000000"},
        {1e21f, "1e+21"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_string_equal(written_float(rows[i].value), rows[i].text);
}

static void number_write__writes_what_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        double wide = i % 2 ? random_double() : random_logit();
        float narrow = i % 2 ? random_float() : (float)random_logit();
        const char *text = written_double(wide);
        assert_reads(text, wide, strtof(text, NULL));
        assert_true(bits_of(strtod(text, NULL)) == bits_of(wide));
        text = written_float(narrow);
        assert_reads(text, strtod(text, NULL), narrow);
    }
}

/* The digits of a text, without dot, exponent, and zeros at either end. */
static size_t significant(const char *text, char digits[64])
{
    size_t count = 0;
    for (; *text && *text != 'e'; text++)
        if (*text > '0' || (*text == '0' && count > 0))
            digits[count++] = *text;
    while (count > 0 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return count;
}

static void number_write__finds_the_shortest_and_closest_digits(void **state)
{
    (void)state;
    char text[64], expected[64], found[64];
    for (int i = 0; i < SHORTEST_ROUNDS; i++) {
        double wide = i % 4 == 0 ? random_logit()
                      : i % 4 == 1
                          ? ldexp(1 + random_below(1000), random_below(2000) - 1074)
                          : random_double();
        wide = fabs(wide);
        int precision = 0;
        do
            snprintf(text, sizeof(text), "%.*e", precision++, wide);
        while (strtod(text, NULL) != wide);
        size_t count = significant(text, expected);
        assert_true(significant(written_double(wide), found) <= count);
        if (strlen(found) == count && frexp(wide, &(int){0}) != 0.5)
            assert_string_equal(found, expected);
    }
}

static void number_write_float__finds_the_shortest_and_closest_digits(void **state)
{
    (void)state;
    char text[64], expected[64], found[64];
    for (int i = 0; i < SHORTEST_ROUNDS; i++) {
        float narrow = fabsf(i % 2 ? random_float() : (float)random_logit());
        int precision = 0;
        do
            snprintf(text, sizeof(text), "%.*e", precision++, (double)narrow);
        while (strtof(text, NULL) != narrow);
        size_t count = significant(text, expected);
        assert_true(significant(written_float(narrow), found) <= count);
        if (strlen(found) == count && frexpf(narrow, &(int){0}) != 0.5f)
            assert_string_equal(found, expected);
    }
}

static bool same_shortest(struct shortest a, struct shortest b)
{
    return a.digits == b.digits && a.power == b.power;
}

/* Random ones; those with few bits, which lie in the middle between two candidates; and
 * those next to powers of two. */
static uint64_t random_magnitude(int round, int fraction_bits, int exponent_max)
{
    uint64_t exponent = (uint64_t)random_below(exponent_max);
    uint64_t fraction = random_bits() >> (64 - fraction_bits);
    if (round % 3 == 1)
        fraction &= ~UINT64_C(0) << random_below(fraction_bits + 1);
    if (round % 3 == 2)
        exponent = (uint64_t)exponent_max / 2 + (uint64_t)random_below(60);
    uint64_t bits = exponent << fraction_bits | fraction;
    return bits == 0 ? 1 : bits;
}

static void shortest__is_what_the_exact_search_finds(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t bits = random_magnitude(i, 52, 2047);
        assert_true(same_shortest(shortest_double(bits), shortest_double_exactly(bits)));
        uint32_t narrow = (uint32_t)random_magnitude(i, 23, 255);
        assert_true(
            same_shortest(shortest_float(narrow), shortest_float_exactly(narrow)));
    }
}

enum { MANY = 100 };

static void fill_many(double values[MANY])
{
    static const double specials[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1, -5e-324};
    for (size_t i = 0; i < MANY; i++)
        values[i] = random_below(4) == 0 ? specials[random_below(7)] : random_double();
}

/* Of a text that starts with one, the text behind it. */
static const char *behind(const char *at, const char *number, bool spaced)
{
    assert_memory_equal(at, number, strlen(number));
    at += strlen(number);
    assert_memory_equal(at, ", ", 1U + spaced);
    return at + 1 + spaced;
}

static void number_write_doubles__writes_each_and_a_comma(void **state)
{
    (void)state;
    double values[MANY];
    float narrow[MANY];
    int64_t integers[MANY];
    char number[NUMBER_TEXT_MAX + 1];
    char text[MANY * (NUMBER_TEXT_MAX + 2)];
    for (size_t count = 0; count <= MANY; count++) {
        bool spaced = count % 2;
        fill_many(values);
        size_t length = number_write_doubles(text, values, count, spaced);
        const char *at = text;
        for (size_t i = 0; i < count; i++)
            at = behind(at, written_double(values[i]), spaced);
        assert_ptr_equal(at, text + length);
        for (size_t i = 0; i < MANY; i++)
            narrow[i] = (float)values[i];
        length = number_write_floats(text, narrow, count, spaced);
        at = text;
        for (size_t i = 0; i < count; i++)
            at = behind(at, written_float(narrow[i]), spaced);
        assert_ptr_equal(at, text + length);
        for (size_t i = 0; i < MANY; i++)
            integers[i] = (int64_t)(random_bits() << random_below(64));
        length = number_write_int64s(text, integers, count, spaced);
        at = text;
        for (size_t i = 0; i < count; i++) {
            number[number_write_int64(number, integers[i])] = '\0';
            at = behind(at, number, spaced);
        }
        assert_ptr_equal(at, text + length);
    }
}

/* As printf() has them, without the zeros at the end; and the numbers next to them,
 * which are long. */
static void number_write__writes_short_decimals(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        int scale = i % 5;
        double value = random_below(2000000000) / (scale == 4 ? 1e4 : pow(10, scale));
        char text[64];
        int length = snprintf(text, sizeof(text), "%.*f", scale, value);
        if (scale > 0)
            while (text[length - 1] == '0')
                length--;
        length -= text[length - 1] == '.';
        text[length] = '\0';
        assert_string_equal(written_double(value), text);
        assert_string_equal(written_double(-value) + (value != 0), text);
        double next = nextafter(value, INFINITY);
        assert_true(strtod(written_double(next), NULL) == next);
    }
}

static void number_write__writes_integers_of_every_length(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_MAX + 1], expected[64];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t value = random_bits() >> random_below(64);
        if (i < 4)
            value = (uint64_t[]){0, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN}[i];
        text[number_write_uint64(text, value)] = '\0';
        snprintf(expected, sizeof(expected), "%" PRIu64, value);
        assert_string_equal(text, expected);
        int64_t with_sign, back;
        memcpy(&with_sign, &value, sizeof(value));
        text[number_write_int64(text, with_sign)] = '\0';
        snprintf(expected, sizeof(expected), "%" PRId64, with_sign);
        assert_string_equal(text, expected);
        assert_true(number_read_int64(span_of(text), &back) && back == with_sign);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_write__lays_out_as_javascript_does),
        cmocka_unit_test(number_write_float__lays_out_as_javascript_does),
        cmocka_unit_test(number_write__writes_what_reads_back),
        cmocka_unit_test(number_write__finds_the_shortest_and_closest_digits),
        cmocka_unit_test(number_write_float__finds_the_shortest_and_closest_digits),
        cmocka_unit_test(shortest__is_what_the_exact_search_finds),
        cmocka_unit_test(number_write_doubles__writes_each_and_a_comma),
        cmocka_unit_test(number_write__writes_short_decimals),
        cmocka_unit_test(number_write__writes_integers_of_every_length),
    };
    return cmocka_run_group_tests_name("number_write", tests, NULL, NULL);
}
