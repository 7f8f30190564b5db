/* What batch_check() refuses of members and shapes, with the pointer and the
 * sentence, and which error wins where there are several.  Values are in
 * test_batch_values.c. */
#include "made.h"

#include "lossd/engine/place.h"

static double ones[] = {1, 2, 3, 4, 5, 6};
static int64_t zeros[] = {0, 0, 0, 0, 0, 0};

static void batch_check__derives_classes_and_positions(void **state)
{
    (void)state;
    static double logits[24];
    static const struct {
        double axis;
        size_t classes, positions, inner;
        const char *shape;
    } rows[] = {{-1, 4, 6, 1, "[2,3]"}, {0, 2, 12, 12, "[3,4]"},
                {1, 3, 8, 4, "[2,4]"},  {2, 4, 6, 1, "[2,3]"},
                {-2, 3, 8, 4, "[2,4]"}, {-3, 2, 12, 12, "[3,4]"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_softmax);
        char shape[PLACE_SIZE];
        make_doubles(&made, "logits", SHAPE(2, 3, 4), logits);
        make_number(&made, "axis", rows[i].axis);
        assert_true(batch_check(&made.batch, &made.err));
        assert_int_equal(made.batch.classes, rows[i].classes);
        assert_int_equal(made.batch.positions, rows[i].positions);
        assert_int_equal(made.batch.inner, rows[i].inner);
        shape_words(shape, &made.batch.position_shape);
        assert_string_equal(shape, rows[i].shape);
    }
}

static void batch_check__derives_the_logits_of_a_linear_model(void **state)
{
    (void)state;
    static double features[24], W[20];
    static const struct {
        struct shape features;
        const char *dtype;
        enum element element;
        size_t positions;
        const char *logits, *shape;
    } rows[] = {
        {{2, {6, 4}}, "float64", ELEMENT_FLOAT64, 6, "[6,5]", "[6]"},
        {{1, {4}}, "float64", ELEMENT_FLOAT64, 1, "[5]", "[]"},
        {{3, {2, 3, 4}}, "float32", ELEMENT_FLOAT32, 6, "[2,3,5]", "[2,3]"},
        {{8, {1, 1, 1, 2, 1, 1, 1, 4}},
         "float64",
         ELEMENT_FLOAT64,
         2,
         "[1,1,1,2,1,1,1,5]",
         "[1,1,1,2,1,1,1]"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        const struct batch *batch = &made.batch;
        char shape[PLACE_SIZE];
        struct shape positions = rows[i].features;
        positions.rank--;
        make_doubles(&made, "W", SHAPE(5, 4), W);
        make_text(&made, "dtype", rows[i].dtype);
        make_labels(&made, positions, zeros);
        make_doubles(&made, "features", rows[i].features, features);
        if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
        assert_int_equal(batch->classes, 5);
        assert_int_equal(batch->positions, rows[i].positions);
        assert_int_equal(batch->inner, 1);
        assert_int_equal(batch->features_of_row, 4);
        assert_int_equal(batch->logits.element, rows[i].element);
        assert_int_equal(batch->logits.count, rows[i].positions * 5);
        shape_words(shape, &batch->logits.shape);
        assert_string_equal(shape, rows[i].logits);
        shape_words(shape, &batch->position_shape);
        assert_string_equal(shape, rows[i].shape);
    }
}

/* ---- members -------------------------------------------------------------------------- */

static void batch_check__wants_logits_and_truth(void **state)
{
    (void)state;
    struct made nothing = make(&task_loss), softmax = make(&task_softmax);
    struct made no_logits = make(&task_loss), no_truth = make(&task_loss);

    assert_refused(&nothing, ERR_MISSING_MEMBER, "/logits", "logits is missing");
    assert_refused(&softmax, ERR_MISSING_MEMBER, "/logits", "logits is missing");
    make_labels(&no_logits, SHAPE(2), zeros);
    assert_refused(&no_logits, ERR_MISSING_MEMBER, "/logits", "logits is missing");
    make_doubles(&no_truth, "logits", SHAPE(2, 3), ones);
    assert_refused(&no_truth, ERR_MISSING_MEMBER, "/labels",
                   "labels is missing; labels or targets must say what is true");
}

static void batch_check__refuses_members_that_exclude_each_other(void **state)
{
    (void)state;
    struct made both = make_sound(), nll = make(&task_loss);

    make_doubles(&both, "targets", SHAPE(2, 3), ones);
    assert_refused(&both, ERR_CONFLICTING_MEMBERS, "/targets",
                   "labels and targets are both given; one of them is wanted");
    make_doubles(&nll, "logits", SHAPE(2, 3), ones);
    make_doubles(&nll, "targets", SHAPE(2, 3), ones);
    make_text(&nll, "loss", "nll");
    assert_refused(&nll, ERR_CONFLICTING_MEMBERS, "/targets",
                   "targets is given; the loss nll takes labels");
}

/* Scores are given or made, not both; what is made takes features and W.  The rest is in
 * test_linear_check.c. */
static void batch_check__wants_logits_or_what_makes_them(void **state)
{
    (void)state;
    static const struct {
        const char *members[4];
        enum err_kind kind;
        const char *pointer, *detail;
    } rows[] = {
        {{"logits", "W"},
         ERR_CONFLICTING_MEMBERS,
         "/W",
         "logits and W are both given; logits, or features and W are wanted"},
        {{"b", "W", "features", "logits"},
         ERR_CONFLICTING_MEMBERS,
         "/features",
         "logits and features are both given; logits, or features and W are wanted"},
        {{"logits", "features"},
         ERR_CONFLICTING_MEMBERS,
         "/features",
         "logits and features are both given; logits, or features and W are wanted"},
        {{"W", "b"},
         ERR_MISSING_MEMBER,
         "/features",
         "features is missing; W and b come with it"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        for (size_t m = 0; m < LENGTH(rows[i].members) && rows[i].members[m]; m++)
            make_doubles(&made, rows[i].members[m], SHAPE(2), ones);
        make_labels(&made, SHAPE_SCALAR, zeros);
        assert_refused(&made, rows[i].kind, rows[i].pointer, rows[i].detail);
    }
    struct made made = make(&task_loss); /* what is missing wins */
    make_doubles(&made, "logits", SHAPE(2), ones);
    make_doubles(&made, "W", SHAPE(2), ones);
    assert_refused(&made, ERR_MISSING_MEMBER, "/labels",
                   "labels is missing; labels or targets must say what is true");
}

/* Every loss against every way to say what is true. */
static void batch_check__takes_the_truths_of_the_loss(void **state)
{
    (void)state;
    static const struct {
        const char *loss;
        bool labels, targets;
        enum err_kind kind;
        const char *pointer, *detail; /* NULL: sound */
    } rows[] = {
        {"cross_entropy", true, false, ERR_NONE, NULL, NULL},
        {"cross_entropy", false, true, ERR_NONE, NULL, NULL},
        {"nll", true, false, ERR_NONE, NULL, NULL},
        {"nll", false, true, ERR_CONFLICTING_MEMBERS, "/targets",
         "targets is given; the loss nll takes labels"},
        {"nll", false, false, ERR_MISSING_MEMBER, "/labels", "labels is missing"},
        {"nll", true, true, ERR_CONFLICTING_MEMBERS, "/targets",
         "labels and targets are both given; one of them is wanted"},
        {"hinge", true, false, ERR_NONE, NULL, NULL},
        {"hinge", false, true, ERR_CONFLICTING_MEMBERS, "/targets",
         "targets is given; the loss hinge takes labels"},
        {"hinge", false, false, ERR_MISSING_MEMBER, "/labels", "labels is missing"},
        {"bce_with_logits", false, true, ERR_NONE, NULL, NULL},
        {"bce_with_logits", true, false, ERR_CONFLICTING_MEMBERS, "/labels",
         "labels is given; the loss bce_with_logits takes targets"},
        {"bce_with_logits", true, true, ERR_CONFLICTING_MEMBERS, "/targets",
         "labels and targets are both given; one of them is wanted"},
        {"bce_with_logits", false, false, ERR_MISSING_MEMBER, "/targets",
         "targets is missing; the loss bce_with_logits takes it"},
        {"kl_div", false, true, ERR_NONE, NULL, NULL},
        {"kl_div", true, false, ERR_CONFLICTING_MEMBERS, "/labels",
         "labels is given; the loss kl_div takes targets"},
        {"kl_div", false, false, ERR_MISSING_MEMBER, "/targets",
         "targets is missing; the loss kl_div takes it"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double targets[] = {0.5, 0.5, 0, 0, 0, 1};
        struct made made = make(&task_loss);
        if (rows[i].targets)
            make_doubles(&made, "targets", SHAPE(2, 3), targets);
        if (rows[i].labels)
            make_labels(&made, SHAPE(2), zeros);
        make_doubles(&made, "logits", SHAPE(2, 3), ones);
        make_text(&made, "loss", rows[i].loss);
        if (rows[i].detail)
            assert_refused(&made, rows[i].kind, rows[i].pointer, rows[i].detail);
        else if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
    }
}

/* ---- shapes --------------------------------------------------------------------------- */

static void batch_check__refuses_an_empty_batch(void **state)
{
    (void)state;
    const struct shape shapes[] = {SHAPE(0), SHAPE(2, 0), SHAPE(0, 3)};

    for (size_t i = 0; i < LENGTH(shapes); i++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", shapes[i], ones);
        make_labels(&made, SHAPE(0), zeros);
        assert_refused(&made, ERR_EMPTY_BATCH, "/logits",
                       "logits is empty; at least one row of one class is wanted");
    }
}

static void batch_check__refuses_an_axis_that_is_none(void **state)
{
    (void)state;
    static const struct {
        double axis;
        const char *detail;
    } rows[] = {
        {2, "axis is 2; an integer from -2 to 1 is wanted for logits of rank 2"},
        {-3, "axis is -3; an integer from -2 to 1 is wanted for logits of rank 2"},
        {1e15, "axis is 1000000000000000; an integer from -2 to 1 is wanted for logits "
               "of rank 2"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make_sound();
        make_number(&made, "axis", rows[i].axis);
        assert_refused(&made, ERR_INVALID_OPTION, "/axis", rows[i].detail);
    }
}

static void batch_check__holds_classes_to_their_limit(void **state)
{
    (void)state;
    struct limits limits = made_limits;
    struct made most = make_sound(), more = make_sound();

    limits.max_classes = 3;
    most.batch.limits = &limits;
    assert_true(batch_check(&most.batch, &most.err));
    limits.max_classes = 2;
    more.batch.limits = &limits;
    assert_refused(&more, ERR_TOO_LARGE, "/logits",
                   "logits has 3 classes; at most 2 are allowed");
    assert_int_equal(more.err.limit, 2);
    assert_string_equal(more.err.flag, "--max-classes");
}

/* Of a linear model the classes are the rows of W, and nobody sent logits. */
static void batch_check__holds_the_classes_of_a_model_to_their_limit(void **state)
{
    (void)state;
    struct limits limits = made_limits;

    for (limits.max_classes = 2; limits.max_classes <= 3; limits.max_classes++) {
        struct made made = make(&task_loss);
        made.batch.limits = &limits;
        make_doubles(&made, "features", SHAPE(1, 2), ones);
        make_doubles(&made, "W", SHAPE(3, 2), ones);
        make_labels(&made, SHAPE(1), zeros);
        if (limits.max_classes == 3) {
            assert_true(batch_check(&made.batch, &made.err));
            continue;
        }
        assert_refused(&made, ERR_TOO_LARGE, "/W",
                       "W has 3 classes; at most 2 are allowed");
        assert_int_equal(made.err.limit, 2);
        assert_string_equal(made.err.flag, "--max-classes");
    }
}

struct shape_row {
    const char *member;
    struct shape logits;
    double axis;
    struct shape shape;
    const char *detail; /* NULL: it fits */
};

static const struct shape_row shape_rows[] = {
    {"labels", {2, {2, 3}}, -1, {1, {2}}, NULL},
    {"labels", {1, {3}}, -1, {0, {0}}, NULL},
    {"labels", {1, {3}}, 0, {0, {0}}, NULL},
    {"labels", {3, {1, 2, 3}}, 1, {2, {1, 3}}, NULL},
    {"labels",
     {2, {2, 3}},
     -1,
     {1, {4}},
     "labels has shape [4]; [2] is wanted for logits of shape [2,3]"},
    {"labels",
     {2, {2, 3}},
     -1,
     {2, {2, 1}},
     "labels has shape [2,1]; [2] is wanted for logits of shape [2,3]"},
    {"labels",
     {1, {3}},
     -1,
     {1, {1}},
     "labels has shape [1]; a number without brackets is wanted for logits of shape [3]"},
    {"labels",
     {2, {2, 3}},
     -1,
     {0, {0}},
     "labels has shape []; [2] is wanted for logits of shape [2,3]"},
    {"labels",
     {2, {2, 3}},
     -1,
     {1, {3}},
     "labels has shape [3]; [2] is wanted for logits of shape [2,3] with axis -1 (axis 0 "
     "would fit)"},
    {"labels",
     {3, {2, 3, 1}},
     0,
     {2, {2, 1}},
     "labels has shape [2,1]; [3,1] is wanted for logits of shape [2,3,1] with axis 0 "
     "(axis 1 would fit)"},
    {"sample_weights", {2, {2, 3}}, -1, {1, {2}}, NULL},
    {"sample_weights",
     {2, {2, 3}},
     1,
     {1, {3}},
     /* but the labels would not */
     "sample_weights has shape [3]; [2] is wanted for logits of shape [2,3]"},
    {"targets", {2, {1, 2}}, -1, {2, {1, 2}}, NULL},
    {"targets",
     {2, {2, 3}},
     -1,
     {2, {3, 2}},
     "targets has shape [3,2]; [2,3] is wanted for logits of shape [2,3]"},
    {"targets",
     {2, {2, 3}},
     -1,
     {1, {2}},
     "targets has shape [2]; [2,3] is wanted for logits of shape [2,3] (numbers of "
     "classes are given as labels)"},
    {"class_weights", {2, {2, 3}}, -1, {1, {3}}, NULL},
    {"class_weights", {2, {2, 3}}, 0, {1, {2}}, NULL},
    {"class_weights",
     {2, {2, 3}},
     -1,
     {1, {2}},
     "class_weights has 2 elements; one for each of the 3 classes is wanted"},
    {"class_weights",
     {2, {2, 3}},
     -1,
     {1, {1}},
     "class_weights has 1 element; one for each of the 3 classes is wanted"},
    {"class_weights",
     {2, {2, 1}},
     -1,
     {1, {2}},
     "class_weights has 2 elements; one for the only class is wanted"},
    {"class_weights",
     {2, {2, 1}},
     -1,
     {2, {1, 1}},
     "class_weights has rank 2; a plain list of 1 number is wanted"},
    {"class_weights",
     {2, {2, 3}},
     -1,
     {2, {1, 3}},
     "class_weights has rank 2; a plain list of 3 numbers is wanted"},
    {"class_weights",
     {2, {2, 3}},
     -1,
     {0, {0}},
     "class_weights has rank 0; a plain list of 3 numbers is wanted"},
};

static void batch_check__compares_shapes_and_says_which_axis_would_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(shape_rows); i++) {
        const struct shape_row *row = &shape_rows[i];
        double targets[] = {0.5, 0.5, 0, 0, 0, 1};
        struct made made = make(&task_loss);
        char pointer[64];
        bool of_labels = strcmp(row->member, "labels") == 0;
        bool of_targets = strcmp(row->member, "targets") == 0;

        make_doubles(&made, "logits", row->logits, ones);
        make_number(&made, "axis", row->axis);
        if (of_labels)
            make_labels(&made, row->shape, zeros);
        else
            make_doubles(&made, row->member, row->shape, of_targets ? targets : ones);
        if (!of_labels && !of_targets)
            make_labels(&made, row->axis == 0 ? SHAPE(3) : SHAPE(2), zeros);
        snprintf(pointer, sizeof pointer, "/%s", row->member);
        if (row->detail)
            assert_refused(&made, ERR_SHAPE_MISMATCH, pointer, row->detail);
        else if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
    }
}

/* pos_weight has a number for each class, wherever the classes are. */
static void batch_check__wants_a_pos_weight_for_each_class(void **state)
{
    (void)state;
    static const struct {
        double axis;
        struct shape shape;
        const char *detail; /* NULL: it fits */
    } rows[] = {
        {-1, {1, {3}}, NULL},
        {0, {1, {2}}, NULL},
        {-1,
         {1, {2}},
         "pos_weight has 2 elements; one for each of the 3 classes is wanted"},
        {0,
         {1, {3}},
         "pos_weight has 3 elements; one for each of the 2 classes is wanted"},
        {-1,
         {1, {0}},
         "pos_weight has 0 elements; one for each of the 3 classes is wanted"},
        {-1,
         {1, {1}},
         "pos_weight has 1 element; one for each of the 3 classes is wanted"},
        {-1, {0, {0}}, "pos_weight has rank 0; a plain list of 3 numbers is wanted"},
        {-1, {2, {1, 3}}, "pos_weight has rank 2; a plain list of 3 numbers is wanted"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double targets[] = {0, 0.5, 1, 1, 1, 0};
        struct made made = make(&task_loss);
        make_doubles(&made, "pos_weight", rows[i].shape, ones);
        make_text(&made, "loss", "bce_with_logits");
        make_doubles(&made, "logits", SHAPE(2, 3), ones);
        make_doubles(&made, "targets", SHAPE(2, 3), targets);
        make_number(&made, "axis", rows[i].axis);
        if (rows[i].detail)
            assert_refused(&made, ERR_SHAPE_MISMATCH, "/pos_weight", rows[i].detail);
        else if (!batch_check(&made.batch, &made.err))
            fail_msg("row %zu: %s", i, made.err.detail);
    }
}

/* ---- which error wins ------------------------------------------------------------------------ */

static void batch_check__keeps_an_earlier_error_of_the_codec(void **state)
{
    (void)state;
    static const enum err_kind kinds[] = {ERR_INVALID_JSON, ERR_DUPLICATE_MEMBER,
                                          ERR_UNKNOWN_MEMBER};

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        struct made made = make(&task_loss); /* misses everything */
        report(&made.err, kinds[i], "from the codec");
        assert_refused(&made, kinds[i], "/x", "from the codec");
    }
    struct made made = make(&task_loss);
    report(&made.err, ERR_WRONG_TYPE, "from the codec");
    assert_refused(&made, ERR_MISSING_MEMBER, "/logits", "logits is missing");
    made = make_sound();
    report(&made.err, ERR_RAGGED_ARRAY, "from the codec");
    make_number(&made, "temperature", -1);
    assert_refused(&made, ERR_RAGGED_ARRAY, "/x", "from the codec");
}

static void batch_check__judges_members_then_shapes_then_values(void **state)
{
    (void)state;
    struct made made = make(&task_loss);
    struct array *logits;

    make_number(&made, "temperature", -1); /* a value */
    logits = make_doubles(&made, "logits", SHAPE(2, 3), ones);
    make_flaw(logits, FLAW_NAN, 0, "NaN");                /* a value */
    make_doubles(&made, "class_weights", SHAPE(2), ones); /* a shape */
    assert_refused(&made, ERR_MISSING_MEMBER, "/labels",
                   "labels is missing; labels or targets must say what is true");
    memset(&made.err, 0, sizeof made.err);
    make_labels(&made, SHAPE(2), zeros);
    assert_refused(&made, ERR_SHAPE_MISMATCH, "/class_weights",
                   "class_weights has 2 elements; one for each of the 3 classes is "
                   "wanted");
}

/* Whichever of the arrays was written first; those that logits are made of come before
 * all that is compared with logits. */
static void batch_check__judges_shapes_in_the_order_of_the_text(void **state)
{
    (void)state;
    static const char *const names[] = {"labels", "b", "class_weights", "pos_weight",
                                        "sample_weights"};

    for (size_t first = 0; first < LENGTH(names); first++)
        for (int model_fits = 0; model_fits < 2; model_fits++) {
            struct made made = make(&task_loss);
            char pointer[64];
            for (size_t i = 0; i < LENGTH(names); i++) {
                const char *name = names[(first + i) % LENGTH(names)];
                if (strcmp(name, "labels") == 0)
                    make_labels(&made, SHAPE(3), zeros);
                else
                    make_doubles(&made, name, SHAPE(4), ones);
            }
            make_doubles(&made, "features", SHAPE(2, 1), ones);
            make_doubles(&made, "W", model_fits ? SHAPE(3, 1) : SHAPE(3, 2), ones);
            snprintf(pointer, sizeof pointer, "/%s",
                     model_fits ? names[first] : "features");
            assert_false(batch_check(&made.batch, &made.err));
            assert_string_equal(made.err.pointer, pointer);
            assert_int_equal(made.err.kind, ERR_SHAPE_MISMATCH);
        }
}

/* Five things are wrong with the values: the one that was written first wins, and
 * when it is made good, the next. */
static void batch_check__judges_values_in_the_order_of_the_text(void **state)
{
    (void)state;
    enum { TEMPERATURE, LOGITS, WEIGHTS, LABELS, REDUCTION, THINGS };
    static const char *const pointers[THINGS] = {
        "/temperature", "/logits/0/1", "/class_weights/2", "/labels/1", "/reduction"};

    for (int first = 0; first < THINGS; first++)
        for (int step = 1; step < THINGS; step++) {
            struct made made = make(&task_loss);
            double weights[] = {1, 1, -1};
            int64_t labels[] = {0, 9};
            for (int i = 0; i < THINGS; i++)
                switch ((first + i * step) % THINGS) {
                case TEMPERATURE:
                    make_number(&made, "temperature", 0);
                    break;
                case LOGITS:
                    make_flaw(make_doubles(&made, "logits", SHAPE(2, 3), ones), FLAW_NAN,
                              1, "NaN");
                    break;
                case WEIGHTS:
                    make_doubles(&made, "class_weights", SHAPE(3), weights);
                    break;
                case LABELS:
                    make_labels(&made, SHAPE(2), labels);
                    break;
                default:
                    make_text(&made, "reduction", "average");
                    break;
                }
            assert_false(batch_check(&made.batch, &made.err));
            assert_string_equal(made.err.pointer, pointers[first]);
        }
}

/* Within an array too: the first element that is wrong, in whatever way. */
static void batch_check__judges_elements_in_their_order(void **state)
{
    (void)state;
    double weights[] = {1, -1, 1};
    int64_t labels[] = {7, 0};
    struct made made = make_sound();

    make_flaw(make_doubles(&made, "class_weights", SHAPE(3), weights), FLAW_NAN, 2,
              "NaN");
    assert_refused(&made, ERR_INVALID_OPTION, "/class_weights/1",
                   "class_weights[1] is -1; a weight is finite and not negative");
    made = make_sound();
    make_flaw(make_doubles(&made, "class_weights", SHAPE(3), weights), FLAW_NAN, 0,
              "NaN");
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/class_weights/0",
                   "class_weights[0] is NaN; a finite number is wanted");
    made = make(&task_loss);
    make_doubles(&made, "logits", SHAPE(2, 3), ones);
    make_flaw(make_labels(&made, SHAPE(2), labels), FLAW_BEYOND_INT64, 1, "1e30");
    assert_refused(&made, ERR_LABEL_OUT_OF_RANGE, "/labels/0",
                   "labels[0] is 7, outside 0..2 (ignore_index is -100)");
    made = make(&task_loss);
    make_doubles(&made, "logits", SHAPE(2, 3), ones);
    make_flaw(make_labels(&made, SHAPE(2), labels), FLAW_BEYOND_INT64, 0, "1e30");
    assert_refused(&made, ERR_LABEL_OUT_OF_RANGE, "/labels/0",
                   "labels[0] is 1e30, outside 0..2 (ignore_index is -100)");
}

/* What takes two members has its turn where the element is that is at fault: a masked
 * label in front of a label that is out of range, and behind one. */
static void batch_check__judges_masks_in_their_turn(void **state)
{
    (void)state;
    static const struct {
        bool labels_first;
        double smoothing, logits[4], targets[4]; /* of no row: no targets */
        int64_t labels[2];
        const char *pointer;
    } rows[] = {
        {true, 0, {1, -INFINITY, 1, 2}, {0}, {1, 7}, "/labels/0"},
        {false, 0, {1, -INFINITY, 1, 2}, {0}, {1, 7}, "/labels/0"},
        {true, 0, {1, 2, 1, -INFINITY}, {0}, {7, 1}, "/labels/0"},
        {true, 0, {-INFINITY, -INFINITY, 1, -INFINITY}, {0}, {0, 1}, "/labels/1"},
        {false, 0, {-INFINITY, -INFINITY, 1, -INFINITY}, {0}, {0, 1}, "/logits/0"},
        {true, 0, {-INFINITY, -INFINITY, 1, 2}, {0}, {0, 7}, "/labels/1"},
        {false, 0.5, {1, -INFINITY, 1, 2}, {0}, {0, 7}, "/logits/0/1"},
        {true, 0.5, {1, -INFINITY, 1, 2}, {0}, {0, 7}, "/labels/1"},
        {true, 2, {1, -INFINITY, 1, 2}, {0}, {1, 0}, "/labels/0"},
        {true, 0, {1, 2, 1, -INFINITY}, {0.5, 0.6, 0.5, 0.5}, {0}, "/targets/0"},
        {true, 0, {1, -INFINITY, 1, 2}, {0.5, 0.5, -1, 2}, {0}, "/targets/0/1"},
        {true, 0, {1, 2, 1, -INFINITY}, {1.5, -0.5, 0, 1}, {0}, "/targets/0/1"},
        {true, 0, {1, 2, 1, 2}, {0.5, 0.6, -1, 2}, {0}, "/targets/0"},
        {true, 0, {1, 2, 1, 2}, {0.5, -0.6, 1, 2}, {0}, "/targets/0/1"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double logits[4], targets[4];
        int64_t labels[2];
        struct made made = make(&task_loss);
        memcpy(logits, rows[i].logits, sizeof logits);
        memcpy(targets, rows[i].targets, sizeof targets);
        memcpy(labels, rows[i].labels, sizeof labels);
        if (!rows[i].labels_first)
            make_doubles(&made, "logits", SHAPE(2, 2), logits);
        if (targets[0] > 0)
            make_doubles(&made, "targets", SHAPE(2, 2), targets);
        else
            make_labels(&made, SHAPE(2), labels);
        if (rows[i].labels_first)
            make_doubles(&made, "logits", SHAPE(2, 2), logits);
        make_number(&made, "label_smoothing", rows[i].smoothing);
        assert_false(batch_check(&made.batch, &made.err));
        assert_string_equal(made.err.pointer, rows[i].pointer);
    }
}

/* A logit that the temperature drives out of range stands in front of a wrong label. */
static void batch_check__judges_a_temperature_where_the_logit_is(void **state)
{
    (void)state;
    double logits[] = {1, 2e307, 3};
    int64_t label = 7;
    struct made made = make(&task_loss);
    struct array *array = make_doubles(&made, "logits", SHAPE(3), logits);

    make_labels(&made, SHAPE_SCALAR, &label);
    make_number(&made, "temperature", 0.1);
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/logits/1",
                   "logits[1] is 2e+307; divided by temperature 0.1 it leaves the range "
                   "of float64");
    make_flaw(array, FLAW_NAN, 0, "NaN");
    memset(&made.err, 0, sizeof made.err);
    assert_refused(&made, ERR_NON_FINITE_VALUE, "/logits/0",
                   "logits[0] is NaN; a finite number or -Infinity is wanted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_check__derives_classes_and_positions),
        cmocka_unit_test(batch_check__derives_the_logits_of_a_linear_model),
        cmocka_unit_test(batch_check__wants_logits_and_truth),
        cmocka_unit_test(batch_check__refuses_members_that_exclude_each_other),
        cmocka_unit_test(batch_check__wants_logits_or_what_makes_them),
        cmocka_unit_test(batch_check__takes_the_truths_of_the_loss),
        cmocka_unit_test(batch_check__refuses_an_empty_batch),
        cmocka_unit_test(batch_check__refuses_an_axis_that_is_none),
        cmocka_unit_test(batch_check__holds_classes_to_their_limit),
        cmocka_unit_test(batch_check__holds_the_classes_of_a_model_to_their_limit),
        cmocka_unit_test(batch_check__compares_shapes_and_says_which_axis_would_fit),
        cmocka_unit_test(batch_check__wants_a_pos_weight_for_each_class),
        cmocka_unit_test(batch_check__keeps_an_earlier_error_of_the_codec),
        cmocka_unit_test(batch_check__judges_members_then_shapes_then_values),
        cmocka_unit_test(batch_check__judges_shapes_in_the_order_of_the_text),
        cmocka_unit_test(batch_check__judges_values_in_the_order_of_the_text),
        cmocka_unit_test(batch_check__judges_elements_in_their_order),
        cmocka_unit_test(batch_check__judges_masks_in_their_turn),
        cmocka_unit_test(batch_check__judges_a_temperature_where_the_logit_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
