/* The edge cases of the API (section 7) that the engine answers, a test each.  Those
 * it refuses are in test_batch_check.c. */
#include "made.h"

static void loss__of_a_confident_row_is_not_zero(void **state)
{
    (void)state;
    static const struct {
        double logits[3];
        double loss;
    } rows[] = {{{80, 0, -INFINITY}, 1.8048513878454153e-35},
                {{1e3 + 80, 1e3, -INFINITY}, 1.8048513878454153e-35},
                {{80, 0, -1e30}, 1.8048513878454153e-35}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        double logits[3];
        int64_t label = 0;
        memcpy(logits, rows[i].logits, sizeof logits);
        make_doubles(&made, "logits", SHAPE(3), logits);
        make_labels(&made, SHAPE_SCALAR, &label);
        make_return(&made, "loss,gradient,log_probabilities,probabilities");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, rows[i].loss, 4e-15);
        assert_near(doubles(made.result.log_probabilities)[0], -rows[i].loss, 4e-15);
        assert_near(doubles(made.result.gradient)[0], -rows[i].loss, 4e-15);
        assert_near(doubles(made.result.gradient)[1], rows[i].loss, 4e-15);
        assert_true(doubles(made.result.probabilities)[0] == 1);
        unmake(&made);
    }
}

/* Nothing to average: all positions ignored, or all that count weigh nothing. */
static void loss__of_nothing_is_no_number_for_mean_and_zero_else(void **state)
{
    (void)state;
    static const char *const reductions[] = {"mean", "sum", "none"};
    enum { IGNORED, CLASS_WEIGHTS, SAMPLE_WEIGHTS, TARGETS, WHYS };

    for (size_t r = 0; r < LENGTH(reductions); r++)
        for (int why = 0; why < WHYS; why++) {
            double logits[] = {1, 2, 3, -4, 5, 6}, nothing[] = {0, 0, 0};
            double targets[] = {1, 0, 0, 0, 1, 0};
            int64_t labels[] = {why == IGNORED ? -100 : 1, why == IGNORED ? -100 : 2};
            struct made made = make(&task_loss);
            make_doubles(&made, "logits", SHAPE(2, 3), logits);
            if (why == TARGETS)
                make_doubles(&made, "targets", SHAPE(2, 3), targets);
            else
                make_labels(&made, SHAPE(2), labels);
            if (why == CLASS_WEIGHTS)
                make_doubles(&made, "class_weights", SHAPE(3), nothing);
            if (why == SAMPLE_WEIGHTS || why == TARGETS)
                make_doubles(&made, "sample_weights", SHAPE(2), nothing);
            make_text(&made, "reduction", reductions[r]);
            make_return(&made, "loss,losses,gradient");
            assert_scores(&made, NULL);
            if (strcmp(reductions[r], "mean") == 0)
                assert_true(isnan(made.result.loss));
            else
                assert_zero(made.result.loss);
            assert_zero(made.result.loss_sum);
            assert_zero(made.result.divisor);
            assert_zero(made.result.losses[0]);
            assert_zero(made.result.losses[1]);
            for (size_t i = 0; i < LENGTH(logits); i++)
                assert_zero(doubles(made.result.gradient)[i]);
            assert_int_equal(made.result.count, why == IGNORED ? 0 : 2);
            assert_int_equal(made.result.ignored, why == IGNORED ? 2 : 0);
            unmake(&made);
        }
}

static void loss__of_an_ignored_position_is_zero_whatever_it_holds(void **state)
{
    (void)state;
    static const double rows[][3] = {{1, 2, 3},
                                     {-INFINITY, -INFINITY, -INFINITY},
                                     {-INFINITY, 0, 1},
                                     {1.7e308, -1.7e308, 0},
                                     {5e-324, -0.0, 5e-324}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double logits[6] = {0, 1, 2};
        int64_t labels[] = {1, -100};
        struct made made = make(&task_loss);
        memcpy(logits + 3, rows[i], sizeof rows[i]);
        make_doubles(&made, "logits", SHAPE(2, 3), logits);
        make_labels(&made, SHAPE(2), labels);
        make_return(&made, "loss,losses,gradient,probabilities");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, 1.4076059644443804, 4e-15);
        assert_zero(made.result.losses[1]);
        for (size_t c = 3; c < 6; c++) {
            assert_zero(doubles(made.result.gradient)[c]);
            assert_true(doubles(made.result.probabilities)[c] >= 0);
        }
        assert_int_equal(made.result.count, 1);
        assert_int_equal(made.result.ignored, 1);
        unmake(&made);
    }
}

static void loss__ignores_an_index_within_the_classes_too(void **state)
{
    (void)state;
    double logits[] = {0, 1, 2, 3, 2, 1};
    int64_t labels[] = {1, 0};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 3), logits);
    make_labels(&made, SHAPE(2), labels);
    make_number(&made, "ignore_index", 0);
    make_return(&made, "loss,losses");
    assert_scores(&made, NULL);
    assert_near(made.result.loss, 1.4076059644443804, 4e-15);
    assert_zero(made.result.losses[1]);
    assert_int_equal(made.result.ignored, 1);
    unmake(&made);
}

static void masked_class__has_probability_and_gradient_zero(void **state)
{
    (void)state;
    double logits[] = {1, -INFINITY, 2, -INFINITY};
    double weights[] = {0.5, 3, 2, 3};
    int64_t label = 2;

    for (int weighted = 0; weighted < 2; weighted++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(4), logits);
        make_labels(&made, SHAPE_SCALAR, &label);
        if (weighted)
            make_doubles(&made, "class_weights", SHAPE(4), weights);
        make_return(&made, "loss,probabilities,log_probabilities,gradient,logsumexp");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, 0.3132616875182228, 4e-15);
        for (size_t c = 1; c < 4; c += 2) {
            assert_zero(doubles(made.result.probabilities)[c]);
            assert_zero(doubles(made.result.gradient)[c]);
            assert_true(doubles(made.result.log_probabilities)[c] == -INFINITY);
        }
        assert_near(doubles(made.result.probabilities)[2], 0.7310585786300049, 4e-15);
        assert_near(made.result.logsumexp[0], 2.313261687518223, 4e-15);
        unmake(&made);
    }
}

static void masked_class__without_a_share_of_the_target_counts_nothing(void **state)
{
    (void)state;
    double logits[] = {1, -INFINITY, 2}, targets[] = {0.25, 0, 0.75};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(3), logits);
    make_doubles(&made, "targets", SHAPE(3), targets);
    make_return(&made, "loss,gradient");
    assert_scores(&made, NULL);
    assert_near(made.result.loss, 0.5632616875182228, 4e-15); /* log1p(1/e) + 1/4 */
    assert_near(doubles(made.result.gradient)[0], 0.018941421369995104, 1e-14);
    assert_zero(doubles(made.result.gradient)[1]);
    assert_near(doubles(made.result.gradient)[2], -0.018941421369995104, 1e-14);
    unmake(&made);
}

/* Its exponential is tiny in float32, but not nothing. */
static void masked_class__has_gradient_zero_however_much_a_row_weighs(void **state)
{
    enum { MOST = 130 };
    static const char *const compared[] = {"cross_entropy", "kl_div"};
    double weight = 1e30;

    (void)state;
    for (size_t classes = 3; classes <= MOST; classes += classes / 4 + 1)
        for (size_t l = 0; l < LENGTH(compared); l++) {
            float logits[MOST];
            double targets[MOST];
            struct made made = make(&task_loss);
            for (size_t c = 0; c < classes; c++) {
                logits[c] = c % 3 == 2 ? -INFINITY : (float)(c % 5);
                targets[c] = c < 2 ? 0.5 : 0;
            }
            make_text(&made, "dtype", "float32");
            make_text(&made, "loss", compared[l]);
            make_text(&made, "reduction", "sum");
            make_floats(&made, "logits", SHAPE(1, classes), logits);
            make_doubles(&made, "targets", SHAPE(1, classes), targets);
            make_doubles(&made, "sample_weights", SHAPE(1), &weight);
            make_return(&made, "gradient");
            assert_scores(&made, NULL);
            const float *gradient = made.result.gradient;
            assert_true(gradient[0] != 0);
            for (size_t c = 2; c < classes; c += 3)
                assert_zero((double)gradient[c]);
            unmake(&made);
        }
}

/* What would be 0 times infinity: the label's weight is 0, and so is its share. */
static void masked_class__may_be_the_label_when_it_weighs_nothing(void **state)
{
    (void)state;
    double logits[] = {1, -INFINITY, 2, 1, 0, 2};
    double class_weights[] = {1, 0, 1}, sample_weights[] = {0, 1};
    int64_t labels[] = {1, 0};

    for (int by_sample = 0; by_sample < 2; by_sample++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(2, 3), logits);
        make_labels(&made, SHAPE(2), labels);
        if (by_sample)
            make_doubles(&made, "sample_weights", SHAPE(2), sample_weights);
        else
            make_doubles(&made, "class_weights", SHAPE(3), class_weights);
        make_return(&made, "loss,losses,gradient");
        assert_scores(&made, NULL);
        assert_zero(made.result.losses[0]);
        assert_near(made.result.loss, 1.4076059644443804, 4e-15);
        assert_true(made.result.divisor == 1);
        for (size_t c = 0; c < 3; c++)
            assert_zero(doubles(made.result.gradient)[c]);
        unmake(&made);
    }
}

static void one_class__has_loss_zero_and_probability_one(void **state)
{
    (void)state;
    static const double values[] = {0, -0.0, 5, -1e30, 1.7e308, 5e-324};
    static const char *const smoothings[] = {"", "label_smoothing"};

    for (size_t i = 0; i < LENGTH(values); i++)
        for (size_t s = 0; s < LENGTH(smoothings); s++) {
            double logit = values[i];
            int64_t label = 0;
            struct made made = make(&task_loss);
            make_doubles(&made, "logits", SHAPE(1, 1), &logit);
            make_labels(&made, SHAPE(1), &label);
            if (s)
                make_number(&made, smoothings[s], 0.5);
            make_return(&made, "loss,losses,probabilities,log_probabilities,gradient");
            assert_scores(&made, NULL);
            assert_zero(made.result.loss);
            assert_zero(made.result.losses[0]);
            assert_true(doubles(made.result.probabilities)[0] == 1);
            assert_zero(doubles(made.result.log_probabilities)[0]);
            assert_zero(doubles(made.result.gradient)[0]);
            unmake(&made);
        }
}

/* Rows at the ends of the range, and what is right for them. */
struct extreme {
    double logits[3];
    double probabilities[3];
    double losses[3]; /* for each label */
};

#define LN2 0.6931471805599453
#define LN3 1.0986122886681098

static const struct extreme extremes[] = {
    {{1e30, -1e30, 0}, {1, 0, 0}, {0, 2e30, 1e30}},
    {{1e30, 1e30, -1e30}, {.5, .5, 0}, {LN2, LN2, 2e30}},
    {{3e38, -3e38, 3e38}, {.5, 0, .5}, {LN2, 6e38, LN2}},
    {{1e300, 1e300, 1e300}, {1. / 3, 1. / 3, 1. / 3}, {LN3, LN3, LN3}},
    {{5e-324, -5e-324, 0}, {1. / 3, 1. / 3, 1. / 3}, {LN3, LN3, LN3}},
    {{1e-310, 2e-308, -3e-320}, {1. / 3, 1. / 3, 1. / 3}, {LN3, LN3, LN3}},
    {{8e307, -8e307, 0}, {1, 0, 0}, {0, 1.6e308, 8e307}},
};

static void logits__at_the_ends_of_the_range_are_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(extremes); i++)
        for (int64_t label = 0; label < 3; label++) {
            double logits[3];
            struct made made = make(&task_loss);
            memcpy(logits, extremes[i].logits, sizeof logits);
            make_doubles(&made, "logits", SHAPE(3), logits);
            make_labels(&made, SHAPE_SCALAR, &label);
            make_return(&made, "loss,probabilities,gradient");
            assert_scores(&made, NULL);
            assert_near(made.result.loss, extremes[i].losses[label], 4e-15);
            for (int64_t c = 0; c < 3; c++) {
                double p = extremes[i].probabilities[c];
                assert_near(doubles(made.result.probabilities)[c], p, 4e-15);
                assert_near(doubles(made.result.gradient)[c], p - (c == label), 1e-15);
            }
            unmake(&made);
        }
}

static void logits__at_the_ends_of_float32_are_right(void **state)
{
    (void)state;
    float logits[] = {3.4e38F, -3.4e38F, 1e-45F, 3.4e38F, 3.4e38F, 3.4e38F};
    int64_t labels[] = {1, 0};
    struct made made = make(&task_loss);

    make_text(&made, "dtype", "float32");
    make_floats(&made, "logits", SHAPE(2, 3), logits);
    make_labels(&made, SHAPE(2), labels);
    make_return(&made, "losses,probabilities");
    assert_scores(&made, NULL);
    assert_near(made.result.losses[0], 2 * (double)3.4e38F, 4e-15);
    assert_near(made.result.losses[1], LN3, 1e-6);
    const float *p = made.result.probabilities;
    assert_true(p[0] == 1 && p[1] == 0 && p[2] == 0);
    for (size_t c = 3; c < 6; c++)
        assert_near((double)p[c], 1. / 3, 1e-6);
    unmake(&made);
}

/* The gap is no double any more, but a share of it is. */
static void loss__is_finite_where_only_the_gap_is_not(void **state)
{
    (void)state;
    double logits[] = {1.7e308, -1.7e308}, targets[] = {0.75, 0.25};
    double weights[] = {1, 0.25};
    int64_t label = 1;

    for (int kind = 0; kind < 2; kind++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(2), logits);
        if (kind == 0)
            make_doubles(&made, "targets", SHAPE(2), targets);
        else
            make_labels(&made, SHAPE_SCALAR, &label);
        if (kind == 1)
            make_doubles(&made, "class_weights", SHAPE(2), weights);
        make_text(&made, "reduction", "sum");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, 8.5e307, 4e-15);
        unmake(&made);
    }
}

/* Smoothing 1 leaves nothing of the label but its place among the kept. */
static void label_smoothing__of_one_is_cross_entropy_with_the_uniform(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3};

    for (int64_t label = 0; label < 3; label++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(3), logits);
        make_labels(&made, SHAPE_SCALAR, &label);
        make_number(&made, "label_smoothing", 1);
        assert_scores(&made, NULL);
        assert_near(made.result.loss, 1.4076059644443804, 4e-15);
        unmake(&made);
    }
}

static void temperature__divides_logits_and_gradient(void **state)
{
    (void)state;
    double logits[] = {2, 4, 6}, cool[] = {1, 2, 3};
    int64_t label = 0;
    struct made made = make(&task_loss), plain = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(3), logits);
    make_labels(&made, SHAPE_SCALAR, &label);
    make_number(&made, "temperature", 2);
    make_return(&made, "loss,gradient,probabilities");
    make_doubles(&plain, "logits", SHAPE(3), cool);
    make_labels(&plain, SHAPE_SCALAR, &label);
    make_return(&plain, "loss,gradient,probabilities");
    assert_scores(&made, NULL);
    assert_scores(&plain, NULL);
    assert_true(made.result.loss == plain.result.loss);
    for (size_t c = 0; c < 3; c++) {
        assert_true(doubles(made.result.probabilities)[c] ==
                    doubles(plain.result.probabilities)[c]);
        assert_true(doubles(made.result.gradient)[c] ==
                    doubles(plain.result.gradient)[c] / 2);
    }
    unmake(&made);
    unmake(&plain);
}

/* A weight of -0 is a weight of 0, and nothing comes out negative for it. */
static void gradient__has_no_negative_zero(void **state)
{
    (void)state;
    static const char *const names[] = {"cross_entropy", "nll", "hinge"};

    for (size_t i = 0; i < LENGTH(names); i++) {
        double logits[] = {1, 2, -INFINITY, 800}, weights[] = {-0.0, 1, 1, 1};
        int64_t label = 0;
        struct made made = make(&task_loss);
        make_text(&made, "loss", names[i]);
        make_doubles(&made, "logits", SHAPE(4), logits);
        make_doubles(&made, "class_weights", SHAPE(4), weights);
        make_labels(&made, SHAPE_SCALAR, &label);
        make_text(&made, "reduction", "sum");
        make_return(&made, "loss,losses,gradient");
        assert_scores(&made, NULL);
        assert_zero(made.result.loss);
        assert_zero(made.result.losses[0]);
        for (size_t c = 0; c < LENGTH(logits); c++)
            assert_zero(doubles(made.result.gradient)[c]);
        unmake(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss__of_a_confident_row_is_not_zero),
        cmocka_unit_test(loss__of_nothing_is_no_number_for_mean_and_zero_else),
        cmocka_unit_test(loss__of_an_ignored_position_is_zero_whatever_it_holds),
        cmocka_unit_test(loss__ignores_an_index_within_the_classes_too),
        cmocka_unit_test(masked_class__has_probability_and_gradient_zero),
        cmocka_unit_test(masked_class__without_a_share_of_the_target_counts_nothing),
        cmocka_unit_test(masked_class__has_gradient_zero_however_much_a_row_weighs),
        cmocka_unit_test(masked_class__may_be_the_label_when_it_weighs_nothing),
        cmocka_unit_test(one_class__has_loss_zero_and_probability_one),
        cmocka_unit_test(logits__at_the_ends_of_the_range_are_right),
        cmocka_unit_test(logits__at_the_ends_of_float32_are_right),
        cmocka_unit_test(loss__is_finite_where_only_the_gap_is_not),
        cmocka_unit_test(label_smoothing__of_one_is_cross_entropy_with_the_uniform),
        cmocka_unit_test(temperature__divides_logits_and_gradient),
        cmocka_unit_test(gradient__has_no_negative_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
