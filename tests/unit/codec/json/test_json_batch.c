/* A member's value as a text by itself, without the object around it. */
#include "../decoded.h"

#include <math.h>

#include "codec/json/json_batch.h"
#include "codec/json/json_read.h"

/* What is left of reading `text` as the value of a member, in pieces of `step` bytes. */
struct single {
    struct arena mem;
    struct batch batch;
    struct err err;
    bool read;
};

static bool no_text(void *ctx, struct span text, struct err *err)
{
    (void)ctx;
    (void)text;
    (void)err;
    return true;
}

static bool feed(struct json_reader *reader, struct span text, size_t step,
                 struct err *err)
{
    bool fed = true;

    for (size_t at = 0; fed && at < text.len; at += step) {
        size_t len = text.len - at < step ? text.len - at : step;
        char *piece = malloc(len);
        assert_non_null(piece);
        memcpy(piece, text.at + at, len);
        fed = json_read(reader, (struct span){piece, len}, err);
        free(piece);
    }
    return fed && json_read_end(reader, err);
}

static void read_single(struct single *s, enum member member, const char *text,
                        size_t step)
{
    static const struct json_handler handler = {.text = no_text};
    struct json_reader reader;
    struct json_batch json;

    *s = (struct single){.err.kind = ERR_NONE};
    arena_init(&s->mem, SIZE_MAX, NULL, NULL);
    batch_init(&s->batch, &task_loss, &decoded_limits);
    assert_true(json_batch_begin(&json, &s->batch, &reader, &s->mem, &s->err));
    reader.handler = &handler;
    json_read_single(&reader, json_batch_member(&json, &reader, member));
    s->read = feed(&reader, span_of(text), step, &s->err);
}

static void assert_read(enum member member, const char *text, struct shape shape,
                        const double *wanted)
{
    struct single s;

    for (size_t step = 1; step <= strlen(text); step++) {
        read_single(&s, member, text, step);
        if (s.err.kind != ERR_NONE)
            fail_msg("%s: %s", text, s.err.detail);
        const struct array *array = batch_array(&s.batch, member);
        assert_true(s.read);
        assert_int_equal(array->shape.rank, shape.rank);
        assert_memory_equal(array->shape.dim, shape.dim, shape.rank * sizeof(size_t));
        assert_int_equal(array->count, shape_count(&shape));
        for (size_t i = 0; i < array->count; i++)
            assert_true(array->element == ELEMENT_INT64
                            ? ((int64_t *)array->data)[i] == (int64_t)wanted[i]
                            : ((double *)array->data)[i] == wanted[i]);
        arena_release(&s.mem);
    }
}

static void json_read_single__takes_an_array_as_it_stands_in_an_object(void **state)
{
    (void)state;
    assert_read(MEMBER_logits, "[[1,2.5],[3,4]]", (struct shape){2, {2, 2}},
                (const double[]){1, 2.5, 3, 4});
    assert_read(MEMBER_labels, " [ 1, 2 ]\r\n", (struct shape){1, {2}},
                (const double[]){1, 2});
    assert_read(MEMBER_labels, "[]", (struct shape){1, {0}}, NULL);
    assert_read(MEMBER_labels, "[7]", (struct shape){1, {1}}, (const double[]){7});
}

static void json_read_single__takes_numbers_without_brackets(void **state)
{
    (void)state;
    assert_read(MEMBER_labels, "0,1", (struct shape){1, {2}}, (const double[]){0, 1});
    assert_read(MEMBER_labels, " 3.0 , -100,1e2\n", (struct shape){1, {3}},
                (const double[]){3, -100, 100});
    assert_read(MEMBER_logits, "0.5,-Infinity,2e0", (struct shape){1, {3}},
                (const double[]){0.5, -(double)INFINITY, 2});
    assert_read(MEMBER_class_weights, "2", (struct shape){1, {1}}, (const double[]){2});
}

static void json_read_single__takes_a_number_alone_where_that_may_be(void **state)
{
    (void)state;
    assert_read(MEMBER_labels, "12", (struct shape){.rank = 0}, (const double[]){12});
    assert_read(MEMBER_labels, "3.0 ", (struct shape){.rank = 0}, (const double[]){3});
    assert_read(MEMBER_sample_weights, "0.5", (struct shape){.rank = 0},
                (const double[]){0.5});
}

static void json_read_single__says_what_is_wrong_where(void **state)
{
    (void)state;
    static const struct {
        enum member member;
        const char *text;
        enum err_kind kind;
        const char *pointer, *detail;
        bool read;
    } cases[] = {
        {MEMBER_labels, "", ERR_INVALID_JSON, "", "the text is empty; an array is wanted",
         false},
        {MEMBER_labels, " ", ERR_INVALID_JSON, "",
         "the text is empty; an array is wanted", false},
        {MEMBER_labels, "x", ERR_INVALID_JSON, "",
         "found 'x' at line 1, column 1; an array is wanted", false},
        {MEMBER_labels, "0,", ERR_INVALID_JSON, "",
         "the text ends at line 1, column 3; a value is wanted", false},
        {MEMBER_labels, "0,,1", ERR_INVALID_JSON, "",
         "found ',' at line 1, column 3; a value is wanted", false},
        {MEMBER_labels, "0 1", ERR_INVALID_JSON, "",
         "found '1' at line 1, column 3; ',' or the end is wanted", false},
        {MEMBER_labels, "0,1]", ERR_INVALID_JSON, "",
         "found ']' at line 1, column 4; ',' or the end is wanted", false},
        {MEMBER_labels, "0,1}", ERR_INVALID_JSON, "",
         "found '}' at line 1, column 4; ',' or the end is wanted", false},
        {MEMBER_labels, "[0,1 ", ERR_INVALID_JSON, "",
         "the text ends at line 1, column 6; ',' or ']' is wanted", false},
        {MEMBER_labels, "[0],1", ERR_TRAILING_DATA, "",
         "found ',' at offset 3, after the end of the JSON value", false},
        {MEMBER_labels, "[0]}", ERR_TRAILING_DATA, "",
         "found '}' at offset 3, after the end of the JSON value", false},
        {MEMBER_labels, "0,1.5,x", ERR_INVALID_JSON, "",
         "found 'x' at line 1, column 7; a value is wanted", false},
        {MEMBER_labels, "0,1.5", ERR_LABEL_NOT_INTEGER, "/labels/1",
         "labels[1] is 1.5; an integer is wanted", true},
        {MEMBER_labels, "true", ERR_LABEL_NOT_INTEGER, "/labels",
         "labels is true; an integer is wanted", true},
        {MEMBER_labels, "1.5", ERR_LABEL_NOT_INTEGER, "/labels",
         "labels is 1.5; an integer is wanted", true},
        {MEMBER_labels, "\"1\" ,2", ERR_LABEL_NOT_INTEGER, "/labels/0",
         "labels[0] is \"1\"; an integer is wanted", true},
        {MEMBER_class_weights, "true", ERR_WRONG_TYPE, "/class_weights/0",
         "class_weights[0] is true; a number is wanted", true},
        {MEMBER_labels, "0,[1,[2]],3", ERR_RAGGED_ARRAY, "/labels/1",
         "labels[1] is an array, labels[0] is a number", true},
        {MEMBER_labels, "{\"a\":[1]}", ERR_WRONG_TYPE, "/labels",
         "labels is an object; an integer, or an array of integers, is wanted", true},
        {MEMBER_class_weights, "NaN", ERR_INVALID_JSON, "",
         "found 'N' at line 1, column 1; an array is wanted", false},
        {MEMBER_logits, "[[1,2],[3]]", ERR_RAGGED_ARRAY, "/logits/1",
         "logits[1] has 1 element, logits[0] has 2", true},
    };
    struct single s;

    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t step = 1; step <= strlen(cases[i].text) + 1; step++) {
            read_single(&s, cases[i].member, cases[i].text, step);
            if (strcmp(s.err.detail, cases[i].detail) != 0)
                fail_msg("%s: %s", cases[i].text, s.err.detail);
            assert_int_equal(s.err.kind, cases[i].kind);
            assert_string_equal(s.err.pointer, cases[i].pointer);
            assert_int_equal(s.read, cases[i].read);
            arena_release(&s.mem);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_read_single__takes_an_array_as_it_stands_in_an_object),
        cmocka_unit_test(json_read_single__takes_numbers_without_brackets),
        cmocka_unit_test(json_read_single__takes_a_number_alone_where_that_may_be),
        cmocka_unit_test(json_read_single__says_what_is_wrong_where),
    };
    return cmocka_run_group_tests_name("json_batch", tests, NULL, NULL);
}
