/* Forms into a batch: fields as JSON, as NPY files, as plain text; and that it does not
 * matter where the body is cut. */
#include "../decoded.h"

enum { BODY_MAX = 8192 };

struct form {
    char at[BODY_MAX];
    size_t len;
};

static void add(struct form *form, const void *bytes, size_t len)
{
    assert_true(form->len + len <= BODY_MAX);
    memcpy(form->at + form->len, bytes, len);
    form->len += len;
}

static void add_text(struct form *form, const char *text)
{
    add(form, text, strlen(text));
}

/* `name` may have a type behind it: "labels;application/json". */
static void add_field(struct form *form, const char *name, const void *value, size_t len)
{
    char line[128];
    const char *type = strchr(name, ';');
    int name_len = (int)(type ? (size_t)(type - name) : strlen(name));

    snprintf(line, sizeof line,
             "--b\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n", name_len, name);
    add_text(form, line);
    if (type) {
        snprintf(line, sizeof line, "Content-Type: %s\r\n", type + 1);
        add_text(form, line);
    }
    add_text(form, "\r\n");
    add(form, value, len);
    add_text(form, "\r\n");
}

/* Names and values in turn, ended by a NULL. */
static struct form form_of(const char *const *fields)
{
    struct form form = {.len = 0};

    for (; *fields; fields += 2)
        add_field(&form, fields[0], fields[1], strlen(fields[1]));
    add_text(&form, "--b--\r\n");
    return form;
}

static void add_file(struct form *form, const char *name, const char *descr,
                     const char *shape, const void *data, size_t bytes)
{
    char file[1024];
    int len =
        snprintf(file + 10, sizeof file - 10,
                 "{'descr': '%s', 'fortran_order': False, 'shape': %s}", descr, shape);

    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (char)len;
    file[9] = 0;
    memcpy(file + 10 + len, data, bytes);
    add_field(form, name, file, 10 + (size_t)len + bytes);
}

static struct span span_of_form(const struct form *form)
{
    return (struct span){form->at, form->len};
}

static struct decoded decode_json(const char *text)
{
    decoded_type = "";
    struct decoded d = decode(span_of(text));
    decoded_type = "multipart/form-data; boundary=b";
    return d;
}

/* The same batch as that of the JSON, wherever it is cut. */
static void assert_like(const struct form *form, const char *json)
{
    struct decoded wanted = decode_json(json), whole = decode(span_of_form(form));

    if (whole.err.kind != wanted.err.kind)
        print_error("%s: %s\n", json, whole.err.detail);
    assert_same(&wanted, &whole);
    assert_same_array(&wanted.batch.pos_weight, &whole.batch.pos_weight);
    assert_same_array(&wanted.batch.features, &whole.batch.features);
    assert_same_array(&wanted.batch.W, &whole.batch.W);
    assert_same_array(&wanted.batch.b, &whole.batch.b);
    assert_cuts_do_not_matter(span_of_form(form), &whole);
    decoded_free(&wanted);
    decoded_free(&whole);
}

static void multipart__reads_fields_of_json(void **state)
{
    (void)state;
    struct form form = form_of(
        (const char *const[]){"logits", "[[1,2.5],[-Infinity,\"NaN\"]]", "labels",
                              " [ 0, 1.0 ]\r\n", "sample_weights;application/json",
                              "[1,2]", "class_weights;text/plain", "[1,0.5]", NULL});

    assert_like(&form, "{\"logits\":[[1,2.5],[-Infinity,\"NaN\"]],\"labels\":[0,1.0],"
                       "\"sample_weights\":[1,2],\"class_weights\":[1,0.5]}");
    form = form_of((const char *const[]){"features", "[[1,2]]", "W", "[[1,2],[3,4]]", "b",
                                         "[1,2]", "labels", "[0]", NULL});
    assert_like(&form, "{\"features\":[[1,2]],\"W\":[[1,2],[3,4]],\"b\":[1,2],\"labels\":"
                       "[0]}");
}

static void multipart__reads_numbers_without_brackets(void **state)
{
    (void)state;
    struct form form = form_of((const char *const[]){"logits", "1,2", "labels", "1",
                                                     "class_weights", "0.5, 2\n", NULL});

    assert_like(&form, "{\"logits\":[1,2],\"labels\":1,\"class_weights\":[0.5,2]}");
}

static void multipart__reads_fields_that_are_files(void **state)
{
    (void)state;
    static const double logits[] = {1, 2.5, -3, 4}, doubles[] = {0, 1};
    static const float weights[] = {0.5F, 2};
    static const int64_t labels[] = {0, 1};
    struct form form = {.len = 0};

    add_file(&form, "logits", "<f8", "(2, 2)", logits, sizeof logits);
    add_file(&form, "labels", "<i8", "(2,)", labels, sizeof labels);
    add_file(&form, "class_weights;application/x-npy", "<f4", "(2,)", weights,
             sizeof weights);
    add_file(&form, "pos_weight", "|u1", "(2,)", "\x01\x02", 2);
    add_text(&form, "--b--");
    assert_like(&form, "{\"logits\":[[1,2.5],[-3,4]],\"labels\":[0,1],\"class_weights\":"
                       "[0.5,2],\"pos_weight\":[1,2]}");
    form.len = 0;
    add_file(&form, "labels;application/octet-stream", "<f8", "(2,)", doubles,
             sizeof doubles);
    add_file(&form, "sample_weights", "<f4", "()", weights, 4);
    add_text(&form, "--b--");
    assert_like(&form, "{\"labels\":[0,1],\"sample_weights\":0.5}");
}

static void multipart__reads_options_as_text_or_as_json(void **state)
{
    (void)state;
    struct form form = form_of((const char *const[]){
        "reduction", "sum", "temperature", " 2.5\n", "axis", "-1", "return",
        "loss,gradient", "ignore_index", "3.0", "id", " \"a\" ", NULL});

    assert_like(&form,
                "{\"reduction\":\"sum\",\"temperature\":2.5,\"axis\":-1,\"return\":"
                "[\"loss\",\"gradient\"],\"ignore_index\":3.0,\"id\":\" \\\"a\\\" "
                "\"}");
    form = form_of((const char *const[]){"reduction", " \"sum\" ", "return", "[\"loss\"]",
                                         "id;application/json", "\"\\u00e9\"", NULL});
    assert_like(&form,
                "{\"reduction\":\"sum\",\"return\":[\"loss\"],\"id\":\"\\u00e9\"}");
    form = form_of((const char *const[]){
        "options", "{\"reduction\":\"sum\",\"labels\":[0]}", "temperature", "2", NULL});
    assert_like(&form, "{\"reduction\":\"sum\",\"labels\":[0],\"temperature\":2}");
    form = form_of((const char *const[]){NULL});
    assert_like(&form, "{}");
}

static void multipart__rounds_once_when_the_dtype_comes_last(void **state)
{
    (void)state;
    static const int64_t logits[] = {1, (INT64_C(1) << 60) + (INT64_C(1) << 36) + 1};
    struct form form = {.len = 0};

    add_file(&form, "logits", "<i8", "(2,)", logits, sizeof logits);
    add_field(&form, "dtype", "float32", 7);
    add_text(&form, "--b--");
    assert_like(&form, "{\"logits\":[1,1152921573326323713],\"dtype\":\"float32\"}");
    form = form_of((const char *const[]){"options", "{\"dtype\":\"float32\"}", "logits",
                                         "1,1152921573326323713", NULL});
    assert_like(&form, "{\"dtype\":\"float32\",\"logits\":[1,1152921573326323713]}");
    form = form_of((const char *const[]){"logits", "1,1152921573326323713", "options",
                                         "{\"dtype\":\"float32\"}", NULL});
    assert_like(&form, "{\"logits\":[1,1152921573326323713],\"dtype\":\"float32\"}");
}

/* What is wrong with a member is told as JSON tells it. */
static void multipart__refuses_members_as_json_does(void **state)
{
    (void)state;
    static const struct {
        const char *const fields[6];
        const char *json;
    } cases[] = {
        {{"lables", "[0]", "x", "1"}, "{\"lables\":[0],\"x\":1}"},
        {{"labels", "[0]", "labels", "[1]"}, "{\"labels\":[0],\"labels\":[1]}"},
        {{"a/b", "1", "a/b", "{"}, "{\"a/b\":1,\"a/b\":1}"},
        {{"labels", "[0,1.5]"}, "{\"labels\":[0,1.5]}"},
        {{"labels", "{\"a\":[0]}"}, "{\"labels\":{\"a\":[0]}}"},
        {{"labels", "[[0],1]"}, "{\"labels\":[[0],1]}"},
        {{"labels", "[18446744073709551616]"}, "{\"labels\":[18446744073709551616]}"},
        {{"temperature", "NaN"}, "{\"temperature\":NaN}"},
        {{"temperature", "-1"}, "{\"temperature\":-1}"},
        {{"temperature", "{}"}, "{\"temperature\":{}}"},
        {{"axis", "1.5"}, "{\"axis\":1.5}"},
        {{"reduction", "men"}, "{\"reduction\":\"men\"}"},
        {{"return", "loss,probs"}, "{\"return\":[\"loss\",\"probs\"]}"},
        {{"return", "[1]"}, "{\"return\":[1]}"},
        {{"options", "{\"axis\":1}", "axis", "2"}, "{\"axis\":1,\"axis\":2}"},
        {{"on_error", "skip"}, "{\"on_error\":\"skip\"}"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct form form = form_of(cases[i].fields);
        assert_like(&form, cases[i].json);
    }
}

static void multipart__says_which_part_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *const fields[6];
        enum err_kind kind;
        size_t offset;
        const char *pointer, *detail;
    } cases[] = {
        {{"x", "?", "labels", "[0,1\n}"},
         ERR_INVALID_JSON,
         5,
         "/labels",
         "in part labels, found '}' at line 2, column 1; ',' or ']' is wanted"},
        {{"labels", "[0]", "logits", "[1,"},
         ERR_INVALID_JSON,
         3,
         "/logits",
         "in part logits, the text ends at line 1, column 4; a value is wanted"},
        {{"labels", ""},
         ERR_INVALID_JSON,
         0,
         "/labels",
         "in part labels, the text is empty; an array is wanted"},
        {{"labels", "[0] 1"},
         ERR_TRAILING_DATA,
         4,
         "/labels",
         "in part labels, found '1' at offset 4, after the end of the JSON value"},
        {{"labels;application/json", "\x93NUMPY"},
         ERR_INVALID_JSON,
         0,
         "/labels",
         "in part labels, found byte 0x93 at line 1, column 1; an array is wanted "
         "(NPY begins so: it is read as Content-Type: application/x-npy)"},
        {{"labels;application/x-npy", "[0]"},
         ERR_BAD_TENSOR,
         0,
         "/labels",
         "in part labels, the file does not begin with \\x93NUMPY, as an NPY file does"},
        {{"labels", "\x93NUMPY\x01"},
         ERR_BAD_TENSOR,
         0,
         "/labels",
         "in part labels, the file ends after 7 bytes, before the NPY header does"},
        {{"return", "[\"loss\""},
         ERR_INVALID_JSON,
         7,
         "/return",
         "in part return, the text ends at line 1, column 8; ',' or ']' is wanted"},
        {{"id;application/json", "a"},
         ERR_INVALID_JSON,
         0,
         "/id",
         "in part id, found 'a' at line 1, column 1; a JSON value is wanted"},
        {{"options", "{\"axis\":1"},
         ERR_INVALID_JSON,
         9,
         "/options",
         "in part options, the text ends at line 1, column 10; ',' or '}' is wanted"},
        {{"options", ""},
         ERR_INVALID_JSON,
         0,
         "/options",
         "in part options, options is empty; a JSON object is wanted"},
        {{"options", "[]"},
         ERR_WRONG_TYPE,
         0,
         "",
         "options is an array; a JSON object is wanted"},
        {{"options", "{}", "options", "{}"},
         ERR_DUPLICATE_MEMBER,
         0,
         "/options",
         "options is given twice"},
        {{"id", "\xE9"}, ERR_WRONG_TYPE, 0, "/id", "id is not UTF-8; text is wanted"},
        {{"temperature", ""},
         ERR_WRONG_TYPE,
         0,
         "/temperature",
         "temperature is \"\"; a finite number above 0 is wanted"},
        {{"temperature", "x"},
         ERR_WRONG_TYPE,
         0,
         "/temperature",
         "temperature is \"x\"; a finite number above 0 is wanted"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct form form = form_of(cases[i].fields);
        struct decoded whole = decode(span_of_form(&form));
        if (strcmp(whole.err.detail, cases[i].detail) != 0)
            fail_msg("%s\n  says \"%s\"\n  not  \"%s\"", cases[i].fields[1],
                     whole.err.detail, cases[i].detail);
        assert_int_equal(whole.err.kind, cases[i].kind);
        assert_string_equal(whole.err.pointer, cases[i].pointer);
        assert_int_equal(whole.err.offset, cases[i].offset);
        assert_int_equal(whole.finished, !err_by(&whole.err, PHASE_TEXT));
        assert_cuts_do_not_matter(span_of_form(&form), &whole);
        decoded_free(&whole);
    }
}

/* Not a part, but what holds them together. */
static void multipart__tells_of_the_body_before_its_members(void **state)
{
    (void)state;
    struct form form = form_of((const char *const[]){"lables", "[0]", NULL});
    struct decoded whole = decode((struct span){form.at, form.len - 4});

    assert_false(whole.finished);
    assert_int_equal(whole.err.kind, ERR_BAD_TENSOR);
    assert_string_equal(whole.err.detail,
                        "the body ends before its last boundary, --b--");
    decoded_free(&whole);
}

static void multipart__holds_text_and_arrays_to_their_limits(void **state)
{
    (void)state;
    static const struct limits limits = {
        .max_elements = 3, .max_classes = 9, .max_depth = 8, .max_text = 12};
    static const struct {
        const char *const fields[6];
        uint64_t limit;
        const char *flag;
    } cases[] = {
        {{"id", "1234567890123"}, 12, "--max-text"},
        {{"id", "12345678", "reduction", "mean5"}, 12, "--max-text"},
        {{"options", "{\"id\":\"01234567890\"}"}, 12, "--max-text"},
        {{"labels", "1,2,3,4"}, 3, "--max-elements"},
        {{"labels", "[[1,2],[3,4]]"}, 3, "--max-elements"},
        {{"labels", "[[[[[[[[["}, 8, "--max-depth"},
    };
    struct decoded d;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct form form = form_of(cases[i].fields);
        for (size_t step = 1; step < 200; step += 30) {
            decode_into(&d, &task_loss, &limits, SIZE_MAX, span_of_form(&form), step,
                        NULL, 0);
            assert_int_equal(d.err.kind, ERR_TOO_LARGE);
            assert_int_equal(d.err.limit, cases[i].limit);
            assert_string_equal(d.err.flag, cases[i].flag);
            decoded_free(&d);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipart__reads_fields_of_json),
        cmocka_unit_test(multipart__reads_numbers_without_brackets),
        cmocka_unit_test(multipart__reads_fields_that_are_files),
        cmocka_unit_test(multipart__reads_options_as_text_or_as_json),
        cmocka_unit_test(multipart__rounds_once_when_the_dtype_comes_last),
        cmocka_unit_test(multipart__refuses_members_as_json_does),
        cmocka_unit_test(multipart__says_which_part_cannot_be_read),
        cmocka_unit_test(multipart__tells_of_the_body_before_its_members),
        cmocka_unit_test(multipart__holds_text_and_arrays_to_their_limits),
    };
    decoded_type = "multipart/form-data; boundary=b";
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
