/* Which format a Content-Type means. */
#include "decoded.h"

extern const struct codec codec_json, codec_npy, codec_records;

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
        ";charset=utf-8",     "application/ json", "multipart/mixed; boundary=x",
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
               "application/x-npy, multipart/form-data, application/x-ndjson, "
               "application/jsonl");
    codec_media_types(&task_merge, types);
    assert_string_equal(types,
                        "application/json, application/x-ndjson, application/jsonl, "
                        "application/x-www-form-urlencoded, text/plain");
    codec_answer_types(types);
    assert_string_equal(types,
                        "application/json, application/x-npy, application/x-ndjson");
}

static void codec_for__knows_the_type_of_numpy(void **state)
{
    (void)state;
    assert_ptr_equal(codec_for(&task_loss, span_of("application/x-npy")), &codec_npy);
    assert_ptr_equal(codec_for(&task_loss, span_of("Application/X-NPY; a=b")),
                     &codec_npy);
    assert_null(codec_for(&task_loss, span_of("application/x-npz")));
}

static void codec_for_answer__is_json_unless_another_is_preferred(void **state)
{
    (void)state;
    static const char *const json[] = {
        "",
        "*/*",
        "application/*",
        "application/json",
        "text/html, */*;q=0.1",
        "application/x-npy, application/json",
        "application/x-npy;q=0.5, */*",
        "application/x-npy;q=0, */*",
    };
    static const char *const npy[] = {
        "application/x-npy",         "Application/X-NPY",
        "application/x-npy, */*",    "application/x-npy, application/json;q=0.9",
        "application/json;q=0, */*", "application/*;q=0.5, application/json;q=0.4",
    };
    static const char *const none[] = {"text/html",
                                       "application/json;q=0, application/x-npy;q=0",
                                       "*/*;q=0", "image/*, text/*"};

    for (size_t i = 0; i < LENGTH(json); i++)
        assert_ptr_equal(codec_for_answer(span_of(json[i]), NULL), &codec_json);
    for (size_t i = 0; i < LENGTH(npy); i++)
        assert_ptr_equal(codec_for_answer(span_of(npy[i]), NULL), &codec_npy);
    for (size_t i = 0; i < LENGTH(none); i++)
        assert_null(codec_for_answer(span_of(none[i]), NULL));
}

/* Where it is one array, one that is none, and lines. */
static void codec_for_answer__is_one_that_can_hold_it(void **state)
{
    (void)state;
    static const char some[] = "application/x-npy, application/json;q=0.5", any[] = "";
    struct batch batch = {.task = &task_loss, .outputs = UINT32_C(1) << OUTPUT_LOSSES};

    assert_ptr_equal(codec_for_answer(span_of(some), &batch), &codec_npy);
    assert_ptr_equal(codec_for_answer(span_of(any), &batch), &codec_json);
    batch.outputs = UINT32_C(1) << OUTPUT_METRICS;
    assert_ptr_equal(codec_for_answer(span_of(some), &batch), &codec_json);
    assert_null(codec_for_answer(span_of("application/x-npy"), &batch));
    batch.outputs = UINT32_C(1) << OUTPUT_RECORDS;
    assert_null(codec_for_answer(span_of(some), &batch));
    assert_ptr_equal(codec_for_answer(span_of(any), &batch), &codec_records);
    assert_ptr_equal(codec_for_answer(span_of("*/*"), &batch), &codec_records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_for__knows_the_types_that_carry_json),
        cmocka_unit_test(codec_for__ignores_case_parameters_and_blanks),
        cmocka_unit_test(codec_for__knows_no_other_types),
        cmocka_unit_test(codec_for__gives_each_task_its_own),
        cmocka_unit_test(codec_for__knows_the_type_of_numpy),
        cmocka_unit_test(codec_media_types__lists_them_all),
        cmocka_unit_test(codec_for_answer__is_json_unless_another_is_preferred),
        cmocka_unit_test(codec_for_answer__is_one_that_can_hold_it),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
