/* Arrays out of JSON: shapes, values, what is wrong with them, and that a dtype
 * which comes late makes no difference. */
#include "../decoded.h"

#include <float.h>
#include <math.h>

#include "../../engine/random.h"

/* --- shapes --- */

static void json_array__finds_the_shape(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct shape shape;
        size_t count;
    } cases[] = {
        {"{\"logits\":[5]}", {1, {1}}, 1},
        {"{\"logits\":[1,2,3]}", {1, {3}}, 3},
        {"{\"logits\":[[1,2,3],[4,5,6]]}", {2, {2, 3}}, 6},
        {"{\"logits\":[[1, 2, 3], [4, 5, 6]]}", {2, {2, 3}}, 6},
        {"{\"logits\":[[1],[2],[3],[4]]}", {2, {4, 1}}, 4},
        {"{\"logits\":[[[1,2]],[[3,4]],[[5,6]]]}", {3, {3, 1, 2}}, 6},
        {"{\"logits\":[[[1],[2]],[[3],[4]],[[5],[6]]]}", {3, {3, 2, 1}}, 6},
        {"{\"logits\":[[[[[[[[1,2],[3,4]]]]]],[[[[[[5,6],[7,8]]]]]]]]}",
         {8, {1, 2, 1, 1, 1, 1, 2, 2}},
         8},
        {"{\"logits\":[\n  [\n    1,\n    2\n  ],\n  [\n    3,\n    4\n  ]\n]\n}",
         {2, {2, 2}},
         4},
        {"{\"logits\":[]}", {1, {0}}, 0},
        {"{\"logits\":[ ] }", {1, {0}}, 0},
        {"{\"logits\":[[],[],[]]}", {2, {3, 0}}, 0},
        {"{\"logits\":[[[],[]],[[],[]]]}", {3, {2, 2, 0}}, 0},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct decoded d = decode(span_of(cases[i].text));
        const struct array *logits = &d.batch.logits;
        assert_string_equal(d.err.detail, "");
        assert_int_equal(logits->shape.rank, cases[i].shape.rank);
        assert_memory_equal(logits->shape.dim, cases[i].shape.dim,
                            sizeof cases[i].shape.dim);
        assert_int_equal(logits->count, cases[i].count);
        for (size_t k = 0; k < logits->count && logits->count > 1; k++)
            assert_true(((double *)logits->data)[k] == (double)(k + 1));
        assert_cuts_do_not_matter(span_of(cases[i].text), &d);
        decoded_free(&d);
    }
}

struct wrong {
    const char *text;
    enum err_kind kind;
    const char *pointer;
    const char *detail;
};

static void assert_wrong(const struct wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct decoded d = decode(span_of(cases[i].text));
        if (strcmp(d.err.detail, cases[i].detail) != 0)
            print_error("%s\n", cases[i].text);
        assert_string_equal(d.err.detail, cases[i].detail);
        assert_string_equal(d.err.pointer, cases[i].pointer);
        assert_int_equal(d.err.kind, cases[i].kind);
        assert_false(d.err.has_position);
        assert_true(d.finished);
        assert_cuts_do_not_matter(span_of(cases[i].text), &d);
        decoded_free(&d);
    }
}

static void json_array__points_at_what_is_ragged(void **state)
{
    (void)state;
    static const struct wrong cases[] = {
        {"{\"logits\":[[1,2],[4,5,6],[1]]}", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] has 3 elements, logits[0] has 2"},
        {"{\"logits\":[[1,2],[3,4],[5]]}", ERR_RAGGED_ARRAY, "/logits/2",
         "logits[2] has 1 element, logits[0] has 2"},
        {"{\"logits\":[[1,2], [3,4], []]}", ERR_RAGGED_ARRAY, "/logits/2",
         "logits[2] has 0 elements, logits[0] has 2"},
        {"{\"logits\":[[[1,2],[3,4]],[[5,6]]]}", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] has 1 element, logits[0] has 2"},
        {"{\"logits\":[[[1,2],[3,4]],[[5,6],[7]]]}", ERR_RAGGED_ARRAY, "/logits/1/1",
         "logits[1][1] has 1 element, logits[0][0] has 2"},
        {"{\"logits\":[[],[1]]}", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] has 1 element, logits[0] has 0"},
        {"{\"logits\":[[],[[1]]]}", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] is not empty, logits[0] is"},
        {"{\"logits\":[1,2,[3]]}", ERR_RAGGED_ARRAY, "/logits/2",
         "logits[2] is an array, logits[0] is a number"},
        {"{\"logits\":[[1,2],3]}", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] is a number, logits[0] is an array"},
        {"{\"logits\":[[],-1]}", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] is a number, logits[0] is an array"},
        {"{\"logits\":[[1,2],[3,[4]]]}", ERR_RAGGED_ARRAY, "/logits/1/1",
         "logits[1][1] is an array, logits[0][0] is a number"},
        {"{\"logits\":[[[1,2],[3,4]],[5,[6]]]}", ERR_RAGGED_ARRAY, "/logits/1/0",
         "logits[1][0] is a number, logits[0][0] is an array"},
        {"{\"logits\":[[1],NaN]}", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] is NaN, logits[0] is an array"},
        {"{\"labels\":[[0,1],[0]]}", ERR_RAGGED_ARRAY, "/labels/1",
         "labels[1] has 1 element, labels[0] has 2"},
        {"{\"sample_weights\":[0,[1]],\"logits\":[[1],2]}", ERR_RAGGED_ARRAY,
         "/sample_weights/1",
         "sample_weights[1] is an array, sample_weights[0] is a number"},
        {"{\"logits\":[[[[[[[[[1]]]]]]]]]}", ERR_SHAPE_MISMATCH, "/logits",
         "logits is nested deeper than 8 levels of arrays"},
        {"{\"logits\":[[[[[[[[1,[2]]]]]]]]]}", ERR_RAGGED_ARRAY,
         "/logits/0/0/0/0/0/0/0/1",
         "logits[0][0][0][0][0][0][0][1] is an array, logits[0][0][0][0][0][0][0][0] is "
         "a "
         "number"},
    };
    assert_wrong(cases, LENGTH(cases));
}

static void json_array__points_at_what_is_no_number(void **state)
{
    (void)state;
    static const struct wrong cases[] = {
        {"{\"logits\":5}", ERR_WRONG_TYPE, "/logits",
         "logits is a number; an array of numbers is wanted"},
        {"{\"logits\":-Infinity}", ERR_WRONG_TYPE, "/logits",
         "logits is -Infinity; an array of numbers is wanted"},
        {"{\"logits\":\"[1,2]\"}", ERR_WRONG_TYPE, "/logits",
         "logits is \"[1,2]\"; an array of numbers is wanted"},
        {"{\"logits\":{\"data\":[1,[2],NaN]}}", ERR_WRONG_TYPE, "/logits",
         "logits is an object; an array of numbers is wanted"},
        {"{\"logits\":null}", ERR_WRONG_TYPE, "/logits",
         "logits is null; an array of numbers is wanted"},
        {"{\"targets\":true}", ERR_WRONG_TYPE, "/targets",
         "targets is true; an array of numbers is wanted"},
        {"{\"logits\":[[1,2],[3,true]]}", ERR_WRONG_TYPE, "/logits/1/1",
         "logits[1][1] is true; a number is wanted"},
        {"{\"logits\":[\"1\"]}", ERR_WRONG_TYPE, "/logits/0",
         "logits[0] is \"1\"; a number is wanted"},
        {"{\"logits\":[\"nan\"]}", ERR_WRONG_TYPE, "/logits/0",
         "logits[0] is \"nan\"; a number is wanted"},
        {"{\"logits\":[\"NaN\\u0000\"]}", ERR_WRONG_TYPE, "/logits/0",
         "logits[0] is \"NaN\\u0000\"; a number is wanted"},
        {"{\"logits\":[1,2,{\"a\":[[],2]}]}", ERR_WRONG_TYPE, "/logits/2",
         "logits[2] is an object; a number is wanted"},
        {"{\"targets\":[0.5,null]}", ERR_WRONG_TYPE, "/targets/1",
         "targets[1] is null; a number is wanted"},
        {"{\"targets\":[[0.5,\"NaN\"]]}", ERR_WRONG_TYPE, "/targets/0/1",
         "targets[0][1] is \"NaN\"; a number is wanted"},
        {"{\"class_weights\":[false]}", ERR_WRONG_TYPE, "/class_weights/0",
         "class_weights[0] is false; a number is wanted"},
        {"{\"labels\":null}", ERR_WRONG_TYPE, "/labels",
         "labels is null; an integer, or an array of integers, is wanted"},
        {"{\"labels\":{}}", ERR_WRONG_TYPE, "/labels",
         "labels is an object; an integer, or an array of integers, is wanted"},
        {"{\"labels\":[1,{}]}", ERR_WRONG_TYPE, "/labels/1",
         "labels[1] is an object; an integer is wanted"},
    };
    assert_wrong(cases, LENGTH(cases));
}

static void json_array__takes_bare_tokens_in_no_other_array(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"targets\":[NaN]}", "{\"labels\":[Infinity]}",
                                        "{\"class_weights\":[-Infinity]}",
                                        "{\"axis\":NaN}", "{\"logits\":[1],\"x\":NaN}"};

    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct decoded d = decode(span_of(texts[i]));
        assert_int_equal(d.err.kind, ERR_INVALID_JSON);
        assert_cuts_do_not_matter(span_of(texts[i]), &d);
        decoded_free(&d);
    }
}

/* --- values --- */

struct flawed {
    const char *text;
    enum flaw flaw;
    size_t index;
    const char *flaw_text;
    bool has_minus_infinity;
};

static void assert_flawed(const struct flawed *cases, size_t count, bool labels)
{
    for (size_t i = 0; i < count; i++) {
        struct decoded d = decode(span_of(cases[i].text));
        const struct array *array = labels ? &d.batch.labels : &d.batch.logits;
        assert_string_equal(d.err.detail, "");
        if (array->flaw != cases[i].flaw || array->flaw_index != cases[i].index)
            print_error("%s\n", cases[i].text);
        assert_int_equal(array->flaw, cases[i].flaw);
        assert_int_equal(array->flaw_index, cases[i].index);
        assert_string_equal(array->flaw_text.text, cases[i].flaw_text);
        assert_int_equal(array->has_minus_infinity, cases[i].has_minus_infinity);
        assert_cuts_do_not_matter(span_of(cases[i].text), &d);
        decoded_free(&d);
    }
}

static void json_array__notes_the_first_flaw_of_logits(void **state)
{
    (void)state;
    static const struct flawed cases[] = {
        {"{\"logits\":[1,-Infinity,2]}", FLAW_NONE, 0, "", true},
        {"{\"logits\":[1,\"-Infinity\",2]}", FLAW_NONE, 0, "", true},
        {"{\"logits\":[[1,2],[3,NaN],[Infinity,5]]}", FLAW_NAN, 3, "NaN", false},
        {"{\"logits\":[Infinity,NaN,-Infinity]}", FLAW_INFINITE, 0, "Infinity", true},
        {"{\"logits\":[1,null,1e999]}", FLAW_NAN, 1, "null", false},
        {"{\"logits\":[1,\"N\\u0061N\"]}", FLAW_NAN, 1, "\"NaN\"", false},
        {"{\"logits\":[\"Infinity\"]}", FLAW_INFINITE, 0, "\"Infinity\"", false},
        {"{\"logits\":[0,1,1e999,NaN]}", FLAW_OVERFLOW, 2, "1e999", false},
        {"{\"logits\":[-1.7976931348623159e308]}", FLAW_OVERFLOW, 0,
         "-1.7976931348623159e308", false},
        {"{\"logits\":[1.7976931348623158e308]}", FLAW_NONE, 0, "", false},
        {"{\"logits\":[1,2,3e38,3e39],\"dtype\":\"float32\"}", FLAW_OVERFLOW, 3, "3e39",
         false},
        {"{\"logits\":[1,-3.40282356779733661637539395458142568448e38,NaN],"
         "\"dtype\":\"float32\"}",
         FLAW_OVERFLOW, 1, "-3.40282356779733661637539395458142568448e38", false},
        {"{\"logits\":[1,3.40282356779733661637539395458142568447e38],"
         "\"dtype\":\"float32\"}",
         FLAW_NONE, 0, "", false},
        {"{\"logits\":[1,NaN,3e39],\"dtype\":\"float32\"}", FLAW_NAN, 1, "NaN", false},
        {"{\"logits\":[3e39,NaN],\"dtype\":\"float32\"}", FLAW_OVERFLOW, 0, "3e39",
         false},
        {"{\"dtype\":\"float32\",\"logits\":[3e39,NaN]}", FLAW_OVERFLOW, 0, "3e39",
         false},
        {"{\"logits\":[1,3e39,4e39],\"dtype\":\"float32\"}", FLAW_OVERFLOW, 1, "3e39",
         false},
        {"{\"logits\":[3e39,NaN],\"dtype\":\"float64\"}", FLAW_NAN, 1, "NaN", false},
        {"{\"logits\":[1,"
         "99999999999999999999999999999999999999999999999999999999999e999999]}",
         FLAW_OVERFLOW, 1,
         "99999999999999999999999999999999999999999999999999999999999e9...", false},
    };
    assert_flawed(cases, LENGTH(cases), false);
}

static void json_array__stores_what_it_notes(void **state)
{
    (void)state;
    struct decoded d =
        decode(span_of("{\"logits\":[NaN,Infinity,\"-Infinity\",null,1e999,-1e999,7]}"));
    const double *data = d.batch.logits.data;

    assert_int_equal(d.batch.logits.count, 7);
    assert_true(isnan(data[0]) && isnan(data[3]));
    assert_true(data[1] == (double)INFINITY && data[2] == -(double)INFINITY);
    assert_true(data[4] == (double)INFINITY && data[5] == -(double)INFINITY);
    assert_true(data[6] == 7);
    decoded_free(&d);
}

static void json_array__overflow_is_a_flaw_of_weights_too(void **state)
{
    (void)state;
    struct decoded d = decode(span_of(
        "{\"class_weights\":[1,2e308],\"targets\":[[1e400]],\"dtype\":\"float32\"}"));

    assert_int_equal(d.batch.class_weights.flaw, FLAW_OVERFLOW);
    assert_int_equal(d.batch.class_weights.flaw_index, 1);
    assert_string_equal(d.batch.targets.flaw_text.text, "1e400");
    assert_int_equal(d.batch.targets.element, ELEMENT_FLOAT64);
    decoded_free(&d);
}

static void json_array__reads_weights_and_targets_as_doubles_for_any_dtype(void **state)
{
    (void)state;
    struct decoded d =
        decode(span_of("{\"dtype\":\"float32\",\"class_weights\":[0.1,0.2],"
                       "\"sample_weights\":[0.1],\"targets\":[[0.1,0.9]]}"));

    assert_string_equal(d.err.detail, "");
    assert_int_equal(d.batch.class_weights.element, ELEMENT_FLOAT64);
    assert_int_equal(d.batch.sample_weights.element, ELEMENT_FLOAT64);
    assert_int_equal(d.batch.targets.element, ELEMENT_FLOAT64);
    assert_true(((double *)d.batch.class_weights.data)[1] == 0.2);
    decoded_free(&d);
}

static void json_array__takes_a_bare_sample_weight(void **state)
{
    (void)state;
    struct decoded d = decode(span_of("{\"sample_weights\":2.5}"));

    assert_string_equal(d.err.detail, "");
    assert_int_equal(d.batch.sample_weights.shape.rank, 0);
    assert_int_equal(d.batch.sample_weights.count, 1);
    assert_true(*(double *)d.batch.sample_weights.data == 2.5);
    decoded_free(&d);
}

static void json_array__takes_integers_for_labels(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct shape shape;
        int64_t values[8];
    } cases[] = {
        {"{\"labels\":7}", {0, {0}}, {7}},
        {"{\"labels\": -7.0}", {0, {0}}, {-7}},
        {"{\"labels\":[0,1,2]}", {1, {3}}, {0, 1, 2}},
        {"{\"labels\":[0,-0,3.0,3e0,300E-2,0.03e+2,-100]}",
         {1, {7}},
         {0, 0, 3, 3, 3, 3, -100}},
        {"{\"labels\":[0,9223372036854775807,-9223372036854775808]}",
         {1, {3}},
         {0, INT64_MAX, INT64_MIN}},
        {"{\"labels\":[1,999999999999999999,1000000000000000000,-999999999999999999]}",
         {1, {4}},
         {1, 999999999999999999, 1000000000000000000, -999999999999999999}},
        {"{\"labels\":[[1, 2],[3,\n4]]}", {2, {2, 2}}, {1, 2, 3, 4}},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct decoded d = decode(span_of(cases[i].text));
        const struct array *labels = &d.batch.labels;
        assert_string_equal(d.err.detail, "");
        assert_int_equal(labels->element, ELEMENT_INT64);
        assert_int_equal(labels->flaw, FLAW_NONE);
        assert_int_equal(labels->shape.rank, cases[i].shape.rank);
        assert_memory_equal(labels->shape.dim, cases[i].shape.dim,
                            sizeof cases[i].shape.dim);
        assert_memory_equal(labels->data, cases[i].values, labels->count * 8);
        assert_cuts_do_not_matter(span_of(cases[i].text), &d);
        decoded_free(&d);
    }
}

/* At once, for that is a type: what is wrong with the values comes after it. */
static void json_array__refuses_labels_that_are_no_integers(void **state)
{
    (void)state;
#define NO_INTEGER(text, pointer, words)                                   \
    {                                                                      \
        "{\"labels\":" text "}", ERR_LABEL_NOT_INTEGER, "/labels" pointer, \
            words "; an integer is wanted"                                 \
    }
    static const struct wrong cases[] = {
        NO_INTEGER("3.5", "", "labels is 3.5"),
        NO_INTEGER("\"3\"", "", "labels is \"3\""),
        NO_INTEGER("true", "", "labels is true"),
        NO_INTEGER("[0,1,3.5,\"x\"]", "/2", "labels[2] is 3.5"),
        NO_INTEGER("[0,\"\\ud83d\\ude00\",2]", "/1", "labels[1] is \"\xF0\x9F\x98\x80\""),
        NO_INTEGER("[[0],[false]]", "/1/0", "labels[1][0] is false"),
        NO_INTEGER("[0,null]", "/1", "labels[1] is null"),
        NO_INTEGER("[0,1e-1,2]", "/1", "labels[1] is 1e-1"),
        NO_INTEGER("[0,1e-1,[2]]", "/1", "labels[1] is 1e-1"),
        NO_INTEGER("[9223372036854775808,null]", "/1", "labels[1] is null"),
        NO_INTEGER("[0,\"a string of more bytes than the sixty-four that a sentence has "
                   "room for\"]",
                   "/1",
                   "labels[1] is \"a string of more bytes than the sixty-four that a "
                   "sentence ha...\""),
        NO_INTEGER("\"1\\u0000\"", "", "labels is \"1\\u0000\""),
    };
    assert_wrong(cases, LENGTH(cases));
}

static void json_array__notes_labels_that_are_too_large(void **state)
{
    (void)state;
    static const struct flawed cases[] = {
        {"{\"labels\":[0,9223372036854775808]}", FLAW_BEYOND_INT64, 1,
         "9223372036854775808", false},
        {"{\"labels\":[1e30,-1e30]}", FLAW_BEYOND_INT64, 0, "1e30", false},
    };
    assert_flawed(cases, LENGTH(cases), true);
}

/* --- dtypes --- */

static struct decoded decode_float(const char *numbers, bool dtype_first)
{
    size_t size = strlen(numbers) + 64;
    char *text = malloc(size);

    assert_non_null(text);
    snprintf(text, size,
             dtype_first ? "{\"dtype\":\"float32\",\"logits\":[%s]}"
                         : "{\"logits\":[%s],\"dtype\":\"float32\"}",
             numbers);
    struct decoded d = decode(span_of(text));
    assert_string_equal(d.err.detail, "");
    assert_int_equal(d.batch.logits.element, ELEMENT_FLOAT32);
    assert_cuts_do_not_matter(span_of(text), &d);
    free(text);
    return d;
}

/* Texts whose nearest double lies between two floats, and their neighbours: what
 * rounding twice gets wrong. */
static const char *const between_floats[] = {
    "1.00000005960464477539062500",                      /* 1 + 2^-24: even */
    "1.0000000596046447753906250001",                    /* above it, up */
    "1.0000000596046447753906249999",                    /* below it, down */
    "1.00000017881393432617187500",                      /* 1 + 3*2^-24: even is up */
    "1.00000017881393432617187499999",                   /* down */
    "-16777217.00000000000000000001",                    /* up */
    "16777219",                                          /* even */
    "16777218.99999999999999999999",                     /* down */
    "7.006492321624085354618e-46",                       /* 2^-150: to 0 */
    "7.0064923216240853546186479164495806564e-46",       /* its digits cut */
    "7.0064923216240853546186479164495806565e-46",       /* above: the smallest float */
    "2.1019476964872256063855943749348741969203929e-45", /* 3*2^-150 */
    "1.1754943157898258998e-38",
    "1.17549428e-38",
    "1.40129846432481707092372958328991613128e-45",
    "3.40282346638528859811704183484516925440e38",
    "3.40282356779733661637539395458142568447e38",
    "0.1",
    "-0",
    "1e-60",
};

static void json_array__a_late_dtype_rounds_only_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(between_floats); i++) {
        char numbers[512];
        struct span text = span_of(between_floats[i]);
        float right = number_read_float(text);
        /* first of the array, where the reader is slow, and further on */
        snprintf(numbers, sizeof numbers, "%s,1.5,%s,0.25,3", text.at, text.at);
        struct decoded late = decode_float(numbers, false);
        struct decoded early = decode_float(numbers, true);
        assert_same_array(&late.batch.logits, &early.batch.logits);
        assert_memory_equal((float *)late.batch.logits.data + 2, &right, sizeof right);
        assert_memory_equal(late.batch.logits.data, &right, sizeof right);
        decoded_free(&late);
        decoded_free(&early);
    }
}

static void json_array__some_of_these_would_be_rounded_wrongly_twice(void **state)
{
    (void)state;
    size_t differ = 0;

    for (size_t i = 0; i < LENGTH(between_floats); i++) {
        struct span text = span_of(between_floats[i]);
        differ += (float)number_read_double(text) != number_read_float(text);
    }
    assert_true(differ >= 5);
}

static void json_array__many_midpoints_are_all_remembered(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    struct random random = {7};
    char *numbers = malloc(MANY * 64);
    size_t len = 0;
    static float right[MANY];

    assert_non_null(numbers);
    for (size_t i = 0; i < MANY; i++) {
        /* a float between 2^23 and 2^24 and a half, and a bit more or less */
        unsigned whole = (1u << 23) + (unsigned)random_below(&random, 1u << 23);
        const char *tail = random_bits(&random) & 1 ? ".5000000000000000000001"
                                                    : ".4999999999999999999999";
        int n = snprintf(numbers + len, 64, "%s%u%s", i ? "," : "", whole, tail);
        right[i] = (float)whole + (tail[1] == '5');
        len += (size_t)n;
    }
    char *text = malloc(len + 64);
    assert_non_null(text);
    snprintf(text, len + 64, "{\"logits\":[%s],\"dtype\":\"float32\"}", numbers);
    struct decoded d = decode(span_of(text));
    assert_int_equal(d.batch.logits.count, MANY);
    assert_memory_equal(d.batch.logits.data, right, sizeof right);
    decoded_free(&d);
    free(text);
    free(numbers);
}

static void json_array__a_dtype_of_the_address_comes_first(void **state)
{
    (void)state;
    const struct codec *codec = codec_for(&task_loss, span_of(""));
    struct value value = {
        .type = VALUE_TEXT, .text = span_of("float32"), .kind = "a string"};
    struct arena mem;
    struct err err = {.kind = ERR_NONE};
    struct batch batch;
    enum member member;

    arena_init(&mem, SIZE_MAX, NULL, NULL);
    batch_init(&batch, &task_softmax, &decoded_limits);
    assert_true(batch_begin(&batch, span_of("dtype"), true, &mem, &member, &err));
    assert_true(batch_set(&batch, member, value, &err));
    struct decoder *decoder = codec->begin(span_of(""), &batch, &mem, &err);
    assert_true(codec->feed(decoder, span_of("{\"logits\":[1,2"), &err));
    assert_int_equal(batch.logits.element, ELEMENT_FLOAT32);
    assert_true(codec->feed(decoder, span_of(",0.1]}"), &err));
    assert_true(codec->finish(decoder, &err));
    assert_int_equal(err.kind, ERR_NONE);
    assert_int_equal(batch.logits.count, 3);
    assert_true(((float *)batch.logits.data)[2] == 0.1f);
    arena_release(&mem);
}

/* --- ceilings and memory --- */

static void json_array__has_a_ceiling_for_elements(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool refused;
    } cases[] = {
        {"{\"logits\":[1,2,3,4,5,6,7],\"labels\":[1,2,3,4,5,6,7]}", false},
        {"{\"logits\":[1,2,3,4,5,6,7 ]}", false},
        {"{\"logits\":[1,2,3,4,5,6,7,]}", false},
        {"{\"logits\":[1,2,3,4,5,6,7,8]}", true},
        {"{\"logits\":[1,2,3,4,5,6,7,8.5.5]}", true},
        {"{\"logits\":[[1],[2],[3],[4],[5],[6],[7],[8]]}", true},
        {"{\"logits\":[1,2,3,4,5,6,7,NaN]}", true},
    };
    struct limits limits = decoded_limits;

    limits.max_elements = 7;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct span text = span_of(cases[i].text);
        for (size_t step = 1; step <= text.len; step++) {
            struct decoded d;
            decode_into(&d, &task_loss, &limits, SIZE_MAX, text, step, NULL, 0);
            assert_int_equal(d.err.kind == ERR_TOO_LARGE, cases[i].refused);
            if (cases[i].refused) {
                assert_string_equal(d.err.detail, "logits has more than 7 numbers");
                assert_string_equal(d.err.pointer, "/logits");
                assert_string_equal(d.err.flag, "--max-elements");
                assert_int_equal(d.err.limit, 7);
                assert_false(d.fed);
            }
            decoded_free(&d);
        }
    }
}

static char *text_of_zeros(const char *before, size_t count, const char *after)
{
    size_t lead = strlen(before), size = lead + 2 * count + strlen(after) + 1;
    char *text = malloc(size);

    assert_non_null(text);
    memcpy(text, before, lead);
    for (size_t i = 0; i < count; i++)
        memcpy(text + lead + 2 * i, "0,", 2);
    strcpy(text + lead + 2 * count, after);
    return text;
}

static void json_array__holds_no_more_memory_than_the_numbers_need(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    char *text = text_of_zeros("{\"logits\":[", MANY, "1]}");
    struct decoded d = decode(span_of(text));

    assert_int_equal(d.batch.logits.count, MANY + 1);
    assert_in_range(d.mem.used, 8 * MANY, 8 * MANY + 20000);
    decoded_free(&d);
    free(text);
}

static void json_array__gives_memory_back_after_an_error(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    char *text = text_of_zeros("{\"logits\":[", MANY, "true]}");
    struct decoded d = decode(span_of(text));

    assert_int_equal(d.err.kind, ERR_WRONG_TYPE);
    assert_string_equal(d.err.pointer, "/logits/1000000");
    assert_in_range(d.mem.used, 0, 20000);
    assert_null(d.batch.logits.data);
    assert_int_equal(d.batch.logits.count, 0);
    decoded_free(&d);
    free(text);
}

static void json_array__a_late_float32_needs_half_the_memory(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    char *text = text_of_zeros("{\"logits\":[", MANY, "1],\"dtype\":\"float32\"}");
    struct decoded d = decode(span_of(text));

    assert_int_equal(d.batch.logits.count, MANY + 1);
    assert_in_range(d.mem.used, 4 * MANY, 4 * MANY + 20000);
    assert_true(((float *)d.batch.logits.data)[MANY] == 1.0f);
    decoded_free(&d);
    free(text);
}

/* --- many numbers --- */

/* One number of one of the kinds that bodies have, and what it is. */
static int write_random(struct random *random, char *out, size_t size)
{
    double x = random_normal(random);

    switch (random_below(random, 12)) {
    case 0:
        return snprintf(out, size, "%.17g", x);
    case 1:
        return snprintf(out, size, "%.9g", x);
    case 2:
        return snprintf(out, size, "%.4f", x);
    case 3:
        return snprintf(out, size, "%.0f", x * 1000);
    case 4:
        return snprintf(out, size, "%.17e", x * 1e-20);
    case 5:
        return snprintf(out, size, "%.40f", x);
    case 6:
        return snprintf(out, size, "%.3fE+%d", x, (int)random_below(random, 30));
    case 7:
        return snprintf(out, size, "0");
    case 8:
        return snprintf(out, size, "-0.0");
    case 9:
        return snprintf(out, size, "%.17g", x * 1e-310);
    case 10:
        return snprintf(out, size, "%.25g", x * 1e300);
    default:
        return snprintf(out, size, "%.1f", x);
    }
}

static const char *random_space(struct random *random)
{
    static const char *const spaces[] = {"",  "",       "",       "",  " ",
                                         " ", "\n    ", "\r\n\t", "  "};

    return spaces[random_below(random, LENGTH(spaces))];
}

struct document {
    char *text;
    size_t len, capacity;
    struct span *number; /* rows * columns */
    size_t count;
};

static void add_text(struct document *doc, const char *text)
{
    size_t len = strlen(text);

    assert_true(doc->len + len < doc->capacity);
    memcpy(doc->text + doc->len, text, len);
    doc->len += len;
}

static struct document make_document(struct random *random, size_t rows, size_t columns,
                                     bool spaced)
{
    struct document doc = {.capacity = rows * (columns * 80 + 32) + 256};
    char number[96];

    doc.text = malloc(doc.capacity);
    doc.number = malloc(rows * columns * sizeof *doc.number);
    assert_true(doc.text && doc.number);
    add_text(&doc, "{\"logits\":[");
    for (size_t r = 0; r < rows; r++) {
        add_text(&doc, r ? "," : "");
        add_text(&doc, spaced ? random_space(random) : "");
        add_text(&doc, "[");
        for (size_t c = 0; c < columns; c++) {
            add_text(&doc, c ? "," : "");
            add_text(&doc, spaced ? random_space(random) : "");
            size_t len = (size_t)write_random(random, number, sizeof number);
            doc.number[doc.count++] = (struct span){doc.text + doc.len, len};
            add_text(&doc, number);
            add_text(&doc, spaced && c % 7 == 0 ? random_space(random) : "");
        }
        add_text(&doc, "]");
    }
    add_text(&doc, "],\"labels\":[1]}");
    return doc;
}

static struct decoded decode_random_steps(struct span text, struct random *random,
                                          bool float_first)
{
    const struct codec *codec = codec_for(&task_loss, span_of(""));
    struct decoded d = {.fed = true};

    arena_init(&d.mem, SIZE_MAX, NULL, NULL);
    batch_init(&d.batch, &task_loss, &decoded_limits);
    if (float_first) {
        d.batch.given |= 1u << MEMBER_dtype;
        d.batch.dtype = DTYPE_FLOAT32;
    }
    struct decoder *decoder = codec->begin(span_of(""), &d.batch, &d.mem, &d.err);
    while (text.len > 0) {
        size_t step = 1 + random_below(random, (size_t)1 << random_below(random, 13));
        if (step > text.len)
            step = text.len;
        assert_true(feed_piece(decoder, (struct span){text.at, step}, &d.err));
        text = (struct span){text.at + step, text.len - step};
    }
    assert_true(codec->finish(decoder, &d.err));
    return d;
}

static void assert_document(const struct document *doc, const struct decoded *d,
                            size_t columns, bool is_float)
{
    const struct array *logits = &d->batch.logits;

    assert_string_equal(d->err.detail, "");
    assert_int_equal(logits->count, doc->count);
    assert_int_equal(logits->shape.rank, 2);
    assert_int_equal(logits->shape.dim[1], columns);
    assert_int_equal(d->batch.labels.count, 1);
    for (size_t i = 0; i < doc->count; i++) {
        double wide = number_read_double(doc->number[i]);
        float slim = number_read_float(doc->number[i]);
        const void *read = is_float ? (const void *)((float *)logits->data + i)
                                    : (const void *)((double *)logits->data + i);
        if (memcmp(is_float ? (const void *)&slim : (const void *)&wide, read,
                   is_float ? sizeof slim : sizeof wide) != 0)
            fail_msg("number %zu, %.*s", i, (int)doc->number[i].len, doc->number[i].at);
    }
}

static void json_array__reads_every_number_whatever_surrounds_it(void **state)
{
    (void)state;
    static const size_t shapes[][2] = {{1, 1},  {3, 1},   {200, 1}, {100, 2},
                                       {7, 30}, {2, 999}, {40, 100}};
    struct random random = {11};

    for (size_t i = 0; i < 3 * LENGTH(shapes); i++) {
        const size_t *shape = shapes[i % LENGTH(shapes)];
        struct document doc = make_document(&random, shape[0], shape[1], i % 2 == 0);
        struct span text = {doc.text, doc.len};
        struct decoded whole = decode(text);
        assert_document(&doc, &whole, shape[1], false);
        decoded_free(&whole);
        for (unsigned round = 0; round < 6; round++) {
            struct decoded d = decode_random_steps(text, &random, round & 1);
            assert_document(&doc, &d, shape[1], round & 1);
            decoded_free(&d);
        }
        free(doc.text);
        free(doc.number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_array__finds_the_shape),
        cmocka_unit_test(json_array__points_at_what_is_ragged),
        cmocka_unit_test(json_array__points_at_what_is_no_number),
        cmocka_unit_test(json_array__takes_bare_tokens_in_no_other_array),
        cmocka_unit_test(json_array__notes_the_first_flaw_of_logits),
        cmocka_unit_test(json_array__stores_what_it_notes),
        cmocka_unit_test(json_array__overflow_is_a_flaw_of_weights_too),
        cmocka_unit_test(json_array__reads_weights_and_targets_as_doubles_for_any_dtype),
        cmocka_unit_test(json_array__takes_a_bare_sample_weight),
        cmocka_unit_test(json_array__takes_integers_for_labels),
        cmocka_unit_test(json_array__refuses_labels_that_are_no_integers),
        cmocka_unit_test(json_array__notes_labels_that_are_too_large),
        cmocka_unit_test(json_array__a_late_dtype_rounds_only_once),
        cmocka_unit_test(json_array__some_of_these_would_be_rounded_wrongly_twice),
        cmocka_unit_test(json_array__many_midpoints_are_all_remembered),
        cmocka_unit_test(json_array__a_dtype_of_the_address_comes_first),
        cmocka_unit_test(json_array__has_a_ceiling_for_elements),
        cmocka_unit_test(json_array__holds_no_more_memory_than_the_numbers_need),
        cmocka_unit_test(json_array__gives_memory_back_after_an_error),
        cmocka_unit_test(json_array__a_late_float32_needs_half_the_memory),
        cmocka_unit_test(json_array__reads_every_number_whatever_surrounds_it),
    };
    return cmocka_run_group_tests_name("json_array", tests, NULL, NULL);
}
