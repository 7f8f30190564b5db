/* Metrics and the tables behind them, against the plain definitions in long double,
 * and the same bits for any threads and any split. */
#include "engine/metrics.h"

#include "../../properties/reference_row.h"
#include "engine/worker.h"
#include "lossd/base/pool.h"
#include "lossd/engine/state.h"
#include "made.h"
#include "random.h"

#include <stdlib.h>

enum { ROWS_MAX = 4000, CLASSES_MAX = 40, BINS_MAX = 1000 };

struct data {
    size_t rows, classes, bins;
    bool is_float, has_targets;
    double logits[ROWS_MAX * CLASSES_MAX], targets[ROWS_MAX * CLASSES_MAX];
    float narrow[ROWS_MAX * CLASSES_MAX];
    int64_t labels[ROWS_MAX];
};

static struct data data;

static void draw(struct random *random, size_t rows, size_t classes)
{
    static const size_t bins[] = {1, 2, 15, 1000};

    data.rows = rows;
    data.classes = classes;
    data.bins = bins[random_below(random, LENGTH(bins))];
    data.is_float = random_below(random, 2);
    data.has_targets = random_below(random, 2);
    for (size_t n = 0; n < rows; n++) {
        size_t some = random_below(random, classes),
               other = random_below(random, classes);
        bool masked = random_below(random, 4) == 0;
        double spread = random_below(random, 2) ? 3 : 30;
        data.labels[n] = random_below(random, 6) ? (int64_t)some : -100;
        for (size_t c = 0; c < classes; c++) {
            size_t at = n * classes + c;
            /* few values, so that there are ties */
            double z = spread * (double)random_below(random, 9) / 9;
            data.logits[at] = masked && c != some && c != other && random_below(random, 2)
                                  ? (double)-INFINITY
                                  : z;
            data.narrow[at] = (float)data.logits[at];
            if (data.is_float)
                data.logits[at] = (double)data.narrow[at];
            data.targets[at] = (c == some ? 0.75 : 0) + (c == other ? 0.25 : 0);
        }
    }
}

static struct made score_data(size_t from, size_t rows, struct pool *pool)
{
    struct made made = make(&task_loss);
    struct shape shape = SHAPE(rows, data.classes);

    if (data.is_float) {
        make_text(&made, "dtype", "float32");
        make_floats(&made, "logits", shape, data.narrow + from * data.classes);
    } else {
        make_doubles(&made, "logits", shape, data.logits + from * data.classes);
    }
    if (data.has_targets)
        make_doubles(&made, "targets", shape, data.targets + from * data.classes);
    else
        make_labels(&made, SHAPE(rows), data.labels + from);
    make_number(&made, "ece_bins", (double)data.bins);
    make_return(&made, "metrics,per_class,confusion,calibration,predictions");
    assert_scores(&made, pool);
    return made;
}

/* ---- plainly --------------------------------------------------------------------- */

struct plain {
    long double count, correct, top5, nll, brier, entropy, confidence;
    long double bin_count[BINS_MAX], bin_correct[BINS_MAX], bin_confidence[BINS_MAX];
    int64_t support[CLASSES_MAX], predicted[CLASSES_MAX];
    int64_t confusion[CLASSES_MAX][CLASSES_MAX];
};

static size_t true_class(size_t n)
{
    const double *q = data.targets + n * data.classes;
    size_t largest = 0;

    for (size_t c = 1; c < data.classes; c++)
        largest = q[c] > q[largest] ? c : largest;
    return data.has_targets ? largest : (size_t)data.labels[n];
}

/* The bin is found with the confidence that the engine found, for an edge is sharp. */
static size_t bin_of(double confidence)
{
    size_t bin = 0;

    while (bin + 1 < data.bins && confidence > (double)(bin + 1) / (double)data.bins)
        bin++;
    return bin;
}

static void add_plain(struct plain *plain, size_t n, double confidence)
{
    long double z[CLASSES_MAX] = {0};
    size_t truth = true_class(n), before = 0;

    for (size_t c = 0; c < data.classes; c++)
        z[c] = (long double)data.logits[n * data.classes + c];
    struct reference_row row = reference_softmax(z, data.classes);
    for (size_t c = 0; c < data.classes; c++) {
        long double p = reference_probability(&row, c);
        long double log_p = reference_log_probability(&row, c);
        long double q = data.has_targets ? (long double)data.targets[n * data.classes + c]
                                         : (long double)(c == truth);
        before += z[c] > z[truth] || (z[c] == z[truth] && c < truth);
        plain->nll -= q > 0 ? q * log_p : 0;
        plain->entropy -= p > 0 ? p * log_p : 0;
        plain->brier += (p - q) * (p - q);
    }
    plain->count++;
    plain->correct += before == 0;
    plain->top5 += before < 5;
    plain->confidence += reference_probability(&row, row.top);
    size_t bin = bin_of(confidence);
    plain->bin_count[bin]++;
    plain->bin_correct[bin] += before == 0;
    plain->bin_confidence[bin] += reference_probability(&row, row.top);
    plain->support[truth]++;
    plain->predicted[row.top]++;
    plain->confusion[truth][row.top]++;
}

static double confidence_of(size_t n)
{
    struct made made = make(&task_softmax);
    size_t top = 0;

    if (data.is_float) {
        make_text(&made, "dtype", "float32");
        make_floats(&made, "logits", SHAPE(data.classes), data.narrow + n * data.classes);
    } else {
        make_doubles(&made, "logits", SHAPE(data.classes),
                     data.logits + n * data.classes);
    }
    make_return(&made, "predictions");
    assert_scores(&made, NULL);
    top = (size_t)made.result.predictions[0];
    double peak = made.result.workers[0].sums.peak[0];
    assert_true(top < data.classes);
    unmake(&made);
    return peak;
}

static struct plain *plainly(void)
{
    struct plain *plain = calloc(1, sizeof *plain);

    assert_non_null(plain);
    for (size_t n = 0; n < data.rows; n++)
        if (data.has_targets || data.labels[n] != -100)
            add_plain(plain, n, confidence_of(n));
    return plain;
}

/* ---- tests ----------------------------------------------------------------------- */

static void assert_about(double found, long double wanted)
{
    long double bound = (data.is_float ? 1e-6L : 4e-15L) * fabsl(wanted) +
                        (data.is_float ? 1e-7L : 1e-15L); /* brier and ece cancel */

    if (!(fabsl((long double)found - wanted) <= bound))
        fail_msg("%.17g is not %.20Lg: %zu rows, %zu classes, %zu bins, %s, %s", found,
                 wanted, data.rows, data.classes, data.bins,
                 data.is_float ? "float32" : "float64",
                 data.has_targets ? "targets" : "labels");
}

static void assert_metrics(const struct result *result, const struct plain *plain)
{
    const struct metrics *m = &result->metrics;
    long double n = plain->count, ece = 0, mce = 0;

    for (size_t i = 0; i < data.bins; i++) {
        long double apart = fabsl(plain->bin_correct[i] - plain->bin_confidence[i]);
        ece += apart;
        if (plain->bin_count[i] > 0)
            mce = fmaxl(mce, apart / plain->bin_count[i]);
    }
    assert_about(m->accuracy, plain->correct / n);
    assert_about(m->top5_accuracy, plain->top5 / n);
    assert_about(m->nll, plain->nll / n);
    assert_about(m->perplexity / expm1(1), expl(plain->nll / n) / (long double)expm1(1));
    assert_about(m->bits, plain->nll / n / logl(2));
    assert_about(m->brier, plain->brier / n);
    assert_about(m->mean_confidence, plain->confidence / n);
    assert_about(m->mean_entropy, plain->entropy / n);
    assert_about(m->ece, ece / n);
    assert_about(m->mce, mce);
}

static void assert_tables(const struct result *result, const struct plain *plain)
{
    const struct per_class *per = &result->per_class;
    const struct calibration *bins = &result->calibration;

    for (size_t c = 0; c < data.classes; c++) {
        double right = (double)plain->confusion[c][c];
        assert_int_equal(per->support[c], plain->support[c]);
        assert_int_equal(per->predicted[c], plain->predicted[c]);
        assert_true(per->recall[c] ==
                    (plain->support[c] ? right / (double)plain->support[c] : 0));
        assert_true(per->precision[c] ==
                    (plain->predicted[c] ? right / (double)plain->predicted[c] : 0));
        double both = (double)(plain->support[c] + plain->predicted[c]);
        assert_true(per->f1[c] == (both > 0 ? 2 * right / both : 0));
        for (size_t d = 0; d < data.classes; d++)
            assert_int_equal(result->confusion[c * data.classes + d],
                             plain->confusion[c][d]);
    }
    for (size_t i = 0; i < data.bins; i++) {
        long double n = plain->bin_count[i];
        assert_true(bins->edges[i] == (double)i / (double)data.bins);
        assert_int_equal(bins->count[i], (int64_t)n);
        if (n > 0) {
            assert_about(bins->accuracy[i], plain->bin_correct[i] / n);
            assert_about(bins->confidence[i], plain->bin_confidence[i] / n);
        } else {
            assert_true(isnan(bins->accuracy[i]) && isnan(bins->confidence[i]));
        }
    }
    assert_true(bins->edges[data.bins] == 1);
}

static void metrics__are_those_of_the_plain_definitions(void **state)
{
    (void)state;
    static const size_t classes[] = {1, 2, 3, 5, 6, 10, 40};
    struct random random = {1};

    for (int round = 0; round < 300; round++) {
        draw(&random, 1 + random_below(&random, 60),
             classes[random_below(&random, LENGTH(classes))]);
        struct made made = score_data(0, data.rows, NULL);
        struct plain *plain = plainly();
        if (plain->count > 0) {
            assert_metrics(&made.result, plain);
            assert_tables(&made.result, plain);
        }
        free(plain);
        unmake(&made);
    }
}

static void metrics__of_nothing_are_no_numbers(void **state)
{
    (void)state;
    double logits[] = {1, 2};
    int64_t labels[] = {-100};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(1, 2), logits);
    make_labels(&made, SHAPE(1), labels);
    make_return(&made, "metrics,per_class");
    assert_scores(&made, NULL);
#define METRIC(name) assert_true(isnan(made.result.metrics.name));
    METRICS(METRIC)
#undef METRIC
    for (size_t c = 0; c < 2; c++)
        assert_true(made.result.per_class.support[c] == 0 &&
                    made.result.per_class.f1[c] == 0);
    unmake(&made);
}

static void metrics__do_not_see_weights_nor_smoothing(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3, 1}, weights[] = {0, 5}, of_samples[] = {0, 2};
    int64_t labels[] = {0, 1};
    struct made plain = make(&task_loss), weighted = make(&task_loss);
    struct made *all[] = {&plain, &weighted};

    for (size_t i = 0; i < 2; i++) {
        make_doubles(all[i], "logits", SHAPE(2, 2), logits);
        make_labels(all[i], SHAPE(2), labels);
        make_return(all[i], "metrics");
    }
    make_doubles(&weighted, "class_weights", SHAPE(2), weights);
    make_doubles(&weighted, "sample_weights", SHAPE(2), of_samples);
    make_number(&weighted, "label_smoothing", 0.3);
    assert_scores(&plain, NULL);
    assert_scores(&weighted, NULL);
    assert_memory_equal(&plain.result.metrics, &weighted.result.metrics,
                        sizeof plain.result.metrics);
    unmake(&plain);
    unmake(&weighted);
}

static void metrics__are_of_the_tempered_logits(void **state)
{
    (void)state;
    double logits[] = {2, 6}, halved[] = {1, 3};
    int64_t label = 0;
    struct made warm = make(&task_loss), plain = make(&task_loss);

    make_doubles(&warm, "logits", SHAPE(2), logits);
    make_doubles(&plain, "logits", SHAPE(2), halved);
    make_number(&warm, "temperature", 2);
    make_labels(&warm, SHAPE_SCALAR, &label);
    make_labels(&plain, SHAPE_SCALAR, &label);
    make_return(&warm, "metrics");
    make_return(&plain, "metrics");
    assert_scores(&warm, NULL);
    assert_scores(&plain, NULL);
    assert_memory_equal(&warm.result.metrics, &plain.result.metrics,
                        sizeof warm.result.metrics);
    unmake(&warm);
    unmake(&plain);
}

/* Which it may be where it weighs nothing. */
static void top5__of_a_masked_label_is_a_miss_wherever_it_stands(void **state)
{
    enum { MOST = 200 };
    double none = 0;

    (void)state;
    for (size_t classes = 6; classes <= MOST; classes += classes / 8 + 1)
        for (int64_t label = 0; label < (int64_t)classes; label += 1 + label / 4)
            for (int is_float = 0; is_float < 2; is_float++) {
                double logits[MOST];
                float narrow[MOST];
                struct made made = make(&task_loss);
                for (size_t c = 0; c < classes; c++) {
                    logits[c] = (int64_t)c == label ? (double)-INFINITY : -(double)c;
                    narrow[c] = (float)logits[c];
                }
                make_text(&made, "dtype", is_float ? "float32" : "float64");
                if (is_float)
                    make_floats(&made, "logits", SHAPE(classes), narrow);
                else
                    make_doubles(&made, "logits", SHAPE(classes), logits);
                make_labels(&made, SHAPE_SCALAR, &label);
                make_doubles(&made, "sample_weights", SHAPE_SCALAR, &none);
                make_return(&made, "metrics");
                assert_scores(&made, NULL);
                assert_zero(made.result.metrics.top5_accuracy);
                unmake(&made);
            }
}

/* Where p is 1 but for e^-80, whether a label says so or a target. */
static void brier__of_a_confident_row_is_not_nothing(void **state)
{
    (void)state;
    double logits[] = {80, 0}, targets[] = {1, 0};
    int64_t label = 0;

    for (int with_targets = 0; with_targets < 2; with_targets++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(2), logits);
        if (with_targets)
            make_doubles(&made, "targets", SHAPE(2), targets);
        else
            make_labels(&made, SHAPE_SCALAR, &label);
        make_return(&made, "metrics");
        assert_scores(&made, NULL);
        assert_near(made.result.metrics.brier, (double)(2 * expl(-160)), 4e-15);
        unmake(&made);
    }
}

/* max - z is beyond the range, a quarter of it is not. */
static void nll__is_finite_where_the_loss_is(void **state)
{
    (void)state;
    double logits[] = {1.5e308, -1.5e308}, targets[] = {0.75, 0.25};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2), logits);
    make_doubles(&made, "targets", SHAPE(2), targets);
    make_return(&made, "metrics,loss");
    assert_scores(&made, NULL);
    assert_near(made.result.metrics.nll, 7.5e307, 4e-15);
    assert_near(made.result.loss, 7.5e307, 4e-15);
    unmake(&made);
}

/* Confidences of exactly 1/2 and 1 are in the bins that end there. */
static void bins__have_their_upper_edge(void **state)
{
    (void)state;
    double logits[] = {3, 3, 800, 0};
    int64_t labels[] = {0, 0};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 2), logits);
    make_labels(&made, SHAPE(2), labels);
    make_number(&made, "ece_bins", 4);
    make_return(&made, "calibration,metrics");
    assert_scores(&made, NULL);
    const int64_t wanted[] = {0, 1, 0, 1};
    assert_memory_equal(made.result.calibration.count, wanted, sizeof wanted);
    assert_true(made.result.metrics.ece == 0.25 && made.result.metrics.mce == 0.5);
    unmake(&made);
}

/* Their sums are as wide as many rows need, the last bits of each confidence included. */
static void bins__hold_any_number_of_rows(void **state)
{
    enum { MANY = 200000 };
    (void)state;
    static double logits[MANY * 3];
    static int64_t labels[MANY];
    struct made made = make(&task_loss);

    for (size_t n = 0; n < MANY; n++)
        labels[n] = n % 4 == 0 ? 0 : 2;
    make_doubles(&made, "logits", SHAPE(MANY, 3), logits);
    make_labels(&made, SHAPE(MANY), labels);
    make_return(&made, "calibration,metrics");
    assert_scores(&made, NULL);
    assert_int_equal(made.result.calibration.count[4], MANY); /* 4/15 to 5/15 */
    assert_true(made.result.calibration.accuracy[4] == 0.25);
    assert_near(made.result.calibration.confidence[4], 1.0 / 3, 2.3e-16);
    assert_near(made.result.metrics.mean_confidence, 1.0 / 3, 2.3e-16);
    unmake(&made);
}

static void metrics__have_the_same_bits_for_any_thread_count(void **state)
{
    (void)state;
    struct random random = {9};

    for (int round = 0; round < 8; round++) {
        draw(&random, ROWS_MAX, CLASSES_MAX);
        struct made alone = score_data(0, data.rows, NULL);
        for (size_t threads = 1; threads <= 8; threads *= 2) {
            struct pool *pool = pool_new(threads, 0);
            struct made shared = score_data(0, data.rows, pool);
            assert_memory_equal(&alone.result.metrics, &shared.result.metrics,
                                sizeof alone.result.metrics);
            assert_memory_equal(alone.result.calibration.confidence,
                                shared.result.calibration.confidence,
                                data.bins * sizeof(double));
            unmake(&shared);
            pool_free(pool);
        }
        unmake(&alone);
    }
}

/* The parts of a dataset come to the same metrics as the whole. */
static void summaries__merge_to_the_bits_of_the_whole(void **state)
{
    (void)state;
    struct random random = {10};

    for (int round = 0; round < 20; round++) {
        draw(&random, 500, 7);
        size_t first = random_below(&random, 400) + 1;
        size_t second = first + random_below(&random, 499 - first) + 1;
        struct made whole = score_data(0, 500, NULL);
        struct made parts[] = {score_data(second, 500 - second, NULL),
                               score_data(0, first, NULL),
                               score_data(first, second - first, NULL)};
        struct summary *sum = &parts[0].result.state->summary;
        for (size_t i = 1; i < LENGTH(parts); i++)
            summary_merge(sum, &parts[i].result.state->summary);
        struct metrics merged = summary_metrics(sum);
        assert_memory_equal(&merged, &whole.result.metrics, sizeof merged);
        for (size_t i = 0; i < LENGTH(parts); i++)
            unmake(&parts[i]);
        unmake(&whole);
    }
}

static void warning__is_given_for_rows_that_are_probabilities(void **state)
{
    (void)state;
    static const struct {
        double logits[4];
        bool warned;
    } cases[] = {
        {{0.2, 0.8, 0.5, 0.5}, true}, {{0, 1, 0.5, 0.5}, true},
        {{0, 1, 1, 0}, false},        {{0.2, 0.9, 1, 0}, false},
        {{-0.2, 1.2, 1, 0}, false},   {{0.2, 0.8, 2, 1}, false},
    };
    static int64_t labels[] = {0, 1};

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct made made = make(&task_loss);
        double logits[4];
        memcpy(logits, cases[i].logits, sizeof logits);
        make_doubles(&made, "logits", SHAPE(2, 2), logits);
        make_labels(&made, SHAPE(2), labels);
        assert_scores(&made, NULL);
        assert_true((made.result.warnings[0] != NULL) == cases[i].warned);
        unmake(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics__are_those_of_the_plain_definitions),
        cmocka_unit_test(metrics__of_nothing_are_no_numbers),
        cmocka_unit_test(metrics__do_not_see_weights_nor_smoothing),
        cmocka_unit_test(metrics__are_of_the_tempered_logits),
        cmocka_unit_test(top5__of_a_masked_label_is_a_miss_wherever_it_stands),
        cmocka_unit_test(brier__of_a_confident_row_is_not_nothing),
        cmocka_unit_test(nll__is_finite_where_the_loss_is),
        cmocka_unit_test(bins__have_their_upper_edge),
        cmocka_unit_test(bins__hold_any_number_of_rows),
        cmocka_unit_test(metrics__have_the_same_bits_for_any_thread_count),
        cmocka_unit_test(summaries__merge_to_the_bits_of_the_whole),
        cmocka_unit_test(warning__is_given_for_rows_that_are_probabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
