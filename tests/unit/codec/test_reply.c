/* Answers: their layout, their order, that they may stop anywhere, and that what they
 * say reads back as the same bits. */
#include "decoded.h"

#include <math.h>

#include "../engine/random.h"
#include "codec/reply.h"
#include "lossd/base/pool.h"

enum { TEXT_MAX = 1 << 21, MANY = 24000 };

/* The whole text, in pieces of `capacity` bytes. */
static size_t read_reply(struct reply *reply, struct pool *pool, char *text,
                         size_t capacity)
{
    size_t len = 0, n;
    char *piece = malloc(capacity);

    assert_non_null(piece);
    while ((n = reply_fill(reply, pool, piece, capacity)) > 0) {
        assert_true(n <= capacity && len + n < TEXT_MAX);
        memcpy(text + len, piece, n);
        len += n;
    }
    assert_int_equal(reply_fill(reply, pool, piece, capacity), 0);
    free(piece);
    text[len] = '\0';
    return len;
}

struct written {
    struct pool *pool; /* that writes it */
    struct arena mem;
    struct err err;
    char text[TEXT_MAX];
    size_t len;
};

/* {"x":<array>,"y":1} */
static void write_array(struct written *w, enum reply_numbers numbers, const void *data,
                        struct shape shape, bool pretty, size_t capacity)
{
    w->err = (struct err){.kind = ERR_NONE};
    arena_init(&w->mem, SIZE_MAX, NULL, NULL);
    struct reply *reply = reply_new(pretty, &w->mem, &w->err);
    struct json *json = reply_json(reply);

    json_open(json, '{');
    json_key(json, "x");
    reply_array(reply, numbers, data, &shape);
    json_key(json, "y");
    json_uint(json, 1);
    json_close(json, '}');
    assert_true(reply_end(reply));
    w->len = read_reply(reply, w->pool, w->text, capacity);
    arena_release(&w->mem);
}

static const double eight[] = {1, 2.5, -3, 0.1, 1e300, -0.0, 7, 8};

static void assert_text(struct shape shape, bool pretty, const char *text)
{
    static struct written w;

    write_array(&w, REPLY_DOUBLES, eight, shape, pretty, 4096);
    assert_string_equal(w.text, text);
}

static void reply__nests_brackets_by_the_shape(void **state)
{
    (void)state;
    assert_text((struct shape){0, {0}}, false, "{\"x\":1,\"y\":1}\n");
    assert_text((struct shape){1, {1}}, false, "{\"x\":[1],\"y\":1}\n");
    assert_text((struct shape){1, {3}}, false, "{\"x\":[1,2.5,-3],\"y\":1}\n");
    assert_text((struct shape){2, {2, 3}}, false,
                "{\"x\":[[1,2.5,-3],[0.1,1e+300,-0]],\"y\":1}\n");
    assert_text((struct shape){2, {3, 1}}, false, "{\"x\":[[1],[2.5],[-3]],\"y\":1}\n");
    assert_text((struct shape){3, {2, 2, 2}}, false,
                "{\"x\":[[[1,2.5],[-3,0.1]],[[1e+300,-0],[7,8]]],\"y\":1}\n");
    assert_text((struct shape){8, {1, 2, 1, 1, 1, 1, 2, 1}}, false,
                "{\"x\":[[[[[[[[1],[2.5]]]]]],[[[[[[-3],[0.1]]]]]]]],\"y\":1}\n");
}

static void reply__indents_all_but_the_innermost_rows(void **state)
{
    (void)state;
    assert_text((struct shape){0, {0}}, true, "{\n  \"x\": 1,\n  \"y\": 1\n}\n");
    assert_text((struct shape){1, {3}}, true,
                "{\n  \"x\": [1, 2.5, -3],\n  \"y\": 1\n}\n");
    assert_text((struct shape){2, {2, 2}}, true,
                "{\n  \"x\": [\n    [1, 2.5],\n    [-3, 0.1]\n  ],\n  \"y\": 1\n}\n");
    assert_text((struct shape){3, {2, 1, 2}}, true,
                "{\n  \"x\": [\n    [\n      [1, 2.5]\n    ],\n    [\n      [-3, 0.1]\n"
                "    ]\n  ],\n  \"y\": 1\n}\n");
}

static void reply__prints_each_type_as_itself(void **state)
{
    (void)state;
    static struct written w;
    static const float floats[] = {0.1f, 16777216.0f, -INFINITY};
    static const double doubles[] = {0.1, NAN, 1e39};
    static const int64_t integers[] = {0, INT64_MIN, INT64_MAX};
    struct shape three = {1, {3}};

    write_array(&w, REPLY_FLOATS, floats, three, false, 256);
    assert_string_equal(w.text, "{\"x\":[0.1,16777216,null],\"y\":1}\n");
    write_array(&w, REPLY_DOUBLES, doubles, three, false, 256);
    assert_string_equal(w.text, "{\"x\":[0.1,null,1e+39],\"y\":1}\n");
    write_array(&w, REPLY_DOUBLES_AS_FLOATS, doubles, three, false, 256);
    assert_string_equal(w.text, "{\"x\":[0.1,null,null],\"y\":1}\n");
    write_array(&w, REPLY_DOUBLES_AS_FLOATS, (const double[]){1.0 / 3},
                (struct shape){0, {0}}, false, 256);
    assert_string_equal(w.text, "{\"x\":0.33333334,\"y\":1}\n");
    write_array(&w, REPLY_INTEGERS, integers, three, false, 256);
    assert_string_equal(w.text,
                        "{\"x\":[0,-9223372036854775808,9223372036854775807],\"y\":1}\n");
}

/* "head" and the numbers, in pieces of `capacity` bytes. */
static void write_bytes(struct written *w, enum reply_numbers numbers, const void *data,
                        size_t count, size_t capacity)
{
    w->err = (struct err){.kind = ERR_NONE};
    arena_init(&w->mem, SIZE_MAX, NULL, NULL);
    struct reply *reply =
        reply_of_bytes(span_of("head"), numbers, data, count, &w->mem, &w->err);

    assert_non_null(reply);
    w->len = read_reply(reply, NULL, w->text, capacity);
    arena_release(&w->mem);
}

static void reply_of_bytes__has_the_numbers_as_they_are(void **state)
{
    (void)state;
    static struct written w;
    static double doubles[1000];
    static float floats[1000];
    static const enum reply_numbers of_eight[] = {REPLY_DOUBLES, REPLY_INTEGERS};

    for (size_t i = 0; i < 1000; i++)
        floats[i] = (float)(doubles[i] = (double)i / 7);
    for (size_t capacity = 256; capacity < 20000; capacity += capacity / 3) {
        for (size_t i = 0; i < 2; i++) {
            write_bytes(&w, of_eight[i], doubles, 1000, capacity);
            assert_int_equal(w.len, 4 + sizeof doubles);
            assert_memory_equal(w.text, "head", 4);
            assert_memory_equal(w.text + 4, doubles, sizeof doubles);
        }
        write_bytes(&w, REPLY_FLOATS, floats, 1000, capacity);
        assert_int_equal(w.len, 4 + sizeof floats);
        assert_memory_equal(w.text + 4, floats, sizeof floats);
        write_bytes(&w, REPLY_DOUBLES_AS_FLOATS, doubles, 1000, capacity);
        assert_int_equal(w.len, 4 + sizeof floats);
        assert_memory_equal(w.text + 4, floats, sizeof floats);
    }
}

static void reply__says_the_same_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {1, {240}}, {2, {80, 3}}, {2, {240, 1}}, {8, {2, 2, 2, 1, 2, 1, 3, 5}}};
    static struct written whole, cut;
    static double data[240];
    struct random random = {3};

    for (size_t i = 0; i < 240; i++)
        data[i] = random_normal(&random) * (i % 3 == 0 ? 1e-200 : i % 3 == 1 ? 1 : 1e18);
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        for (unsigned pretty = 0; pretty < 2; pretty++) {
            write_array(&whole, REPLY_DOUBLES, data, shapes[i], pretty, TEXT_MAX);
            for (size_t capacity = REPLY_ROOM; capacity < 700; capacity++) {
                write_array(&cut, REPLY_DOUBLES, data, shapes[i], pretty, capacity);
                assert_string_equal(cut.text, whole.text);
            }
        }
    }
}

/* What an answer says about logits, read as a request. */
static void assert_reads_back(const void *data, bool is_float, struct shape shape,
                              bool pretty, bool dtype_first)
{
    static char text[TEXT_MAX];
    struct arena mem;
    struct err err = {.kind = ERR_NONE};
    size_t count = 1;

    arena_init(&mem, SIZE_MAX, NULL, NULL);
    struct reply *reply = reply_new(pretty, &mem, &err);
    struct json *json = reply_json(reply);
    json_open(json, '{');
    for (unsigned turn = 0; turn < 2; turn++) {
        if ((turn == 0) == dtype_first) {
            json_key(json, "dtype");
            json_text(json, is_float ? "float32" : "float64");
        } else {
            json_key(json, "logits");
            reply_array(reply, is_float ? REPLY_FLOATS : REPLY_DOUBLES, data, &shape);
        }
    }
    json_close(json, '}');
    assert_true(reply_end(reply));
    size_t len = read_reply(reply, NULL, text, 300);
    struct decoded d = decode((struct span){text, len});
    assert_string_equal(d.err.detail, "");
    for (unsigned i = 0; i < shape.rank; i++)
        count *= shape.dim[i];
    assert_int_equal(d.batch.logits.count, count);
    assert_int_equal(d.batch.logits.shape.rank, shape.rank);
    assert_memory_equal(d.batch.logits.shape.dim, shape.dim, sizeof shape.dim);
    assert_memory_equal(d.batch.logits.data, data, count * (is_float ? 4 : 8));
    decoded_free(&d);
    arena_release(&mem);
}

static void reply__reads_back_to_the_bit(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {1, {1}},     {1, {210}},     {2, {210, 1}},     {2, {1, 210}},
        {2, {7, 30}}, {3, {5, 6, 7}}, {4, {7, 1, 5, 6}}, {8, {1, 1, 2, 3, 1, 5, 7, 1}}};
    struct random random = {5};
    double doubles[210];
    float floats[210];

    for (unsigned round = 0; round < 8; round++) {
        for (size_t i = 0; i < 210; i++) {
            uint64_t bits = random_bits(&random);
            memcpy(&doubles[i], &bits, sizeof bits);
            memcpy(&floats[i], &bits, sizeof floats[i]);
            if (!isfinite(doubles[i]) || round % 2)
                doubles[i] = random_normal(&random);
            if (!isfinite(floats[i]) || round % 2)
                floats[i] = (float)random_normal(&random);
        }
        for (size_t i = 0; i < LENGTH(shapes); i++) {
            bool pretty = round & 2, first = round & 4;
            assert_reads_back(doubles, false, shapes[i], pretty, first);
            assert_reads_back(floats, true, shapes[i], pretty, first);
        }
    }
}

/* --- the answer to a batch --- */

static double some_losses[] = {0.5, 1.0 / 3};
static double some_sums[] = {2.25, -1};
static int64_t some_predictions[] = {2, 0};
static double some_doubles[] = {0.1, 0.2, 0.7, 1.0 / 3, 0.5, 0};
static float some_floats[] = {0.1f, 0.2f, 0.7f, 1.0f / 3, 0.5f, 0};

static const char *const no_warnings[] = {NULL};

static void encode(const char *body, const struct task *task, bool pretty, char *text)
{
    struct decoded d;

    decode_into(&d, task, &decoded_limits, SIZE_MAX, span_of(body), SIZE_MAX / 2, NULL,
                0);
    assert_true(batch_check(&d.batch, &d.err));
    void *array = d.batch.dtype == DTYPE_FLOAT32 ? (void *)some_floats : some_doubles;
    struct result result = {.loss = 0.25,
                            .loss_sum = 0.5,
                            .divisor = 2,
                            .count = 2,
                            .ignored = 1,
                            .losses = some_losses,
                            .loss_shape = &d.batch.position_shape,
                            .warnings = no_warnings,
                            .logsumexp = some_sums,
                            .predictions = some_predictions,
                            .probabilities = array,
                            .log_probabilities = array,
                            .gradient = array};
    struct reply *reply = codec_for(&task_loss, span_of(""))
                              ->encode(&d.batch, &result, pretty, &d.mem, &d.err);
    assert_non_null(reply);
    read_reply(reply, NULL, text, 256);
    decoded_free(&d);
}

#define LOGITS "\"logits\":[[1,2,3],[4,5,6]]"
#define ALL                                                                         \
    "\"return\":[\"predictions\",\"gradient\",\"logsumexp\",\"log_probabilities\"," \
    "\"probabilities\",\"losses\",\"loss\"]"

static void json_encode__keeps_the_order_of_the_api(void **state)
{
    (void)state;
    static char text[TEXT_MAX];

    encode("{" LOGITS ",\"labels\":[0,1]," ALL ",\"id\":\"a\\u0000\\\"\"}", &task_loss,
           false, text);
    assert_string_equal(
        text,
        "{\"id\":\"a\\u0000\\\"\",\"loss\":0.25,\"losses\":[0.5,0.3333333333333333],"
        "\"probabilities\":[[0.1,0.2,0.7],[0.3333333333333333,0.5,0]],"
        "\"log_probabilities\":[[0.1,0.2,0.7],[0.3333333333333333,0.5,0]],"
        "\"logsumexp\":[2.25,-1],"
        "\"gradient\":[[0.1,0.2,0.7],[0.3333333333333333,0.5,0]],"
        "\"predictions\":[2,0],"
        "\"loss_sum\":0.5,\"divisor\":2,\"count\":2,\"ignored\":1}\n");
}

static void json_encode__prints_arrays_in_the_dtype_and_the_loss_as_float64(void **state)
{
    (void)state;
    static char text[TEXT_MAX];

    encode("{" LOGITS ",\"labels\":[0,1]," ALL
           ",\"dtype\":\"float32\",\"reduction\":\"none\"}",
           &task_loss, false, text);
    assert_string_equal(text,
                        "{\"loss\":[0.5,0.3333333333333333],\"losses\":[0.5,0.33333334],"
                        "\"probabilities\":[[0.1,0.2,0.7],[0.33333334,0.5,0]],"
                        "\"log_probabilities\":[[0.1,0.2,0.7],[0.33333334,0.5,0]],"
                        "\"logsumexp\":[2.25,-1],"
                        "\"gradient\":[[0.1,0.2,0.7],[0.33333334,0.5,0]],"
                        "\"predictions\":[2,0],"
                        "\"loss_sum\":0.5,\"divisor\":2,\"count\":2,\"ignored\":1}\n");
}

static void json_encode__says_only_what_was_asked_for(void **state)
{
    (void)state;
    static char text[TEXT_MAX];

    encode("{" LOGITS ",\"labels\":[0,1],\"return\":[\"predictions\"]}", &task_loss,
           false, text);
    assert_string_equal(text, "{\"predictions\":[2,0],\"count\":2,\"ignored\":1}\n");
    encode("{" LOGITS ",\"targets\":[[0,0,1],[1,0,0]],\"return\":[]}", &task_loss, false,
           text);
    assert_string_equal(text, "{\"count\":2,\"ignored\":1}\n");
    encode("{\"logits\":[1,2,3],\"id\":\"\"}", &task_softmax, false, text);
    assert_string_equal(text, "{\"id\":\"\",\"probabilities\":[0.1,0.2,0.7]}\n");
}

static void json_encode__uses_the_shape_of_the_positions(void **state)
{
    (void)state;
    static char text[TEXT_MAX];

    encode("{\"logits\":[1,2,3],\"labels\":2,\"return\":[\"loss\",\"losses\","
           "\"predictions\"],"
           "\"reduction\":\"none\"}",
           &task_loss, false, text);
    assert_string_equal(text,
                        "{\"loss\":0.5,\"losses\":0.5,\"predictions\":2,"
                        "\"loss_sum\":0.5,\"divisor\":2,\"count\":2,\"ignored\":1}\n");
    encode("{\"logits\":[[[1,2,3]],[[4,5,6]]],\"labels\":[[0],[1]],"
           "\"return\":[\"losses\"]}",
           &task_loss, true, text);
    assert_string_equal(text, "{\n  \"losses\": [\n    [0.5],\n    [0.3333333333333333]\n"
                              "  ],\n  \"count\": 2,\n  \"ignored\": 1\n}\n");
}

static void json_encode__needs_little_memory_and_says_when_it_gets_none(void **state)
{
    (void)state;
    struct decoded d = decode(span_of("{" LOGITS ",\"labels\":[0,1]}"));
    struct result result = {
        .loss = NAN, .probabilities = some_doubles, .warnings = no_warnings};
    const struct codec *codec = codec_for(&task_loss, span_of(""));
    size_t refusals = 0;

    assert_true(batch_check(&d.batch, &d.err));
    for (size_t memory = 0;; memory += 64) {
        struct arena mem;
        struct err err = {.kind = ERR_NONE};
        arena_init(&mem, memory, "--max-request-memory", NULL);
        struct reply *reply = codec->encode(&d.batch, &result, false, &mem, &err);
        assert_int_equal(err.kind, reply ? ERR_NONE : ERR_TOO_LARGE);
        arena_release(&mem);
        if (reply)
            break;
        refusals++;
    }
    assert_in_range(refusals, 2, 232);
    decoded_free(&d);
}

/* Numbers of all lengths. */
static const double *many(void)
{
    static double numbers[MANY];

    for (size_t i = 0; i < MANY; i++)
        numbers[i] = i % 7 ? sin((double)i) * pow(10, (double)(i % 31) - 15) : (double)i;
    return numbers;
}

static void reply__is_the_same_from_a_pool(void **state)
{
    (void)state;
    static struct written alone, shared;
    static const struct shape shapes[] = {{1, {MANY}},
                                          {2, {8, 3000}},
                                          {2, {2400, 10}},
                                          {2, {MANY, 1}},
                                          {3, {3, 80, 100}},
                                          {5, {2, 3, 5, 8, 100}},
                                          {8, {2, 2, 2, 2, 2, 3, 5, 50}}};

    shared.pool = pool_new(3, 0);
    assert_non_null(shared.pool);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (unsigned pretty = 0; pretty < 2; pretty++)
            for (size_t capacity = 100000; capacity <= 1000000; capacity += 75001) {
                write_array(&alone, REPLY_DOUBLES, many(), shapes[i], pretty, 4096);
                write_array(&shared, REPLY_DOUBLES, many(), shapes[i], pretty, capacity);
                assert_int_equal(shared.len, alone.len);
                assert_memory_equal(shared.text, alone.text, alone.len);
            }
    pool_free(shared.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply__is_the_same_from_a_pool),
        cmocka_unit_test(reply__nests_brackets_by_the_shape),
        cmocka_unit_test(reply__indents_all_but_the_innermost_rows),
        cmocka_unit_test(reply__prints_each_type_as_itself),
        cmocka_unit_test(reply_of_bytes__has_the_numbers_as_they_are),
        cmocka_unit_test(reply__says_the_same_in_pieces_of_any_size),
        cmocka_unit_test(reply__reads_back_to_the_bit),
        cmocka_unit_test(json_encode__keeps_the_order_of_the_api),
        cmocka_unit_test(json_encode__prints_arrays_in_the_dtype_and_the_loss_as_float64),
        cmocka_unit_test(json_encode__says_only_what_was_asked_for),
        cmocka_unit_test(json_encode__uses_the_shape_of_the_positions),
        cmocka_unit_test(json_encode__needs_little_memory_and_says_when_it_gets_none),
    };
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
