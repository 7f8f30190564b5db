/* Which format a Content-Type means. */
#include "decoded.h"

extern const struct codec codec_json;

static bool is_json(const char *type)
{
    const struct codec *codec = codec_for(span_of(type));

    return codec && codec == &codec_json;
}

static void codec_for__knows_the_types_that_carry_json(void **state)
{
    (void)state;
    assert_true(is_json("application/json"));
    assert_true(is_json("application/x-www-form-urlencoded"));
    assert_true(is_json("text/plain"));
    assert_true(is_json(""));
    assert_non_null(codec_for((struct span){NULL, 0}));
}

static void codec_for__ignores_case_parameters_and_blanks(void **state)
{
    (void)state;
    assert_true(is_json("Application/JSON"));
    assert_true(is_json("text/plain;charset=utf-8"));
    assert_true(is_json(" application/json ; charset=\"x;y\" "));
    assert_true(is_json("\tapplication/json\t"));
    assert_true(is_json("application/json;"));
    assert_true(is_json("  "));
}

static void codec_for__knows_no_other_types(void **state)
{
    (void)state;
    static const char *const types[] = {
        "application/jsonx",  "application/jso",   "application/json, text/plain",
        "application/json x", "text/html",         "json",
        ";charset=utf-8",     "application/ json", "multipart/form-data; boundary=x",
    };
    for (size_t i = 0; i < LENGTH(types); i++)
        assert_null(codec_for(span_of(types[i])));
}

static void codec_media_types__lists_them_all(void **state)
{
    (void)state;
    assert_string_equal(
        codec_media_types(),
        "application/json, application/x-www-form-urlencoded, text/plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_for__knows_the_types_that_carry_json),
        cmocka_unit_test(codec_for__ignores_case_parameters_and_blanks),
        cmocka_unit_test(codec_for__knows_no_other_types),
        cmocka_unit_test(codec_media_types__lists_them_all),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
