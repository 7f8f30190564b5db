/* base/accept.c: which of several media types an Accept header asks for. */
#include "lossd/base/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char type[] = "application/json";

static void accept_find__takes_the_most_precise_range(void **state)
{
    static const struct {
        const char *accept;
        enum accept_range range;
        unsigned quality;
    } cases[] = {
        {"*/*", ACCEPT_ANY, 1000},
        {"application/*", ACCEPT_FAMILY, 1000},
        {"application/json", ACCEPT_NAMED, 1000},
        {"Application/JSON", ACCEPT_NAMED, 1000},
        {"APPLICATION/*", ACCEPT_FAMILY, 1000},
        {"*/*;q=0.1, application/*;q=0.2, application/json;q=0.3", ACCEPT_NAMED, 300},
        {"application/json;q=0.3, application/*;q=0.2, */*;q=0.1", ACCEPT_NAMED, 300},
        {"*/*, application/json;q=0", ACCEPT_NAMED, 0},
        {"application/*;q=0, */*", ACCEPT_FAMILY, 0},
        {"application/json;q=0.2, application/json;q=0.7", ACCEPT_NAMED, 700},
        {"application/json;q=0.7, application/json;q=0.2", ACCEPT_NAMED, 700},
        {"application/json; charset=utf-8 ; q=0.5", ACCEPT_NAMED, 500},
        {"\ttext/html ,\tapplication/json\t", ACCEPT_NAMED, 1000},
        {"text/plain;a=\"x, application/json, y\"", ACCEPT_NOTHING, 0},
        {"text/plain;a=\"\\\", application/json, y\"", ACCEPT_NOTHING, 0},
        {"text/plain;a=\"x;q=0;y\", application/json", ACCEPT_NAMED, 1000},
        {"application/json;a=\"x;q=0;y\"", ACCEPT_NAMED, 1000},
        {"text/plain", ACCEPT_NOTHING, 0},
        {"application/jso", ACCEPT_NOTHING, 0},
        {"application/jsons", ACCEPT_NOTHING, 0},
        {"applicatio/*", ACCEPT_NOTHING, 0},
        {"text/*", ACCEPT_NOTHING, 0},
        {"*", ACCEPT_NOTHING, 0},
        {"json", ACCEPT_NOTHING, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct acceptance found = accept_find(span_of(cases[i].accept), type);
        if (found.range != cases[i].range || found.quality != cases[i].quality)
            fail_msg("%s: range %d, quality %u", cases[i].accept, (int)found.range,
                     found.quality);
    }
}

static void accept_find__takes_anything_where_nothing_is_said(void **state)
{
    static const char *const nothing[] = {"", " ", ",", ",;,", " , ;q=0"};

    (void)state;
    assert_int_equal(accept_find((struct span){NULL, 0}, type).quality, 1000);
    for (size_t i = 0; i < LENGTH(nothing); i++) {
        struct acceptance found = accept_find(span_of(nothing[i]), type);
        assert_int_equal(found.range, ACCEPT_NOTHING);
        assert_int_equal(found.quality, 1000);
    }
}

static void accept_find__reads_weights_of_up_to_three_digits(void **state)
{
    static const struct {
        const char *accept;
        unsigned quality;
    } cases[] = {
        {"*/*;q=1", 1000},    {"*/*;q=1.000", 1000},   {"*/*;q=0", 0},
        {"*/*;q=0.", 0},      {"*/*;q=0.0", 0},        {"*/*;Q=0.000", 0},
        {"*/*;q=0.5", 500},   {"*/*;q=0.05", 50},      {"*/*;q=0.999", 999},
        {"*/*;q=0.001", 1},   {"*/* ; q = 0.5", 1000}, {"*/*;a;q=0.5;q=0.1", 500},
        {"*/*;q=", 1000},     {"*/*;q=x", 1000},       {"*/*;q=0x", 1000},
        {"*/*;q=0.1x", 1000}, {"*/*;q=-1", 1000},      {"*/*;qq=0", 1000},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        if (accept_find(span_of(cases[i].accept), type).quality != cases[i].quality)
            fail_msg("%s is %u", cases[i].accept,
                     accept_find(span_of(cases[i].accept), type).quality);
}

static void accept_prefers__what_is_better_then_what_is_named(void **state)
{
    const struct acceptance named = {ACCEPT_NAMED, 500}, any = {ACCEPT_ANY, 500},
                            better = {ACCEPT_ANY, 501};

    (void)state;
    assert_true(accept_prefers(better, named));
    assert_true(accept_prefers(named, any));
    assert_false(accept_prefers(any, named));
    assert_false(accept_prefers(named, better));
    assert_false(accept_prefers(named, named));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_find__takes_the_most_precise_range),
        cmocka_unit_test(accept_find__takes_anything_where_nothing_is_said),
        cmocka_unit_test(accept_find__reads_weights_of_up_to_three_digits),
        cmocka_unit_test(accept_prefers__what_is_better_then_what_is_named),
    };

    return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
