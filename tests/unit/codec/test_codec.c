/* Which format a Content-Type means. */
#include "decoded.h"

extern const struct codec codec_json;

static bool is_json(const char *type)
{
    const struct codec *codec = codec_for(&task_loss, span_of(type));

    return codec && codec == &codec_json;
}

static void codec_for__knows_the_types_that_carry_json(void **state)
{
    (void)state;
    assert_true(is_json("application/json"));
    assert_true(is_json("application/x-www-form-urlencoded"));
    assert_true(is_json("text/plain"));
    assert_true(is_json(""));
    assert_non_null(codec_for(&task_loss, (struct span){NULL, 0}));
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
        assert_null(codec_for(&task_loss, span_of(types[i])));
}

static void codec_for__gives_each_task_its_own(void **state)
{
    (void)state;
    const struct codec *states = codec_for(&task_merge, span_of("application/json"));
    assert_non_null(states);
    assert_ptr_not_equal(states, &codec_json);
    assert_ptr_equal(codec_for(&task_merge, span_of("application/x-ndjson")), states);
    assert_ptr_equal(codec_for(&task_softmax, span_of("application/json")), &codec_json);
}

static void codec_media_types__lists_them_all(void **state)
{
    char types[MEDIA_TYPES_SIZE];

    (void)state;
    codec_media_types(&task_loss, types);
    assert_string_equal(
        types, "application/json, application/x-www-form-urlencoded, text/plain, "
               "application/x-ndjson, application/jsonl");
    codec_media_types(&task_merge, types);
    assert_string_equal(types,
                        "application/json, application/x-ndjson, application/jsonl, "
                        "application/x-www-form-urlencoded, text/plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_for__knows_the_types_that_carry_json),
        cmocka_unit_test(codec_for__ignores_case_parameters_and_blanks),
        cmocka_unit_test(codec_for__knows_no_other_types),
        cmocka_unit_test(codec_for__gives_each_task_its_own),
        cmocka_unit_test(codec_media_types__lists_them_all),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
