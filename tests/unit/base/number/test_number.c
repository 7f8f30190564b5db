/* Numbers, read: at the edges, at random, as the vectors under
 * conformance/numbers have them, and in a locale with a decimal comma.  Those that
 * are written are in test_number_write.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <unistd.h>

#include "../../../system/conformance.h"
#include "number_judge.h"

enum { TEXT_MAX = 2048, ROUNDS = 50000 };

static void number_length__is_that_of_the_json_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"", 0},         {"-", 0},        {"+1", 0},       {".5", 0},
        {"-.5", 0},      {"1.", 0},       {"1.e2", 0},     {"1e", 0},
        {"1e+", 0},      {"1.5E-", 0},    {"NaN", 0},      {"-Inf", 0},
        {"--1", 0},      {" 1", 0},       {"0", 1},        {"-0", 2},
        {"01", 1},       {"-012", 2},     {"00", 1},       {"0x10", 1},
        {"1.5,", 3},     {"1.5.2", 3},    {"1e5e5", 3},    {"0e0]", 3},
        {"1E+05 ", 5},   {"2.50e-7}", 7}, {"12345678", 8}, {"123456789/", 9},
        {"1234567:", 7},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_int_equal(number_length(span_of(rows[i].text)), rows[i].length);
}

static void number_read__is_right_at_the_edges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double wide;
        float narrow;
    } rows[] = {
        {"0", 0, 0},
        {"-0", -0.0, -0.0f},
        {"-0.000e+7", -0.0, -0.0f},
        {"0e999999", 0, 0},
        {"0.0000000000000000000000000000000000000000000", 0, 0},
        {"1", 1, 1},
        {"-2.5", -2.5, -2.5f},
        {"1e22", 1e22, 1e22f},
        {"123456789012345678901234567890", 0x1.8ee90ff6c373ep+96, 0x1.8ee91p+96f},
        {"1e-400", 0, 0},
        {"-1e-400", -0.0, -0.0f},
        {"1e400", INFINITY, INFINITY},
        {"-1e400", -INFINITY, -INFINITY},
        {"1e99999999999999999999", INFINITY, INFINITY},
        {"1e-99999999999999999999", 0, 0},
        {"1e9999999999999999999", INFINITY, INFINITY},
        {"-1e-9999999999999999999", -0.0, -0.0f},
        {"1e18446744073709551617", INFINITY, INFINITY},
        {"1e4294967297", INFINITY, INFINITY},
        {"5e-324", 0x1p-1074, 0},
        {"2.4703282292062327e-324", 0, 0},
        {"2.4703282292062328e-324", 0x1p-1074, 0},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022, 0},
        {"2.2250738585072014e-308", 0x1p-1022, 0},
        {"1.7976931348623157e308", DBL_MAX, INFINITY},
        {"1.797693134862315807e308", DBL_MAX, INFINITY},
        {"1.797693134862315808e308", INFINITY, INFINITY},
        {"3.4028234663852886e38", 0x1.fffffep127, FLT_MAX},
        {"340282356779733661637539395458142568447.9", 0x1.ffffffp127, FLT_MAX},
        {"340282356779733661637539395458142568448", 0x1.ffffffp127, INFINITY},
        {"1.401298464324817e-45", 0x1p-149, 0x1p-149f},
        {"7.0064923216240853e-46", 0x1p-150, 0},
        {"7.0064923216240854e-46", 0x1p-150, 0x1p-149f},
        {"1.1754943508222875e-38", 0x1p-126, 0x1p-126f},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_reads(rows[i].text, rows[i].wide, rows[i].narrow);
}

static void number_read__rounds_to_even_at_a_midpoint(void **state)
{
    (void)state;
    assert_reads("9007199254740993", 0x1p53, 0x1p53f);
    assert_reads("9007199254740995", 0x1.0000000000002p53, 0x1p53f);
    assert_reads("9007199254740993.00000000000000000000000001", 0x1.0000000000001p53,
                 0x1p53f);
    assert_reads("9007199254740992.99999999999999999999999999", 0x1p53, 0x1p53f);
    assert_reads("0.500000029802322387695312500", 0x1.000001p-1, 0x1p-1f);
    assert_reads("16777217", 16777217, 0x1p24f);
    assert_reads("16777219", 16777219, 0x1.000004p24f);
    assert_reads("16777217.0000000000000000000000000000001", 16777217, 0x1.000002p24f);
}

static void number_read__does_not_round_a_float_twice(void **state)
{
    (void)state;
    assert_reads("1.00000017881393432617187499", 0x1.000003p0, 0x1.000002p0f);
    assert_reads("1.000000178813934326171875", 0x1.000003p0, 0x1.000004p0f);
    assert_reads("1.00000005960464477539062501", 0x1.000001p0, 0x1.000002p0f);
}

static void number_read__decides_midpoints_spelled_out(void **state)
{
    (void)state;
    if (LDBL_MANT_DIG < 64) {
        print_message("skipped: no type for midpoints of doubles here\n");
        skip();
    }
    static char text[TEXT_MAX];
    for (int i = 0; i < 300; i++) {
        double low = fabs(random_double());
        if (i % 3 == 0)
            low = ldexp(low, -1100);
        double high = nextafter(low, INFINITY);
        if (!isfinite(high))
            continue;
        long double middle = low + ((long double)high - low) / 2;
        int length = snprintf(text, sizeof(text), "%.1100Lf", middle);
        assert_true(length > 0 && length < TEXT_MAX - 1);
        assert_reads_as_libc(text);
        text[length - 1] = '1';
        assert_reads(text, high, strtof(text, NULL));
        snprintf(text, sizeof(text), "%.1100Le", middle * (1 - 0x1p-63L));
        assert_reads(text, low, strtof(text, NULL));
    }
}

static void number_read__decides_midpoints_of_floats(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    for (int i = 0; i < ROUNDS / 5; i++) {
        float low = fabsf(random_float()), high = nextafterf(low, INFINITY);
        if (!isfinite(high))
            continue;
        double middle = ((double)low + (double)high) / 2;
        snprintf(text, sizeof(text), "%.*e", i % 2 ? 120 : random_below(25), middle);
        assert_reads_as_libc(text);
    }
}

/* Before, at and behind the dot, zeros that the exponent makes up for. */
static void number_read__takes_any_length(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    for (int zeros = 0; zeros < 1000; zeros += 37) {
        snprintf(text, sizeof(text), "0.%0*de%d", zeros + 1, 1, zeros + 1);
        assert_reads(text, 1, 1);
        snprintf(text, sizeof(text), "1%0*de%d", zeros + 1, 0, -zeros - 1);
        assert_reads(text, 1, 1);
        snprintf(text, sizeof(text), "-25%0*d.000e-%d", zeros + 1, 0, zeros + 2);
        assert_reads(text, -2.5, -2.5f);
        snprintf(text, sizeof(text), "1e%0*d", zeros + 1, 0);
        assert_reads(text, 1, 1);
        memset(text, '7', (size_t)zeros + 1);
        text[zeros + 1] = '\0';
        assert_reads_as_libc(text);
    }
}

static void number_read__agrees_with_libc_on_random_texts(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(text, sizeof(text), "%.*e", random_below(22), random_double());
        assert_reads_as_libc(text);
        snprintf(text, sizeof(text), "%.*f", random_below(24), random_logit());
        assert_reads_as_libc(text);
        snprintf(text, sizeof(text), "0.%0*d%" PRIu64 "E%+d", 1 + random_below(20), 0,
                 random_bits() >> random_below(64), random_below(700) - 350);
        assert_reads_as_libc(text);
    }
}

static void number_read_int64__takes_what_fits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool taken;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"92233720368547758070", false, 0},
        {"1.0", false, 0},
        {"1e0", false, 0},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int64_t value = 0;
        assert_int_equal(number_read_int64(span_of(rows[i].text), &value), rows[i].taken);
        assert_true(value == rows[i].value);
    }
}

static FILE *vectors(const char *name)
{
    const char *folder = conformance_folder();
    char path[TEXT_MAX];
    snprintf(path, sizeof(path), "%s/numbers/%s", folder, name);
    if (access(folder, F_OK) != 0) {
        print_message("skipped: no folder %s (set LOSSD_CONFORMANCE)\n", folder);
        skip();
    }
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("there is no %s", path);
    return file;
}

/* float16, float32 and float64 bits in columns, the text behind them. */
static const char *vector_next(FILE *file, char line[TEXT_MAX], float *narrow,
                               double *wide)
{
    if (fgets(line, TEXT_MAX, file) == NULL)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    assert_true(strlen(line) > 31);
    *narrow = float_of((uint32_t)strtoul(line + 5, NULL, 16));
    *wide = double_of(strtoull(line + 14, NULL, 16));
    return line + 31;
}

static void number_read__gives_the_bits_of_the_vectors(void **state)
{
    (void)state;
    static char line[TEXT_MAX];
    FILE *file = vectors("numbers.txt");
    const char *text;
    float narrow;
    double wide;
    while ((text = vector_next(file, line, &narrow, &wide)))
        assert_reads(text, wide, narrow);
    fclose(file);
}

static void number_length__refuses_the_vectors_that_are_not_json(void **state)
{
    (void)state;
    static char line[TEXT_MAX];
    FILE *file = vectors("not-json-numbers.txt");
    const char *text;
    float narrow;
    double wide;
    while ((text = vector_next(file, line, &narrow, &wide)))
        assert_int_not_equal(number_length(span_of(text)), strlen(text));
    fclose(file);
}

static void number_read_integer__goes_by_value(void **state)
{
    static const struct {
        const char *text;
        bool taken;
        int64_t value;
    } rows[] = {
        {"3", true, 3},
        {"3.0", true, 3},
        {"3e0", true, 3},
        {"30e-1", true, 3},
        {"0.3E1", true, 3},
        {"-2.50e2", true, -250},
        {"-0.0", true, 0},
        {"0e99999999999999999999", true, 0},
        {"9223372036854775807.0", true, INT64_MAX},
        {"-9223372036854775808e0", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"1e19", false, 0},
        {"3.5", false, 0},
        {"1e-1", false, 0},
        {"1e-99999999999999999999", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int64_t value = 0;
        assert_int_equal(number_read_integer(span_of(rows[i].text), &value),
                         rows[i].taken);
        if (rows[i].taken)
            assert_int_equal(value, rows[i].value);
    }
}

/* The C library keeps what it makes of LOCPATH for ever. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:argz_add_sep";
}

/* Those of the system, else the one that tests/run.sh has made. */
static bool set_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                        "fr_FR.utf8",  "nl_NL.utf8", "pt_BR.utf8"};
    for (int made = 0; made < 2; made++) {
        for (size_t i = 0; i < LENGTH(names); i++)
            if (setlocale(LC_NUMERIC, names[i]) && *localeconv()->decimal_point == ',')
                return true;
        setenv("LOCPATH", "build/locale", 1);
    }
    setlocale(LC_NUMERIC, "C");
    return false;
}

static void number__does_not_know_the_locale(void **state)
{
    (void)state;
    if (!set_comma_locale()) {
        print_message("skipped: no locale with a decimal comma here\n");
        skip();
    }
    assert_string_equal(written_double(-1234.5), "-1234.5");
    assert_reads("1.5", 1.5, 1.5f);
    assert_reads("1.00000017881393432617187500000000001", 0x1.000003p0, 0x1.000004p0f);
    assert_reads("9007199254740993.000000000000", 0x1p53, 0x1p53f);
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_length__is_that_of_the_json_number),
        cmocka_unit_test(number_length__refuses_the_vectors_that_are_not_json),
        cmocka_unit_test(number_read__is_right_at_the_edges),
        cmocka_unit_test(number_read__rounds_to_even_at_a_midpoint),
        cmocka_unit_test(number_read__does_not_round_a_float_twice),
        cmocka_unit_test(number_read__decides_midpoints_spelled_out),
        cmocka_unit_test(number_read__decides_midpoints_of_floats),
        cmocka_unit_test(number_read__takes_any_length),
        cmocka_unit_test(number_read__agrees_with_libc_on_random_texts),
        cmocka_unit_test(number_read__gives_the_bits_of_the_vectors),
        cmocka_unit_test(number_read_int64__takes_what_fits),
        cmocka_unit_test(number_read_integer__goes_by_value),
        cmocka_unit_test(number__does_not_know_the_locale),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
