/* From batch to result: what is returned and where it stands, which positions
 * count, and by what a mean is divided. */
#include <stdlib.h>

#include "made.h"
#include "random.h"

static const char all_outputs[] =
    "loss,losses,probabilities,log_probabilities,logsumexp,gradient,predictions";

/* ---- outputs ----------------------------------------------------------------------- */

/* Bits of the arrays that are there. */
static uint32_t arrays_of(const struct result *result)
{
    return (uint32_t)(!!result->losses << OUTPUT_LOSSES |
                      !!result->probabilities << OUTPUT_PROBABILITIES |
                      !!result->log_probabilities << OUTPUT_LOG_PROBABILITIES |
                      !!result->logsumexp << OUTPUT_LOGSUMEXP |
                      !!result->gradient << OUTPUT_GRADIENT |
                      !!result->predictions << OUTPUT_PREDICTIONS);
}

static void result__has_the_arrays_that_are_asked_for_and_no_other(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3, 4};
    int64_t labels[] = {0, 1};

    for (enum output output = 0; output < OUTPUTS; output++) {
        if (output >= OUTPUT_LOGITS && output != OUTPUT_PREDICTIONS)
            continue; /* those of a linear model, and metrics */
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(2, 2), logits);
        make_labels(&made, SHAPE(2), labels);
        make_return(&made, output_names[output]);
        assert_scores(&made, NULL);
        assert_int_equal(arrays_of(&made.result),
                         output == OUTPUT_LOSS ? 0 : 1u << output);
        assert_near(made.result.loss, output == OUTPUT_LOSS ? 0.8132616875182228 : 0,
                    4e-15);
        unmake(&made);
    }
}

static void result__has_losses_where_the_loss_is_not_reduced(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3, 4};
    int64_t labels[] = {0, 1};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 2), logits);
    make_labels(&made, SHAPE(2), labels);
    make_return(&made, "loss");
    make_text(&made, "reduction", "none");
    assert_scores(&made, NULL);
    assert_non_null(made.result.losses);
    assert_near(made.result.losses[0], 1.3132616875182228, 4e-15);
    assert_near(made.result.losses[1], 0.3132616875182228, 4e-15);
    unmake(&made);
}

static void result__of_softmax_has_no_loss(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3};
    struct made made = make(&task_softmax);

    make_doubles(&made, "logits", SHAPE(3), logits);
    make_return(&made, "probabilities,log_probabilities,logsumexp,predictions");
    assert_scores(&made, NULL);
    assert_near(doubles(made.result.probabilities)[2], 0.6652409557748219, 4e-15);
    assert_near(doubles(made.result.log_probabilities)[0], -2.4076059644443804, 4e-15);
    assert_near(made.result.logsumexp[0], 3.4076059644443806, 4e-15);
    assert_int_equal(made.result.predictions[0], 2);
    assert_null(made.result.losses);
    assert_int_equal(made.result.count, 0);
    unmake(&made);
}

static void predictions__are_the_first_maximum(void **state)
{
    (void)state;
    double logits[] = {1, 3, 3, -INFINITY, -5, -5, 0, 0, 0};
    struct made made = make(&task_softmax);

    make_doubles(&made, "logits", SHAPE(3, 3), logits);
    make_return(&made, "predictions");
    assert_scores(&made, NULL);
    assert_int_equal(made.result.predictions[0], 1);
    assert_int_equal(made.result.predictions[1], 1);
    assert_int_equal(made.result.predictions[2], 0);
    unmake(&made);
}

/* ---- divisors ------------------------------------------------------------------------ */

struct count_row {
    const char *why;
    bool targets, class_weights, sample_weights, divisor;
    double wanted;
    size_t count;
};

/* Labels 0, 2, ignored, 1; class weights 0.5, 2, 3; sample weights 1, 2, 10, 0.25. */
static const struct count_row count_rows[] = {
    {"labels: those kept", false, false, false, false, 3, 3},
    {"class weights of the labels", false, true, false, false, 0.5 + 3 + 2, 3},
    {"sample weights of those kept", false, false, true, false, 1 + 2 + 0.25, 3},
    {"both weights", false, true, true, false, 0.5 * 1 + 3 * 2 + 2 * 0.25, 3},
    {"a divisor given", false, true, true, true, 7, 3},
    {"targets: all positions", true, false, false, false, 4, 4},
    {"targets: class weights do not enter", true, true, false, false, 4, 4},
    {"targets: sample weights", true, true, true, false, 13.25, 4},
    {"targets: a divisor given", true, false, true, true, 7, 4},
};

static void make_count_row(struct made *made, const struct count_row *row,
                           const char *reduction)
{
    static double logits[] = {1, 2, 3, 3, 1, 2, 0, 0, 1, -1, 0, 1};
    static double targets[] = {1, 0, 0, 0, 0, 1, 0.5, 0.5, 0, 0, 1, 0};
    static int64_t labels[] = {0, 2, -100, 1};
    static double class_weights[] = {0.5, 2, 3}, sample_weights[] = {1, 2, 10, 0.25};

    *made = make(&task_loss);
    make_doubles(made, "logits", SHAPE(4, 3), logits);
    if (row->targets)
        make_doubles(made, "targets", SHAPE(4, 3), targets);
    else
        make_labels(made, SHAPE(4), labels);
    if (row->class_weights)
        make_doubles(made, "class_weights", SHAPE(3), class_weights);
    if (row->sample_weights)
        make_doubles(made, "sample_weights", SHAPE(4), sample_weights);
    if (row->divisor)
        make_number(made, "divisor", 7);
    make_text(made, "reduction", reduction);
    make_return(made, "loss,losses,gradient");
    assert_scores(made, NULL);
}

static void divisor__is_what_the_api_says_for_every_reduction(void **state)
{
    (void)state;
    static const char *const reductions[] = {"mean", "sum", "none"};

    for (size_t i = 0; i < LENGTH(count_rows); i++)
        for (size_t r = 0; r < LENGTH(reductions); r++) {
            const struct count_row *row = &count_rows[i];
            struct made made;
            make_count_row(&made, row, reductions[r]);
            if (made.result.divisor != row->wanted)
                fail_msg("%s: %g", row->why, made.result.divisor);
            assert_int_equal(made.result.count, row->count);
            assert_int_equal(made.result.ignored, 4 - row->count);
            const double *losses = made.result.losses;
            double sum = losses[0] + losses[1] + losses[2] + losses[3];
            assert_near(made.result.loss_sum, sum, 1e-15);
            if (r == REDUCTION_MEAN)
                assert_near(made.result.loss, sum / row->wanted, 1e-15);
            if (r == REDUCTION_SUM)
                assert_true(made.result.loss == made.result.loss_sum);
            unmake(&made);
        }
}

static void gradient__of_a_mean_is_that_of_the_sum_over_the_divisor(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(count_rows); i++) {
        struct made mean, sum, none;
        make_count_row(&mean, &count_rows[i], "mean");
        make_count_row(&sum, &count_rows[i], "sum");
        make_count_row(&none, &count_rows[i], "none");
        for (size_t c = 0; c < 12; c++) {
            double slope = doubles(sum.result.gradient)[c];
            assert_near(doubles(mean.result.gradient)[c], slope / count_rows[i].wanted,
                        1e-14);
            assert_true(doubles(none.result.gradient)[c] == slope);
        }
        unmake(&mean);
        unmake(&sum);
        unmake(&none);
    }
}

static void sample_weights__multiply_losses_and_gradients(void **state)
{
    (void)state;
    static const double weights[] = {1, 2, 10, 0.25};
    struct made plain, weighted;

    make_count_row(&plain, &(struct count_row){.targets = true}, "sum");
    make_count_row(&weighted,
                   &(struct count_row){.targets = true, .sample_weights = true}, "sum");
    for (size_t n = 0; n < 4; n++) {
        assert_near(weighted.result.losses[n], weights[n] * plain.result.losses[n],
                    1e-15);
        for (size_t c = 3 * n; c < 3 * n + 3; c++)
            assert_near(doubles(weighted.result.gradient)[c],
                        weights[n] * doubles(plain.result.gradient)[c], 1e-14);
    }
    unmake(&plain);
    unmake(&weighted);
}

/* ---- float32 --------------------------------------------------------------------------------- */

/* Within 1e-6, which is what float32 promises; a subnormal result within a unit. */
static void assert_float_of(float found, double wanted)
{
    assert_true(fabs((double)found - wanted) <= 1e-6 * fabs(wanted) + 0x1p-149);
}

static void float32__results_are_near_those_of_float64(void **state)
{
    (void)state;
    enum { ROWS = 20, CLASSES = 13 };
    struct random random = {5};
    float narrow[ROWS * CLASSES];
    double wide[ROWS * CLASSES];
    int64_t labels[ROWS];

    for (size_t i = 0; i < LENGTH(wide); i++)
        wide[i] = (double)(narrow[i] = (float)(20 * random_normal(&random)));
    for (size_t n = 0; n < ROWS; n++)
        labels[n] = (int64_t)random_below(&random, CLASSES);
    for (double axis = 0; axis < 2; axis++) {
        struct made a = make(&task_loss), b = make(&task_loss);
        struct shape shape =
            SHAPE(axis == 1 ? ROWS : CLASSES, axis == 1 ? CLASSES : ROWS);
        make_floats(&a, "logits", shape, narrow);
        make_text(&a, "dtype", "float32");
        make_doubles(&b, "logits", shape, wide);
        struct made *both[] = {&a, &b};
        for (size_t i = 0; i < 2; i++) {
            make_labels(both[i], SHAPE(ROWS), labels);
            make_number(both[i], "axis", axis);
            make_return(both[i], all_outputs);
            assert_scores(both[i], NULL);
        }
        assert_near(a.result.loss, b.result.loss, 1e-6);
        for (size_t i = 0; i < LENGTH(wide); i++) {
            assert_float_of(((float *)a.result.probabilities)[i],
                            doubles(b.result.probabilities)[i]);
            assert_float_of(((float *)a.result.log_probabilities)[i],
                            doubles(b.result.log_probabilities)[i]);
            assert_float_of(((float *)a.result.gradient)[i],
                            doubles(b.result.gradient)[i]);
        }
        unmake(&a);
        unmake(&b);
    }
}

static void float32__logits_are_rounded_once_after_the_temperature(void **state)
{
    (void)state;
    float logits[] = {0.1F, 0.7F, -1.3F, 2.9F};
    struct made made = make(&task_softmax);

    make_floats(&made, "logits", SHAPE(2, 2), logits);
    make_text(&made, "dtype", "float32");
    make_number(&made, "temperature", 3);
    make_return(&made, "logsumexp");
    assert_scores(&made, NULL);
    for (size_t n = 0; n < 2; n++) {
        double a = (double)(float)((double)logits[2 * n] / 3);
        double b = (double)(float)((double)logits[2 * n + 1] / 3);
        assert_near(made.result.logsumexp[n], b + log1p(exp(a - b)), 1e-7);
    }
    unmake(&made);
}

/* ---- room ---------------------------------------------------------------------------------------- */

static void result_init__reports_what_does_not_fit_and_leaves_nothing(void **state)
{
    (void)state;
    static double logits[3000];
    static int64_t labels[300];
    struct budget budget = {.limit = SIZE_MAX};
    bool done = false;
    int refused = 0;

    for (size_t limit = 0; !done; limit += 4096) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(300, 10), logits);
        make_labels(&made, SHAPE(300), labels);
        make_return(&made, all_outputs);
        assert_true(batch_check(&made.batch, &made.err));
        arena_init(&made.mem, limit, "--max-request-memory", &budget);
        done = result_init(&made.result, &made.batch, 3, &made.mem, &made.err);
        assert_int_equal(made.err.kind, done ? ERR_NONE : ERR_TOO_LARGE);
        refused += !done;
        unmake(&made);
        assert_int_equal(budget.used, 0);
    }
    assert_true(refused > 10); /* 79 kB are wanted at least */
}

enum { LONG_ROW = 1 << 20 };

/* Scores rows of so many classes each, with memory for all that is wanted of them and
 * `spare` bytes; on a pool of so many threads, 0: none. */
static bool scores_within(size_t rows, size_t classes, size_t spare, size_t threads)
{
    size_t count = rows * classes;
    double *logits = calloc(count, sizeof *logits);
    int64_t *labels = calloc(rows, sizeof *labels);
    struct pool *pool = threads ? pool_new(threads, 0) : NULL;
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(rows, classes), logits);
    make_labels(&made, SHAPE(rows), labels);
    make_return(&made, "loss,probabilities");
    arena_init(&made.mem, count * sizeof *logits + spare, "--max-request-memory", NULL);
    assert_true(batch_check(&made.batch, &made.err));
    bool done =
        result_init(&made.result, &made.batch, pool_width(pool), &made.mem, &made.err);
    if (done) {
        score(&made.batch, &made.result, pool);
        assert_near(made.result.loss, log((double)classes), 4e-15);
    }
    unmake(&made);
    pool_free(pool);
    free(labels);
    free(logits);
    return done;
}

static void result_init__takes_as_much_for_a_row_on_any_number_of_threads(void **state)
{
    (void)state;
    static const size_t threads[] = {0, 1, 8, 64};

    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_true(scores_within(1, LONG_ROW, 64 << 10, threads[i]));
        assert_true(scores_within(6, 10000, 64 << 10, threads[i])); /* not shared out */
        assert_true(scores_within(3, LONG_ROW, 64 << 10, threads[i]));
        assert_false(scores_within(1, LONG_ROW, 0, threads[i]));
    }
}

static void score_cost_ns__grows_with_the_logits(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3, 4};
    int64_t cost[2];

    for (size_t i = 0; i < 2; i++) {
        struct made made = make(&task_softmax);
        make_doubles(&made, "logits", SHAPE(1 + i, 2), logits);
        assert_scores(&made, NULL);
        cost[i] = score_cost_ns(&made.batch);
        unmake(&made);
    }
    assert_true(cost[0] > 0 && cost[1] > cost[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result__has_the_arrays_that_are_asked_for_and_no_other),
        cmocka_unit_test(result__has_losses_where_the_loss_is_not_reduced),
        cmocka_unit_test(result__of_softmax_has_no_loss),
        cmocka_unit_test(predictions__are_the_first_maximum),
        cmocka_unit_test(divisor__is_what_the_api_says_for_every_reduction),
        cmocka_unit_test(gradient__of_a_mean_is_that_of_the_sum_over_the_divisor),
        cmocka_unit_test(sample_weights__multiply_losses_and_gradients),
        cmocka_unit_test(float32__results_are_near_those_of_float64),
        cmocka_unit_test(float32__logits_are_rounded_once_after_the_temperature),
        cmocka_unit_test(result_init__reports_what_does_not_fit_and_leaves_nothing),
        cmocka_unit_test(result_init__takes_as_much_for_a_row_on_any_number_of_threads),
        cmocka_unit_test(score_cost_ns__grows_with_the_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
