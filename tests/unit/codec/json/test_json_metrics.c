/* Metrics and the tables behind them, as an answer says them: names, order, null for what
 * is undefined. */
#include "codec/json/json_metrics.h"

#include "../decoded.h"
#include "lossd/engine/score.h"

#include <math.h>

enum { TEXT_MAX = 1 << 14 };

static char text[TEXT_MAX];

/* The whole text, in pieces of `capacity` bytes. */
static void read_reply(struct reply *reply, size_t capacity)
{
    size_t len = 0, n;
    char piece[TEXT_MAX];

    assert_true(capacity <= sizeof piece);
    while ((n = reply_fill(reply, NULL, piece, capacity)) > 0) {
        assert_true(n <= capacity && len + n < sizeof text);
        memcpy(text + len, piece, n);
        len += n;
    }
    text[len] = '\0';
}

/* ---- one member ------------------------------------------------------------------- */

struct tables {
    const struct metrics *metrics; /* NULL: none, as are */
    const struct per_class *per_class;
    size_t classes;
    const struct calibration *calibration;
};

/* {<those that there are>} */
static void write_tables(const struct tables *tables, bool pretty, size_t capacity)
{
    struct err err = {.kind = ERR_NONE};
    struct arena mem;

    arena_init(&mem, SIZE_MAX, NULL, NULL);
    struct reply *reply = reply_new(pretty, &mem, &err);
    assert_non_null(reply);
    json_open(reply_json(reply), '{');
    if (tables->metrics)
        json_add_metrics(reply, tables->metrics);
    if (tables->per_class)
        json_add_per_class(reply, tables->per_class, tables->classes);
    if (tables->calibration)
        json_add_calibration(reply, tables->calibration);
    json_close(reply_json(reply), '}');
    assert_true(reply_end(reply));
    read_reply(reply, capacity);
    arena_release(&mem);
}

static void assert_tables(const struct tables *tables, const char *wanted)
{
    write_tables(tables, false, TEXT_MAX);
    assert_string_equal(text, wanted);
}

static const struct metrics some_metrics = {.accuracy = 0.5,
                                            .top5_accuracy = 1,
                                            .nll = 1.0 / 3,
                                            .perplexity = 1e300,
                                            .bits = 0.1,
                                            .brier = 2,
                                            .ece = 5e-324,
                                            .mce = 0.25,
                                            .mean_confidence = 0.75,
                                            .mean_entropy = 0};

static int64_t support[] = {3, 0, INT64_MAX}, predicted[] = {2, 1, 0};
static double precision[] = {1, 0, 0}, recall[] = {2.0 / 3, 0, 0}, f1[] = {6.0 / 7, 0, 0};
static const struct per_class some_classes = {support, predicted, precision, recall, f1};

static double edges[] = {0, 1.0 / 3, 2.0 / 3, 1}, accuracy[] = {NAN, 0.5, NAN},
              confidence[] = {NAN, 0.625, NAN};
static int64_t counts[] = {0, 8, 0};
static const struct calibration some_bins = {3, edges, counts, accuracy, confidence};

static void json_add_metrics__names_every_metric_in_the_order_of_the_api(void **state)
{
    (void)state;
    assert_tables(&(struct tables){.metrics = &some_metrics},
                  "{\"metrics\":{\"accuracy\":0.5,\"top5_accuracy\":1,"
                  "\"nll\":0.3333333333333333,\"perplexity\":1e+300,\"bits\":0.1,"
                  "\"brier\":2,\"ece\":5e-324,\"mce\":0.25,\"mean_confidence\":0.75,"
                  "\"mean_entropy\":0}}\n");
}

/* Nothing to average, or a perplexity beyond the range. */
static void json_add_metrics__says_null_where_there_is_no_number(void **state)
{
    (void)state;
    struct metrics nothing = {
#define METRIC(name) .name = NAN,
        METRICS(METRIC)
#undef METRIC
    };
    struct metrics wild = some_metrics;

    assert_tables(&(struct tables){.metrics = &nothing},
                  "{\"metrics\":{\"accuracy\":null,\"top5_accuracy\":null,\"nll\":null,"
                  "\"perplexity\":null,\"bits\":null,\"brier\":null,\"ece\":null,"
                  "\"mce\":null,\"mean_confidence\":null,\"mean_entropy\":null}}\n");
    wild.perplexity = INFINITY;
    write_tables(&(struct tables){.metrics = &wild}, false, TEXT_MAX);
    assert_non_null(
        strstr(text, "\"nll\":0.3333333333333333,\"perplexity\":null,\"bits\":0.1,"));
}

static void json_add_per_class__has_a_column_for_each_count_and_share(void **state)
{
    (void)state;
    assert_tables(&(struct tables){.per_class = &some_classes, .classes = 3},
                  "{\"per_class\":{\"support\":[3,0,9223372036854775807],"
                  "\"predicted\":[2,1,0],\"precision\":[1,0,0],"
                  "\"recall\":[0.6666666666666666,0,0],"
                  "\"f1\":[0.8571428571428571,0,0]}}\n");
    assert_tables(&(struct tables){.per_class = &some_classes, .classes = 1},
                  "{\"per_class\":{\"support\":[3],\"predicted\":[2],\"precision\":[1],"
                  "\"recall\":[0.6666666666666666],\"f1\":[0.8571428571428571]}}\n");
}

/* One edge more than there are bins; an empty bin has no mean. */
static void json_add_calibration__says_null_for_empty_bins(void **state)
{
    (void)state;
    struct calibration one = some_bins;

    assert_tables(&(struct tables){.calibration = &some_bins},
                  "{\"calibration\":{\"edges\":[0,0.3333333333333333,"
                  "0.6666666666666666,1],\"count\":[0,8,0],\"accuracy\":[null,0.5,null],"
                  "\"confidence\":[null,0.625,null]}}\n");
    one.bins = 1;
    one.edges = (double[]){0, 1};
    assert_tables(&(struct tables){.calibration = &one},
                  "{\"calibration\":{\"edges\":[0,1],\"count\":[0],\"accuracy\":[null],"
                  "\"confidence\":[null]}}\n");
}

static void tables__are_indented_below_their_names(void **state)
{
    (void)state;
    const struct tables both = {
        .per_class = &some_classes, .classes = 2, .calibration = &some_bins};

    write_tables(&both, true, TEXT_MAX);
    assert_string_equal(text, "{\n"
                              "  \"per_class\": {\n"
                              "    \"support\": [3, 0],\n"
                              "    \"predicted\": [2, 1],\n"
                              "    \"precision\": [1, 0],\n"
                              "    \"recall\": [0.6666666666666666, 0],\n"
                              "    \"f1\": [0.8571428571428571, 0]\n"
                              "  },\n"
                              "  \"calibration\": {\n"
                              "    \"edges\": [0, 0.3333333333333333, "
                              "0.6666666666666666, 1],\n"
                              "    \"count\": [0, 8, 0],\n"
                              "    \"accuracy\": [null, 0.5, null],\n"
                              "    \"confidence\": [null, 0.625, null]\n"
                              "  }\n"
                              "}\n");
}

static void tables__say_the_same_in_pieces_of_any_size(void **state)
{
    (void)state;
    const struct tables all = {&some_metrics, &some_classes, 3, &some_bins};
    char whole[TEXT_MAX];

    for (unsigned pretty = 0; pretty < 2; pretty++) {
        write_tables(&all, pretty, TEXT_MAX);
        memcpy(whole, text, sizeof whole);
        for (size_t capacity = REPLY_ROOM; capacity < 700; capacity++) {
            write_tables(&all, pretty, capacity);
            assert_string_equal(text, whole);
        }
    }
}

/* ---- of a request -------------------------------------------------------------------- */

/* The answer to a body. */
static const char *answer(const char *body)
{
    struct decoded d = decode(span_of(body));
    struct result result;

    if (!batch_check(&d.batch, &d.err) ||
        !result_init(&result, &d.batch, pool_width(NULL), &d.mem, &d.err))
        fail_msg("refused: %s", d.err.detail);
    score(&d.batch, &result, NULL);
    struct reply *reply = codec_for(&task_loss, span_of(""))
                              ->encode(&d.batch, &result, false, &d.mem, &d.err);
    assert_non_null(reply);
    read_reply(reply, TEXT_MAX);
    decoded_free(&d);
    return text;
}

/* Three rows of certain and of even odds; no position is of the last class. */
#define ROWS                                                                       \
    "\"logits\":[[0,0,-Infinity],[0,-Infinity,-Infinity],[0,0,-Infinity],[0,1,2]]" \
    ",\"labels\":[0,0,1,-100]"

/* Row: the class that is true; column: the one that was said. */
static void confusion__has_a_row_for_each_true_class(void **state)
{
    (void)state;
    assert_string_equal(
        answer("{" ROWS ",\"return\":[\"confusion\"]}"),
        "{\"confusion\":[[2,0,0],[1,0,0],[0,0,0]],\"count\":3,\"ignored\":1}\n");
    assert_string_equal(
        answer("{\"logits\":[5],\"labels\":0,\"return\":[\"confusion\"]}"),
        "{\"confusion\":[[1]],\"count\":1,\"ignored\":0}\n");
}

static void per_class__of_a_class_that_nobody_has_is_all_zero(void **state)
{
    (void)state;
    assert_string_equal(answer("{" ROWS ",\"return\":[\"per_class\"]}"),
                        "{\"per_class\":{\"support\":[2,1,0],\"predicted\":[3,0,0],"
                        "\"precision\":[0.6666666666666666,0,0],\"recall\":[1,0,0],"
                        "\"f1\":[0.8,0,0]},\"count\":3,\"ignored\":1}\n");
}

static void calibration__of_a_bin_that_nothing_fell_into_is_null(void **state)
{
    (void)state;
    assert_string_equal(
        answer("{" ROWS ",\"return\":[\"calibration\"],\"ece_bins\":4}"),
        "{\"calibration\":{\"edges\":[0,0.25,0.5,0.75,1],\"count\":[0,2,0,1],"
        "\"accuracy\":[null,0.5,null,1],\"confidence\":[null,0.5,null,1]},"
        "\"count\":3,\"ignored\":1}\n");
}

/* All of them are of nothing. */
static void metrics__of_ignored_positions_are_null(void **state)
{
    (void)state;
    assert_string_equal(
        answer("{\"logits\":[[1,2],[3,4]],\"labels\":[-100,-100],\"ece_bins\":2,"
               "\"return\":[\"metrics\",\"per_class\",\"confusion\",\"calibration\"]}"),
        "{\"metrics\":{\"accuracy\":null,\"top5_accuracy\":null,\"nll\":null,"
        "\"perplexity\":null,\"bits\":null,\"brier\":null,\"ece\":null,\"mce\":null,"
        "\"mean_confidence\":null,\"mean_entropy\":null},"
        "\"per_class\":{\"support\":[0,0],\"predicted\":[0,0],\"precision\":[0,0],"
        "\"recall\":[0,0],\"f1\":[0,0]},\"confusion\":[[0,0],[0,0]],"
        "\"calibration\":{\"edges\":[0,0.5,1],\"count\":[0,0],\"accuracy\":[null,null],"
        "\"confidence\":[null,null]},\"count\":0,\"ignored\":2}\n");
}

/* Whatever the order of asking, and whatever dtype the arrays have: a third has all the
 * digits of float64 in the tables. */
static void tables__stand_in_the_order_of_the_api_as_float64(void **state)
{
    (void)state;
    assert_string_equal(
        answer("{\"dtype\":\"float32\",\"logits\":[[0,0],[0,0],[0,0]],\"labels\":[0,1,1],"
               "\"ece_bins\":1,\"return\":[\"calibration\",\"confusion\",\"per_class\","
               "\"metrics\",\"predictions\",\"loss\"]}"),
        "{\"loss\":0.6931471824645996,\"predictions\":[0,0,0],"
        "\"metrics\":{\"accuracy\":0.3333333333333333,\"top5_accuracy\":1,"
        "\"nll\":0.6931471824645996,\"perplexity\":2.000000003809309,\"bits\":1."
        "0000000027478353,\"brier\":0.5,"
        "\"ece\":0.16666666666666666,\"mce\":0.16666666666666666,"
        "\"mean_confidence\":0.5,\"mean_entropy\":0.6931471824645996},"
        "\"per_class\":{\"support\":[1,2],\"predicted\":[3,0],"
        "\"precision\":[0.3333333333333333,0],\"recall\":[1,0],\"f1\":[0.5,0]},"
        "\"confusion\":[[1,0],[2,0]],"
        "\"calibration\":{\"edges\":[0,1],\"count\":[3],"
        "\"accuracy\":[0.3333333333333333],\"confidence\":[0.5]},"
        "\"loss_sum\":2.079441547393799,\"divisor\":3,\"count\":3,\"ignored\":0}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_add_metrics__names_every_metric_in_the_order_of_the_api),
        cmocka_unit_test(json_add_metrics__says_null_where_there_is_no_number),
        cmocka_unit_test(json_add_per_class__has_a_column_for_each_count_and_share),
        cmocka_unit_test(json_add_calibration__says_null_for_empty_bins),
        cmocka_unit_test(tables__are_indented_below_their_names),
        cmocka_unit_test(tables__say_the_same_in_pieces_of_any_size),
        cmocka_unit_test(confusion__has_a_row_for_each_true_class),
        cmocka_unit_test(per_class__of_a_class_that_nobody_has_is_all_zero),
        cmocka_unit_test(calibration__of_a_bin_that_nothing_fell_into_is_null),
        cmocka_unit_test(metrics__of_ignored_positions_are_null),
        cmocka_unit_test(tables__stand_in_the_order_of_the_api_as_float64),
    };
    return cmocka_run_group_tests_name("json_metrics", tests, NULL, NULL);
}
