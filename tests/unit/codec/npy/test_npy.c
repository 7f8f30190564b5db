/* NPY files, written out by hand: what they are read as, what is refused, and that it
 * does not matter where they are cut. */
#include "../decoded.h"

#include <float.h>
#include <math.h>

#include "codec/npy/npy_fortran.h"
#include "codec/npy/npy_header.h"

enum { FILE_MAX = 4096 };

struct file {
    char at[FILE_MAX];
    size_t len;
};

static void add(struct file *file, const void *bytes, size_t count)
{
    assert_true(file->len + count <= FILE_MAX);
    memcpy(file->at + file->len, bytes, count);
    file->len += count;
}

/* A file of that version, its header as it is given and its data behind that. */
static struct file file_of(unsigned version, const char *header, const void *data,
                           size_t bytes)
{
    struct file file = {.len = 0};
    uint32_t length = (uint32_t)strlen(header);

    add(&file, "\x93NUMPY", 6);
    add(&file, (const char[]){(char)version, 0}, 2);
    add(&file, &length, version == 1 ? 2 : 4);
    add(&file, header, length);
    add(&file, data, bytes);
    return file;
}

static struct file typed(const char *descr, const char *order, const char *shape,
                         const void *data, size_t bytes)
{
    char header[256];

    snprintf(header, sizeof header,
             "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }   \n", descr, order,
             shape);
    return file_of(1, header, data, bytes);
}

static struct span span_of_file(const struct file *file)
{
    return (struct span){file->at, file->len};
}

static void read_as(struct decoded *d, const struct file *file, enum dtype dtype)
{
    const struct codec *codec = codec_for(&task_loss, span_of(decoded_type));

    *d = (struct decoded){.fed = true};
    arena_init(&d->mem, SIZE_MAX, NULL, NULL);
    batch_init(&d->batch, &task_softmax, &decoded_limits);
    d->batch.dtype = dtype;
    struct decoder *decoder =
        codec->begin(span_of(decoded_type), &d->batch, &d->mem, &d->err);
    assert_non_null(decoder);
    d->fed = feed_piece(decoder, span_of_file(file), &d->err);
    d->finished = d->fed && codec->finish(decoder, &d->err);
}

/* --- numbers --- */

static void assert_numbers(const struct file *file, const double *wanted, size_t count)
{
    struct decoded d;

    read_as(&d, file, DTYPE_FLOAT64);
    assert_int_equal(d.err.kind, ERR_NONE);
    assert_true(d.finished);
    assert_int_equal(d.batch.logits.count, count);
    assert_memory_equal(d.batch.logits.data, wanted, count * sizeof *wanted);
    decoded_free(&d);
    read_as(&d, file, DTYPE_FLOAT32);
    assert_true(d.finished);
    for (size_t i = 0; i < count; i++) {
        float narrow = (float)wanted[i], found = ((float *)d.batch.logits.data)[i];
        assert_memory_equal(&found, &narrow, sizeof narrow);
    }
    decoded_free(&d);
}

static void npy__reads_every_type_in_both_byte_orders(void **state)
{
    (void)state;
    static const struct {
        const char *descr, *bytes;
        size_t size;
        double values[2];
    } cases[] = {
        {"<f2", "\x00\xC2\x66\x2E", 2, {-3, 0.0999755859375}},
        {">f2", "\xC2\x00\x2E\x66", 2, {-3, 0.0999755859375}},
        {"<f2", "\x01\x00\xFF\x83", 2, {0x1p-24, -0x1.ff8p-15}},
        {"<f2", "\xFF\x7B\x00\x80", 2, {65504, -0.0}},
        {"<f4", "\x00\x00\x20\x40\xCD\xCC\xCC\x3D", 4, {2.5, (double)0.1f}},
        {">f4", "\x40\x20\x00\x00\x3D\xCC\xCC\xCD", 4, {2.5, (double)0.1f}},
        {"<f8",
         "\x9A\x99\x99\x99\x99\x99\xB9\x3F\x00\x00\x00\x00\x00\x00\x00\x80",
         8,
         {0.1, -0.0}},
        {">f8",
         "\x3F\xB9\x99\x99\x99\x99\x99\x9A\x80\x00\x00\x00\x00\x00\x00\x00",
         8,
         {0.1, -0.0}},
        {"|i1", "\x80\x7F", 1, {-128, 127}},
        {"|u1", "\x80\xFF", 1, {128, 255}},
        {"<i2", "\x00\x80\xFF\x7F", 2, {-32768, 32767}},
        {">u2", "\x00\x80\xFF\xFF", 2, {128, 65535}},
        {"<i4", "\x00\x00\x00\x80\x01\x00\x00\x00", 4, {-2147483648.0, 1}},
        {">i4", "\x80\x00\x00\x00\x00\x00\x00\x01", 4, {-2147483648.0, 1}},
        {"<u4", "\xFF\xFF\xFF\xFF\x01\x00\x00\x00", 4, {4294967295.0, 1}},
        {"<i8",
         "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x01\x00\x00\x00\x00\x00\x20\x00",
         8,
         {0x1p63, 0x1p53}},
        {">u8",
         "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x20\x00\x00\x00\x00\x00\x03",
         8,
         {0x1p64, 0x1p53 + 4}},
        {"|b1", "\x00\x01", 1, {0, 1}},
        {"|b1", "\x02\x00", 1, {1, 0}},
        {"=i1", "\xFF\x00", 1, {-1, 0}},
        {"i1", "\xFF\x00", 1, {-1, 0}},
        {"f4", "\x00\x00\x20\x40\x00\x00\x80\xBF", 4, {2.5, -1}},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct file file =
            typed(cases[i].descr, "False", "(2,)", cases[i].bytes, 2 * cases[i].size);
        assert_numbers(&file, cases[i].values, 2);
    }
}

/* Through a double, 2^60 + 2^36 + 1 would come down on the even float below. */
static void npy__rounds_integers_to_floats_once(void **state)
{
    (void)state;
    const int64_t integer = (INT64_C(1) << 60) + (INT64_C(1) << 36) + 1;
    struct file file = typed("<i8", "False", "(1,)", &integer, 8);
    struct decoded d;

    read_as(&d, &file, DTYPE_FLOAT32);
    assert_true(d.finished);
    assert_true(*(float *)d.batch.logits.data == 0x1.000002p60f);
    decoded_free(&d);
}

static void npy__reads_halves_as_the_formula_says(void **state)
{
    (void)state;
    const struct npy_type *type = npy_type_find(span_of("f2"));

    for (unsigned bits = 0; bits < 0x10000; bits++) {
        int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
        uint16_t half = (uint16_t)bits;
        double value, wanted = exponent == 0 ? ldexp(fraction, -24)
                                             : ldexp(1024 + fraction, exponent - 25);
        if (exponent == 31)
            wanted = fraction ? (double)NAN : (double)INFINITY;
        wanted = bits >> 15 ? -wanted : wanted;
        npy_type_read(type, false, (char *)&half, 1, ELEMENT_FLOAT64, &value);
        assert_true(isnan(wanted) ? isnan(value) : value == wanted);
        assert_int_equal(!signbit(value), !(bits >> 15));
    }
}

static void npy__judges_by_value_what_is_not_finite(void **state)
{
    (void)state;
    static const double doubles[] = {-INFINITY, 1, 1e39, NAN, INFINITY};
    struct file file = typed("<f8", "False", "(5,)", doubles, sizeof doubles);
    struct decoded d;

    read_as(&d, &file, DTYPE_FLOAT64);
    assert_true(d.finished && d.batch.logits.has_minus_infinity);
    assert_int_equal(d.batch.logits.flaw, FLAW_NAN);
    assert_int_equal(d.batch.logits.flaw_index, 3);
    assert_string_equal(d.batch.logits.flaw_text.text, "NaN");
    decoded_free(&d);
    read_as(&d, &file, DTYPE_FLOAT32);
    assert_int_equal(d.batch.logits.flaw, FLAW_OVERFLOW);
    assert_int_equal(d.batch.logits.flaw_index, 2);
    assert_string_equal(d.batch.logits.flaw_text.text, "1e+39");
    decoded_free(&d);
    file = typed("<f8", "False", "(1,)", &doubles[4], sizeof(double));
    read_as(&d, &file, DTYPE_FLOAT32);
    assert_int_equal(d.batch.logits.flaw, FLAW_INFINITE);
    assert_string_equal(d.batch.logits.flaw_text.text, "Infinity");
    assert_false(d.batch.logits.has_minus_infinity);
    decoded_free(&d);
}

/* --- order --- */

static void npy__turns_fortran_order_around(void **state)
{
    (void)state;
    static const signed char bytes[] = {1, 4, 2, 5, 3, 6};
    static const double wanted[] = {1, 2, 3, 4, 5, 6};
    struct file file = typed("|i1", "True", "(2, 3)", bytes, 6);

    assert_numbers(&file, wanted, 6);
    file = typed("|i1", "True", "(6,)", wanted, 6);
    file.len -= 6;
    add(&file, (const char[]){1, 2, 3, 4, 5, 6}, 6);
    assert_numbers(&file, wanted, 6);
}

/* In the order of the text that JSON would have, not of the file. */
static void npy__points_at_the_first_flaw_of_the_rows(void **state)
{
    (void)state;
    static const double columns[] = {1, NAN,      2,
                                     3, INFINITY, 4}; /* [[1,2,inf],[nan,3,4]] */
    struct file file = typed("<f8", "True", "(2, 3)", columns, sizeof columns);
    struct decoded d;

    read_as(&d, &file, DTYPE_FLOAT64);
    assert_true(d.finished);
    assert_int_equal(d.batch.logits.flaw, FLAW_INFINITE);
    assert_int_equal(d.batch.logits.flaw_index, 2);
    decoded_free(&d);
}

static void npy_fortran_turn__moves_each_element_to_its_place(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {1, {9}},         {2, {1, 9}},       {2, {9, 1}},
        {2, {33, 65}},    {2, {70, 31}},     {3, {5, 4, 3}},
        {3, {40, 2, 40}}, {4, {3, 1, 2, 4}}, {8, {2, 3, 1, 2, 2, 1, 3, 2}}};

    for (size_t s = 0; s < LENGTH(shapes); s++) {
        struct arena mem;
        struct err err = {.kind = ERR_NONE};
        struct array array = {.element = s % 2 ? ELEMENT_FLOAT32 : ELEMENT_FLOAT64,
                              .shape = shapes[s],
                              .count = shape_count(&shapes[s])};
        arena_init(&mem, SIZE_MAX, NULL, NULL);
        array.data = arena_resize(&mem, NULL, array.count * 8, &err);
        assert_non_null(array.data);
        for (size_t i = 0; i < array.count; i++) {
            size_t place = npy_fortran_index(&shapes[s], i);
            if (array.element == ELEMENT_FLOAT32)
                ((float *)array.data)[i] = (float)place;
            else
                ((double *)array.data)[i] = (double)place;
        }
        assert_true(npy_fortran_turn(&array, &mem, &err));
        for (size_t i = 0; i < array.count; i++)
            assert_true(array.element == ELEMENT_FLOAT32
                            ? ((float *)array.data)[i] == (float)i
                            : ((double *)array.data)[i] == (double)i);
        arena_release(&mem);
    }
}

/* --- the header --- */

static void npy__takes_what_python_takes_in_a_header(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr':'|i1','fortran_order':False,'shape':(2,3)}",
        " { \"shape\" : ( 2 , 3 , ) , \"fortran_order\" : False , \"descr\" : \"i1\" } "
        "\n",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2L, 3L), }\t\r\n",
        "{'shape': (002, 3), 'descr': '<i1', 'fortran_order': False}\n\n",
    };

    for (size_t i = 0; i < LENGTH(headers); i++)
        for (unsigned version = 1; version <= 3; version++) {
            struct file file = file_of(version, headers[i], "\1\2\3\4\5\6", 6);
            assert_numbers(&file, (const double[]){1, 2, 3, 4, 5, 6}, 6);
            struct decoded whole = decode(span_of_file(&file));
            assert_cuts_do_not_matter(span_of_file(&file), &whole);
            decoded_free(&whole);
        }
}

static void npy__refuses_other_headers_with_a_sentence(void **state)
{
    (void)state;
#define DESCR "'descr': '<f4', "
#define ORDER "'fortran_order': False, "
    static const struct {
        const char *header;
        enum err_kind kind;
        const char *sentence;
    } cases[] = {
        {"", ERR_BAD_TENSOR, "the NPY header ends after 0 bytes; '{' is wanted"},
        {"[]", ERR_BAD_TENSOR, "the NPY header has \"[\" at its byte 0; '{' is wanted"},
        {"{}", ERR_BAD_TENSOR, "has no descr; descr, fortran_order and shape are wanted"},
        {"{" DESCR "}", ERR_BAD_TENSOR, "has no fortran_order"},
        {"{" DESCR ORDER "}", ERR_BAD_TENSOR, "has no shape"},
        {"{" DESCR DESCR "}", ERR_BAD_TENSOR, "has descr twice"},
        {"{'order': 1}", ERR_BAD_TENSOR, "has \"order\"; descr, fortran_order and shape"},
        {"{,}", ERR_BAD_TENSOR, "\",\" at its byte 1; a name in quotes is wanted"},
        {"{descr: 1}", ERR_BAD_TENSOR, "a name in quotes is wanted"},
        {"{'descr", ERR_BAD_TENSOR, "the end of a string without escapes is wanted"},
        {"{'desc\\x72': '<f4'}", ERR_BAD_TENSOR, "without escapes is wanted"},
        {"{'descr' '<f4'}", ERR_BAD_TENSOR, "':' is wanted"},
        {"{'descr': 4}", ERR_BAD_TENSOR, "the dtype in quotes is wanted"},
        {"{'descr': '<f4' 'x'}", ERR_BAD_TENSOR, "',' or '}' is wanted"},
        {"{'fortran_order': 0}", ERR_BAD_TENSOR, "True or False is wanted"},
        {"{'shape': 3}", ERR_BAD_TENSOR, "the shape as a tuple is wanted"},
        {"{'shape': (3)}", ERR_BAD_TENSOR, "\")\" at its byte 12; ',' is wanted"},
        {"{'shape': (,)}", ERR_BAD_TENSOR,
         "a dimension, which is not negative, is wanted"},
        {"{'shape': (-1,)}", ERR_BAD_TENSOR, "a dimension, which is not negative,"},
        {"{'shape': (3, 4.0)}", ERR_BAD_TENSOR, "',' or ')' is wanted"},
        {"{'shape': (3 4)}", ERR_BAD_TENSOR, "',' is wanted"},
        {"{'shape': (3,,)}", ERR_BAD_TENSOR, "a dimension, which is not negative,"},
        {"{'shape': (3,", ERR_BAD_TENSOR, "header ends after 13 bytes; a dimension"},
        {"{" DESCR ORDER "'shape': (1,)} x", ERR_BAD_TENSOR, "the end is wanted"},
        {"{'descr': '|O'}", ERR_UNSUPPORTED_MEDIA_TYPE,
         "the array's dtype is |O; real numbers of up to 8 bytes are wanted, such as "
         "arr.astype('float32')"},
        {"{'descr': '<c8'}", ERR_UNSUPPORTED_MEDIA_TYPE, "dtype is <c8;"},
        {"{'descr': '|V2'}", ERR_UNSUPPORTED_MEDIA_TYPE, "dtype is |V2;"},
        {"{'descr': '<U3'}", ERR_UNSUPPORTED_MEDIA_TYPE, "dtype is <U3;"},
        {"{'descr': '<f16'}", ERR_UNSUPPORTED_MEDIA_TYPE, "dtype is <f16;"},
        {"{'descr': ''}", ERR_UNSUPPORTED_MEDIA_TYPE, "dtype is ;"},
        {"{'descr': [('a', '<f4')]}", ERR_UNSUPPORTED_MEDIA_TYPE, "a structured one;"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct file file = file_of(1, cases[i].header, "12345678", 8);
        struct decoded whole = decode(span_of_file(&file));
        assert_false(whole.finished);
        if (whole.err.kind != cases[i].kind ||
            !strstr(whole.err.detail, cases[i].sentence))
            fail_msg("%s: %s", cases[i].header, whole.err.detail);
        assert_cuts_do_not_matter(span_of_file(&file), &whole);
        decoded_free(&whole);
    }
}

static void npy__judges_shapes_as_json_does(void **state)
{
    (void)state;
    static const struct {
        const char *shape;
        size_t bytes;
        enum err_kind kind;
        const char *sentence;
    } cases[] = {
        {"()", 1, ERR_WRONG_TYPE, "logits is a number, of shape ()"},
        {"(1, 1, 1, 1, 1, 1, 1, 1, 1)", 1, ERR_SHAPE_MISMATCH, "logits has rank 9"},
        {"(0,)", 0, ERR_NONE, ""},
        {"(3, 0)", 0, ERR_NONE, ""},
        {"(16777217,)", 0, ERR_TOO_LARGE, "logits has more than 16777216 numbers"},
        {"(4294967296, 4294967296)", 0, ERR_TOO_LARGE, "logits has more than"},
        {"(99999999999999999999, 1)", 0, ERR_TOO_LARGE, "logits has more than"},
        {"(0, 4294967296, 4294967296)", 0, ERR_TOO_LARGE, "logits has more than"},
        {"(18446744073709551616, 0)", 0, ERR_TOO_LARGE, "logits has more than"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct file file = typed("|u1", "True", cases[i].shape, "x", cases[i].bytes);
        struct decoded whole = decode(span_of_file(&file));
        if (whole.err.kind != cases[i].kind ||
            !strstr(whole.err.detail, cases[i].sentence))
            fail_msg("%s: %s", cases[i].shape, whole.err.detail);
        assert_int_equal(whole.batch.logits.count, 0);
        assert_cuts_do_not_matter(span_of_file(&file), &whole);
        decoded_free(&whole);
    }
}

/* --- the file --- */

static void npy__says_how_many_bytes_are_missing_or_too_many(void **state)
{
    (void)state;
    struct file file = typed("<f4", "False", "(2, 3)", "123456789012345678901234++", 26);
    size_t header = file.len - 26;

    for (size_t len = 0; len <= file.len; len++) {
        struct decoded d = decode((struct span){file.at, len});
        char wanted[64] = "";
        if (len > header)
            snprintf(wanted, sizeof wanted, "%zu bytes follow the NPY header; its 6",
                     len - header);
        bool right = len == header + 24;
        assert_int_equal(d.finished, right);
        assert_int_equal(d.err.kind, right               ? ERR_NONE
                                     : len < header + 24 ? ERR_BAD_TENSOR
                                                         : ERR_TRAILING_DATA);
        if (!right && !strstr(d.err.detail, wanted))
            fail_msg("%zu: %s", len, d.err.detail);
        decoded_free(&d);
    }
}

static void npy__refuses_what_is_no_such_file(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *sentence;
    } cases[] = {
        {"", 0, "the body is empty; an NPY file is wanted"},
        {"{\"logits\":[1,2]}", 16, "the body does not begin with \\x93NUMPY"},
        {"\x93NUMPX\x01\x00", 8, "the body does not begin with \\x93NUMPY"},
        {"\x93NUMPY\x04\x00\x01\x00", 10, "the version of the NPY file is 4.0"},
        {"\x93NUMPY\x01\x76{'descr'", 16, "--data-binary"},
        {"\x93NUMPY\x01\x00\x11\x27", 10,
         "the NPY header has 10001 bytes; at most 10000"},
        {"\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF", 12, "the NPY header has 4294967295 bytes"},
        {"\x93NUMPY\x01\x00\x05", 9,
         "the body ends after 9 bytes, before the NPY header"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct span text = {cases[i].bytes, cases[i].len};
        struct decoded whole = decode(text);
        assert_false(whole.finished);
        assert_int_equal(whole.err.kind, ERR_BAD_TENSOR);
        if (!strstr(whole.err.detail, cases[i].sentence))
            fail_msg("%s", whole.err.detail);
        assert_cuts_do_not_matter(text, &whole);
        decoded_free(&whole);
    }
}

static void npy__is_the_same_wherever_it_is_cut(void **state)
{
    (void)state;
    static const double doubles[] = {1, -INFINITY, 3, NAN, 5, 6};
    static const char *const orders[] = {"False", "True"};

    for (size_t i = 0; i < 2; i++) {
        struct file file = typed("<f8", orders[i], "(2, 3)", doubles, sizeof doubles);
        struct decoded whole = decode(span_of_file(&file));
        assert_true(whole.finished);
        assert_int_equal(whole.batch.logits.flaw, FLAW_NAN);
        assert_cuts_do_not_matter(span_of_file(&file), &whole);
        decoded_free(&whole);
    }
}

/* A header alone must not cost the memory that it promises. */
static void npy__takes_memory_as_numbers_arrive(void **state)
{
    (void)state;
    struct file file = typed("<f8", "False", "(16777216,)", "12345678", 8);
    struct decoded d = decode(span_of_file(&file));

    assert_int_equal(d.err.kind, ERR_BAD_TENSOR);
    assert_in_range(d.mem.used, 1, 1 << 16);
    decoded_free(&d);
}

static void npy__says_when_there_is_no_memory(void **state)
{
    (void)state;
    static const double zeros[256];
    struct file file = typed("<f8", "True", "(16, 16)", zeros, sizeof zeros);
    size_t failures = 0;
    bool finished = false;

    for (size_t memory = 0; !finished; memory += 256) {
        struct decoded d;
        decode_into(&d, &task_softmax, &decoded_limits, memory, span_of_file(&file), 100,
                    NULL, 0);
        finished = d.finished;
        if (!finished) {
            assert_int_equal(d.err.kind, ERR_TOO_LARGE);
            failures++;
        }
        assert_in_range(memory, 0, 1 << 18);
        decoded_free(&d);
    }
    assert_in_range(failures, 2, SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy__reads_every_type_in_both_byte_orders),
        cmocka_unit_test(npy__rounds_integers_to_floats_once),
        cmocka_unit_test(npy__reads_halves_as_the_formula_says),
        cmocka_unit_test(npy__judges_by_value_what_is_not_finite),
        cmocka_unit_test(npy__turns_fortran_order_around),
        cmocka_unit_test(npy__points_at_the_first_flaw_of_the_rows),
        cmocka_unit_test(npy_fortran_turn__moves_each_element_to_its_place),
        cmocka_unit_test(npy__takes_what_python_takes_in_a_header),
        cmocka_unit_test(npy__refuses_other_headers_with_a_sentence),
        cmocka_unit_test(npy__judges_shapes_as_json_does),
        cmocka_unit_test(npy__says_how_many_bytes_are_missing_or_too_many),
        cmocka_unit_test(npy__refuses_what_is_no_such_file),
        cmocka_unit_test(npy__is_the_same_wherever_it_is_cut),
        cmocka_unit_test(npy__takes_memory_as_numbers_arrive),
        cmocka_unit_test(npy__says_when_there_is_no_memory),
    };

    decoded_type = "application/x-npy";
    return cmocka_run_group_tests_name("npy", tests, NULL, NULL);
}
