/* The array reader's scanners: whatever they take is a JSON number and is read as
 * number_read_*() reads it.  (number_judge.h asks them about every text of
 * test_number.c as well.) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "number_judge.h"

enum { ROUNDS = 50000 };

/* Texts of a number's bytes, hardly ever numbers, before all kinds of bytes. */
static void number_scan__takes_only_json_numbers(void **state)
{
    (void)state;
    static const char bytes[] = "00001123456789999...--+eE,] /:\xb0\xff";
    char *text = malloc(NUMBER_SCAN_SLACK);
    assert_non_null(text);
    int taken = 0;
    for (int i = 0; i < ROUNDS * 10; i++) {
        for (int j = 0; j < NUMBER_SCAN_SLACK; j++)
            text[j] = bytes[random_below((int)sizeof(bytes) - 1)];
        if (i % 2)
            memcpy(text, i % 4 == 1 ? "-0.00" : "12.34", 5);
        struct span number = {text, NUMBER_SCAN_SLACK};
        number.len = number_length(number);
        double wide;
        if (number.len == 0) {
            float narrow;
            assert_null(number_scan_double(text, text + NUMBER_SCAN_SLACK, &wide));
            assert_null(number_scan_float(text, text + NUMBER_SCAN_SLACK, &narrow));
            continue;
        }
        assert_scan_agrees(text, text + NUMBER_SCAN_SLACK, number.len,
                           number_read_double(number), number_read_float(number));
        taken += number_scan_double(text, text + NUMBER_SCAN_SLACK, &wide) != NULL;
    }
    assert_true(taken > ROUNDS);
    free(text);
}

static void number_scan__declines_near_the_end_of_the_text(void **state)
{
    (void)state;
    char text[NUMBER_SCAN_SLACK] = "1.5,";
    double wide;
    float narrow;
    assert_ptr_equal(number_scan_double(text, text + sizeof(text), &wide), text + 3);
    assert_null(number_scan_double(text, text + sizeof(text) - 1, &wide));
    assert_null(number_scan_float(text, text + sizeof(text) - 1, &narrow));
}

/* Logits, and probabilities, which start with zeros or end with an exponent. */
static void declines_at_most(double (*number)(void), int most)
{
    int declined = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char text[128];
        double wide;
        float narrow;
        memset(text, ']', sizeof(text));
        text[number_write_double(text, number())] = ',';
        declined += number_scan_double(text, text + sizeof(text), &wide) == NULL;
        declined += number_scan_float(text, text + sizeof(text), &narrow) == NULL;
    }
    assert_in_range(declined, 0, most);
}

static void number_scan__declines_hardly_any_logit(void **state)
{
    (void)state;
    declines_at_most(random_logit, ROUNDS / 1000);
}

static double random_probability(void)
{
    return exp(-fabs(random_logit())) / 1000;
}

static void number_scan__declines_few_probabilities(void **state)
{
    (void)state;
    declines_at_most(random_probability, ROUNDS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_scan__takes_only_json_numbers),
        cmocka_unit_test(number_scan__declines_near_the_end_of_the_text),
        cmocka_unit_test(number_scan__declines_hardly_any_logit),
        cmocka_unit_test(number_scan__declines_few_probabilities),
    };
    return cmocka_run_group_tests_name("number_scan", tests, NULL, NULL);
}
