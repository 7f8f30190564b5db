/* Exact sums there and back. */
#include "lossd/engine/dyadic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void assert_written(const double *values, size_t count, const char *wanted)
{
    struct exact_sum sum = {0}, back;
    char text[DYADIC_MAX];

    for (size_t i = 0; i < count; i++)
        exact_sum_add(&sum, values[i]);
    size_t len = dyadic_write_sum(&sum, text);
    assert_int_equal(len, strlen(wanted));
    assert_memory_equal(text, wanted, len);
    assert_true(dyadic_read_sum((struct span){text, len}, &back));
    char again[DYADIC_MAX];
    assert_int_equal(dyadic_write_sum(&back, again), len);
    assert_memory_equal(again, text, len);
}

static void dyadic_write_sum__writes_an_integer_times_a_power_of_two(void **state)
{
    (void)state;
    assert_written((const double[]){0}, 1, "0x0p-1074");
    assert_written((const double[]){0x1p-1074}, 1, "0x1p-1074");
    assert_written((const double[]){-0x1p-1074}, 1, "-0x1p-1074");
    assert_written((const double[]){1}, 1, "0x40000p-18");
    assert_written((const double[]){1, 0x1p-1074, -1}, 3, "0x1p-1074");
    assert_written((const double[]){0x1p78, 1}, 2, "0x1000000000000000000040000p-18");
    assert_written((const double[]){(double)INFINITY}, 1, "Infinity");
    assert_written((const double[]){-(double)INFINITY, 3}, 2, "-Infinity");
    assert_written((const double[]){(double)NAN}, 1, "NaN");
}

static void dyadic_read_sum__gives_back_every_bit(void **state)
{
    uint64_t bits = 88172645463325252;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct exact_sum sum = {0}, back;
        char text[DYADIC_MAX];
        for (int k = 0; k <= i % 7; k++) {
            double value;
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            memcpy(&value, &bits, sizeof value);
            exact_sum_add(&sum, isfinite(value) ? value : 1);
        }
        struct span written = {text, dyadic_write_sum(&sum, text)};
        assert_true(dyadic_read_sum(written, &back));
        for (int down = -1100; down <= 1100; down += 275) {
            double value = exact_sum_scaled(&sum, down),
                   other = exact_sum_scaled(&back, down);
            assert_memory_equal(&value, &other, sizeof value);
        }
    }
}

static void dyadic_read_sum__refuses_all_other_text(void **state)
{
    static const char *const texts[] = {
        "",         "0",        "0x",         "0xp-18",    "0x1",
        "0x1p",     "0x1p-",    "0x1p18",     "0x1p-1075", "0x1p-19",
        "0x1p-x",   "+0x1p-18", "--0x1p-18",  "0x1.8p-18", " 0x1p-18",
        "0x1gp-18", "0x1p-18 ", "0x1p-00018", "0x1p+9999", "1e5",
        "nan",      "infinity", "-NaN",       "0X1p-18",   "0x1P-18",
    };
    struct exact_sum sum;

    (void)state;
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_false(dyadic_read_sum(span_of(texts[i]), &sum));
}

/* And leaves the last limb to what is carried when such sums are added. */
static void dyadic_read_sum__takes_as_many_digits_as_a_sum_has(void **state)
{
    enum { DIGITS = 8 * (EXACT_SUM_LIMBS - 1) };
    char text[2 * DYADIC_MAX], written[DYADIC_MAX];
    struct exact_sum sum, back;

    (void)state;
    memset(text, 'f', sizeof text);
    memcpy(text, "0x", 2);
    strcpy(text + 2 + DIGITS, "p-1074");
    assert_true(dyadic_read_sum(span_of(text), &sum));
    back = sum;
    exact_sum_merge(&sum, &back);
    size_t len = dyadic_write_sum(&sum, written);
    assert_memory_equal(written, "0x1fffffff", 10);
    assert_int_equal(len, DIGITS + 2 + 1 + 6);
    text[2 + DIGITS] = 'f';
    strcpy(text + 3 + DIGITS, "p-1074");
    assert_false(dyadic_read_sum(span_of(text), &sum));
    assert_false(dyadic_read_sum(span_of("0x1p+1070"), &sum));
    assert_true(dyadic_read_sum(span_of("0x1p+1038"), &sum));
}

static void dyadic_confidences__come_back(void **state)
{
    const confidence_sum sums[] = {0, 1, (confidence_sum)1 << 64, ~(confidence_sum)0,
                                   ((confidence_sum)0xABCDEF << 90) + 5};
    char text[DYADIC_MAX];
    confidence_sum back;

    (void)state;
    for (size_t i = 0; i < LENGTH(sums); i++) {
        struct span written = {text, dyadic_write_confidences(sums[i], text)};
        assert_true(dyadic_read_confidences(written, &back));
        assert_true(back == sums[i]);
    }
    assert_false(dyadic_read_confidences(span_of("0x1p-18"), &back));
    assert_false(dyadic_read_confidences(span_of("-0x1p-90"), &back));
    assert_false(dyadic_read_confidences(
        span_of("0x100000000000000000000000000000000p-90"), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dyadic_write_sum__writes_an_integer_times_a_power_of_two),
        cmocka_unit_test(dyadic_read_sum__gives_back_every_bit),
        cmocka_unit_test(dyadic_read_sum__refuses_all_other_text),
        cmocka_unit_test(dyadic_read_sum__takes_as_many_digits_as_a_sum_has),
        cmocka_unit_test(dyadic_confidences__come_back),
    };
    return cmocka_run_group_tests_name("dyadic", tests, NULL, NULL);
}
