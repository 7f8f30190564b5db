/* What is true of every loss, whatever its name: runs over all rows of losses.def
 * with every option of theirs drawn at random.  A new loss is held to the same
 * without an edit here, but for its plain formula in reference.h. */
#include <float.h>

#include "problem.h"

enum { ROUNDS = 2000 };

/* Calls `property` for problems of every loss. */
static void for_all_losses(size_t scenes,
                           void (*property)(struct problem *, struct random *))
{
    for (size_t i = 0; i < loss_count; i++) {
        struct random random = {i + 1};
        for (int round = 0; round < ROUNDS; round++) {
            struct problem problem = draw_problem(&random, loss_table[i], scenes);
            property(&problem, &random);
        }
    }
}

static const struct reference_loss *reference_of(const struct loss *loss)
{
    const struct reference_loss *reference = reference_find(loss->name);

    if (!reference)
        fail_msg("%s has no plain formula: reference.h wants one", loss->name);
    return reference;
}

/* ---- the reference ----------------------------------------------------------------- */

static void every_loss__has_a_plain_formula_with_its_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < loss_count; i++) {
        const struct reference_loss *reference = reference_of(loss_table[i]);
        if (reference->options != loss_table[i]->options)
            fail_msg("%s has options that its plain formula does not know",
                     loss_table[i]->name);
        assert_string_equal(loss_table[i]->name, loss_names[i]);
        assert_non_null(loss_table[i]->formula);
        assert_non_null(loss_table[i]->source);
    }
    assert_null(loss_names[loss_count]);
    assert_int_equal(loss_count, REFERENCE_LOSSES);
}

/* ---- values ------------------------------------------------------------------------- */

static void losses_are_plain(struct problem *problem, struct random *random)
{
    struct made made;

    (void)random;
    score_problem(problem, "losses", &made);
    for (size_t n = 0; n < problem->rows; n++) {
        struct truth truth = row_truth(problem, n);
        long double logits[ROW_MAX], exact = 0;
        double weight = row_weight(problem, n);
        row_logits(problem, n, true, logits);
        if (weight > 0)
            exact = (long double)weight *
                    reference_of(problem->loss)->value(logits, problem->classes, &truth);
        double found = made.result.losses[n];
        long double bound =
            4e-15L * fabsl(exact) +
            0x1p-1074L * (1 + (long double)(weight * truth_scale(problem)));
        if (!(fabsl((long double)found - exact) <= bound))
            fail_msg("%.17g is not %.20Lg: %s", found, exact, problem_words(problem, n));
    }
    unmake(&made);
}

static void losses__equal_the_plain_formula(void **state)
{
    (void)state;
    for_all_losses(SCENES, losses_are_plain);
}

/* The divisor that a mean has, in the API's words. */
static double divisor_of(const struct problem *problem)
{
    long double divisor = 0;

    if (problem->has_divisor)
        return problem->option[MEMBER_divisor];
    for (size_t n = 0; n < problem->rows; n++) {
        bool by_class = !problem->has_targets && problem->has_class_weights;
        if (is_kept_row(problem, n))
            divisor +=
                (long double)(row_weight(problem, n) *
                              (by_class ? problem->class_weights[problem->labels[n]]
                                        : 1));
    }
    return (double)divisor;
}

static void loss_is_reduced(struct problem *problem, struct random *random)
{
    struct reference_sum sum = {0};
    size_t count = 0;
    double divisor = divisor_of(problem);
    struct made made;

    (void)random;
    score_problem(problem, "loss,losses", &made);
    for (size_t n = 0; n < problem->rows; n++) {
        reference_add(&sum, (long double)made.result.losses[n]);
        count += is_kept_row(problem, n);
    }
    double loss_sum = (double)reference_total(&sum);
    assert_int_equal(made.result.count, count);
    assert_int_equal(made.result.ignored, problem->rows - count);
    assert_near(made.result.loss_sum, loss_sum, DBL_EPSILON);
    assert_near(made.result.divisor, divisor, DBL_EPSILON);
    if (problem->reduction == REDUCTION_SUM)
        assert_near(made.result.loss, loss_sum, DBL_EPSILON);
    else if (problem->reduction == REDUCTION_MEAN && divisor == 0)
        assert_true(isnan(made.result.loss));
    else if (problem->reduction == REDUCTION_MEAN)
        assert_near(made.result.loss, loss_sum / divisor, 2 * DBL_EPSILON);
    unmake(&made);
}

static void loss__is_the_sum_of_losses_over_the_divisor(void **state)
{
    (void)state;
    for_all_losses(SCENES, loss_is_reduced);
}

/* ---- slopes -------------------------------------------------------------------------- */

/* d loss / d logits in a direction: one class, or all of them for c = classes. */
static long double slope(const struct problem *problem, size_t row, size_t c,
                         long double *value)
{
    const struct reference_loss *reference = reference_of(problem->loss);
    static const long double steps[] = {-2, -1, 1, 2}, factors[] = {1, -8, 8, -1};
    const long double step = 1e-3L;
    struct truth truth = row_truth(problem, row);
    long double logits[ROW_MAX], sum = 0;

    row_logits(problem, row, false, logits);
    *value = reference->value(logits, problem->classes, &truth);
    for (size_t i = 0; i < LENGTH(steps); i++) {
        long double moved[ROW_MAX];
        for (size_t j = 0; j < problem->classes; j++)
            moved[j] =
                logits[j] + (j == c || c == problem->classes ? steps[i] * step : 0);
        sum += factors[i] * reference->value(moved, problem->classes, &truth);
    }
    return sum / (12 * step) / (long double)option_or(problem, MEMBER_temperature);
}

static double gradient_scale(const struct problem *problem, size_t row)
{
    double divisor = divisor_of(problem);

    if (problem->reduction != REDUCTION_MEAN)
        return row_weight(problem, row);
    return divisor == 0 ? 0 : row_weight(problem, row) / divisor;
}

static void assert_slope(const struct problem *problem, size_t row, double found,
                         long double exact, long double value, size_t terms)
{
    double scale = gradient_scale(problem, row);
    double temperature = option_or(problem, MEMBER_temperature);
    double rounding = problem->dtype == DTYPE_FLOAT32 ? 1e-7 : 1e-15;
    long double wanted = (long double)scale * exact;
    double bound = 1e-9 * (double)fabsl(wanted) +
                   1e-9 * scale / temperature * (double)fabsl(value) +
                   rounding * scale / temperature * truth_scale(problem) * (double)terms;

    if (!(fabs(found - (double)wanted) <= bound))
        fail_msg("%.17g is not the slope %.17Lg: %s", found, wanted,
                 problem_words(problem, row));
}

static void gradient_is_slope(struct problem *problem, struct random *random)
{
    struct made made;

    (void)random;
    score_problem(problem, "gradient", &made);
    for (size_t n = 0; n < problem->rows; n++) {
        double sum = 0;
        long double exact, value;
        for (size_t c = 0; c < problem->classes; c++) {
            size_t at = n * problem->classes + c;
            double found = result_element(problem, made.result.gradient, at);
            sum += found;
            if (gradient_scale(problem, n) == 0 || problem->logits[at] == -INFINITY) {
                assert_zero(found);
                continue;
            }
            exact = slope(problem, n, c, &value);
            assert_slope(problem, n, found, exact, value, 1);
        }
        if (gradient_scale(problem, n) == 0)
            continue;
        exact = slope(problem, n, problem->classes, &value);
        assert_slope(problem, n, sum, exact, value, problem->classes);
    }
    unmake(&made);
}

static void gradient__is_the_slope_of_the_plain_formula(void **state)
{
    (void)state;
    for_all_losses(SCENES_TAME, gradient_is_slope);
}

/* A loss that does not change when all logits do by the same, as its plain formula
 * tells. */
static bool is_shift_invariant(const struct loss *loss)
{
    struct random random = {3};

    for (int round = 0; round < 20; round++) {
        struct problem problem = draw_problem(&random, loss, 1);
        long double value;
        for (size_t n = 0; n < problem.rows; n++)
            if (is_kept_row(&problem, n) &&
                fabsl(slope(&problem, n, problem.classes, &value)) > 1e-12L)
                return false;
    }
    return true;
}

static void gradient_sums_to_nothing(struct problem *problem, struct random *random)
{
    struct made made;

    (void)random;
    score_problem(problem, "gradient", &made);
    for (size_t n = 0; n < problem->rows; n++) {
        double scale = gradient_scale(problem, n) * truth_scale(problem) *
                       (double)problem->classes / option_or(problem, MEMBER_temperature);
        double rounding = problem->dtype == DTYPE_FLOAT32 ? 1e-7 : 1e-15, sum = 0;
        for (size_t c = 0; c < problem->classes; c++)
            sum +=
                result_element(problem, made.result.gradient, n * problem->classes + c);
        if (!(fabs(sum) <= rounding * scale))
            fail_msg("the gradient sums to %g: %s", sum, problem_words(problem, n));
    }
    unmake(&made);
}

/* Also where logits are so large that a difference says nothing. */
static void gradient__sums_to_nothing_where_a_shift_changes_nothing(void **state)
{
    (void)state;
    size_t found = 0;

    for (size_t i = 0; i < loss_count; i++) {
        struct random random = {i + 100};
        if (!is_shift_invariant(loss_table[i]))
            continue;
        found++;
        for (int round = 0; round < ROUNDS; round++) {
            struct problem problem = draw_problem(&random, loss_table[i], SCENES);
            gradient_sums_to_nothing(&problem, &random);
        }
    }
    assert_true(found > 0); /* cross_entropy is one */
}

/* ---- sanity -------------------------------------------------------------------------- */

static void assert_sane(const struct problem *problem, size_t row, double found,
                        const char *what)
{
    if (!isfinite(found) || (found == 0 && signbit(found)))
        fail_msg("%s is %g: %s", what, found, problem_words(problem, row));
}

static void results_are_sane(struct problem *problem, struct random *random)
{
    struct made made;

    (void)random;
    score_problem(
        problem, "loss,losses,gradient,probabilities,log_probabilities,logsumexp", &made);
    if (made.result.divisor > 0 || problem->reduction != REDUCTION_MEAN)
        assert_sane(problem, 0, made.result.loss, "the loss");
    for (size_t n = 0; n < problem->rows; n++) {
        assert_sane(problem, n, made.result.losses[n], "a loss");
        assert_true(made.result.logsumexp[n] < INFINITY);
        for (size_t c = 0; c < problem->classes; c++) {
            size_t at = n * problem->classes + c;
            double p = result_element(problem, made.result.probabilities, at);
            double log_p = result_element(problem, made.result.log_probabilities, at);
            assert_sane(problem, n, result_element(problem, made.result.gradient, at),
                        "a gradient");
            assert_sane(problem, n, p, "a probability");
            assert_true(p <= 1);
            if (problem->logits[at] == -INFINITY)
                assert_true(p == 0 && log_p == -INFINITY);
            else if (problem->scene[n] != SCENE_HUGEST)
                assert_sane(problem, n, log_p, "a log-probability");
        }
    }
    unmake(&made);
}

static void results__are_sane_whatever_the_logits(void **state)
{
    (void)state;
    for_all_losses(SCENES, results_are_sane);
}

/* ---- order --------------------------------------------------------------------------- */

static void swap_rows(struct problem *problem, size_t a, size_t b)
{
    struct problem before = *problem;
    size_t from[] = {a, b}, to[] = {b, a};

    for (size_t i = 0; i < 2; i++) {
        problem->labels[to[i]] = before.labels[from[i]];
        problem->sample_weights[to[i]] = before.sample_weights[from[i]];
        problem->scene[to[i]] = before.scene[from[i]];
        for (size_t c = 0; c < problem->classes; c++) {
            size_t there = to[i] * problem->classes + c;
            size_t here = from[i] * problem->classes + c;
            problem->logits[there] = before.logits[here];
            problem->narrow[there] = before.narrow[here];
            problem->targets[there] = before.targets[here];
        }
    }
}

static void order_is_indifferent(struct problem *problem, struct random *random)
{
    static const char outputs[] = "loss,losses,gradient";
    size_t a = random_below(random, problem->rows),
           b = random_below(random, problem->rows);
    size_t row = problem->classes *
                 (problem->dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double));
    struct made before, after;

    score_problem(problem, outputs, &before);
    swap_rows(problem, a, b);
    score_problem(problem, outputs, &after);
    assert_memory_equal(&before.result.loss, &after.result.loss, sizeof(double));
    assert_memory_equal(&before.result.divisor, &after.result.divisor, sizeof(double));
    for (size_t n = 0; n < problem->rows; n++) {
        size_t was = n == a ? b : n == b ? a : n;
        assert_memory_equal(&before.result.losses[was], &after.result.losses[n],
                            sizeof(double));
        assert_memory_equal((char *)before.result.gradient + was * row,
                            (char *)after.result.gradient + n * row, row);
    }
    unmake(&before);
    unmake(&after);
}

static void results__do_not_depend_on_the_order_of_rows(void **state)
{
    (void)state;
    for_all_losses(SCENES, order_is_indifferent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_loss__has_a_plain_formula_with_its_options),
        cmocka_unit_test(losses__equal_the_plain_formula),
        cmocka_unit_test(loss__is_the_sum_of_losses_over_the_divisor),
        cmocka_unit_test(gradient__is_the_slope_of_the_plain_formula),
        cmocka_unit_test(gradient__sums_to_nothing_where_a_shift_changes_nothing),
        cmocka_unit_test(results__are_sane_whatever_the_logits),
        cmocka_unit_test(results__do_not_depend_on_the_order_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
