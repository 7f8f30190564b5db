/* Errors: which one wins, and what becomes of a text that is too long. */
#include "lossd/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lossd/base/utf8.h"

#undef fail /* cmocka's; the one of err.h is meant */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void fail__records_kind_pointer_and_sentence_and_is_false(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};

    assert_false(fail(&err, ERR_WRONG_TYPE, "/axis", "axis is %d; %s", 7, "a 1"));
    assert_int_equal(err.kind, ERR_WRONG_TYPE);
    assert_string_equal(err.pointer, "/axis");
    assert_string_equal(err.detail, "axis is 7; a 1");
    assert_int_equal(err.limit, 0);
    assert_null(err.flag);
}

static void fail__without_a_pointer_leaves_it_empty(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};

    fail(&err, ERR_DRAINING, NULL, "later");
    assert_string_equal(err.pointer, "");
}

static void fail_limit__adds_the_limit_and_its_flag(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};

    assert_false(fail_limit(&err, ERR_TOO_LARGE, "/logits", UINT64_MAX, "--max-x",
                            "too much: %s", "x"));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_true(err.limit == UINT64_MAX);
    assert_string_equal(err.flag, "--max-x");
    assert_string_equal(err.pointer, "/logits");
    assert_string_equal(err.detail, "too much: x");
}

/* The order of the API: the text, the members one way after another, shapes, values. */
static void err_phase__is_that_of_the_api_for_every_kind(void **state)
{
    (void)state;
    static const enum err_phase phases[ERR_KINDS] = {
        [ERR_INVALID_JSON] = PHASE_TEXT,
        [ERR_TRAILING_DATA] = PHASE_TEXT,
        [ERR_BAD_TENSOR] = PHASE_TEXT,
        [ERR_DUPLICATE_MEMBER] = PHASE_DUPLICATE,
        [ERR_UNKNOWN_MEMBER] = PHASE_UNKNOWN,
        [ERR_MISSING_MEMBER] = PHASE_MISSING,
        [ERR_CONFLICTING_MEMBERS] = PHASE_CONFLICT,
        [ERR_WRONG_TYPE] = PHASE_SHAPE,
        [ERR_RAGGED_ARRAY] = PHASE_SHAPE,
        [ERR_EMPTY_BATCH] = PHASE_SHAPE,
        [ERR_SHAPE_MISMATCH] = PHASE_SHAPE,
        [ERR_NON_FINITE_VALUE] = PHASE_VALUE,
        [ERR_LABEL_NOT_INTEGER] = PHASE_SHAPE,
        [ERR_LABEL_OUT_OF_RANGE] = PHASE_VALUE,
        [ERR_INVALID_OPTION] = PHASE_VALUE,
        [ERR_ALL_MASKED] = PHASE_VALUE,
        [ERR_MASKED_LABEL] = PHASE_VALUE,
    };

    for (enum err_kind kind = ERR_NONE; kind < ERR_KINDS; kind++) {
        assert_int_equal(err_phase(kind), phases[kind]); /* the others: PHASE_TRANSPORT */
        if (kind > ERR_NONE)
            assert_true(err_phase(kind) >= err_phase(kind - 1));
    }
}

static void fail__keeps_an_error_of_the_same_or_an_earlier_phase(void **state)
{
    (void)state;
    for (enum err_kind first = ERR_NONE + 1; first < ERR_KINDS; first++)
        for (enum err_kind second = ERR_NONE + 1; second < ERR_KINDS; second++) {
            struct err err = {.kind = ERR_NONE};
            bool earlier = err_phase(second) < err_phase(first);
            fail(&err, first, "/first", "first");
            assert_false(fail(&err, second, NULL, "second"));
            assert_int_equal(err.kind, earlier ? second : first);
            assert_string_equal(err.detail, earlier ? "second" : "first");
            assert_string_equal(err.pointer, earlier ? "" : "/first");
        }
}

/* Nothing of the error that lost is left. */
static void fail__forgets_the_error_that_it_replaces(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_SHAPE_MISMATCH,
                      .has_position = true,
                      .offset = 5,
                      .line = 6,
                      .column = 7,
                      .limit = 8,
                      .flag = "--x"};

    fail(&err, ERR_INVALID_JSON, NULL, "text");
    assert_false(err.has_position);
    assert_int_equal(err.offset + err.line + err.column, 0);
    assert_int_equal(err.limit, 0);
    assert_null(err.flag);
}

static void fail_limit__keeps_an_earlier_error(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};

    fail(&err, ERR_OVERLOADED, NULL, "busy");
    assert_false(fail_limit(&err, ERR_TOO_LARGE, NULL, 7, "--x", "large"));
    assert_int_equal(err.kind, ERR_OVERLOADED);
    assert_string_equal(err.detail, "busy");
    assert_int_equal(err.limit, 0);
    assert_null(err.flag);
}

static void err_by__tells_whether_a_phase_has_failed(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};

    for (enum err_phase phase = PHASE_TRANSPORT; phase <= PHASE_VALUE; phase++)
        assert_false(err_by(&err, phase));
    fail(&err, ERR_MISSING_MEMBER, NULL, "x");
    for (enum err_phase phase = PHASE_TRANSPORT; phase <= PHASE_VALUE; phase++)
        assert_int_equal(err_by(&err, phase), phase >= PHASE_MISSING);
}

/* ---- long texts --------------------------------------------------------------------- */

static bool is_utf8(const char *text)
{
    struct span rest = span_of(text);

    while (rest.len > 0) {
        size_t len = utf8_length(rest);
        if (len == 0)
            return false;
        rest.at += len;
        rest.len -= len;
    }
    return true;
}

static void detail__that_just_fits_is_whole(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};
    char text[sizeof err.detail];

    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    fail(&err, ERR_INTERNAL, NULL, "%s", text);
    assert_string_equal(err.detail, text);
}

static void detail__that_does_not_fit_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const letters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC",
                                          "\xF0\x9F\x99\x82"};
    enum { SIZE = sizeof((struct err *)0)->detail };

    for (size_t i = 0; i < LENGTH(letters); i++)
        for (size_t before = 0; before < 4; before++) {
            struct err err = {.kind = ERR_NONE};
            char text[2 * SIZE + 8];
            size_t length = strlen(letters[i]), len = before;
            memset(text, '-', before);
            for (; len < SIZE + 4; len += length)
                memcpy(text + len, letters[i], length);
            text[len] = '\0';
            fail(&err, ERR_INTERNAL, NULL, "%s", text);
            len = strlen(err.detail);
            assert_in_range(len, SIZE - 1 - length, SIZE - 1);
            assert_string_equal(err.detail + len - 3, "...");
            assert_memory_equal(err.detail, text, len - 3);
            assert_true(is_utf8(err.detail));
        }
}

static void pointer__that_does_not_fit_is_left_out(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};
    char text[POINTER_SIZE + 1];

    memset(text, 'a', sizeof text);
    text[POINTER_SIZE] = '\0';
    fail(&err, ERR_INVALID_OPTION, text, "x");
    assert_string_equal(err.pointer, "");
    text[POINTER_SIZE - 1] = '\0';
    fail(&err, ERR_WRONG_TYPE, text, "x");
    assert_string_equal(err.pointer, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail__records_kind_pointer_and_sentence_and_is_false),
        cmocka_unit_test(fail__without_a_pointer_leaves_it_empty),
        cmocka_unit_test(fail_limit__adds_the_limit_and_its_flag),
        cmocka_unit_test(err_phase__is_that_of_the_api_for_every_kind),
        cmocka_unit_test(fail__keeps_an_error_of_the_same_or_an_earlier_phase),
        cmocka_unit_test(fail__forgets_the_error_that_it_replaces),
        cmocka_unit_test(fail_limit__keeps_an_earlier_error),
        cmocka_unit_test(err_by__tells_whether_a_phase_has_failed),
        cmocka_unit_test(detail__that_just_fits_is_whole),
        cmocka_unit_test(detail__that_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(pointer__that_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
