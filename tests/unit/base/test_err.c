/* base/err.c: one error, the one that comes first. */
#include "lossd/base/err.h"

static void report(struct err *err, enum err_kind kind, const char *detail)
{
    fail(err, kind, "/x", "%s", detail);
}

static bool report_without_place(struct err *err, const char *detail)
{
    return fail(err, ERR_WRONG_TYPE, NULL, "%s", detail);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void fail__is_false_and_keeps_what_was_said(void **state)
{
    struct err err = {0};

    (void)state;
    assert_false(report_without_place(&err, "it is 3"));
    assert_int_equal(err.kind, ERR_WRONG_TYPE);
    assert_string_equal(err.detail, "it is 3");
    assert_string_equal(err.pointer, "");
    assert_int_equal(err.limit, 0);
    assert_null(err.flag);
}

static void fail__lets_the_earlier_phase_win(void **state)
{
    /* a kind of each phase, the earliest first */
    static const enum err_kind kinds[] = {ERR_TOO_LARGE,        ERR_INVALID_JSON,
                                          ERR_DUPLICATE_MEMBER, ERR_UNKNOWN_MEMBER,
                                          ERR_MISSING_MEMBER,   ERR_CONFLICTING_MEMBERS,
                                          ERR_RAGGED_ARRAY,     ERR_MASKED_LABEL};
    const size_t count = sizeof kinds / sizeof *kinds;

    (void)state;
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++) {
            struct err err = {0};
            report(&err, kinds[a], "first");
            report(&err, kinds[b], "second");
            assert_int_equal(err.kind, kinds[a < b ? a : b]);
            assert_string_equal(err.detail, b < a ? "second" : "first");
        }
}

static void fail__keeps_the_first_of_a_phase(void **state)
{
    struct err err = {0};

    (void)state;
    report(&err, ERR_MASKED_LABEL, "first");
    report(&err, ERR_NON_FINITE_VALUE, "second");
    assert_int_equal(err.kind, ERR_MASKED_LABEL);
}

static void err_by__is_true_from_the_error_s_phase_on(void **state)
{
    struct err err = {0};

    (void)state;
    assert_false(err_by(&err, PHASE_VALUE));
    report(&err, ERR_MISSING_MEMBER, "logits is missing");
    assert_false(err_by(&err, PHASE_UNKNOWN));
    assert_true(err_by(&err, PHASE_MISSING));
    assert_true(err_by(&err, PHASE_VALUE));
}

static void fail__cuts_a_long_text_at_a_character(void **state)
{
    struct err err = {0};
    char text[1000];

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = i % 2 ? (char)0xA9 : (char)0xC3; /* é */
    text[sizeof text - 1] = '\0';
    report(&err, ERR_INTERNAL, text);
    size_t len = strlen(err.detail);
    assert_in_range(len, sizeof err.detail - 8, sizeof err.detail - 1);
    assert_string_equal(err.detail + len - 3, "...");
    assert_int_equal((len - 3) % 2, 0);
}

static void fail_limit__names_the_ceiling(void **state)
{
    struct err err = {0};

    (void)state;
    report(&err, ERR_WRONG_TYPE, "a type");
    assert_false(fail_limit(&err, "/logits", 64, "--max-depth", "%d levels", 65));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(err.limit, 64);
    assert_string_equal(err.flag, "--max-depth");
    assert_string_equal(err.pointer, "/logits");
    assert_string_equal(err.detail, "65 levels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail__is_false_and_keeps_what_was_said),
        cmocka_unit_test(fail__lets_the_earlier_phase_win),
        cmocka_unit_test(fail__keeps_the_first_of_a_phase),
        cmocka_unit_test(err_by__is_true_from_the_error_s_phase_on),
        cmocka_unit_test(fail__cuts_a_long_text_at_a_character),
        cmocka_unit_test(fail_limit__names_the_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
