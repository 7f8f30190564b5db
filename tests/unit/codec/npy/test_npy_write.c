/* Results as NPY files, to the byte. */
#include "../decoded.h"

#include "codec/npy/npy_write.h"
#include "codec/output_array.h"

enum { ANSWER_MAX = 4096 };

struct written {
    struct decoded d;
    struct result result;
    char text[ANSWER_MAX];
    size_t len;
};

/* The answer to a body of JSON as an NPY file. */
static void write_answer(struct written *w, const char *body)
{
    size_t n;

    w->d = decode(span_of(body));
    assert_true(batch_check(&w->d.batch, &w->d.err));
    assert_true(npy_can_write(&w->d.batch, &w->d.err));
    assert_true(result_init(&w->result, &w->d.batch, 1, &w->d.mem, &w->d.err));
    score(&w->d.batch, &w->result, NULL);
    struct reply *reply = npy_write(&w->d.batch, &w->result, false, &w->d.mem, &w->d.err);
    assert_non_null(reply);
    w->len = 0;
    while ((n = reply_fill(reply, NULL, w->text + w->len, REPLY_ROOM)) > 0)
        w->len += n;
}

/* The dictionary in the header, and that it ends where data are aligned. */
static void assert_header(const struct written *w, const char *dictionary)
{
    size_t length = strlen(dictionary), size = 10 + (size_t)(unsigned char)w->text[8] +
                                               256 * (size_t)(unsigned char)w->text[9];

    assert_memory_equal(w->text, "\x93NUMPY\x01\x00", 8);
    assert_int_equal(size % 64, 0);
    assert_true(size <= w->len);
    assert_memory_equal(w->text + 10, dictionary, length);
    for (size_t i = 10 + length; i + 1 < size; i++)
        assert_int_equal(w->text[i], ' ');
    assert_int_equal(w->text[size - 1], '\n');
}

static void assert_data(const struct written *w, const void *data, size_t bytes)
{
    assert_in_range(w->len, bytes, ANSWER_MAX);
    assert_int_equal(w->len % 64, bytes % 64);
    assert_memory_equal(w->text + w->len - bytes, data, bytes);
}

#define LOGITS "\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]"

static void npy_write__has_the_type_that_json_prints(void **state)
{
    (void)state;
    static const struct {
        const char *name, *descr, *descr_of_float32, *shape;
        size_t count;
    } cases[] = {
        {"losses", "<f8", "<f4", "(2,)", 2},
        {"probabilities", "<f8", "<f4", "(2, 3)", 6},
        {"log_probabilities", "<f8", "<f4", "(2, 3)", 6},
        {"logsumexp", "<f8", "<f4", "(2,)", 2},
        {"gradient", "<f8", "<f4", "(2, 3)", 6},
        {"predictions", "<i8", "<i8", "(2,)", 2},
        {"confusion", "<i8", "<i8", "(3, 3)", 9},
    };
    static struct written w;
    char body[200], header[100];

    for (size_t i = 0; i < LENGTH(cases); i++)
        for (int narrow = 0; narrow < 2; narrow++) {
            const char *descr = narrow ? cases[i].descr_of_float32 : cases[i].descr;
            snprintf(body, sizeof body,
                     "{" LOGITS ",\"return\":[\"%s\"],\"dtype\":\"%s\"}", cases[i].name,
                     narrow ? "float32" : "float64");
            snprintf(header, sizeof header,
                     "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr,
                     cases[i].shape);
            write_answer(&w, body);
            assert_header(&w, header);
            assert_int_equal(w.len, 128 + cases[i].count * (size_t)(descr[2] - '0'));
            decoded_free(&w.d);
        }
}

static void npy_write__has_the_numbers_of_the_result(void **state)
{
    (void)state;
    static struct written w;

    write_answer(&w, "{" LOGITS ",\"return\":[\"probabilities\"]}");
    assert_data(&w, w.result.probabilities, 6 * sizeof(double));
    decoded_free(&w.d);
    write_answer(&w, "{" LOGITS ",\"return\":[\"predictions\"]}");
    assert_data(&w, (const int64_t[]){0, 1}, 2 * sizeof(int64_t));
    decoded_free(&w.d);
    write_answer(&w, "{" LOGITS ",\"return\":[\"losses\"],\"dtype\":\"float32\"}");
    assert_data(&w, (const float[]){(float)w.result.losses[0], (float)w.result.losses[1]},
                8);
    decoded_free(&w.d);
}

static void npy_write__has_infinities_where_json_has_null(void **state)
{
    (void)state;
    static struct written w;
    static const double one[] = {0, -__builtin_inf()};

    write_answer(&w, "{\"logits\":[1,-Infinity],\"labels\":0,"
                     "\"return\":[\"log_probabilities\"]}");
    assert_header(&w, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }");
    assert_data(&w, one, sizeof one);
    decoded_free(&w.d);
}

static void npy_write__gives_shapes_of_any_rank(void **state)
{
    (void)state;
    static struct written w;

    write_answer(&w, "{\"logits\":[1,2],\"labels\":0,\"return\":[\"predictions\"]}");
    assert_header(&w, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }");
    assert_data(&w, (const int64_t[]){1}, sizeof(int64_t));
    decoded_free(&w.d);
    write_answer(&w, "{\"logits\":[[[[[[[[1,2]]]]]]]],\"labels\":[[[[[[[0]]]]]]],"
                     "\"return\":[\"gradient\"]}");
    assert_header(&w, "{'descr': '<f8', 'fortran_order': False, 'shape': "
                      "(1, 1, 1, 1, 1, 1, 1, 2), }");
    decoded_free(&w.d);
}

static void assert_refused(const char *names, const char *sentence)
{
    char body[200];

    snprintf(body, sizeof body, "{" LOGITS ",\"return\":[%s]}", names);
    struct decoded d = decode(span_of(body));
    assert_int_equal(d.err.kind, ERR_NONE);
    assert_false(npy_can_write(&d.batch, &d.err));
    assert_int_equal(d.err.kind, ERR_NOT_ACCEPTABLE);
    if (!strstr(d.err.detail, sentence))
        fail_msg("%s: %s", names, d.err.detail);
    decoded_free(&d);
}

static void npy_can_write__names_the_one_array_to_ask_for(void **state)
{
    (void)state;
    assert_refused("\"loss\"", "is to have loss; ask for one array, such as "
                               "?return=losses");
    assert_refused("\"loss\",\"gradient\"",
                   "to have loss, gradient; ask for one array, such as ?return=gradient");
    assert_refused("\"losses\",\"predictions\"", "such as ?return=losses");
    assert_refused("\"metrics\"", "have metrics; ask for one array, such as "
                                  "?return=probabilities");
    assert_refused("\"per_class\"", "?return=probabilities");
    assert_refused("\"calibration\"", "?return=probabilities");
    assert_refused("", "have nothing; ask for one array");
}

/* An output that is added must be told apart: array or not. */
static void output_arrays__are_those_that_have_data(void **state)
{
    (void)state;
    static struct written w;
    char body[200];

    for (enum output output = 0; output < OUTPUTS; output++) {
        if (!(output_arrays() >> output & 1))
            continue;
        snprintf(body, sizeof body,
                 "{\"features\":[[1,2]],\"W\":[[1,0],[0,1]],\"b\":[0,1],\"labels\":[0],"
                 "\"return\":[\"%s\"]}",
                 output_names[output]);
        write_answer(&w, body);
        assert_true(w.len > 64);
        decoded_free(&w.d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_write__has_the_type_that_json_prints),
        cmocka_unit_test(npy_write__has_the_numbers_of_the_result),
        cmocka_unit_test(npy_write__has_infinities_where_json_has_null),
        cmocka_unit_test(npy_write__gives_shapes_of_any_rank),
        cmocka_unit_test(npy_can_write__names_the_one_array_to_ask_for),
        cmocka_unit_test(output_arrays__are_those_that_have_data),
    };

    return cmocka_run_group_tests_name("npy_write", tests, NULL, NULL);
}
