/* The linear model: logits from features, gradients by all that went into them, and
 * the l2 term. */
#include "model.h"
#include "random.h"

#include "engine/linear.h"
#include "lossd/base/pool.h"

#include <stdlib.h>

static const char every_output[] =
    "loss,probabilities,gradient,logits,gradient_features,gradient_W,gradient_b";

static void plain_logits(const struct model *model, double logits[N * C])
{
    for (size_t n = 0; n < N; n++)
        for (size_t c = 0; c < C; c++) {
            logits[n * C + c] = 0;
            for (size_t d = 0; d < D; d++)
                logits[n * C + c] += model->features[n * D + d] * model->W[c * D + d];
            logits[n * C + c] += model->b[c];
        }
}

/* ---- logits and their loss --------------------------------------------------------- */

static void model__scores_as_its_logits_do(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made linear = make_model(&model), plain = make(&task_loss);
    double logits[N * C];

    plain_logits(&model, logits);
    make_return(&linear, "loss,logits,probabilities,gradient");
    assert_scores(&linear, NULL);
    make_doubles(&plain, "logits", SHAPE(N, C), logits);
    make_labels(&plain, SHAPE(N), model.labels);
    make_return(&plain, "loss,probabilities,gradient");
    assert_scores(&plain, NULL);
    assert_memory_equal(linear.result.logits, logits, sizeof logits);
    assert_memory_equal(linear.result.probabilities, plain.result.probabilities,
                        sizeof logits);
    assert_memory_equal(linear.result.gradient, plain.result.gradient, sizeof logits);
    assert_true(linear.result.loss == plain.result.loss);
    assert_true(linear.result.loss_sum == plain.result.loss_sum);
    assert_int_equal(linear.result.count, 3);
    assert_null(plain.result.logits);
    unmake(&linear);
    unmake(&plain);
}

static void model__passes_softcap_and_temperature_as_its_logits_do(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made linear = make_model(&model), plain = make(&task_loss);
    double logits[N * C];

    plain_logits(&model, logits);
    make_doubles(&plain, "logits", SHAPE(N, C), logits);
    make_labels(&plain, SHAPE(N), model.labels);
    struct made *both[] = {&linear, &plain};
    for (size_t i = 0; i < 2; i++) {
        make_number(both[i], "softcap", 1.5);
        make_number(both[i], "temperature", 0.5);
        make_return(both[i], "loss,gradient");
        assert_scores(both[i], NULL);
    }
    assert_true(linear.result.loss == plain.result.loss);
    assert_memory_equal(linear.result.gradient, plain.result.gradient, sizeof logits);
    unmake(&linear);
    unmake(&plain);
}

static void model__may_be_without_b(void **state)
{
    (void)state;
    double features[] = {1, 2}, W[] = {3, 4, 5, 6};
    int64_t labels[] = {1};
    struct made made = make(&task_loss);

    make_doubles(&made, "features", SHAPE(1, 2), features);
    make_doubles(&made, "W", SHAPE(2, 2), W);
    make_labels(&made, SHAPE(1), labels);
    make_return(&made, "logits");
    assert_scores(&made, NULL);
    assert_true(doubles(made.result.logits)[0] == 11);
    assert_true(doubles(made.result.logits)[1] == 17);
    unmake(&made);
}

static void features_of_rank_1__are_one_example_with_a_bare_label(void **state)
{
    (void)state;
    double features[] = {1, 2}, W[] = {3, 4, 5, 6, 7, 8}, b[] = {0.5, 0, 0};
    int64_t label = 2;
    struct made made = make(&task_loss);

    make_doubles(&made, "features", SHAPE(2), features);
    make_doubles(&made, "W", SHAPE(3, 2), W);
    make_doubles(&made, "b", SHAPE(3), b);
    make_labels(&made, SHAPE_SCALAR, &label);
    make_return(&made, "loss,logits,gradient_features");
    assert_scores(&made, NULL);
    assert_int_equal(made.batch.logits.shape.rank, 1);
    assert_int_equal(made.batch.logits.count, 3);
    assert_true(doubles(made.result.logits)[0] == 11.5);
    assert_true(doubles(made.result.logits)[2] == 23);
    assert_int_equal(made.result.count, 1);
    unmake(&made);
}

static void features_of_rank_3__are_rows_like_any(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made flat = make_model(&model), deep = make(&task_loss);

    make_return(&flat, every_output);
    assert_scores(&flat, NULL);
    make_doubles(&deep, "features", SHAPE(2, 2, D), model.features);
    make_doubles(&deep, "W", SHAPE(C, D), model.W);
    make_doubles(&deep, "b", SHAPE(C), model.b);
    make_labels(&deep, SHAPE(2, 2), model.labels);
    make_return(&deep, every_output);
    assert_scores(&deep, NULL);
    assert_int_equal(deep.batch.logits.shape.rank, 3);
    assert_int_equal(deep.batch.logits.shape.dim[1], 2);
    assert_int_equal(deep.batch.logits.shape.dim[2], C);
    assert_memory_equal(flat.result.logits, deep.result.logits, sizeof(double[N * C]));
    assert_memory_equal(flat.result.gradient_features, deep.result.gradient_features,
                        sizeof model.features);
    assert_memory_equal(flat.result.gradient_W, deep.result.gradient_W, sizeof model.W);
    unmake(&flat);
    unmake(&deep);
}

static void float32_logits__are_those_of_float64_rounded_once(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made made = make_model(&model);
    double logits[N * C];

    model.features[0] = 0.1; /* is no float: inputs are doubles for any dtype */
    model.W[0] = 1e-9;
    plain_logits(&model, logits);
    make_text(&made, "dtype", "float32");
    make_return(&made, "logits");
    assert_scores(&made, NULL);
    for (size_t i = 0; i < N * C; i++)
        assert_true(((float *)made.result.logits)[i] == (float)logits[i]);
    unmake(&made);
}

static void any_loss__takes_a_model(void **state)
{
    (void)state;
    struct model model = some_model();
    double targets[N * C] = {0}, logits[N * C];

    for (size_t n = 0; n < N; n++)
        targets[n * C + n] = 1;
    plain_logits(&model, logits);
    for (size_t i = 0; i < loss_count; i++) {
        struct made linear = make(&task_loss), plain = make(&task_loss);
        struct made *both[] = {&linear, &plain};
        make_doubles(&linear, "features", SHAPE(N, D), model.features);
        make_doubles(&linear, "W", SHAPE(C, D), model.W);
        make_doubles(&linear, "b", SHAPE(C), model.b);
        make_doubles(&plain, "logits", SHAPE(N, C), logits);
        for (size_t m = 0; m < 2; m++) {
            make_text(both[m], "loss", loss_table[i]->name);
            if (loss_table[i]->truths & TRUTH_LABELS)
                make_labels(both[m], SHAPE(N), model.labels);
            else
                make_doubles(both[m], "targets", SHAPE(N, C), targets);
            make_return(both[m], "loss,gradient");
            assert_scores(both[m], NULL);
        }
        assert_true(linear.result.loss == plain.result.loss);
        assert_memory_equal(linear.result.gradient, plain.result.gradient, sizeof logits);
        unmake(&linear);
        unmake(&plain);
    }
}

/* ---- gradients -------------------------------------------------------------------- */

static double loss_of(struct model *model, const char *reduction, double l2)
{
    struct made made = make_model(model);

    make_text(&made, "reduction", reduction);
    make_number(&made, "l2", l2);
    assert_scores(&made, NULL);
    double loss = made.result.loss;
    unmake(&made);
    return loss;
}

/* Each input moved a little to both sides. */
static void assert_slopes(struct model *model, double *inputs, size_t count,
                          const double *gradient, const char *reduction, double l2)
{
    const double h = 0x1p-17;

    for (size_t i = 0; i < count; i++) {
        double here = inputs[i];
        inputs[i] = here + h;
        double above = loss_of(model, reduction, l2);
        inputs[i] = here - h;
        double below = loss_of(model, reduction, l2);
        inputs[i] = here;
        double slope = (above - below) / (2 * h);
        if (fabs(slope - gradient[i]) > 1e-8)
            fail_msg("%s, l2 %g, input %zu of %zu: %.12g, by differences %.12g",
                     reduction, l2, i, count, gradient[i], slope);
    }
}

static void gradients__equal_finite_differences(void **state)
{
    (void)state;
    const struct {
        const char *reduction;
        double l2;
    } cases[] = {{"mean", 0}, {"sum", 0}, {"mean", 0.3}, {"sum", 0.3}};

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct model model = some_model();
        struct made made = make_model(&model);
        make_text(&made, "reduction", cases[i].reduction);
        make_number(&made, "l2", cases[i].l2);
        make_return(&made, "gradient_features,gradient_W,gradient_b");
        assert_scores(&made, NULL);
        assert_slopes(&model, model.features, N * D, made.result.gradient_features,
                      cases[i].reduction, cases[i].l2);
        assert_slopes(&model, model.W, C * D, made.result.gradient_W, cases[i].reduction,
                      cases[i].l2);
        assert_slopes(&model, model.b, C, made.result.gradient_b, cases[i].reduction,
                      cases[i].l2);
        unmake(&made);
    }
}

static void gradients__of_none_are_those_of_the_sum(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made none = make_model(&model), sum = make_model(&model);

    make_text(&none, "reduction", "none");
    make_return(&none, "gradient_W,gradient_b");
    make_text(&sum, "reduction", "sum");
    make_return(&sum, "gradient_W,gradient_b");
    assert_scores(&none, NULL);
    assert_scores(&sum, NULL);
    assert_memory_equal(none.result.gradient_W, sum.result.gradient_W, sizeof model.W);
    assert_memory_equal(none.result.gradient_b, sum.result.gradient_b, sizeof model.b);
    unmake(&none);
    unmake(&sum);
}

static void gradients__do_not_depend_on_what_else_is_asked_for(void **state)
{
    (void)state;
    const char *const names[] = {"gradient_features", "gradient_W", "gradient_b"};
    const size_t sizes[] = {sizeof some_features, sizeof some_W, sizeof some_b};
    struct model model = some_model();
    struct made all = make_model(&model);

    make_return(&all, every_output);
    assert_scores(&all, NULL);
    const void *const whole[] = {all.result.gradient_features, all.result.gradient_W,
                                 all.result.gradient_b};
    for (size_t i = 0; i < LENGTH(names); i++) {
        struct made one = make_model(&model);
        make_return(&one, names[i]);
        assert_scores(&one, NULL);
        const void *const found[] = {one.result.gradient_features, one.result.gradient_W,
                                     one.result.gradient_b};
        for (size_t other = 0; other < LENGTH(names); other++)
            assert_true(!!found[other] == (other == i));
        assert_memory_equal(found[i], whole[i], sizes[i]);
        unmake(&one);
    }
    unmake(&all);
}

static void gradient_features__of_an_ignored_position_is_0(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made made = make_model(&model);

    make_return(&made, "gradient_features");
    assert_scores(&made, NULL);
    for (size_t d = 0; d < D; d++)
        assert_zero(doubles(made.result.gradient_features)[D + d]);
    unmake(&made);
}

static void float32_gradients__are_near_those_of_float64(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made narrow = make_model(&model), wide = make_model(&model);

    make_text(&narrow, "dtype", "float32");
    make_return(&narrow, "gradient_features,gradient_W,gradient_b");
    make_return(&wide, "gradient_features,gradient_W,gradient_b");
    assert_scores(&narrow, NULL);
    assert_scores(&wide, NULL);
    const float *found[] = {narrow.result.gradient_features, narrow.result.gradient_W,
                            narrow.result.gradient_b};
    const double *wanted[] = {wide.result.gradient_features, wide.result.gradient_W,
                              wide.result.gradient_b};
    const size_t counts[] = {N * D, C * D, C};
    for (size_t i = 0; i < LENGTH(counts); i++)
        for (size_t j = 0; j < counts[i]; j++)
            if (fabs((double)found[i][j] - wanted[i][j]) > 1e-6)
                fail_msg("%zu, %zu: %g is not %g", i, j, (double)found[i][j],
                         wanted[i][j]);
    unmake(&narrow);
    unmake(&wide);
}

/* ---- l2 --------------------------------------------------------------------------- */

static void l2__is_added_to_the_loss_and_is_in_each_share_of_its_sum(void **state)
{
    (void)state;
    const char *const reductions[] = {"mean", "sum"};
    double squares = 0;

    for (size_t i = 0; i < C * D; i++)
        squares += some_W[i] * some_W[i]; /* of few bits: exact */
    for (size_t i = 0; i < 2; i++) {
        struct model model = some_model();
        struct made without = make_model(&model), with = make_model(&model);
        make_text(&without, "reduction", reductions[i]);
        make_text(&with, "reduction", reductions[i]);
        make_number(&with, "l2", 0.5);
        assert_scores(&without, NULL);
        assert_scores(&with, NULL);
        double times = i == 0 ? without.result.divisor : 1;
        assert_true(with.result.loss == without.result.loss + 0.25 * squares);
        assert_true(with.result.loss_sum ==
                    without.result.loss_sum + 0.25 * squares * times);
        assert_true(with.result.divisor == without.result.divisor);
        unmake(&without);
        unmake(&with);
    }
}

static void l2__of_large_W_is_that_of_all_of_it(void **state)
{
    (void)state;
    enum { ROWS = 7, LARGE = 1000 };
    double *W = malloc((size_t)ROWS * LARGE * sizeof *W), features[LARGE] = {0};
    int64_t label = 0;
    struct made made = make(&task_loss);

    for (size_t i = 0; i < (size_t)ROWS * LARGE; i++)
        W[i] = (double)(i % 10);
    make_doubles(&made, "features", SHAPE(LARGE), features);
    make_doubles(&made, "W", SHAPE(ROWS, LARGE), W);
    make_labels(&made, SHAPE_SCALAR, &label);
    make_text(&made, "reduction", "sum");
    make_number(&made, "l2", 2);
    assert_scores(&made, NULL);
    assert_true(made.result.loss == log(ROWS) + 285.0 * 700);
    assert_true(made.result.loss_sum == made.result.loss);
    unmake(&made);
    free(W);
}

static void loss__is_nan_with_l2_too_when_there_is_nothing_to_average(void **state)
{
    (void)state;
    struct model model = some_model();

    for (size_t n = 0; n < N; n++)
        model.labels[n] = -100;
    struct made made = make_model(&model);
    make_number(&made, "l2", 0.5);
    make_return(&made, "loss,gradient_W");
    assert_scores(&made, NULL);
    assert_true(isnan(made.result.loss));
    for (size_t i = 0; i < C * D; i++)
        assert_true(doubles(made.result.gradient_W)[i] == 0);
    unmake(&made);
}

/* ---- threads ---------------------------------------------------------------------- */

static void model__has_the_same_bits_for_any_pool(void **state)
{
    (void)state;
    enum { ROWS = 230, CLASSES = 250, DEPTH = 210 };
    struct random random = {7};
    double *features = malloc(sizeof(double[ROWS * DEPTH]));
    double *W = malloc(sizeof(double[CLASSES * DEPTH])),
           *b = malloc(sizeof(double[CLASSES]));
    int64_t labels[ROWS];
    const size_t widths[] = {0, 1, 7};

    for (size_t i = 0; i < (size_t)ROWS * DEPTH; i++)
        features[i] = random_normal(&random);
    for (size_t i = 0; i < (size_t)CLASSES * DEPTH; i++)
        W[i] = random_normal(&random) / 16;
    for (size_t i = 0; i < CLASSES; i++)
        b[i] = random_normal(&random);
    for (size_t n = 0; n < ROWS; n++)
        labels[n] = (int64_t)random_below(&random, CLASSES);
    for (enum dtype dtype = DTYPE_FLOAT64; dtype <= DTYPE_FLOAT32; dtype++) {
        struct made made[LENGTH(widths)];
        size_t size = dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
        for (size_t i = 0; i < LENGTH(widths); i++) {
            struct pool *pool = widths[i] ? pool_new(widths[i], 0) : NULL;
            made[i] = make(&task_loss);
            make_doubles(&made[i], "features", SHAPE(ROWS, DEPTH), features);
            make_doubles(&made[i], "W", SHAPE(CLASSES, DEPTH), W);
            make_doubles(&made[i], "b", SHAPE(CLASSES), b);
            make_labels(&made[i], SHAPE(ROWS), labels);
            make_number(&made[i], "l2", 0.1);
            make_text(&made[i], "dtype", dtype == DTYPE_FLOAT32 ? "float32" : "float64");
            make_return(&made[i], every_output);
            assert_scores(&made[i], pool);
            pool_free(pool);
        }
        for (size_t i = 1; i < LENGTH(widths); i++) {
            const struct result *one = &made[0].result, *other = &made[i].result;
            assert_memory_equal(&one->loss, &other->loss, sizeof one->loss);
            assert_memory_equal(one->logits, other->logits,
                                (size_t)ROWS * CLASSES * size);
            assert_memory_equal(one->gradient_features, other->gradient_features,
                                (size_t)ROWS * DEPTH * size);
            assert_memory_equal(one->gradient_W, other->gradient_W,
                                (size_t)CLASSES * DEPTH * size);
            assert_memory_equal(one->gradient_b, other->gradient_b, CLASSES * size);
        }
        for (size_t i = 0; i < LENGTH(widths); i++)
            unmake(&made[i]);
    }
    free(features);
    free(W);
    free(b);
}

/* Wherever a row stands, and whatever stands beside it. */
static void logits__of_a_row_are_the_same_alone_and_among_many(void **state)
{
    (void)state;
    enum { ROWS = 300, CLASSES = 11, DEPTH = 205 };
    struct random random = {9};
    double *features = malloc(sizeof(double[ROWS * DEPTH]));
    double *W = malloc(sizeof(double[CLASSES * DEPTH]));
    int64_t labels[ROWS] = {0};

    for (size_t i = 0; i < (size_t)ROWS * DEPTH; i++)
        features[i] = random_normal(&random);
    for (size_t i = 0; i < (size_t)CLASSES * DEPTH; i++)
        W[i] = random_normal(&random);
    struct made many = make(&task_loss);
    make_doubles(&many, "features", SHAPE(ROWS, DEPTH), features);
    make_doubles(&many, "W", SHAPE(CLASSES, DEPTH), W);
    make_labels(&many, SHAPE(ROWS), labels);
    make_return(&many, "logits");
    assert_scores(&many, NULL);
    for (size_t n = 0; n < ROWS; n += 37) {
        struct made one = make(&task_loss);
        make_doubles(&one, "features", SHAPE(DEPTH), features + n * DEPTH);
        make_doubles(&one, "W", SHAPE(CLASSES, DEPTH), W);
        make_labels(&one, SHAPE_SCALAR, labels);
        make_return(&one, "logits");
        assert_scores(&one, NULL);
        assert_memory_equal(one.result.logits, doubles(many.result.logits) + n * CLASSES,
                            sizeof(double[CLASSES]));
        unmake(&one);
    }
    unmake(&many);
    free(features);
    free(W);
}

/* ---- room ------------------------------------------------------------------------- */

/* Each array alone, so that what comes after it cannot fail in its place. */
static void linear_init__fails_wherever_memory_ends(void **state)
{
    (void)state;
    const char *const outputs[] = {"loss", "gradient_features", "gradient_W",
                                   "gradient_b"};

    for (size_t i = 0; i < LENGTH(outputs); i++) {
        size_t refused = 0;
        for (bool done = false; !done; refused += !done) {
            struct model model = some_model();
            struct made made = make_model(&model);
            make_return(&made, outputs[i]);
            assert_true(batch_check(&made.batch, &made.err));
            made.mem.limit = refused * 64;
            done = linear_init(&made.result, &made.batch, 3, &made.mem, &made.err);
            assert_true(done == (made.err.kind == ERR_NONE));
            assert_true(!done || (made.result.room && made.result.logits));
            unmake(&made);
        }
        assert_true(refused > 100);
    }
}

/* ---- cost ------------------------------------------------------------------------- */

static void
linear_init__takes_as_much_for_few_products_on_any_number_of_threads(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 2, 9, 65};

    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct model model = some_model();
        struct made made = make_model(&model);
        assert_true(batch_check(&made.batch, &made.err));
        arena_init(&made.mem, 64 << 10, "--max-request-memory", NULL);
        assert_true(
            result_init(&made.result, &made.batch, widths[i], &made.mem, &made.err));
        unmake(&made);
    }
}

static void cost__grows_with_the_products_even_before_the_check(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made made = make_model(&model), empty = make(&task_loss);

    make_return(&made, "loss");
    int64_t loss = score_cost_ns(&made.batch);
    made.batch.outputs |= 1u << OUTPUT_GRADIENT_W | 1u << OUTPUT_GRADIENT_FEATURES;
    assert_true(loss >= N * C);
    assert_true(score_cost_ns(&made.batch) > loss);
    make_doubles(&empty, "features", SHAPE(0), model.features);
    assert_int_equal(score_cost_ns(&empty.batch), 0);
    unmake(&made);
    unmake(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model__scores_as_its_logits_do),
        cmocka_unit_test(model__passes_softcap_and_temperature_as_its_logits_do),
        cmocka_unit_test(model__may_be_without_b),
        cmocka_unit_test(features_of_rank_1__are_one_example_with_a_bare_label),
        cmocka_unit_test(features_of_rank_3__are_rows_like_any),
        cmocka_unit_test(float32_logits__are_those_of_float64_rounded_once),
        cmocka_unit_test(any_loss__takes_a_model),
        cmocka_unit_test(gradients__equal_finite_differences),
        cmocka_unit_test(gradients__of_none_are_those_of_the_sum),
        cmocka_unit_test(gradients__do_not_depend_on_what_else_is_asked_for),
        cmocka_unit_test(gradient_features__of_an_ignored_position_is_0),
        cmocka_unit_test(float32_gradients__are_near_those_of_float64),
        cmocka_unit_test(l2__is_added_to_the_loss_and_is_in_each_share_of_its_sum),
        cmocka_unit_test(l2__of_large_W_is_that_of_all_of_it),
        cmocka_unit_test(loss__is_nan_with_l2_too_when_there_is_nothing_to_average),
        cmocka_unit_test(model__has_the_same_bits_for_any_pool),
        cmocka_unit_test(logits__of_a_row_are_the_same_alone_and_among_many),
        cmocka_unit_test(linear_init__fails_wherever_memory_ends),
        cmocka_unit_test(
            linear_init__takes_as_much_for_few_products_on_any_number_of_threads),
        cmocka_unit_test(cost__grows_with_the_products_even_before_the_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
