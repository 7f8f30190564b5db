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
            assert_null(scan_double(text, text + NUMBER_SCAN_SLACK, &wide));
            assert_null(scan_float(text, text + NUMBER_SCAN_SLACK, &narrow));
            continue;
        }
        assert_scan_agrees(text, text + NUMBER_SCAN_SLACK, number.len,
                           number_read_double(number), number_read_float(number));
        taken += scan_double(text, text + NUMBER_SCAN_SLACK, &wide) != NULL;
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
    assert_ptr_equal(scan_double(text, text + sizeof(text), &wide), text + 3);
    assert_null(scan_double(text, text + sizeof(text) - 1, &wide));
    assert_null(scan_float(text, text + sizeof(text) - 1, &narrow));
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
        declined += scan_double(text, text + sizeof(text), &wide) == NULL;
        declined += scan_float(text, text + sizeof(text), &narrow) == NULL;
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

enum { RUN = 40 };

/* RUN numbers, `separator` behind each, and then brackets; returns their end. */
static const char *write_run(char *text, const char *separator)
{
    char *at = text;

    for (int i = 0; i < RUN; i++) {
        double value = i % 3 ? random_logit() : (double)random_below(2000) - 1000;
        at += number_write_double(at, value);
        at = stpcpy(at, separator);
    }
    memset(at, ']', NUMBER_SCAN_SLACK);
    return at + NUMBER_SCAN_SLACK;
}

/* The run read with the help that a scanner wants where it declines: how often. */
static int reads_run(const char *text, const char *end, size_t skip, bool narrow)
{
    int declined = 0;
    const char *at = text;

    for (size_t from = 0, count; from < RUN; from += count) {
        double wide[RUN];
        float slim[RUN];
        const char *next = narrow
                               ? number_scan_floats(at, end, slim, RUN - from, &count)
                               : number_scan_doubles(at, end, wide, RUN - from, &count);
        for (size_t i = 0; i < count; i++) {
            char *behind;
            double wanted = narrow ? (double)strtof(at, &behind) : strtod(at, &behind);
            assert_true(bits_of(narrow ? (double)slim[i] : wide[i]) == bits_of(wanted));
            if (i + 1 == count)
                assert_ptr_equal(next, behind);
            at = behind + skip;
        }
        if (count == 0) {
            declined++;
            count = 1;
            at += number_length((struct span){at, (size_t)(end - at)}) + skip;
        }
    }
    return declined;
}

static void number_scan__reads_on_over_commas_and_blanks(void **state)
{
    (void)state;
    static const char *const separators[] = {",", ", ", ",  ", ",\n"};
    char text[RUN * NUMBER_TEXT_MAX + NUMBER_SCAN_SLACK];
    int declined = 0, runs = ROUNDS / 50;

    for (int i = 0; i < runs; i++) {
        const char *separator = separators[i % 4], *end = write_run(text, separator);
        declined += reads_run(text, end, strlen(separator), false);
        declined += reads_run(text, end, strlen(separator), true);
    }
    assert_in_range(declined, 0, runs * RUN / 100);
}

static void assert_leaves_off(const char *text, size_t room, size_t taken, size_t at)
{
    char padded[4 * NUMBER_SCAN_SLACK] = "";
    const char *end = padded + sizeof padded;
    double wide[16];
    float narrow[16];
    size_t count;

    strcpy(padded, text);
    assert_ptr_equal(number_scan_doubles(padded, end, wide, room, &count), padded + at);
    assert_int_equal(count, taken);
    assert_ptr_equal(number_scan_floats(padded, end, narrow, room, &count), padded + at);
    assert_int_equal(count, taken);
}

static void number_scan__leaves_off_behind_the_last_it_took(void **state)
{
    (void)state;
    assert_leaves_off("1.5,-2,3.25]", 16, 3, 11);
    assert_leaves_off("1.5,-2,3.25]", 2, 2, 6);
    assert_leaves_off("1.5,-2,3.25]", 0, 0, 0);
    assert_leaves_off("1.5, null,3.25]", 16, 1, 3);
    assert_leaves_off("1.5,,3.25]", 16, 1, 3);
    assert_leaves_off("1.5,\n2.5]", 16, 1, 3);
    assert_leaves_off("1.5,  2.5]", 16, 1, 3);
    assert_leaves_off("1.5 ,2.5]", 16, 1, 3);
    assert_leaves_off("1.5,2.5e1,01.5]", 16, 2, 9);
    assert_leaves_off("]", 16, 0, 0);
}

/* It may be the beginning of a longer one. */
static void number_scan__takes_no_number_before_a_zero_byte(void **state)
{
    (void)state;
    assert_leaves_off("1.5,2.5", 16, 1, 3);
    assert_leaves_off("1.5,25", 16, 1, 3);
    assert_leaves_off("1.5,2.5e1", 16, 1, 3);
}

static void number_scan__leaves_numbers_that_round_twice(void **state)
{
    (void)state;
    static const char text[] = "1.5,0,-0.0,1.000000059604644775390625,2.5]";
    char padded[2 * NUMBER_SCAN_SLACK] = "";
    double value[8];
    size_t count;

    strcpy(padded, text);
    const char *end = padded + sizeof padded, *midpoint = strstr(padded, ",1.0");
    assert_ptr_equal(number_scan_doubles(padded, end, value, 8, &count), midpoint);
    assert_ptr_equal(number_scan_narrowed(padded, end, value, 8, &count), midpoint);
    strcpy(padded, "1.5,0,-0.0,1.0000000596046448,2.5]"); /* nearest to a midpoint */
    assert_ptr_equal(number_scan_doubles(padded, end, value, 8, &count),
                     strchr(padded, ']'));
    assert_int_equal(count, 5);
    assert_ptr_equal(number_scan_narrowed(padded, end, value, 8, &count), midpoint);
    assert_int_equal(count, 3);
    assert_true(value[0] == 1.5 && value[1] == 0 && signbit(value[2]));
    strcpy(padded, "1e-39,2.5]");
    assert_ptr_equal(number_scan_narrowed(padded, end, value, 8, &count), padded);
    strcpy(padded, "1e39,2.5]");
    assert_ptr_equal(number_scan_narrowed(padded, end, value, 8, &count), padded);
}

static void number_scan__leaves_integers_that_lose_digits(void **state)
{
    (void)state;
    static const char *const texts[] = {"1,9007199254740993,2]",
                                        "1,-9007199254740993,2]"};
    char padded[2 * NUMBER_SCAN_SLACK] = "";
    const char *end = padded + sizeof padded;
    double value[8];
    size_t count;

    for (size_t i = 0; i < 2; i++) {
        strcpy(padded, texts[i]);
        assert_ptr_equal(number_scan_narrowed(padded, end, value, 8, &count), padded + 1);
        assert_int_equal(count, 1);
    }
    strcpy(padded, "1,9007199254740991,2]");
    assert_ptr_equal(number_scan_narrowed(padded, end, value, 8, &count),
                     strchr(padded, ']'));
}

/* Every place of the dot, with a minus and without, digits of every count. */
static void number_scan__reads_every_layout(void **state)
{
    (void)state;
    int taken = 0, all = 0;

    for (int before = 1; before <= 18; before++)
        for (int behind = 0; behind <= 18; behind++)
            for (int round = 0; round < 40; round++) {
                char text[3 * NUMBER_SCAN_SLACK], *out = text;
                double wide;
                if (round % 2)
                    *out++ = '-';
                for (int i = 0; i < before + behind; i++) {
                    if (i == before)
                        *out++ = '.';
                    bool zero = round >= 20 && (before == 1 || i > 0) && i < round - 20;
                    *out++ = (char)('0' + (zero ? 0 : 1 + random_below(9)));
                }
                *out = '\0';
                assert_reads_as_libc(text);
                memset(out, ',', NUMBER_SCAN_SLACK);
                taken += scan_double(text, out + NUMBER_SCAN_SLACK, &wide) != NULL;
                all++;
            }
    assert_true(taken > all / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_scan__takes_only_json_numbers),
        cmocka_unit_test(number_scan__declines_near_the_end_of_the_text),
        cmocka_unit_test(number_scan__declines_hardly_any_logit),
        cmocka_unit_test(number_scan__declines_few_probabilities),
        cmocka_unit_test(number_scan__reads_on_over_commas_and_blanks),
        cmocka_unit_test(number_scan__leaves_off_behind_the_last_it_took),
        cmocka_unit_test(number_scan__takes_no_number_before_a_zero_byte),
        cmocka_unit_test(number_scan__leaves_numbers_that_round_twice),
        cmocka_unit_test(number_scan__leaves_integers_that_lose_digits),
        cmocka_unit_test(number_scan__reads_every_layout),
    };
    return cmocka_run_group_tests_name("number_scan", tests, NULL, NULL);
}
