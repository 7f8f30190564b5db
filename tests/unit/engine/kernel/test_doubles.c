/* What every kernel does with numbers of rows, which are doubles whatever the dtype. */
#include "../made.h"
#include "../random.h"
#include "engine/kernel/confidences.h"
#include "engine/kernel/kernel.h"
#include "lossd/engine/exact_sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { KERNELS_MAX = 4, ROWS_MAX = 300, BINS_MAX = 40 };

typedef void kernel_check(const struct arithmetic *real, struct random *random);

static void with_every_kernel(kernel_check *check, int rounds)
{
    const struct kernel *kernels[KERNELS_MAX];
    size_t count = kernels_here(kernels);

    for (size_t k = 0; k < count; k++) {
        struct random random = {3};
        for (int round = 0; round < rounds; round++)
            check(kernels[k]->in[DTYPE_FLOAT64], &random);
    }
}

/* ---- slices ----------------------------------------------------------------------- */

/* Mostly of a few exponents; sometimes of any. */
static double number(struct random *random, unsigned spread)
{
    double mantissa =
        (double)((int64_t)random_below(random, UINT64_C(1) << 53) - (INT64_C(1) << 52));

    return ldexp(mantissa, -(int)(43 + random_below(random, spread)));
}

static void check_slices(const struct arithmetic *real, struct random *random)
{
    static double values[SLICED_MAX];
    double slices[SLICES] = {0};
    struct exact_sum difference = {0};
    size_t n = 1 + random_below(random, SLICED_MAX);
    unsigned spread = 1 + (unsigned)random_below(random, 76);

    for (size_t i = 0; i < n; i++)
        values[i] = number(random, spread);
    if (!real->slice(values, n, slices))
        fail_msg("%zu numbers of %u exponents have no slices", n, spread);
    for (size_t i = 0; i < n; i++)
        exact_sum_add(&difference, values[i]);
    for (size_t i = 0; i < SLICES; i++)
        exact_sum_add(&difference, -slices[i]);
    assert_true(exact_sum_value(&difference) == 0);
}

static void slices__add_up_to_what_was_sliced(void **state)
{
    (void)state;
    with_every_kernel(check_slices, 500);
}

static void refuse_slices(const struct arithmetic *real, struct random *random)
{
    static const double wild[] = {4096,
                                  -4096,
                                  1e300,
                                  -1e300,
                                  0x1p-120,
                                  0x1.8p-200,
                                  (double)NAN,
                                  (double)INFINITY,
                                  -(double)INFINITY};
    double values[20] = {0}, slices[SLICES];
    size_t n = 1 + random_below(random, 20);

    assert_true(real->slice(values, n, slices));
    for (size_t i = 0; i < LENGTH(wild); i++) {
        size_t at = random_below(random, n);
        values[at] = wild[i];
        assert_false(real->slice(values, n, slices));
        values[at] = 0;
    }
}

static void slices__are_refused_where_they_would_lose_something(void **state)
{
    (void)state;
    with_every_kernel(refuse_slices, 50);
}

static void find_infinite(const struct arithmetic *real, struct random *random)
{
    double values[20] = {0};
    size_t n = 1 + random_below(random, 20), at = random_below(random, n);

    values[random_below(random, n)] = 1e308;
    assert_true(real->are_finite(values, n));
    values[at] = random_below(random, 2) ? (double)INFINITY : (double)NAN;
    assert_false(real->are_finite(values, n));
}

static void are_finite__sees_each_number(void **state)
{
    (void)state;
    with_every_kernel(find_infinite, 200);
}

/* ---- rows ------------------------------------------------------------------------- */

struct rows {
    size_t count;
    double confidence[ROWS_MAX];
    int64_t top[ROWS_MAX], truth[ROWS_MAX];
    bool kept[ROWS_MAX];
};

/* Some are at an edge, or next to one; those that are not kept may have none. */
static struct rows draw_rows(struct random *random, size_t bins)
{
    struct rows rows = {.count = random_below(random, ROWS_MAX + 1)};

    for (size_t r = 0; r < rows.count; r++) {
        double edge = (double)(1 + random_below(random, bins)) / (double)bins;
        double next = nextafter(edge, (double)random_below(random, 2));
        double any = ldexp((double)(1 + random_below(random, UINT64_C(1) << 53)), -53);
        const double choices[] = {any, edge, next > 1 ? 1 : next};
        rows.kept[r] = random_below(random, 4) > 0;
        rows.confidence[r] = rows.kept[r] ? choices[random_below(random, 3)]
                                          : (double)random_below(random, 2);
        rows.top[r] = (int64_t)random_below(random, 3);
        rows.truth[r] = (int64_t)random_below(random, 3);
    }
    return rows;
}

static void count_plainly(const struct rows *rows, bool keeps_all, struct bin *bins,
                          size_t count)
{
    for (size_t r = 0; r < rows->count; r++) {
        size_t b = count - 1;
        if (!keeps_all && !rows->kept[r])
            continue;
        while (b > 0 && rows->confidence[r] <= bins[b].above)
            b--;
        bins[b].tally.rows[0]++;
        bins[b].tally.rows[1] += rows->top[r] == rows->truth[r];
        bins[b].confidence += (confidence_sum)ldexp(rows->confidence[r], CONFIDENCE_BITS);
    }
}

static void check_counts(const struct arithmetic *real, struct random *random)
{
    struct bin found[BINS_MAX], wanted[BINS_MAX];
    struct summary summary, plain;
    size_t bins = 1 + random_below(random, BINS_MAX);
    struct rows rows = draw_rows(random, bins);
    bool keeps_all = random_below(random, 2);

    for (size_t r = 0; keeps_all && r < rows.count; r++)
        rows.confidence[r] = rows.kept[r] ? rows.confidence[r] : 1;
    summary_init(&summary, found, bins);
    summary_init(&plain, wanted, bins);
    real->count_confidences(&(struct confidences){.value = rows.confidence,
                                                  .top = rows.top,
                                                  .truth = rows.truth,
                                                  .kept = keeps_all ? NULL : rows.kept,
                                                  .bins = found,
                                                  .bin_count = bins},
                            rows.count);
    summary_settle(&summary);
    count_plainly(&rows, keeps_all, wanted, bins);
    for (size_t b = 0; b < bins; b++) {
        assert_int_equal(found[b].tally.rows[0], wanted[b].tally.rows[0]);
        assert_int_equal(found[b].tally.rows[1], wanted[b].tally.rows[1]);
        assert_true(found[b].confidence == wanted[b].confidence);
    }
}

static void confidences__are_counted_in_their_bins_alone(void **state)
{
    (void)state;
    with_every_kernel(check_counts, 1000);
}

static void check_kept(const struct arithmetic *real, struct random *random)
{
    double nll[ROWS_MAX], entropy[ROWS_MAX], brier[ROWS_MAX];
    int64_t rank[ROWS_MAX], wanted = 0, wanted_of_all = 0;
    const struct moments moments = {NULL, nll, entropy, brier, rank};
    struct rows rows = draw_rows(random, 1);

    for (size_t r = 0; r < rows.count; r++) {
        nll[r] = rows.kept[r] ? 1 : (double)NAN;
        entropy[r] = brier[r] = rows.kept[r] ? 2 : (double)INFINITY;
        rank[r] = (int64_t)random_below(random, 10);
        wanted_of_all += rank[r] < 5;
        wanted += rows.kept[r] && rank[r] < 5;
    }
    assert_int_equal(real->keep_moments(&moments, NULL, rows.count, 5), wanted_of_all);
    assert_int_equal(real->keep_moments(&moments, rows.kept, rows.count, 5), wanted);
    for (size_t r = 0; r < rows.count; r++) {
        assert_true(nll[r] == (rows.kept[r] ? 1 : 0));
        assert_true(entropy[r] == (rows.kept[r] ? 2 : 0) && brier[r] == entropy[r]);
    }
}

static void moments__of_rows_that_are_not_kept_are_nothing(void **state)
{
    (void)state;
    with_every_kernel(check_kept, 200);
}

/* ---- powers of what a class misses -------------------------------------------------- */

/* log(1 - p_class) */
static long double log_miss(const double *z, size_t classes, size_t class, double max)
{
    long double all = 0, others = 0, next = -INFINITY;

    for (size_t c = 0; c < classes; c++)
        next = c != class && z[c] > (double)next ? (long double)z[c] : next;
    for (size_t c = 0; c < classes; c++) {
        all += expl((long double)z[c] - (long double)max);
        others += c == class ? 0 : expl((long double)z[c] - next);
    }
    long double p = expl((long double)z[class] - (long double)max) / all;
    return p < 0.5L ? log1pl(-p) : (next - (long double)max) + logl(others) - logl(all);
}

enum { MISS_CLASSES = 70, MISS_ROWS = 19 };

/* Logits of each size, some of them masked, but not the label's. */
static void draw_misses(struct random *random, double *z, size_t classes, size_t class)
{
    static const double spreads[] = {1, 30, 300, 3000, 1e300};
    double spread = spreads[random_below(random, LENGTH(spreads))];

    for (size_t c = 0; c < classes; c++)
        z[c] = c != class && random_below(random, 8) == 0
                   ? (double)-INFINITY
                   : spread * random_normal(random);
}

static long double log_of_miss(const double *z, size_t classes, size_t class)
{
    double max = (double)-INFINITY;

    for (size_t c = 0; c < classes; c++)
        max = z[c] > max ? z[c] : max;
    return log_miss(z, classes, class, max);
}

static void check_miss_powers(const struct arithmetic *real, struct random *random)
{
    double z[MISS_ROWS * MISS_CLASSES], before[MISS_ROWS * MISS_CLASSES];
    double powers[MISS_ROWS];
    int64_t labels[MISS_ROWS];
    size_t classes = 2 + random_below(random, MISS_CLASSES - 1);
    size_t rows = 1 + random_below(random, MISS_ROWS);

    for (size_t r = 0; r < rows; r++) {
        labels[r] = (int64_t)random_below(random, classes);
        draw_misses(random, z + r * classes, classes, (size_t)labels[r]);
    }
    /* powers of every size, whatever the exponent */
    double y =
        -700 * random_unit(random) / (double)log_of_miss(z, classes, (size_t)labels[0]);
    if (!(y > 0 && y < 0x1p16))
        y = 0x1p16;
    memcpy(before, z, rows * classes * sizeof *z);
    real->miss_powers(z, rows, classes, labels, y, powers);
    assert_memory_equal(z, before, rows * classes * sizeof *z);
    for (size_t r = 0; r < rows; r++) {
        long double log = log_of_miss(z + r * classes, classes, (size_t)labels[r]);
        long double exact = expl((long double)y * log);
        /* which is off, too */
        long double bound = 2.3e-16L - 1e-18L * (long double)y * log;
        if (exact < (long double)DBL_MIN)
            assert_true(powers[r] <= 2 * DBL_MIN);
        else if (fabsl((long double)powers[r] - exact) > bound * exact)
            fail_msg("row %zu of %zu: (exp %Lg)^%g is %.17g, not %.17Lg", r, rows, log, y,
                     powers[r], exact);
    }
}

static void miss_powers__are_right_whatever_the_exponent(void **state)
{
    (void)state;
    with_every_kernel(check_miss_powers, 1000);
}

static double only_power(const struct arithmetic *real, const double *z, size_t classes,
                         int64_t class, double y)
{
    double row[3], power;

    memcpy(row, z, classes * sizeof *z);
    real->miss_powers(row, 1, classes, &class, y, &power);
    return power;
}

static void miss_powers__of_the_only_class_are_nothing(void **state)
{
    const double z[] = {(double)-INFINITY, 3, (double)-INFINITY};
    const struct kernel *kernels[KERNELS_MAX];
    size_t count = kernels_here(kernels);

    (void)state;
    for (size_t k = 0; k < count; k++) {
        const struct arithmetic *real = kernels[k]->in[DTYPE_FLOAT64];
        assert_true(only_power(real, z, 3, 1, 0.001) == 0);
        assert_true(only_power(real, z, 3, 0, 1e9) == 1);
        assert_true(only_power(real, z + 1, 1, 0, 2) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices__add_up_to_what_was_sliced),
        cmocka_unit_test(slices__are_refused_where_they_would_lose_something),
        cmocka_unit_test(are_finite__sees_each_number),
        cmocka_unit_test(confidences__are_counted_in_their_bins_alone),
        cmocka_unit_test(moments__of_rows_that_are_not_kept_are_nothing),
        cmocka_unit_test(miss_powers__are_right_whatever_the_exponent),
        cmocka_unit_test(miss_powers__of_the_only_class_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
