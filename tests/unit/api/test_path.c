/* api/path.c: which paths a pattern has. */
#include "api/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char pattern[] = "/v2/models/{model}/versions/{version}/ready";

static void path_matches__takes_any_segment_for_a_name(void **state)
{
    (void)state;
    assert_true(path_matches(span_of("/v2/models/a/versions/1/ready"), pattern));
    assert_true(
        path_matches(span_of("/v2/models/%2F/versions/{version}/ready"), pattern));
    assert_true(path_matches(span_of("/"), "/"));
    assert_true(path_matches(span_of("/v2/"), "/v2/"));
}

static void path_matches__wants_every_segment_and_no_more(void **state)
{
    static const char *const others[] = {"",
                                         "/",
                                         "/v2/models/a/versions/1",
                                         "/v2/models/a/versions/1/",
                                         "/v2/models/a/versions/1/ready/",
                                         "/v2/models/a/versions/1/ready/x",
                                         "/v2/models//versions/1/ready",
                                         "/v2/models/a/b/versions/1/ready",
                                         "/V2/models/a/versions/1/ready"};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(path_matches(span_of(others[i]), pattern));
    assert_false(path_matches(span_of("/v2"), "/v2/"));
    assert_false(path_matches(span_of("/v2/"), "/v2"));
    assert_false(path_matches(span_of(""), "/"));
    assert_false(path_matches((struct span){"/\0x", 3}, "/"));
    assert_false(path_matches((struct span){"/\0x", 3}, "/\0x"));
}

static void path_segment__finds_a_name_by_the_pattern(void **state)
{
    struct span path = span_of("/v2/models/a%2Db/versions/17/ready");

    (void)state;
    assert_true(span_is(path_segment(path, pattern, "model"), "a%2Db"));
    assert_true(span_is(path_segment(path, pattern, "version"), "17"));
    assert_int_equal(path_segment(path, pattern, "models").len, 0);
    assert_int_equal(path_segment(path, "/v2/models", "model").len, 0);
}

static void path_next_name__goes_through_the_pattern(void **state)
{
    const char *at = pattern;

    (void)state;
    assert_true(span_is(path_next_name(&at), "model"));
    assert_true(span_is(path_next_name(&at), "version"));
    assert_int_equal(path_next_name(&at).len, 0);
}

static void path_segment_is__undoes_escapes(void **state)
{
    (void)state;
    assert_true(path_segment_is(span_of("kl_div"), "kl_div"));
    assert_true(path_segment_is(span_of("kl%5fdi%76"), "kl_div"));
    assert_false(path_segment_is(span_of("kl_di"), "kl_div"));
    assert_false(path_segment_is(span_of("kl_div%00"), "kl_div"));
    assert_false(path_segment_is(span_of("kl_di%7"), "kl_div"));
    assert_false(path_segment_is(span_of("kl_di%zz"), "kl_div"));
    assert_false(path_segment_is(span_of("kl+div"), "kl div"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_matches__takes_any_segment_for_a_name),
        cmocka_unit_test(path_matches__wants_every_segment_and_no_more),
        cmocka_unit_test(path_segment__finds_a_name_by_the_pattern),
        cmocka_unit_test(path_next_name__goes_through_the_pattern),
        cmocka_unit_test(path_segment_is__undoes_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
