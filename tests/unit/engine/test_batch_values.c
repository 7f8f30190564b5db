/* What batch_check() refuses of the values: elements, labels, weights, targets and
 * masked classes, each with its pointer and its sentence.  Options are in
 * test_batch_options.c. */
#include "made.h"

static double ones[] = {1, 2, 3, 4, 5, 6};
static int64_t zeros[] = {0, 0, 0, 0, 0, 0};

/* ---- values ---------------------------------------------------------------------------- */

static void batch_check__reports_the_flaw_of_an_element(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        enum flaw flaw;
        size_t index;
        const char *text;
        enum err_kind kind;
        const char *pointer, *detail;
    } rows[] = {
        {"logits", FLAW_NAN, 4, "NaN", ERR_NON_FINITE_VALUE, "/logits/1/1",
         "logits[1][1] is NaN; a finite number or -Infinity is wanted"},
        {"logits", FLAW_NAN, 0, "null", ERR_NON_FINITE_VALUE, "/logits/0/0",
         "logits[0][0] is null; a finite number or -Infinity is wanted"},
        {"logits", FLAW_INFINITE, 2, "Infinity", ERR_NON_FINITE_VALUE, "/logits/0/2",
         "logits[0][2] is Infinity; a finite number or -Infinity is wanted"},
        {"logits", FLAW_OVERFLOW, 5, "1e999", ERR_NON_FINITE_VALUE, "/logits/1/2",
         "logits[1][2] is 1e999; beyond the range of float64"},
        {"labels", FLAW_BEYOND_INT64, 0, "1e30", ERR_LABEL_OUT_OF_RANGE, "/labels/0",
         "labels[0] is 1e30, outside 0..2 (ignore_index is -100)"},
        {"class_weights", FLAW_NAN, 1, "NaN", ERR_NON_FINITE_VALUE, "/class_weights/1",
         "class_weights[1] is NaN; a finite number is wanted"},
        {"sample_weights", FLAW_INFINITE, 1, "Infinity", ERR_NON_FINITE_VALUE,
         "/sample_weights/1", "sample_weights[1] is Infinity; a finite number is wanted"},
        {"sample_weights", FLAW_OVERFLOW, 0, "1e999", ERR_NON_FINITE_VALUE,
         "/sample_weights/0", "sample_weights[0] is 1e999; beyond the range of float64"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make_sound();
        if (strcmp(rows[i].member, "class_weights") == 0)
            make_doubles(&made, "class_weights", SHAPE(3), ones);
        if (strcmp(rows[i].member, "sample_weights") == 0)
            make_doubles(&made, "sample_weights", SHAPE(2), ones);
        for (enum member m = 0; m < MEMBERS; m++)
            if (strcmp(member_infos[m].name, rows[i].member) == 0)
                make_flaw(batch_array(&made.batch, m), rows[i].flaw, rows[i].index,
                          rows[i].text);
        assert_refused(&made, rows[i].kind, rows[i].pointer, rows[i].detail);
    }
}

static void batch_check__names_float32_where_the_array_is(void **state)
{
    (void)state;
    float logits[] = {1, 2, 3};
    double weights[] = {1, 2, 3};
    struct made made = make(&task_loss), other = make(&task_loss);

    make_text(&made, "dtype", "float32");
    struct array *array = make_floats(&made, "logits", SHAPE(3), logits);
    make_labels(&made, SHAPE_SCALAR, zeros);
    make_flaw(array, FLAW_OVERFLOW, 1, "1e39");
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/logits/1",
                   "logits[1] is 1e39; beyond the range of float32");
    make_text(&other, "dtype", "float32");
    make_floats(&other, "logits", SHAPE(3), logits);
    make_labels(&other, SHAPE_SCALAR, zeros);
    array = make_doubles(&other, "class_weights", SHAPE(3), weights);
    make_flaw(array, FLAW_OVERFLOW, 1, "1e999");
    assert_refused(&other, ERR_NON_FINITE_VALUE, "/class_weights/1",
                   "class_weights[1] is 1e999; beyond the range of float64");
}

/* The same of arrays that only some requests have. */
static void batch_check__reports_the_flaw_of_rarer_arrays(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        enum flaw flaw;
        size_t index;
        const char *text, *pointer, *detail;
    } rows[] = {
        {"targets", FLAW_NAN, 4, "NaN", "/targets/1/1",
         "targets[1][1] is NaN; a finite number is wanted"},
        {"targets", FLAW_INFINITE, 0, "Infinity", "/targets/0/0",
         "targets[0][0] is Infinity; a finite number is wanted"},
        {"pos_weight", FLAW_NAN, 0, "null", "/pos_weight/0",
         "pos_weight[0] is null; a finite number is wanted"},
        {"pos_weight", FLAW_INFINITE, 2, "Infinity", "/pos_weight/2",
         "pos_weight[2] is Infinity; a finite number is wanted"},
        {"pos_weight", FLAW_OVERFLOW, 1, "1e999", "/pos_weight/1",
         "pos_weight[1] is 1e999; beyond the range of float64"},
        {"features", FLAW_NAN, 1, "NaN", "/features/1/0",
         "features[1][0] is NaN; a finite number is wanted"},
        {"features", FLAW_OVERFLOW, 0, "-1e999", "/features/0/0",
         "features[0][0] is -1e999; beyond the range of float64"},
        {"W", FLAW_INFINITE, 2, "-Infinity", "/W/2/0",
         "W[2][0] is -Infinity; a finite number is wanted"},
        {"W", FLAW_OVERFLOW, 1, "1e999", "/W/1/0",
         "W[1][0] is 1e999; beyond the range of float64"},
        {"b", FLAW_NAN, 2, "null", "/b/2", "b[2] is null; a finite number is wanted"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double targets[] = {0, 0, 0, 0, 0, 0};
        struct made made = make(&task_loss);
        if (strlen(rows[i].member) == 1 || strcmp(rows[i].member, "features") == 0) {
            make_text(&made, "dtype", "float32"); /* that of the answer's arrays */
            make_doubles(&made, "features", SHAPE(2, 1), ones);
            make_doubles(&made, "W", SHAPE(3, 1), ones);
            make_doubles(&made, "b", SHAPE(3), ones);
        } else {
            make_doubles(&made, "logits", SHAPE(2, 3), ones);
            make_doubles(&made, "pos_weight", SHAPE(3), ones);
        }
        make_doubles(&made, "targets", SHAPE(2, 3), targets);
        make_text(&made, "loss",
                  batch_is_linear(&made.batch) ? "kl_div" : "bce_with_logits");
        for (enum member m = 0; m < MEMBERS; m++)
            if (strcmp(member_infos[m].name, rows[i].member) == 0)
                make_flaw(batch_array(&made.batch, m), rows[i].flaw, rows[i].index,
                          rows[i].text);
        assert_refused(&made, ERR_NON_FINITE_VALUE, rows[i].pointer, rows[i].detail);
    }
}

static void batch_check__refuses_labels_that_are_no_class(void **state)
{
    (void)state;
    static const struct {
        int64_t labels[2];
        double ignore_index;
        const char *pointer, *detail; /* NULL: sound */
    } rows[] = {
        {{2, -100}, -100, NULL, NULL},
        {{-1, 0}, -1, NULL, NULL},
        {{7, 1}, 7, NULL, NULL},
        {{0, 3},
         -100,
         "/labels/1",
         "labels[1] is 3, outside 0..2 (ignore_index is -100)"},
        {{-1, 3},
         -100,
         "/labels/0",
         "labels[0] is -1, outside 0..2 (ignore_index is -100)"},
        {{1, -100},
         5,
         "/labels/1",
         "labels[1] is -100, outside 0..2 (ignore_index is 5)"},
        {{INT64_MIN, 0},
         -100,
         "/labels/0",
         "labels[0] is -9223372036854775808, outside 0..2 (ignore_index is -100)"},
        {{INT64_MAX, 0},
         -100,
         "/labels/0",
         "labels[0] is 9223372036854775807, outside 0..2 (ignore_index is -100)"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        int64_t labels[2];
        struct made made = make(&task_loss);
        memcpy(labels, rows[i].labels, sizeof labels);
        make_labels(&made, SHAPE(2), labels);
        make_doubles(&made, "logits", SHAPE(2, 3), ones);
        make_number(&made, "ignore_index", rows[i].ignore_index);
        if (rows[i].detail)
            assert_refused(&made, ERR_LABEL_OUT_OF_RANGE, rows[i].pointer,
                           rows[i].detail);
        else
            assert_true(batch_check(&made.batch, &made.err));
    }
    struct made scalar = make(&task_loss);
    int64_t label = 3;
    make_doubles(&scalar, "logits", SHAPE(3), ones);
    make_labels(&scalar, SHAPE_SCALAR, &label);
    assert_refused(&scalar, ERR_LABEL_OUT_OF_RANGE, "/labels",
                   "labels is 3, outside 0..2 (ignore_index is -100)");
}

static void batch_check__refuses_negative_weights(void **state)
{
    (void)state;
    double negative[] = {1, -0.1, 1}, infinite[] = {-INFINITY, 1, 1};
    double fine[] = {-0.0, 0, 5e-324};
    struct made a = make_sound(), b = make_sound(), c = make_sound(), d = make_sound();

    make_doubles(&a, "class_weights", SHAPE(3), negative);
    assert_refused(&a, ERR_INVALID_OPTION, "/class_weights/1",
                   "class_weights[1] is -0.1; a weight is finite and not negative");
    make_doubles(&b, "sample_weights", SHAPE(2), negative);
    assert_refused(&b, ERR_INVALID_OPTION, "/sample_weights/1",
                   "sample_weights[1] is -0.1; a weight is finite and not negative");
    make_doubles(&c, "sample_weights", SHAPE(2), infinite);
    assert_refused(&c, ERR_INVALID_OPTION, "/sample_weights/0",
                   "sample_weights[0] is -Infinity; a weight is finite and not negative");
    make_doubles(&d, "class_weights", SHAPE(3), fine);
    assert_true(batch_check(&d.batch, &d.err));
}

static void batch_check__refuses_a_negative_pos_weight(void **state)
{
    (void)state;
    static const struct {
        double weights[3];
        const char *pointer, *detail; /* NULL: sound */
    } rows[] = {
        {{-0.0, 5e-324, 1.7e308}, NULL, NULL},
        {{0, 0, 0}, NULL, NULL},
        {{1, 1, -5e-324},
         "/pos_weight/2",
         "pos_weight[2] is -5e-324; a weight is finite and not negative"},
        {{-3, -2, 1},
         "/pos_weight/0",
         "pos_weight[0] is -3; a weight is finite and not negative"},
        {{1, -INFINITY, 1},
         "/pos_weight/1",
         "pos_weight[1] is -Infinity; a weight is finite and not negative"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double weights[3], targets[] = {0, 0.5, 1};
        struct made made = make(&task_loss);
        memcpy(weights, rows[i].weights, sizeof weights);
        make_text(&made, "loss", "bce_with_logits");
        make_doubles(&made, "logits", SHAPE(3), ones);
        make_doubles(&made, "targets", SHAPE(3), targets);
        make_doubles(&made, "pos_weight", SHAPE(3), weights);
        if (rows[i].detail)
            assert_refused(&made, ERR_INVALID_OPTION, rows[i].pointer, rows[i].detail);
        else if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
    }
}

static struct made with_targets(struct shape shape, double axis, double *targets)
{
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", shape, ones);
    make_number(&made, "axis", axis);
    make_doubles(&made, "targets", shape, targets);
    return made;
}

static void batch_check__wants_rows_of_targets_to_be_distributions(void **state)
{
    (void)state;
    double sound_sums[] = {0.5, 0.4995, 0, 0.2, 0.3, 0.5009};
    double low[] = {0, 1, 0, 0.5, 0.25, 0.125};
    double negative[] = {1.5, -0.5, 0, 0, 0, 1}, nothing[] = {0, 0, 0, 1, 0, 0};
    double column[] = {1, 0, 1, 1, 0, 0}, huge[] = {1e308, 1e308, 0, 0, 0, 1};
    struct made made = with_targets(SHAPE(2, 3), -1, sound_sums);

    assert_true(batch_check(&made.batch, &made.err));
    made = with_targets(SHAPE(2, 3), -1, low);
    assert_refused(&made, ERR_INVALID_OPTION, "/targets/1",
                   "the row of targets at targets[1] sums to 0.875; 1 within 0.001 is "
                   "wanted");
    made = with_targets(SHAPE(2, 3), 1, nothing);
    assert_refused(
        &made, ERR_INVALID_OPTION, "/targets/0",
        "the row of targets at targets[0] sums to 0; 1 within 0.001 is wanted");
    made = with_targets(SHAPE(2, 3), -1, negative);
    assert_refused(&made, ERR_INVALID_OPTION, "/targets/0/1",
                   "targets[0][1] is -0.5; a share of a distribution is not negative");
    made = with_targets(SHAPE(2, 3), -1, huge);
    assert_false(batch_check(&made.batch, &made.err));
    assert_int_equal(made.err.kind, ERR_INVALID_OPTION);
    made = with_targets(SHAPE(3), -1, low);
    assert_true(batch_check(&made.batch, &made.err));
    made = with_targets(SHAPE(3), -1, nothing);
    assert_refused(&made, ERR_INVALID_OPTION, "/targets",
                   "targets sums to 0; 1 within 0.001 is wanted");
    /* columns [1 1 0] and [0 1 0]: the first element stands for a row apart */
    made = with_targets(SHAPE(3, 2), 0, column);
    assert_refused(&made, ERR_INVALID_OPTION, "/targets/0/0",
                   "the row of targets at targets[0][0] sums to 2; 1 within 0.001 is "
                   "wanted");
    made = with_targets(SHAPE(3, 1), 0, nothing);
    assert_refused(&made, ERR_INVALID_OPTION, "/targets/0/0",
                   "the row of targets at targets[0][0] sums to 0; 1 within 0.001 is "
                   "wanted");
}

/* What is off by a thousandth in the sender's digits may be off by a little more in
 * binary, and is taken; what is off by more is not. */
static void batch_check__allows_for_the_rounding_of_a_sum(void **state)
{
    (void)state;
    for (int side = -1; side <= 1; side += 2)
        for (int part = 0; part <= 1000 + side; part++) {
            double targets[] = {part / 1000., (1000 + side - part) / 1000.};
            struct made made = with_targets(SHAPE(2), -1, targets);
            if (!batch_check(&made.batch, &made.err))
                fail_msg("%g and %g: %s", targets[0], targets[1], made.err.detail);
            targets[part > 0 ? 0 : 1] += side * 1e-14;
            made = with_targets(SHAPE(2), -1, targets);
            assert_false(batch_check(&made.batch, &made.err));
        }
}

/* A target of an elementwise loss says how true its class is, by itself: rows need not
 * sum to anything, and the first element out of its range is the one at fault. */
static void batch_check__wants_targets_that_tell_to_be_from_0_to_1(void **state)
{
    (void)state;
    static const struct {
        double axis, targets[6];
        enum flaw flaw; /* of the last element */
        enum err_kind kind;
        const char *pointer, *detail; /* NULL: sound */
    } rows[] = {
        {-1, {0, 0, 0, 1, 1, 1}, FLAW_NONE, ERR_NONE, NULL, NULL},
        {0, {-0.0, 5e-324, 0.5, 1, 1, 0}, FLAW_NONE, ERR_NONE, NULL, NULL},
        {-1,
         {0, 0.5, 1, 0, 1.0000000000000002, 0},
         FLAW_NONE,
         ERR_INVALID_OPTION,
         "/targets/1/1",
         "targets[1][1] is 1.0000000000000002; a number from 0 to 1 is wanted"},
        {0,
         {0, 0, 7, 0, 0, 0},
         FLAW_NONE,
         ERR_INVALID_OPTION,
         "/targets/0/2",
         "targets[0][2] is 7; a number from 0 to 1 is wanted"},
        {-1,
         {0, -5e-324, 0, 0, 0, 0},
         FLAW_NONE,
         ERR_INVALID_OPTION,
         "/targets/0/1",
         "targets[0][1] is -5e-324; a number from 0 to 1 is wanted"},
        {-1,
         {0, 2, -1, 0, 0, 0},
         FLAW_NONE,
         ERR_INVALID_OPTION,
         "/targets/0/1",
         "targets[0][1] is 2; a number from 0 to 1 is wanted"},
        {-1,
         {0, -1, 2, 0, 0, 0},
         FLAW_NONE,
         ERR_INVALID_OPTION,
         "/targets/0/1",
         "targets[0][1] is -1; a number from 0 to 1 is wanted"},
        {-1,
         {0, 2, 0, 0, 0, NAN},
         FLAW_NAN,
         ERR_INVALID_OPTION,
         "/targets/0/1",
         "targets[0][1] is 2; a number from 0 to 1 is wanted"},
        {-1,
         {0, 1, 0, 0, 0, NAN},
         FLAW_NAN,
         ERR_NON_FINITE_VALUE,
         "/targets/1/2",
         "targets[1][2] is NaN; a finite number is wanted"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double targets[6];
        memcpy(targets, rows[i].targets, sizeof targets);
        struct made made = with_targets(SHAPE(2, 3), rows[i].axis, targets);
        make_text(&made, "loss", "bce_with_logits");
        if (rows[i].flaw != FLAW_NONE)
            make_flaw(&made.batch.targets, rows[i].flaw, 5, "NaN");
        if (rows[i].detail)
            assert_refused(&made, rows[i].kind, rows[i].pointer, rows[i].detail);
        else if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
    }
}

/* Of a divergence rows may have any sum. */
static void batch_check__wants_targets_that_measure_not_to_be_negative(void **state)
{
    (void)state;
    double any[] = {0, 0, 0, 7, 1e300, -0.0}, negative[] = {0, 7, -5e-324, 0, 0, -1};
    struct made made = with_targets(SHAPE(2, 3), -1, any);

    make_text(&made, "loss", "kl_div");
    assert_true(batch_check(&made.batch, &made.err));
    made = with_targets(SHAPE(2, 3), -1, negative);
    make_text(&made, "loss", "kl_div");
    assert_refused(&made, ERR_INVALID_OPTION, "/targets/0/2",
                   "targets[0][2] is -5e-324; a share of a distribution is not negative");
}

static void batch_check__refuses_what_a_temperature_drives_out_of_range(void **state)
{
    (void)state;
    double huge[] = {1, 2e307, -INFINITY};
    float wide[] = {1, -2e37F, 3};
    struct made made = make(&task_softmax);

    make_doubles(&made, "logits", SHAPE(3), huge);
    make_number(&made, "temperature", 0.125);
    assert_true(batch_check(&made.batch, &made.err)); /* 1.6e308 */
    made = make(&task_softmax);
    make_doubles(&made, "logits", SHAPE(1, 3), huge);
    make_number(&made, "temperature", 0.1);
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/logits/0/1",
                   "logits[0][1] is 2e+307; divided by temperature 0.1 it leaves the "
                   "range of float64");
    made = make(&task_softmax);
    make_floats(&made, "logits", SHAPE(3), wide);
    make_text(&made, "dtype", "float32");
    make_number(&made, "temperature", 0.05);
    assert_false(batch_check(&made.batch, &made.err));
    assert_int_equal(made.err.kind, ERR_NON_FINITE_VALUE);
    assert_string_equal(made.err.pointer, "/logits/1");
    assert_non_null(strstr(made.err.detail, "it leaves the range of float32"));
    made = make(&task_softmax);
    make_floats(&made, "logits", SHAPE(3), wide);
    make_text(&made, "dtype", "float32");
    make_number(&made, "temperature", 0.0625);
    assert_true(batch_check(&made.batch, &made.err)); /* 3.2e38 */
}

/* Position 1 of three, along an axis that is not the last. */
static void batch_check__lets_a_temperature_drive_away_what_is_ignored(void **state)
{
    (void)state;
    double logits[] = {1, 2e307, 3, 4, 5, 6};
    int64_t labels[] = {0, -100, 1};

    for (int64_t ignored = 0; ignored < 3; ignored++) {
        struct made made = make(&task_loss);
        labels[1] = ignored == 1 ? -100 : 1;
        labels[2] = ignored == 2 ? -100 : 1;
        make_doubles(&made, "logits", SHAPE(2, 3), logits);
        make_labels(&made, SHAPE(3), labels);
        make_number(&made, "axis", 0);
        make_number(&made, "temperature", 0.1);
        assert_int_equal(batch_check(&made.batch, &made.err), ignored == 1);
    }
}

/* Nothing is known of the label but that it is too large: 0 stands for it. */
static void batch_check__does_not_take_a_wrong_label_for_one_to_ignore(void **state)
{
    (void)state;
    double logits[] = {1, 2e307};
    int64_t labels[] = {0};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(1, 2), logits);
    make_flaw(make_labels(&made, SHAPE(1), labels), FLAW_BEYOND_INT64, 0, "1e30");
    make_number(&made, "ignore_index", 0);
    make_number(&made, "temperature", 0.1);
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/logits/0/1",
                   "logits[0][1] is 2e+307; divided by temperature 0.1 it leaves the "
                   "range of float64");
}

/* A cap comes before the temperature, and what it leaves is small. */
static void batch_check__lets_a_cap_keep_logits_in_range(void **state)
{
    (void)state;
    double huge[] = {1, 1.7e308, -1.7e308};
    struct made made = make(&task_softmax);

    make_doubles(&made, "logits", SHAPE(3), huge);
    make_number(&made, "softcap", 1e300);
    make_number(&made, "temperature", 1e-8);
    assert_true(batch_check(&made.batch, &made.err)); /* 1e308 */
    made = make(&task_softmax);
    make_doubles(&made, "logits", SHAPE(3), huge);
    make_number(&made, "softcap", 1e300);
    make_number(&made, "temperature", 1e-9);
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/logits/1",
                   "logits[1] is 1.7e+308; divided by temperature 1e-9 it leaves the "
                   "range of float64");
}

/* ---- masked classes ----------------------------------------------------------------------- */

struct mask_row {
    double logits[6];
    int64_t labels[2];
    double smoothing;
    const char *weights; /* the member that has a 0 */
    enum err_kind kind;
    const char *pointer, *detail;
};

#define MASK (-INFINITY)

static const struct mask_row mask_rows[] = {
    {.logits = {0, MASK, 1, 1, 2, MASK}, .labels = {0, 1}},
    {.logits = {0, MASK, 1, MASK, MASK, MASK}, .labels = {0, -100}, .smoothing = 0},
    {.logits = {0, 1, 2, MASK, 0, 1}, .labels = {0, -100}, .smoothing = 0.1},
    {.logits = {0, 1, 2, MASK, 0, 1}, .labels = {1, 0}, .weights = "class_weights"},
    {.logits = {MASK, 1, 2, 1, 0, 1}, .labels = {0, 0}, .weights = "sample_weights"},
    {.logits = {0, 1, 2, 1, MASK, 0},
     .labels = {0, 1},
     .kind = ERR_MASKED_LABEL,
     .pointer = "/labels/1",
     .detail = "labels[1] is 1, but logits[1][1] is -Infinity: the class is masked"},
    {.logits = {0, 1, 2, MASK, MASK, MASK},
     .labels = {0, 1},
     .kind = ERR_ALL_MASKED,
     .pointer = "/logits/1",
     .detail = "every class of logits[1] is -Infinity; at least one finite logit is "
               "wanted"},
    {.logits = {0, MASK, 2, 1, 2, 3},
     .labels = {0, 1},
     .smoothing = 0.25,
     .kind = ERR_MASKED_LABEL,
     .pointer = "/logits/0/1",
     .detail = "logits[0][1] is -Infinity, a masked class, to which label_smoothing 0.25 "
               "would give a share"},
    {.logits = {MASK, MASK, MASK, 1, 2, 3},
     .labels = {1, 1},
     .weights = "sample_weights",
     .kind = ERR_ALL_MASKED,
     .pointer = "/logits/0",
     .detail = "every class of logits[0] is -Infinity; at least one finite logit is "
               "wanted"},
};

static void batch_check__refuses_masked_classes_that_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(mask_rows); i++) {
        const struct mask_row *row = &mask_rows[i];
        double logits[6], weights[] = {0, 1, 1};
        int64_t labels[2];
        struct made made = make(&task_loss);

        memcpy(logits, row->logits, sizeof logits);
        memcpy(labels, row->labels, sizeof labels);
        make_doubles(&made, "logits", SHAPE(2, 3), logits);
        make_labels(&made, SHAPE(2), labels);
        make_number(&made, "label_smoothing", row->smoothing);
        if (row->weights)
            make_doubles(&made, row->weights,
                         row->weights[0] == 'c' ? SHAPE(3) : SHAPE(2), weights);
        if (row->kind != ERR_NONE)
            assert_refused(&made, row->kind, row->pointer, row->detail);
        else if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
    }
}

static void batch_check__refuses_a_share_for_a_masked_class(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3, 1, MASK, 3}, targets[] = {0, 1, 0, 0.5, 0, 0.5};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 3), logits);
    make_doubles(&made, "targets", SHAPE(2, 3), targets);
    assert_true(batch_check(&made.batch, &made.err));
    targets[4] = 0.25;
    targets[5] = 0.25;
    made = make(&task_loss);
    make_doubles(&made, "logits", SHAPE(2, 3), logits);
    make_doubles(&made, "targets", SHAPE(2, 3), targets);
    assert_refused(&made, ERR_MASKED_LABEL, "/targets/1/1",
                   "targets[1][1] is 0.25, but logits[1][1] is -Infinity: the class is "
                   "masked");
}

/* What a loss says of a class that is masked and true, or half true. */
static void batch_check__refuses_masked_classes_whatever_the_loss(void **state)
{
    (void)state;
    static const struct {
        const char *loss;
        double target; /* of the masked class; of a loss with labels: is it the label? */
        const char *pointer, *detail; /* NULL: sound */
    } rows[] = {
        {"nll", 0, NULL, NULL},
        {"nll", 1, "/labels",
         "labels is 1, but logits[1] is -Infinity: the class is masked"},
        {"hinge", 0, NULL, NULL},
        {"hinge", 1, "/labels",
         "labels is 1, but logits[1] is -Infinity: the class is masked"},
        {"bce_with_logits", 0, NULL, NULL},
        {"bce_with_logits", 5e-324, "/targets/1",
         "targets[1] is 5e-324, but logits[1] is -Infinity: the class is masked"},
        {"bce_with_logits", 1, "/targets/1",
         "targets[1] is 1, but logits[1] is -Infinity: the class is masked"},
        {"kl_div", 0, NULL, NULL},
        {"kl_div", 3, "/targets/1",
         "targets[1] is 3, but logits[1] is -Infinity: the class is masked"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double logits[] = {0, MASK, 1}, targets[] = {1, rows[i].target, 0};
        int64_t label = (int64_t)rows[i].target;
        struct made made = make(&task_loss);
        make_text(&made, "loss", rows[i].loss);
        make_doubles(&made, "logits", SHAPE(3), logits);
        if (made.batch.loss->truths & TRUTH_LABELS)
            make_labels(&made, SHAPE_SCALAR, &label);
        else
            make_doubles(&made, "targets", SHAPE(3), targets);
        if (rows[i].detail)
            assert_refused(&made, ERR_MASKED_LABEL, rows[i].pointer, rows[i].detail);
        else if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
    }
}

static void batch_check__refuses_softmax_of_a_masked_row(void **state)
{
    (void)state;
    double logits[] = {1, MASK, MASK, MASK};
    struct made made = make(&task_softmax);

    make_doubles(&made, "logits", SHAPE(2, 2), logits);
    assert_refused(&made, ERR_ALL_MASKED, "/logits/1",
                   "every class of logits[1] is -Infinity; at least one finite logit is "
                   "wanted");
    made = make(&task_softmax); /* its columns are not masked */
    make_doubles(&made, "logits", SHAPE(2, 2), (double[]){1, MASK, MASK, 2});
    make_number(&made, "axis", 0);
    assert_true(batch_check(&made.batch, &made.err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_check__reports_the_flaw_of_an_element),
        cmocka_unit_test(batch_check__names_float32_where_the_array_is),
        cmocka_unit_test(batch_check__reports_the_flaw_of_rarer_arrays),
        cmocka_unit_test(batch_check__refuses_labels_that_are_no_class),
        cmocka_unit_test(batch_check__refuses_negative_weights),
        cmocka_unit_test(batch_check__refuses_a_negative_pos_weight),
        cmocka_unit_test(batch_check__wants_rows_of_targets_to_be_distributions),
        cmocka_unit_test(batch_check__allows_for_the_rounding_of_a_sum),
        cmocka_unit_test(batch_check__wants_targets_that_tell_to_be_from_0_to_1),
        cmocka_unit_test(batch_check__wants_targets_that_measure_not_to_be_negative),
        cmocka_unit_test(batch_check__refuses_what_a_temperature_drives_out_of_range),
        cmocka_unit_test(batch_check__lets_a_temperature_drive_away_what_is_ignored),
        cmocka_unit_test(batch_check__does_not_take_a_wrong_label_for_one_to_ignore),
        cmocka_unit_test(batch_check__lets_a_cap_keep_logits_in_range),
        cmocka_unit_test(batch_check__refuses_masked_classes_that_count),
        cmocka_unit_test(batch_check__refuses_a_share_for_a_masked_class),
        cmocka_unit_test(batch_check__refuses_masked_classes_whatever_the_loss),
        cmocka_unit_test(batch_check__refuses_softmax_of_a_masked_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
