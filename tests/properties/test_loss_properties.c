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

static long double exact_loss(const struct problem *problem, size_t row,
                              const long double *logits, long double *size)
{
    const struct reference_truth truth = row_truth(problem, row);
    struct reference_value value =
        reference_of(problem->loss)->value(logits, problem->classes, &truth);

    *size = reference_total(&value.size);
    return reference_total(&value.value);
}

static long double exact_penalty(const struct problem *problem, size_t row,
                                 const long double *logits)
{
    const struct reference_truth truth = row_truth(problem, row);

    return option_or(problem, MEMBER_z_loss) > 0
               ? reference_penalty(logits, problem->classes, &truth)
               : 0;
}

/* Of float64 4e-15, of float32 1e-6, relative to the terms; and units of what is
 * subnormal. */
static void assert_value(const struct problem *problem, size_t row, double found,
                         long double exact, long double size)
{
    long double error = problem->dtype == DTYPE_FLOAT32 ? 1e-6L : 4e-15L;
    long double unit = 0x1p-1074L * (long double)(1 + truth_scale(problem) * 40);

    if (fabsl(exact) > 1e300L) /* and may be beyond the range */
        return;
    if (!(fabsl((long double)found - exact) <= error * size + unit))
        fail_msg("%.17g is not %.20Lg: %s", found, exact, problem_words(problem, row));
}

static void losses_are_plain(struct problem *problem, struct random *random)
{
    const struct reference_loss *reference = reference_of(problem->loss);
    struct made made;

    (void)random;
    score_problem(problem, "losses", &made);
    for (size_t n = 0; n < problem->rows; n++) {
        const struct reference_truth truth = row_truth(problem, n);
        long double logits[ROW_MAX], size = 0, weight = row_weight(problem, n);
        if (weight == 0) {
            for (size_t i = 0; i < (reference->element ? problem->classes : 1); i++)
                assert_zero(
                    made.result
                        .losses[n * (reference->element ? problem->classes : 1) + i]);
            continue;
        }
        row_logits(problem, n, logits);
        if (reference->element) {
            for (size_t c = 0; c < problem->classes; c++) {
                long double exact = weight * reference->element(logits[c], c, &truth);
                assert_value(problem, n, made.result.losses[n * problem->classes + c],
                             exact, fabsl(exact));
            }
            continue;
        }
        long double exact = exact_loss(problem, n, logits, &size);
        long double penalty = exact_penalty(problem, n, logits);
        assert_value(problem, n, made.result.losses[n], weight * (exact + penalty),
                     weight * (size + 2 * penalty));
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
        bool by_class = !problem->has_targets && problem->has_class_weights &&
                        !problem->loss->ignores_weights;
        if (is_kept_row(problem, n))
            divisor +=
                (long double)(row_weight(problem, n) *
                              (by_class ? problem->class_weights[problem->labels[n]]
                                        : 1));
    }
    return (double)divisor *
           (problem->loss->is_elementwise ? (double)problem->classes : 1);
}

/* What the penalties are divided by. */
static double plain_divisor(const struct problem *problem)
{
    double count = 0;

    if (problem->has_divisor)
        return problem->option[MEMBER_divisor];
    for (size_t n = 0; n < problem->rows; n++)
        count += is_kept_row(problem, n);
    return count;
}

/* Losses without penalties, and the penalties. */
static void exact_sums(const struct problem *problem, const struct made *made,
                       struct reference_sum *losses, struct reference_sum *penalties)
{
    size_t each = problem->loss->is_elementwise ? problem->classes : 1;

    for (size_t n = 0; n < problem->rows; n++) {
        long double logits[ROW_MAX], penalty = 0, weight = row_weight(problem, n);
        if (weight > 0) {
            row_logits(problem, n, logits);
            penalty = weight * exact_penalty(problem, n, logits);
        }
        for (size_t i = n * each; i < (n + 1) * each; i++)
            reference_add(losses, (long double)made->result.losses[i] - penalty);
        reference_add(penalties, penalty);
    }
}

static void assert_mean(const struct problem *problem, const struct made *made,
                        const struct reference_sum *losses,
                        const struct reference_sum *penalties)
{
    double divisor = divisor_of(problem);
    double error = option_or(problem, MEMBER_z_loss) == 0 ? 2 * DBL_EPSILON
                   : problem->dtype == DTYPE_FLOAT32      ? 2e-6
                                                          : 1e-14;
    long double sum = reference_total(losses), of_penalties = reference_total(penalties);

    if (divisor == 0) {
        assert_true(isnan(made->result.loss));
        return;
    }
    long double wanted = sum / (long double)divisor;
    if (of_penalties != 0)
        wanted += of_penalties / (long double)plain_divisor(problem);
    long double size = fabsl(sum / (long double)divisor) + fabsl(of_penalties);
    if (!(fabsl((long double)made->result.loss - wanted) <=
          (long double)error * (fabsl(wanted) + size) + 0x1p-1070L))
        fail_msg("%.17g is not %.20Lg: %s", made->result.loss, wanted,
                 problem_words(problem, 0));
    assert_near(made->result.loss_sum / divisor, made->result.loss, 4 * DBL_EPSILON);
}

static void loss_is_reduced(struct problem *problem, struct random *random)
{
    struct reference_sum losses = {0, 0}, penalties = {0, 0};
    size_t count = 0;
    struct made made;

    (void)random;
    score_problem(problem, "loss,losses", &made);
    exact_sums(problem, &made, &losses, &penalties);
    for (size_t n = 0; n < problem->rows; n++)
        count += is_kept_row(problem, n);
    long double sum = reference_total(&losses) + reference_total(&penalties);
    assert_int_equal(made.result.count, count);
    assert_int_equal(made.result.ignored, problem->rows - count);
    assert_near(made.result.divisor, divisor_of(problem), DBL_EPSILON);
    if (isfinite(sum) && fabsl(sum) < 1e300L) {
        if (problem->reduction == REDUCTION_MEAN)
            assert_mean(problem, &made, &losses, &penalties);
        else
            assert_near(made.result.loss, (double)sum, 1e-12);
        if (problem->reduction == REDUCTION_SUM)
            assert_true(made.result.loss == made.result.loss_sum);
    }
    unmake(&made);
}

static void loss__is_the_sum_of_losses_over_the_divisor(void **state)
{
    (void)state;
    for_all_losses(SCENES, loss_is_reduced);
}

static size_t slopes, slopes_told;

/* ---- slopes -------------------------------------------------------------------------- */

/* What a row adds to the reduced loss, with one class moved (or all of them, for
 * c = classes). */
static long double moved_loss(const struct problem *problem, size_t row, size_t c,
                              long double by)
{
    double scale = problem->reduction == REDUCTION_MEAN ? 1 / divisor_of(problem) : 1;
    double other = problem->reduction == REDUCTION_MEAN ? 1 / plain_divisor(problem) : 1;
    long double logits[ROW_MAX], size;

    for (size_t j = 0; j < problem->classes; j++)
        logits[j] =
            tempered(problem, (long double)problem->logits[row * problem->classes + j] +
                                  (j == c || c == problem->classes ? by : 0));
    return (long double)scale * exact_loss(problem, row, logits, &size) +
           (long double)other * exact_penalty(problem, row, logits);
}

/* From the losses two steps and one before, and one and two behind. */
static long double slope_from(long double before2, long double before, long double behind,
                              long double behind2, long double step)
{
    return (before2 - 8 * before + 8 * behind - behind2) / (12 * step);
}

struct slope {
    long double value, size; /* and how exact it is */
    bool is_smooth;          /* else there is a kink, and no slope to be told */
};

static struct slope slope(const struct problem *problem, size_t row, size_t c)
{
    static const long double steps[] = {-2, -1, -0.5L, 0, 0.5L, 1, 2};
    double width = fmin(option_or(problem, MEMBER_temperature), 1);
    double cap = option_or(problem, MEMBER_softcap);
    long double step = 1e-3L * (long double)(isnan(cap) ? width : width * fmin(cap, 1));
    long double at[LENGTH(steps)];

    for (size_t i = 0; i < LENGTH(steps); i++)
        at[i] = moved_loss(problem, row, c, steps[i] * step);
    long double coarse = slope_from(at[0], at[1], at[5], at[6], step);
    long double fine = slope_from(at[1], at[2], at[4], at[5], step / 2);
    long double here = at[3], bent = at[5] - 2 * here + at[1];
    struct slope slope = {.value = fine, .size = fabsl(here) + fabsl(fine)};

    slope.is_smooth =
        fabsl(coarse - fine) <= 1e-8L * (slope.size + fabsl(coarse)) &&
        fabsl(bent) <= 0.2L * fabsl(fine) * step + 1e-2L * step * slope.size;
    return slope;
}

static double row_scale(const struct problem *problem, size_t row)
{
    double divisor = divisor_of(problem), weight = row_weight(problem, row);

    if (problem->reduction != REDUCTION_MEAN)
        return weight;
    return divisor == 0 ? 0 : weight / divisor;
}

static void assert_slope(const struct problem *problem, size_t row, double found,
                         const struct slope *slope, size_t terms)
{
    double weight = row_weight(problem, row);
    double scale =
        (row_scale(problem, row) + weight * option_or(problem, MEMBER_z_loss)) *
        (truth_scale(problem) + fabs(option_or(problem, MEMBER_poly_epsilon)));
    double temperature = option_or(problem, MEMBER_temperature);
    double rounding = problem->dtype == DTYPE_FLOAT32 ? 2e-6 : 4e-15;
    long double wanted = (long double)weight * slope->value;
    double bound =
        (1e-8 + rounding) * weight * (double)slope->size / fmin(temperature, 1) +
        rounding * scale / temperature * (double)terms;

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
        bool is_smooth = true;
        double sum = 0;
        for (size_t c = 0; c < problem->classes; c++) {
            size_t at = n * problem->classes + c;
            double found = result_element(problem, made.result.gradient, at);
            sum += found;
            if (row_scale(problem, n) == 0 || problem->logits[at] == -INFINITY) {
                assert_zero(found);
                continue;
            }
            struct slope exact = slope(problem, n, c);
            is_smooth &= exact.is_smooth;
            slopes_told += exact.is_smooth;
            slopes++;
            if (exact.is_smooth)
                assert_slope(problem, n, found, &exact, 1);
        }
        if (row_scale(problem, n) == 0)
            continue;
        struct slope exact = slope(problem, n, problem->classes);
        if (is_smooth && exact.is_smooth)
            assert_slope(problem, n, sum, &exact, problem->classes);
    }
    unmake(&made);
}

static void gradient__is_the_slope_of_the_plain_formula(void **state)
{
    (void)state;
    for_all_losses(SCENES_TAME, gradient_is_slope);
    print_message("  %zu of %zu slopes are told by differences\n", slopes_told, slopes);
    assert_true(slopes_told > slopes / 10 * 8);
}

/* A problem that does not change when all logits do by the same, as its plain formula
 * tells. */
static bool is_shift_invariant(const struct problem *problem)
{
    for (size_t n = 0; n < problem->rows; n++) {
        long double here = moved_loss(problem, n, problem->classes, 0);
        if (!is_kept_row(problem, n) || row_scale(problem, n) == 0)
            continue;
        if (!(fabsl(moved_loss(problem, n, problem->classes, 1) - here) <=
              1e-12L * fabsl(here) + 1e-15L))
            return false;
    }
    return true;
}

static size_t invariant;

static void gradient_sums_to_nothing(struct problem *problem, struct random *random)
{
    struct made made;

    (void)random;
    if (!is_shift_invariant(problem))
        return;
    invariant++;
    score_problem(problem, "gradient", &made);
    for (size_t n = 0; n < problem->rows; n++) {
        double rounding = problem->dtype == DTYPE_FLOAT32 ? 1e-6 : 4e-15, sum = 0,
               size = 0;
        double scale = row_scale(problem, n) * truth_scale(problem) /
                       option_or(problem, MEMBER_temperature);
        for (size_t c = 0; c < problem->classes; c++) {
            double g =
                result_element(problem, made.result.gradient, n * problem->classes + c);
            sum += g;
            size += fabs(g);
        }
        if (!(fabs(sum) <= rounding * (size + scale)))
            fail_msg("the gradient sums to %g: %s", sum, problem_words(problem, n));
    }
    unmake(&made);
}

static void gradient__sums_to_nothing_where_a_shift_changes_nothing(void **state)
{
    (void)state;
    for_all_losses(SCENES_TAME, gradient_sums_to_nothing);
    assert_true(invariant > ROUNDS); /* cross_entropy, hinge and kl_div mostly */
}

/* ---- sanity -------------------------------------------------------------------------- */

static void assert_sane(const struct problem *problem, size_t row, double found,
                        const char *what)
{
    if (!isfinite(found) || (found == 0 && signbit(found)))
        fail_msg("%s is %g: %s", what, found, problem_words(problem, row));
}

/* A square of something huge has the right to be infinite. */
static bool may_be_infinite(const struct problem *problem)
{
    bool squares =
        option_or(problem, MEMBER_z_loss) > 0 ||
        (problem->loss->options >> MEMBER_p & 1 && option_or(problem, MEMBER_p) == 2);

    for (size_t n = 0; squares && n < problem->rows; n++)
        if (problem->scene[n] == SCENE_HUGEST)
            return true;
    return false;
}

static void elements_are_sane(const struct problem *problem, const struct result *result,
                              size_t row, size_t c)
{
    size_t at = row * problem->classes + c;
    double p = result_element(problem, result->probabilities, at);
    double log_p = result_element(problem, result->log_probabilities, at);

    if (!may_be_infinite(problem))
        assert_sane(problem, row, result_element(problem, result->gradient, at),
                    "a gradient");
    assert_true(!isnan(result_element(problem, result->gradient, at)));
    assert_sane(problem, row, p, "a probability");
    assert_true(p <= 1);
    if (problem->logits[at] == -INFINITY)
        assert_true(p == 0 && log_p == -INFINITY);
    else if (problem->scene[row] != SCENE_HUGEST)
        assert_sane(problem, row, log_p, "a log-probability");
}

static void results_are_sane(struct problem *problem, struct random *random)
{
    size_t each = problem->loss->is_elementwise ? problem->classes : 1;
    struct made made;

    (void)random;
    score_problem(
        problem, "loss,losses,gradient,probabilities,log_probabilities,logsumexp", &made);
    if (!may_be_infinite(problem) &&
        (made.result.divisor > 0 || problem->reduction != REDUCTION_MEAN))
        assert_sane(problem, 0, made.result.loss, "the loss");
    for (size_t n = 0; n < problem->rows; n++) {
        for (size_t i = n * each; i < (n + 1) * each; i++) {
            if (!may_be_infinite(problem))
                assert_sane(problem, n, made.result.losses[i], "a loss");
            assert_true(!isnan(made.result.losses[i]));
        }
        assert_true(made.result.logsumexp[n] < INFINITY);
        for (size_t c = 0; c < problem->classes; c++)
            elements_are_sane(problem, &made.result, n, c);
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
    size_t each = problem->loss->is_elementwise ? problem->classes : 1;
    struct made before, after;

    score_problem(problem, outputs, &before);
    swap_rows(problem, a, b);
    score_problem(problem, outputs, &after);
    assert_memory_equal(&before.result.loss, &after.result.loss, sizeof(double));
    assert_memory_equal(&before.result.divisor, &after.result.divisor, sizeof(double));
    for (size_t n = 0; n < problem->rows; n++) {
        size_t was = n == a ? b : n == b ? a : n;
        assert_memory_equal(&before.result.losses[was * each],
                            &after.result.losses[n * each], each * sizeof(double));
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

/* ---- what is asked for ------------------------------------------------------------ */

static void asking_is_indifferent(struct problem *problem, struct random *random)
{
    size_t each = problem->loss->is_elementwise ? problem->classes : 1;
    size_t count = problem->rows * problem->classes;
    size_t size = problem->dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
    struct made losses, gradient, all;

    (void)random;
    score_problem(problem, "loss,losses", &losses);
    score_problem(problem, "gradient", &gradient);
    score_problem(problem, "loss,losses,gradient,probabilities,log_probabilities", &all);
    assert_memory_equal(&losses.result.loss, &all.result.loss, sizeof(double));
    assert_memory_equal(losses.result.losses, all.result.losses,
                        problem->rows * each * sizeof(double));
    assert_memory_equal(gradient.result.gradient, all.result.gradient, count * size);
    unmake(&losses);
    unmake(&gradient);
    unmake(&all);
}

static void results__do_not_depend_on_what_else_is_asked_for(void **state)
{
    (void)state;
    for_all_losses(SCENES, asking_is_indifferent);
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
        cmocka_unit_test(results__do_not_depend_on_what_else_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
