/* What a linear model is refused for: members, shapes, options, and numbers whose
 * logits might be infinite. */
#include "model.h"

/* ---- what is refused --------------------------------------------------------------- */

static void members__must_fit_each_other(void **state)
{
    (void)state;
    double numbers[] = {1, 2};
    int64_t label = 0;
    const struct {
        const char *members[3];
        enum err_kind kind;
        const char *pointer, *detail;
    } cases[] = {
        {{"logits", "features", "W"},
         ERR_CONFLICTING_MEMBERS,
         "/features",
         "logits and features are both given; logits, or features and W are wanted"},
        {{"logits", "b"},
         ERR_CONFLICTING_MEMBERS,
         "/b",
         "logits and b are both given; logits, or features and W are wanted"},
        {{"features"}, ERR_MISSING_MEMBER, "/W", "W is missing; features come with it"},
        {{"features", "b"},
         ERR_MISSING_MEMBER,
         "/W",
         "W is missing; features come with it"},
        {{"W"},
         ERR_MISSING_MEMBER,
         "/features",
         "features is missing; W and b come with it"},
        {{"b"},
         ERR_MISSING_MEMBER,
         "/features",
         "features is missing; W and b come with it"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct made made = make(&task_loss);
        for (size_t m = 0; m < 3 && cases[i].members[m]; m++)
            make_doubles(&made, cases[i].members[m], SHAPE(2), numbers);
        make_labels(&made, SHAPE_SCALAR, &label);
        assert_refused(&made, cases[i].kind, cases[i].pointer, cases[i].detail);
        unmake(&made);
    }
}

static void shapes__must_fit_each_other(void **state)
{
    (void)state;
    double zeros[64] = {0};
    int64_t labels[8] = {0};
    const struct {
        struct shape features, W, b, labels;
        enum err_kind kind;
        const char *pointer, *detail;
    } cases[] = {
        {SHAPE(4, 3), SHAPE(5, 2), SHAPE(5), SHAPE(4), ERR_SHAPE_MISMATCH, "/features",
         "features has shape [4,3]; rows of 2 numbers are wanted for W of shape [5,2]"},
        {SHAPE(4, 3), SHAPE(15), SHAPE(5), SHAPE(4), ERR_SHAPE_MISMATCH, "/W",
         "W has shape [15]; a row for each class is wanted, [C,D]"},
        {SHAPE(4, 3), SHAPE(5, 3), SHAPE(4), SHAPE(4), ERR_SHAPE_MISMATCH, "/b",
         "b has 4 elements; one for each of the 5 classes is wanted"},
        {SHAPE(4, 3), SHAPE(5, 3), SHAPE(5), SHAPE(3), ERR_SHAPE_MISMATCH, "/labels",
         "labels has shape [3]; [4] is wanted for logits of shape [4,5]"},
        {SHAPE(2, 3), /* no axis would fit: there is only one */
         SHAPE(5, 3), SHAPE(5), SHAPE(5), ERR_SHAPE_MISMATCH, "/labels",
         "labels has shape [5]; [2] is wanted for logits of shape [2,5]"},
        {SHAPE_SCALAR, SHAPE(5, 3), SHAPE(5), SHAPE_SCALAR, ERR_SHAPE_MISMATCH,
         "/features",
         "features has shape []; rows of 3 numbers are wanted for W of shape [5,3]"},
        {SHAPE(0, 3), SHAPE(5, 3), SHAPE(5), SHAPE(0), ERR_EMPTY_BATCH, "/features",
         "features is empty; at least one number is wanted"},
        {SHAPE(4, 3), SHAPE(0), SHAPE(5), SHAPE(4), ERR_EMPTY_BATCH, "/W",
         "W is empty; at least one number is wanted"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "features", cases[i].features, zeros);
        make_doubles(&made, "W", cases[i].W, zeros);
        make_doubles(&made, "b", cases[i].b, zeros);
        make_labels(&made, cases[i].labels, labels);
        assert_refused(&made, cases[i].kind, cases[i].pointer, cases[i].detail);
        unmake(&made);
    }
}

static void axis__is_the_last_one(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made made = make_model(&model);
    struct value value = number_value(0);

    value.is_integer = true;
    make_value(&made, "axis", value);
    assert_refused(&made, ERR_INVALID_OPTION, "/axis",
                   "axis is 0; the classes of a linear model are on the last axis, -1");
    unmake(&made);
}

static void logits__may_not_be_more_than_arrays_may_hold(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made made = make_model(&model);
    struct limits limits = made_limits;

    limits.max_elements = N * C - 1;
    made.batch.limits = &limits;
    assert_false(batch_check(&made.batch, &made.err));
    assert_int_equal(made.err.kind, ERR_TOO_LARGE);
    unmake(&made);
    made = make_model(&model);
    limits.max_elements = N * C;
    made.batch.limits = &limits;
    assert_scores(&made, NULL);
    unmake(&made);
}

static void options_of_a_model__want_a_model(void **state)
{
    (void)state;
    struct made made = make_sound();

    make_number(&made, "l2", 0.5);
    assert_refused(&made, ERR_INVALID_OPTION, "/l2",
                   "l2 is 0.5, but there is no W: it is an option of a linear model");
    unmake(&made);
    const char *const outputs[] = {"logits", "gradient_features", "gradient_W",
                                   "gradient_b"};
    for (size_t i = 0; i < LENGTH(outputs); i++) {
        char detail[128];
        made = make_sound();
        make_return(&made, outputs[i]);
        snprintf(detail, sizeof detail,
                 "return has %s, which is of a linear model: features and W are wanted",
                 outputs[i]);
        assert_refused(&made, ERR_INVALID_OPTION, "/return", detail);
        unmake(&made);
    }
}

static void l2__belongs_to_no_single_position(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made made = make_model(&model);

    make_number(&made, "l2", 0.5);
    make_text(&made, "reduction", "none");
    assert_refused(&made, ERR_INVALID_OPTION, "/l2",
                   "l2 is 0.5 with reduction none: it belongs to no single position");
    unmake(&made);
}

static void gradient_b__wants_b(void **state)
{
    (void)state;
    struct model model = some_model();
    struct made made = make(&task_loss);

    make_doubles(&made, "features", SHAPE(N, D), model.features);
    make_doubles(&made, "W", SHAPE(C, D), model.W);
    make_labels(&made, SHAPE(N), model.labels);
    make_return(&made, "gradient_b");
    assert_refused(&made, ERR_INVALID_OPTION, "/return",
                   "return has gradient_b, but b is not given");
    unmake(&made);
}

static void inputs__are_finite(void **state)
{
    (void)state;
    const char *const names[] = {"features", "W", "b"};

    for (size_t i = 0; i < LENGTH(names); i++) {
        struct model model = some_model();
        struct made made = make_model(&model);
        struct array *arrays[] = {&made.batch.features, &made.batch.W, &made.batch.b};
        char pointer[32], detail[96];
        make_flaw(arrays[i], FLAW_NAN, 1, "NaN");
        snprintf(pointer, sizeof pointer, i < 2 ? "/%s/0/1" : "/%s/1", names[i]);
        snprintf(detail, sizeof detail,
                 i < 2 ? "%s[0][1] is NaN; a finite number is wanted"
                       : "%s[1] is NaN; a finite number is wanted",
                 names[i]);
        assert_refused(&made, ERR_NON_FINITE_VALUE, pointer, detail);
        unmake(&made);
    }
}

/* ---- range ------------------------------------------------------------------------ */

/* features [1,2] = {0, x}, W [2,2] = {0, 0, 0, w}, b = {0, z}. */
struct edge {
    const char *dtype;
    double x, w, z, temperature, softcap, l2;
    const char *pointer, *detail; /* NULL: it is in range */
};

static struct made make_edge(const struct edge *edge)
{
    static double features[2], W[4], b[2];
    static int64_t labels[] = {0};
    struct made made = make(&task_loss);

    memcpy(features, (double[]){0, edge->x}, sizeof features);
    memcpy(W, (double[]){0, 0, 0, edge->w}, sizeof W);
    memcpy(b, (double[]){0, edge->z}, sizeof b);
    make_doubles(&made, "features", SHAPE(1, 2), features);
    make_doubles(&made, "W", SHAPE(2, 2), W);
    make_doubles(&made, "b", SHAPE(2), b);
    make_labels(&made, SHAPE(1), labels);
    make_text(&made, "dtype", edge->dtype);
    if (edge->temperature > 0)
        make_number(&made, "temperature", edge->temperature);
    if (edge->softcap > 0)
        make_number(&made, "softcap", edge->softcap);
    make_number(&made, "l2", edge->l2);
    make_return(&made, "loss,logits,gradient_features,gradient_W");
    return made;
}

static void model__is_refused_when_logits_leave_the_range(void **state)
{
    (void)state;
    const struct edge edges[] = {
        {.dtype = "float64", .x = 1e150, .w = -1e150},
        {"float64", 1e200, -1e200, 0, 0, 0, 0, "/features/0",
         "features[0] times W[1] plus b[1] is -Infinity, beyond the range of float64"},
        {"float32", 1e20, 1e20, 0, 0, 0, 0, "/features/0",
         "features[0] times W[1] plus b[1] is 1e+40, beyond the range of float32"},
        {.dtype = "float32", .x = 1e18, .w = 1e18},
        {.dtype = "float32", .x = 3.4028234663852886e38, .w = 1},
        {.dtype = "float32", .x = 3.4028235e38, .w = 1}, /* rounds to that */
        {"float32", 3.4028235677973366e38, 1, 0, 0, 0, 0, "/features/0",
         "features[0] times W[1] plus b[1] is 3.4028235677973366e+38, beyond the range "
         "of float32"},
        {.dtype = "float32", .z = 3.4028234663852886e38},
        {"float32", 0, 0, -1e39, 0, 0, 0, "/features/0",
         "features[0] times W[1] plus b[1] is -1e+39, beyond the range of float32"},
        {"float64", 5, 5, 0, 1e-307, 0, 0, "/features/0",
         "features[0] times W[1] plus b[1] is 25; divided by temperature 1e-307 it "
         "leaves the range of float64"},
        {.dtype = "float64", .x = 4, .w = 4, .temperature = 1e-307},
        {.dtype = "float64", .x = 5, .w = 5, .temperature = 1e-307, .softcap = 2},
        {"float64", 1, 1e160, 0, 0, 0, 1e-200, "/W/1/1",
         "W[1][1] is 1e+160: l2 1e-200 times the squares of 4 such weights may leave the "
         "range of float64"},
        {"float64", 1, 1e100, 0, 0, 0, 1e200, "/W/1/1",
         "W[1][1] is 1e+100: l2 1e+200 times the squares of 4 such weights may leave the "
         "range of float64"},
        {.dtype = "float64", .x = 1, .w = 1e150, .l2 = 1e6},
    };

    for (size_t i = 0; i < LENGTH(edges); i++) {
        struct made made = make_edge(&edges[i]);
        if (edges[i].detail) {
            assert_refused(&made, ERR_NON_FINITE_VALUE, edges[i].pointer,
                           edges[i].detail);
        } else {
            assert_scores(&made, NULL);
            assert_true(isfinite(made.result.loss));
        }
        unmake(&made);
    }
}

/* The largest numbers are in the model, but no logit has all of them. */
static void model__is_scored_when_its_largest_numbers_do_not_meet(void **state)
{
    (void)state;
    const struct {
        double features[4], W[4];
    } rows[] = {
        {{1e308, 1, 0, 0}, {0.9, 0, 0.1, 0}},
        {{1e200, 0, 0, 1e200}, {0, 0, 0, 0}},
        {{1e308, 1e308, 0, 0}, {1, 0, 0, 1}},
        {{1.7e308, 0, 0, 1.7e308}, {1, 1, 0, 0}},
        {{1.7e308, 1.7e308, 0, 0}, {1, -1, 0, 0}},
        {{1e200, 0, 1e200, 0}, {0, 1e200, 1, 0}},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double features[4], W[4];
        int64_t labels[] = {0, 1};
        struct made made = make(&task_loss);
        memcpy(features, rows[i].features, sizeof features);
        memcpy(W, rows[i].W, sizeof W);
        make_doubles(&made, "features", SHAPE(2, 2), features);
        make_doubles(&made, "W", SHAPE(2, 2), W);
        make_labels(&made, SHAPE(2), labels);
        make_return(&made, "loss,logits");
        assert_scores(&made, NULL);
        assert_true(isfinite(made.result.loss));
        for (size_t j = 0; j < 4; j++)
            assert_true(isfinite(doubles(made.result.logits)[j]));
        unmake(&made);
    }
}

/* To compute all logits of a large model would take a thread for long. */
static void model__that_is_large_is_judged_by_a_bound(void **state)
{
    (void)state;
    enum { ROWS = 512, DEPTH = 65 };
    static double features[ROWS * DEPTH], W[ROWS * DEPTH];
    static int64_t labels[ROWS];
    struct made made = make(&task_loss);

    features[DEPTH + 1] = 1e200;
    W[2] = -1e200;
    make_doubles(&made, "features", SHAPE(ROWS, DEPTH), features);
    make_doubles(&made, "W", SHAPE(ROWS, DEPTH), W);
    make_labels(&made, SHAPE(ROWS), labels);
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/features/1/1",
                   "features[1][1] is 1e+200 and W[0][2] is -1e+200: logits of 65 such "
                   "products may leave the range of float64");
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members__must_fit_each_other),
        cmocka_unit_test(shapes__must_fit_each_other),
        cmocka_unit_test(axis__is_the_last_one),
        cmocka_unit_test(logits__may_not_be_more_than_arrays_may_hold),
        cmocka_unit_test(options_of_a_model__want_a_model),
        cmocka_unit_test(l2__belongs_to_no_single_position),
        cmocka_unit_test(gradient_b__wants_b),
        cmocka_unit_test(inputs__are_finite),
        cmocka_unit_test(model__is_refused_when_logits_leave_the_range),
        cmocka_unit_test(model__is_scored_when_its_largest_numbers_do_not_meet),
        cmocka_unit_test(model__that_is_large_is_judged_by_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
