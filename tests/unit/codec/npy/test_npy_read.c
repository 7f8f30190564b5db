/* NPY files into members other than the logits: labels are integers, one number may do,
 * and what may become float32 later is rounded once. */
#include "../decoded.h"

#include <math.h>

#include "codec/npy/npy_read.h"

enum { FILE_MAX = 512 };

struct filled {
    struct arena mem;
    struct batch batch;
    struct json_narrow narrow;
    struct err err;
    bool read;
};

static size_t write_file(char out[FILE_MAX], const char *descr, const char *order,
                         const char *shape, const void *data, size_t bytes)
{
    int len = snprintf(out + 10, FILE_MAX - 10,
                       "{'descr': '%s', 'fortran_order': %s, 'shape': %s}", descr, order,
                       shape);

    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (char)len;
    out[9] = 0;
    memcpy(out + 10 + len, data, bytes);
    return 10 + (size_t)len + bytes;
}

/* `what` is the shape, with the order of a file before it if that is Fortran's. */
static void fill(struct filled *f, enum member member, size_t step, const char *descr,
                 const char *what, const void *data, size_t bytes)
{
    char file[FILE_MAX];
    bool is_fortran = *what == 'F';
    size_t len = write_file(file, descr, is_fortran ? "True" : "False", what + is_fortran,
                            data, bytes);
    struct npy_reader reader;

    *f = (struct filled){.read = true};
    arena_init(&f->mem, SIZE_MAX, NULL, NULL);
    batch_init(&f->batch, &task_loss, &decoded_limits);
    npy_read_begin(&reader, &f->batch, member, &f->narrow, &f->mem);
    for (size_t at = 0; f->read && at < len; at += step)
        f->read =
            npy_read(&reader, (struct span){file + at, len - at < step ? len - at : step},
                     &f->err);
    f->read = f->read && npy_read_end(&reader, &f->err);
}

static void npy_read__takes_labels_of_every_type_of_number(void **state)
{
    (void)state;
    static const struct {
        const char *descr, *bytes;
        size_t size;
        int64_t values[2];
    } cases[] = {
        {"|i1", "\x9C\x03", 1, {-100, 3}},
        {"|u1", "\xFF\x03", 1, {255, 3}},
        {"<i2", "\x00\x80\x03\x00", 2, {-32768, 3}},
        {">u2", "\xFF\xFF\x00\x03", 2, {65535, 3}},
        {"<i4", "\x9C\xFF\xFF\xFF\x03\x00\x00\x00", 4, {-100, 3}},
        {"<u4", "\xFF\xFF\xFF\xFF\x03\x00\x00\x00", 4, {4294967295, 3}},
        {"<i8",
         "\x01\x00\x00\x00\x00\x00\x20\x00\x03\0\0\0\0\0\0\0",
         8,
         {(INT64_C(1) << 53) + 1, 3}},
        {"<i8", "\x00\x00\x00\x00\x00\x00\x00\x80\x03\0\0\0\0\0\0\0", 8, {INT64_MIN, 3}},
        {">u8", "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0\0\0\0\x03", 8, {INT64_MAX, 3}},
        {"<f2", "\x00\xC2\x00\x00", 2, {-3, 0}},
        {"<f4", "\x00\x00\x40\x40\x00\x00\xC8\xC2", 4, {3, -100}},
        {"<f8", "\0\0\0\0\0\0\x08\x40\0\0\0\0\0\0\0\x80", 8, {3, 0}},
    };
    struct filled f;

    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t step = 1; step < 200; step += 3) {
            fill(&f, MEMBER_labels, step, cases[i].descr, "(2,)", cases[i].bytes,
                 2 * cases[i].size);
            assert_int_equal(f.err.kind, ERR_NONE);
            assert_true(f.read);
            assert_int_equal(f.batch.labels.flaw, FLAW_NONE);
            assert_memory_equal(f.batch.labels.data, cases[i].values,
                                sizeof cases[i].values);
            arena_release(&f.mem);
        }
}

static void npy_read__points_at_the_first_label_that_is_no_integer(void **state)
{
    (void)state;
    static const struct {
        const char *descr, *what;
        double values[4];
        const char *pointer, *detail;
    } cases[] = {
        {"<f8", "(4,)", {3, 3.5, 0.5, 1}, "/labels/1", "labels[1] is 3.5; an integer"},
        {"<f8", "(4,)", {3, 2, NAN, 1}, "/labels/2", "labels[2] is NaN; an integer"},
        {"<f8", "(2, 2)", {3, 2, 1, INFINITY}, "/labels/1/1", "labels[1][1] is Infinity"},
        {"<f8", "F(2, 2)", {3, 0.25, 0.5, 1}, "/labels/0/1", "labels[0][1] is 0.5; an"},
    };
    struct filled f;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        fill(&f, MEMBER_labels, 7, cases[i].descr, cases[i].what, cases[i].values, 32);
        assert_true(f.read);
        assert_int_equal(f.err.kind, ERR_LABEL_NOT_INTEGER);
        assert_string_equal(f.err.pointer, cases[i].pointer);
        if (!strstr(f.err.detail, cases[i].detail))
            fail_msg("%s", f.err.detail);
        arena_release(&f.mem);
    }
}

/* As JSON's true is none. */
static void npy_read__takes_no_truth_for_a_label(void **state)
{
    (void)state;
    struct filled f;

    fill(&f, MEMBER_labels, 7, "|b1", "(2,)", "\x01\x00", 2);
    assert_int_equal(f.err.kind, ERR_LABEL_NOT_INTEGER);
    assert_string_equal(f.err.detail, "labels[0] is true; an integer is wanted");
    arena_release(&f.mem);
}

static void npy_read__notes_labels_beyond_64_bits(void **state)
{
    (void)state;
    static const double large[] = {1, 0x1p63};
    struct filled f;

    fill(&f, MEMBER_labels, 7, "<f8", "(2,)", large, sizeof large);
    assert_int_equal(f.err.kind, ERR_NONE);
    assert_int_equal(f.batch.labels.flaw, FLAW_BEYOND_INT64);
    assert_int_equal(f.batch.labels.flaw_index, 1);
    arena_release(&f.mem);
    fill(&f, MEMBER_labels, 7, "<u8", "(1,)", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    assert_int_equal(f.batch.labels.flaw, FLAW_BEYOND_INT64);
    assert_int_equal(f.batch.labels.flaw_index, 0);
    assert_string_equal(f.batch.labels.flaw_text.text, "18446744073709551615");
    arena_release(&f.mem);
    fill(&f, MEMBER_labels, 7, ">u8", "(1,)", "\x80\0\0\0\0\0\0\x01", 8);
    assert_string_equal(f.batch.labels.flaw_text.text, "9223372036854775809");
    arena_release(&f.mem);
}

static void npy_read__takes_one_number_where_that_may_be(void **state)
{
    (void)state;
    struct filled f;

    fill(&f, MEMBER_labels, 7, "|i1", "()", "\x02", 1);
    assert_true(f.read);
    assert_int_equal(f.err.kind, ERR_NONE);
    assert_int_equal(f.batch.labels.shape.rank, 0);
    assert_int_equal(f.batch.labels.count, 1);
    assert_int_equal(*(int64_t *)f.batch.labels.data, 2);
    arena_release(&f.mem);
    fill(&f, MEMBER_targets, 7, "|i1", "()", "\x02", 1);
    assert_true(f.read);
    assert_int_equal(f.err.kind, ERR_WRONG_TYPE);
    assert_string_equal(f.err.pointer, "/targets");
    arena_release(&f.mem);
}

/* Only a class can be masked. */
static void npy_read__notes_infinities_of_what_is_no_logit(void **state)
{
    (void)state;
    static const double values[] = {1, -INFINITY};
    struct filled f;

    fill(&f, MEMBER_features, 7, "<f8", "(2,)", values, sizeof values);
    assert_int_equal(f.batch.features.flaw, FLAW_INFINITE);
    assert_int_equal(f.batch.features.flaw_index, 1);
    assert_false(f.batch.features.has_minus_infinity);
    arena_release(&f.mem);
}

/* Through a double, 2^60 + 2^36 + 1 would come down on the even float below. */
static void npy_read__rounds_once_what_becomes_a_float_later(void **state)
{
    (void)state;
    const int64_t integers[] = {1, 2, (INT64_C(1) << 60) + (INT64_C(1) << 36) + 1, 3};
    static const double doubles[] = {1, 1e39, 1e40, 2};
    struct filled f;

    fill(&f, MEMBER_logits, 7, "<i8", "F(2, 2)", integers, sizeof integers);
    assert_true(narrow_array(&f.narrow, &f.batch.logits, &f.mem, &f.err));
    assert_true(((float *)f.batch.logits.data)[1] == 0x1.000002p60f);
    arena_release(&f.mem);
    fill(&f, MEMBER_logits, 7, "<f8", "F(2, 2)", doubles, sizeof doubles);
    assert_true(narrow_array(&f.narrow, &f.batch.logits, &f.mem, &f.err));
    assert_int_equal(f.batch.logits.flaw, FLAW_OVERFLOW);
    assert_int_equal(f.batch.logits.flaw_index, 1); /* of the rows, the file's second */
    assert_string_equal(f.batch.logits.flaw_text.text, "1e+40");
    arena_release(&f.mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_read__takes_labels_of_every_type_of_number),
        cmocka_unit_test(npy_read__points_at_the_first_label_that_is_no_integer),
        cmocka_unit_test(npy_read__takes_no_truth_for_a_label),
        cmocka_unit_test(npy_read__notes_labels_beyond_64_bits),
        cmocka_unit_test(npy_read__takes_one_number_where_that_may_be),
        cmocka_unit_test(npy_read__notes_infinities_of_what_is_no_logit),
        cmocka_unit_test(npy_read__rounds_once_what_becomes_a_float_later),
    };
    return cmocka_run_group_tests_name("npy_read", tests, NULL, NULL);
}
