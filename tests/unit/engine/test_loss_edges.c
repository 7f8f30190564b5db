/* Where the formulas of losses and their options would break if they were computed as
 * they are written: infinities, what cancels, confident rows, classes without a share. */
#include "made.h"

/* Differences are beyond the range of doubles, and what is made of them is not. */
static void losses__are_finite_where_only_differences_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *loss;
        double logits[2], targets[2], loss_wanted, slope_wanted;
    } rows[] = {
        {"kl_div", {1.7e308, -1.7e308}, {0.75, 0.25}, 8.5e307, 0.25},
        {"hinge", {1.7e308, -1.7e308}, {0, 1}, 1.7e308, 0.5},
        {"hinge", {1.7e308, -1.7e308}, {1, 0}, 0, 0},
        {"bce_with_logits", {1.7e308, -1.7e308}, {1, 0}, 0, 0},
        {"bce_with_logits", {1.7e308, -1.7e308}, {1, 0.25}, 4.25e307, 0},
        {"bce_with_logits", {1.7e308, -1.7e308}, {0.5, 0}, 8.5e307, 0.5},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double logits[2], targets[2];
        int64_t label = rows[i].targets[1] == 1;
        struct made made = make(&task_loss);
        memcpy(logits, rows[i].logits, sizeof logits);
        memcpy(targets, rows[i].targets, sizeof targets);
        make_text(&made, "loss", rows[i].loss);
        make_doubles(&made, "logits", SHAPE(2), logits);
        if (strcmp(rows[i].loss, "hinge") == 0)
            make_labels(&made, SHAPE_SCALAR, &label);
        else
            make_doubles(&made, "targets", SHAPE(2), targets);
        make_text(&made, "reduction", "sum");
        make_return(&made, "loss,gradient");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, rows[i].loss_wanted, 4e-15);
        assert_near(doubles(made.result.gradient)[0], rows[i].slope_wanted, 4e-15);
        unmake(&made);
    }
}

/* ---- the other losses -------------------------------------------------------------- */

static struct made make_with_targets(const char *loss, double *logits, double *targets,
                                     size_t classes)
{
    struct made made = make(&task_loss);

    make_text(&made, "loss", loss);
    make_doubles(&made, "logits", SHAPE(classes), logits);
    make_doubles(&made, "targets", SHAPE(classes), targets);
    make_text(&made, "reduction", "none");
    return made;
}

/* A logit that is right beyond doubt has a loss still, until it is subnormal. */
static void bce_with_logits__of_a_confident_class_is_not_zero(void **state)
{
    (void)state;
    double logits[] = {80, -80, -744, 1e30, -INFINITY}, targets[] = {1, 0, 0, 1, 0};
    struct made made = make_with_targets("bce_with_logits", logits, targets, 5);

    make_return(&made, "losses,gradient,probabilities,log_probabilities");
    assert_scores(&made, NULL);
    assert_near(made.result.losses[0], 1.8048513878454153e-35, 4e-15);
    assert_near(made.result.losses[1], 1.8048513878454153e-35, 4e-15);
    assert_true(made.result.losses[2] == 1e-323); /* exp(-744) is 1.55 units */
    assert_zero(made.result.losses[3]);
    assert_zero(made.result.losses[4]);
    assert_near(doubles(made.result.gradient)[0], -1.8048513878454153e-35, 4e-15);
    assert_near(doubles(made.result.gradient)[1], 1.8048513878454153e-35, 4e-15);
    assert_zero(doubles(made.result.gradient)[3]);
    assert_zero(doubles(made.result.gradient)[4]);
    assert_true(doubles(made.result.probabilities)[0] == 1);
    assert_near(doubles(made.result.probabilities)[1], 1.8048513878454153e-35, 4e-15);
    assert_zero(doubles(made.result.probabilities)[4]);
    assert_near(doubles(made.result.log_probabilities)[0], -1.8048513878454153e-35,
                4e-15);
    assert_true(doubles(made.result.log_probabilities)[4] == -INFINITY);
    unmake(&made);
}

/* e^-30 - (1 - e^-(e^-30)), nearly: 1.9e-14 of what it is taken from. */
static void poly_epsilon__of_minus_1_leaves_what_is_small(void **state)
{
    (void)state;
    double logits[] = {30, 0}, targets[] = {1, 0};
    int64_t label = 0;

    for (int with_targets = 0; with_targets < 2; with_targets++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(2), logits);
        if (with_targets)
            make_doubles(&made, "targets", SHAPE(2), targets);
        else
            make_labels(&made, SHAPE_SCALAR, &label);
        make_number(&made, "poly_epsilon", -1);
        make_return(&made, "loss");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, 4.3782553813477139e-27, 4e-15);
        unmake(&made);
    }
}

/* A third of twice the square of 1e154; the sum of the two is beyond the range. */
static void hinge__of_squares_is_a_mean_where_their_sum_is_none(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3};
    int64_t label = 0;
    struct made made = make(&task_loss);

    make_text(&made, "loss", "hinge");
    make_doubles(&made, "logits", SHAPE(3), logits);
    make_labels(&made, SHAPE_SCALAR, &label);
    make_number(&made, "p", 2);
    make_number(&made, "margin", 1e154);
    make_return(&made, "loss");
    assert_scores(&made, NULL);
    assert_near(made.result.loss, 2.0 / 3 * 1e308, 4e-15);
    unmake(&made);
}

/* There is no slope where a logit is just far enough, and a masked class is. */
static void hinge__has_no_slope_at_the_margin(void **state)
{
    (void)state;
    double logits[] = {3, 2, 1, -INFINITY, 2.0000000000000004};
    int64_t label = 0;

    for (double p = 1; p <= 2; p++) {
        double m = 0x1p-51, over = p == 1 ? m : m * m, slope = p == 1 ? 1 : 2 * m;
        struct made made = make(&task_loss);
        make_text(&made, "loss", "hinge");
        make_doubles(&made, "logits", SHAPE(5), logits);
        make_labels(&made, SHAPE_SCALAR, &label);
        make_number(&made, "p", p);
        make_return(&made, "loss,gradient");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, over / 5, 4e-15);
        assert_near(doubles(made.result.gradient)[0], -slope / 5, 4e-15);
        assert_near(doubles(made.result.gradient)[4], slope / 5, 4e-15);
        for (size_t c = 1; c < 4; c++)
            assert_zero(doubles(made.result.gradient)[c]);
        unmake(&made);
    }
}

/* 0 log 0 is 0, and a masked class without a share is as if it were not there. */
static void kl_div__of_a_class_without_a_share_counts_nothing(void **state)
{
    (void)state;
    double logits[] = {1, -INFINITY, 2, 40}, targets[] = {0.25, 0, 0.75, 0};
    struct made made = make_with_targets("kl_div", logits, targets, 4);

    make_return(&made, "losses,gradient");
    assert_scores(&made, NULL);
    assert_near(made.result.losses[0], 37.68766485538119, 4e-15);
    assert_near(doubles(made.result.gradient)[0], -0.25, 4e-15);
    assert_zero(doubles(made.result.gradient)[1]);
    assert_near(doubles(made.result.gradient)[2], -0.75, 4e-15);
    assert_near(doubles(made.result.gradient)[3], 1, 4e-15);
    unmake(&made);
}

/* What cancels leaves no more than the rounding of what it was made of. */
static void kl_div__of_equal_distributions_is_as_good_as_zero(void **state)
{
    (void)state;
    double logits[] = {0.5, 0.5, 0.5, 0.5}, targets[] = {0.25, 0.25, 0.25, 0.25};
    struct made made = make_with_targets("kl_div", logits, targets, 4);

    make_return(&made, "losses,gradient");
    assert_scores(&made, NULL);
    assert_true(fabs(made.result.losses[0]) <= 4e-15 * 2 * log(4));
    for (size_t c = 0; c < 4; c++)
        assert_zero(doubles(made.result.gradient)[c]);
    unmake(&made);
}

/* The losses of one class: a softmax has nothing to tell, a sigmoid has. */
static void one_class__has_loss_zero_where_classes_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *loss;
        double wanted;
    } rows[] = {{"hinge", 0}, {"kl_div", 0}, {"bce_with_logits", 0.12692801104297249}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double logit = 2, target = 1;
        int64_t label = 0;
        struct made made = make(&task_loss);
        make_text(&made, "loss", rows[i].loss);
        make_doubles(&made, "logits", SHAPE(1), &logit);
        if (made.batch.loss->truths & TRUTH_LABELS)
            make_labels(&made, SHAPE_SCALAR, &label);
        else
            make_doubles(&made, "targets", SHAPE(1), &target);
        make_return(&made, "loss,gradient");
        assert_scores(&made, NULL);
        assert_near(made.result.loss, rows[i].wanted, 4e-15);
        assert_near(doubles(made.result.gradient)[0],
                    rows[i].wanted == 0 ? 0 : -0.11920292202211756, 4e-15);
        unmake(&made);
    }
}

/* Each loss that takes labels, whatever an ignored position holds. */
static void any_loss__ignores_a_position_whatever_it_holds(void **state)
{
    (void)state;
    static const double rows[][2] = {
        {-INFINITY, -INFINITY}, {-INFINITY, 1.7e308}, {1.7e308, -1.7e308}};

    for (size_t i = 0; i < loss_count * LENGTH(rows); i++) {
        const struct loss *loss = loss_table[i / LENGTH(rows)];
        double logits[4] = {0.5, 1};
        int64_t labels[] = {1, -100};
        struct made made = make(&task_loss);
        if (!(loss->truths & TRUTH_LABELS))
            continue;
        memcpy(logits + 2, rows[i % LENGTH(rows)], sizeof rows[0]);
        make_text(&made, "loss", loss->name);
        make_doubles(&made, "logits", SHAPE(2, 2), logits);
        make_labels(&made, SHAPE(2), labels);
        if (loss->options >> MEMBER_z_loss & 1)
            make_number(&made, "z_loss", 1);
        make_return(&made, "loss,losses,gradient");
        assert_scores(&made, NULL);
        assert_true(made.result.loss == made.result.losses[0]);
        assert_true(isfinite(made.result.loss));
        assert_zero(made.result.losses[1]);
        assert_zero(doubles(made.result.gradient)[2]);
        assert_zero(doubles(made.result.gradient)[3]);
        unmake(&made);
    }
}

/* ---- options of cross_entropy ---------------------------------------------------- */

/* What the other classes are multiplied with is 0, and the label's slope is not. */
static void z_loss__may_cancel_all_but_the_slope_of_the_label(void **state)
{
    (void)state;
    double logit = -1;
    int64_t label = 0;
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(1, 1), &logit);
    make_labels(&made, SHAPE(1), &label);
    make_number(&made, "z_loss", 0.5);
    make_return(&made, "loss,gradient");
    assert_scores(&made, NULL);
    assert_true(made.result.loss == 0.5);
    assert_true(doubles(made.result.gradient)[0] == -1);
    unmake(&made);
}

/* 1 - p_label to a negative power is in the gradient, and huge; what it is multiplied
 * with is 0 for a class far away. */
/* Of two logits -a the log-sum-exp is ln 2 - a, and nothing else is left of the loss. */
static double lone_penalty(double a, double z_loss, enum dtype dtype)
{
    const double ln2 = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;
    double logits[] = {-a, -a}, weights[] = {0, 1};
    float floats[] = {(float)-a, (float)-a};
    int64_t label = 0;
    struct made made = make(&task_loss);

    make_text(&made, "dtype", dtype == DTYPE_FLOAT32 ? "float32" : "float64");
    if (dtype == DTYPE_FLOAT32)
        make_floats(&made, "logits", SHAPE(2), floats);
    else
        make_doubles(&made, "logits", SHAPE(2), logits);
    make_labels(&made, SHAPE_SCALAR, &label);
    make_doubles(&made, "class_weights", SHAPE(2), weights);
    make_number(&made, "z_loss", z_loss);
    make_text(&made, "reduction", "sum");
    make_return(&made, "loss,logsumexp");
    assert_scores(&made, NULL);
    double exact = (ln2 - a) + ln2_low, loss = made.result.loss;
    assert_near(made.result.logsumexp[0], exact, 1e-15);
    assert_near(loss, z_loss * exact * exact, 4e-15);
    unmake(&made);
    return loss;
}

static void z_loss__of_a_vanishing_log_sum_exp_keeps_its_digits(void **state)
{
    (void)state;
    for (double a = 0.25; a < 1.25; a += 0x1p-10) {
        lone_penalty((double)(float)a, 1, DTYPE_FLOAT32);
        lone_penalty(a * (1 - 0x1p-40), 1e12, DTYPE_FLOAT64);
    }
    /* The last doubles before ln 2. */
    assert_true(lone_penalty(0x1.62e42fefa39efp-1, 1, DTYPE_FLOAT64) < 1e-32);
    assert_true(lone_penalty((double)0x1.62e43p-1f, 1, DTYPE_FLOAT32) < 1e-15);
}

static void focal_gamma__of_a_confident_row_leaves_no_nan(void **state)
{
    (void)state;
    static const double depths[] = {10, 300, 700, 720, 744, 745, 746, 800, 1e30, 1.7e308};
    static const double gammas[] = {1e-3, 0.5, 1, 2, 1e3};

    for (size_t i = 0; i < LENGTH(depths); i++)
        for (size_t g = 0; g < LENGTH(gammas); g++)
            for (int smoothed = 0; smoothed < 2; smoothed++) {
                double logits[] = {0, -depths[i], -1e30, -1.7e308};
                int64_t label = 0;
                struct made made = make(&task_loss);
                make_doubles(&made, "logits", SHAPE(4), logits);
                make_labels(&made, SHAPE_SCALAR, &label);
                make_number(&made, "focal_gamma", gammas[g]);
                make_number(&made, "label_smoothing", smoothed ? 0.5 : 0);
                make_number(&made, "poly_epsilon", -0.5);
                make_return(&made, "loss,gradient");
                assert_scores(&made, NULL);
                assert_true(isfinite(made.result.loss));
                for (size_t c = 0; c < LENGTH(logits); c++)
                    assert_true(isfinite(doubles(made.result.gradient)[c]));
                unmake(&made);
            }
}

/* Where a probability is subnormal in float32 and what it is multiplied with is large. */
static void focal_gamma__of_a_confident_smoothed_row_has_slopes_that_add_up(void **state)
{
    static const float gaps[] = {60, 90, 100, 110, 118, 119, 140, 700, 3000};

    (void)state;
    for (size_t i = 0; i < LENGTH(gaps); i++) {
        float logits[] = {gaps[i], 0};
        int64_t label = 0;
        struct made made = make(&task_loss);
        make_text(&made, "dtype", "float32");
        make_floats(&made, "logits", SHAPE(2), logits);
        make_labels(&made, SHAPE_SCALAR, &label);
        make_number(&made, "focal_gamma", 0.02);
        make_number(&made, "label_smoothing", 0.25);
        make_return(&made, "gradient");
        assert_scores(&made, NULL);
        const float *gradient = made.result.gradient;
        assert_true(gradient[0] != 0);
        assert_near((double)gradient[0], -(double)gradient[1], 1e-5);
        unmake(&made);
    }
}

/* Where the probabilities of all others are below the range, or next to it.  Slopes are of 700
 * digits. */
static void
focal_gamma__of_a_sure_smoothed_row_has_slopes_of_any_probability(void **state)
{
    (void)state;
    static const struct {
        double logits[3], smoothing, gamma, slopes[3];
        size_t classes;
    } rows[] = {
        {{800, 0}, 0.1, 0.01, {-0.000117411919765879133, 0.000117411919765879133}, 2},
        {{720, 0}, 0.1, 0.01, {-0.000231441600596770588, 0.000231441600596770588}, 2},
        {{750, 0}, 0.1, 0.001, {0.00590458190926268371, -0.00590458190926268371}, 2},
        {{900, 0, -0.5},
         0.25,
         0.02,
         {-4.35755113318781183e-8, 2.74377871084867644e-8, 1.61377242233913538e-8},
         3},
        {{80, 0, 1},
         0.25,
         0.3,
         {-2.13191595396220443e-10, 5.51802630747616949e-11, 1.58011332321458748e-10},
         3},
        {{3000, 0, 2},
         0.25,
         0.004,
         {-0.0000113565011794186492, 9.60446707184836827e-7, 0.0000103960544722338124},
         3},
    };

    for (size_t i = 0; i < LENGTH(rows); i++)
        for (int is_float = 0; is_float < 2; is_float++) {
            size_t classes = rows[i].classes;
            double logits[3];
            float floats[3];
            int64_t label = 0;
            struct made made = make(&task_loss);
            for (size_t c = 0; c < 3; c++)
                floats[c] = (float)(logits[c] = rows[i].logits[c]);
            make_text(&made, "dtype", is_float ? "float32" : "float64");
            if (is_float)
                make_floats(&made, "logits", SHAPE(classes), floats);
            else
                make_doubles(&made, "logits", SHAPE(classes), logits);
            make_labels(&made, SHAPE_SCALAR, &label);
            make_number(&made, "focal_gamma", rows[i].gamma);
            make_number(&made, "label_smoothing", rows[i].smoothing);
            make_return(&made, "gradient");
            assert_scores(&made, NULL);
            for (size_t c = 0; c < classes; c++)
                assert_near(is_float ? (double)((float *)made.result.gradient)[c]
                                     : ((double *)made.result.gradient)[c],
                            rows[i].slopes[c], is_float ? 1e-6 : 4e-14);
            unmake(&made);
        }
}

static void assert_focal(size_t classes, double *logits, int64_t label, double gamma,
                         double loss)
{
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(classes), logits);
    make_labels(&made, SHAPE_SCALAR, &label);
    make_number(&made, "focal_gamma", gamma);
    make_return(&made, "loss");
    assert_scores(&made, NULL);
    assert_near(made.result.loss, loss, 4e-15);
    unmake(&made);
}

/* What is taken from 1 may be below what 1 has, or below the range, where the exponent
 * makes something of it all the same.  Answers are of 400 digits. */
static void focal_gamma__of_any_size_is_exact_for_a_label_next_to_impossible(void **state)
{
    (void)state;
    static const struct {
        double gap, gamma, loss;
    } rows[] = {
        {24.9, 3e10, 15.7117879164550959},
        {25.1, 3e10, 17.2166666870683923},
        {30, 1e13, 11.7686013775709526},
        {43.61980273679454, 5.662000882239229e21, 6.26003666472053122e-279},
        {92, 1e40, 30.3516098137149562},
        {720, 1e308, 719.985368086900171},
        {800, 1e308, 800},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double logits[] = {rows[i].gap, 0};
        assert_focal(LENGTH(logits), logits, 1, rows[i].gamma, rows[i].loss);
    }
}

/* One of several, and not so far away: the sum of the others takes digits, too. */
static void focal_gamma__of_any_size_is_exact_for_an_unlikely_label(void **state)
{
    (void)state;
    static const struct {
        double gap, gamma, loss;
    } rows[] = {
        {8.5, 3e6, 2.61101193972973553e-114},  {9.25, 6e6, 6.00979933634198527e-108},
        {11, 3e6, 4.67533195071521545e-9},     {11, 4e7, 4.93486706202581786e-125},
        {14, 1e8, 3.67781353286882055e-15},    {17.3, 3e7, 12.1880956096234723},
        {17.3, 1e10, 5.0051202910081072e-57},  {21.7, 1e9, 19.1543467465376504},
        {21.7, 9e11, 5.65311514735052775e-63},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double gap = rows[i].gap;
        double logits[] = {gap, gap - 0.25, gap - 0.625, 0};
        assert_focal(LENGTH(logits), logits, 3, rows[i].gamma, rows[i].loss);
    }
}

/* And one of so many that it is unlikely without being far from the others. */
static void focal_gamma__of_any_size_is_exact_among_many_classes(void **state)
{
    enum { MOST = 20000 };
    static const struct {
        size_t classes;
        double logit, gamma, loss; /* of the label; all others are 0 */
    } rows[] = {
        {1000, -8.99, 2.3e9, 3.68580069342172128e-124},
        {1000, -3, 1e7, 3.65087689594729471e-216},
        {20000, 0.5, 3e6, 3.69627819271069632e-107},
        {20000, -4, 1e8, 2.34016903208463116e-39},
    };
    static double logits[MOST];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        logits[0] = rows[i].logit;
        assert_focal(rows[i].classes, logits, 0, rows[i].gamma, rows[i].loss);
    }
}

/* The likeliest class has nearly all that is true: what is left cancels. */
static void cross_entropy__of_a_confident_row_has_exact_slopes(void **state)
{
    (void)state;
    static const struct {
        double logits[3], targets[3], weights[3], smoothing, poly, slopes[3];
        bool is_one_hot; /* as label 0 is */
    } rows[] = {
        {{40, 0, -1},
         {1, 0, 0},
         {1, 1, 1},
         0.0,
         2.0,
         {-1.7433709333879733e-17, 1.2745062765874767e-17, 4.6886465680049663e-18},
         true},
        {{700, 0, -1},
         {1, 0, 0},
         {1, 1, 1},
         0.0,
         1e+20,
         {-1.3486848840809293e-284, 9.8596765437597709e-285, 3.6271722970495224e-285},
         true},
        {{40, 0, -1},
         {1, 0, 0},
         {1.5888600988686632, 0, 0},
         0.3,
         0.0,
         {-7.3865933695668505e-18, 5.4000324496733601e-18, 1.9865609198934904e-18},
         true},
        {{40, 0, -1},
         {1, 0, 0},
         {1.5888600988686632, 1e-20, 0},
         0.3,
         0.0,
         {-7.3855933695668505e-18, 5.3990324496733601e-18, 1.9865609198934904e-18},
         true},
        {{40, 0, 1},
         {1, 1e-18, 0},
         {1, 1, 1},
         0.0,
         0.0,
         {-1.4796578428307375e-17, 3.2483542552915889e-18, 1.1548224173015786e-17},
         false},
        {{40, 0, 1},
         {1, 1e-18, 0},
         {1, 1, 1},
         0.0,
         -3.0,
         {3.2593156856614749e-17, -9.4967085105831777e-18, -2.3096448346031571e-17},
         false},
    };

    for (size_t i = 0; i < LENGTH(rows); i++)
        for (int with_label = 0; with_label <= rows[i].is_one_hot; with_label++) {
            double logits[3], targets[3], weights[3];
            int64_t label = 0;
            struct made made = make(&task_loss);
            memcpy(logits, rows[i].logits, sizeof logits);
            memcpy(targets, rows[i].targets, sizeof targets);
            memcpy(weights, rows[i].weights, sizeof weights);
            make_doubles(&made, "logits", SHAPE(3), logits);
            if (with_label)
                make_labels(&made, SHAPE_SCALAR, &label);
            else
                make_doubles(&made, "targets", SHAPE(3), targets);
            make_doubles(&made, "class_weights", SHAPE(3), weights);
            make_number(&made, "label_smoothing", rows[i].smoothing);
            make_number(&made, "poly_epsilon", rows[i].poly);
            make_text(&made, "reduction", "sum");
            make_return(&made, "gradient");
            assert_scores(&made, NULL);
            for (size_t c = 0; c < 3; c++)
                assert_near(doubles(made.result.gradient)[c], rows[i].slopes[c], 4e-15);
            unmake(&made);
        }
}

/* With p_label 1 there is nothing to multiply. */
static void poly_epsilon__of_any_size_adds_nothing_to_a_sure_label(void **state)
{
    (void)state;
    static const double others[] = {-800, -1e30};

    for (size_t i = 0; i < LENGTH(others); i++)
        for (int with_targets = 0; with_targets < 2; with_targets++) {
            double logits[] = {0, others[i]}, weights[] = {10, 0};
            double targets[] = {1, 0};
            int64_t label = 0;
            struct made made = make(&task_loss);
            make_doubles(&made, "logits", SHAPE(2), logits);
            make_doubles(&made, "class_weights", SHAPE(2), weights);
            if (with_targets)
                make_doubles(&made, "targets", SHAPE(2), targets);
            else
                make_labels(&made, SHAPE_SCALAR, &label);
            make_number(&made, "poly_epsilon", -1e308);
            make_return(&made, "loss,gradient");
            assert_scores(&made, NULL);
            assert_zero(made.result.loss);
            assert_zero(doubles(made.result.gradient)[0]);
            assert_zero(doubles(made.result.gradient)[1]);
            unmake(&made);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses__are_finite_where_only_differences_are_not),
        cmocka_unit_test(bce_with_logits__of_a_confident_class_is_not_zero),
        cmocka_unit_test(poly_epsilon__of_minus_1_leaves_what_is_small),
        cmocka_unit_test(hinge__of_squares_is_a_mean_where_their_sum_is_none),
        cmocka_unit_test(hinge__has_no_slope_at_the_margin),
        cmocka_unit_test(kl_div__of_a_class_without_a_share_counts_nothing),
        cmocka_unit_test(kl_div__of_equal_distributions_is_as_good_as_zero),
        cmocka_unit_test(one_class__has_loss_zero_where_classes_are_compared),
        cmocka_unit_test(any_loss__ignores_a_position_whatever_it_holds),
        cmocka_unit_test(z_loss__may_cancel_all_but_the_slope_of_the_label),
        cmocka_unit_test(z_loss__of_a_vanishing_log_sum_exp_keeps_its_digits),
        cmocka_unit_test(focal_gamma__of_a_confident_row_leaves_no_nan),
        cmocka_unit_test(focal_gamma__of_a_confident_smoothed_row_has_slopes_that_add_up),
        cmocka_unit_test(
            focal_gamma__of_a_sure_smoothed_row_has_slopes_of_any_probability),
        cmocka_unit_test(
            focal_gamma__of_any_size_is_exact_for_a_label_next_to_impossible),
        cmocka_unit_test(focal_gamma__of_any_size_is_exact_for_an_unlikely_label),
        cmocka_unit_test(focal_gamma__of_any_size_is_exact_among_many_classes),
        cmocka_unit_test(cross_entropy__of_a_confident_row_has_exact_slopes),
        cmocka_unit_test(poly_epsilon__of_any_size_adds_nothing_to_a_sure_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
