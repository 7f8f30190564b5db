/* The softmax of one row, by every kernel that runs on this machine. */
#include "engine/softmax.h"

#include "../../properties/reference.h"
#include "engine/kernel.h"
#include "made.h"
#include "random.h"

enum { SIZE_MAX_ROW = 1100, KERNELS_MAX = 4 };

struct kernels {
    const struct kernel *at[KERNELS_MAX];
    size_t count;
};

static struct kernels all_kernels(void)
{
    struct kernels kernels;

    kernels.count = kernels_here(kernels.at);
    assert_true(kernels.count >= 1 && kernels.count <= KERNELS_MAX);
    return kernels;
}

/* Sizes around those of vectors and blocks. */
static const size_t sizes[] = {1,   2,   3,   4,   5,   7,    8,    9,    10,  15,
                               16,  17,  23,  31,  63,  64,   65,   71,   72,  100,
                               127, 128, 129, 511, 513, 1000, 1023, 1024, 1025};

static void kernel_here__is_one_of_those_that_run(void **state)
{
    (void)state;
    struct kernels kernels = all_kernels();
    bool found = false;

    for (size_t i = 0; i < kernels.count; i++) {
        print_message("  %s\n", kernels.at[i]->name);
        found |= kernels.at[i] == kernel_here();
    }
    assert_true(found);
    assert_string_equal(kernels.at[0]->name, "baseline");
}

static void row__points_at_what_it_was_made_of(void **state)
{
    (void)state;
    double logits[] = {0, 3, 1, 3}, exps[4];
    struct row row;

    kernel_here()->softmax(logits, 4, exps, &row);
    assert_ptr_equal(row.logits, logits);
    assert_ptr_equal(row.exps, exps);
    assert_int_equal(row.classes, 4);
    assert_int_equal(row.top, 1);
    assert_true(row.max == 3);
    assert_true(row.sum == 1 + row.rest);
    assert_true(exps[1] == EXPS_SCALE);
    assert_true(exps[3] == EXPS_SCALE);
    assert_near(row.rest, 1.1851223516044767, 4e-15); /* 1 + e^-2 + e^-3 */
}

static void top__is_the_first_maximum_wherever_it_stands(void **state)
{
    (void)state;
    struct kernels kernels = all_kernels();
    static double logits[SIZE_MAX_ROW], exps[SIZE_MAX_ROW];
    struct row row;

    for (size_t k = 0; k < kernels.count; k++)
        for (size_t n = 1; n <= 40; n++)
            for (size_t first = 0; first < n; first++)
                for (size_t second = first; second < n; second++) {
                    for (size_t c = 0; c < n; c++)
                        logits[c] = -(double)(c % 3) - 5;
                    logits[first] = logits[second] = -4;
                    kernels.at[k]->softmax(logits, n, exps, &row);
                    assert_int_equal(row.top, first);
                    assert_true(row.max == -4);
                }
}

static void softmax__is_that_of_the_plain_formula_for_every_size(void **state)
{
    (void)state;
    struct kernels kernels = all_kernels();
    static double logits[SIZE_MAX_ROW], exps[SIZE_MAX_ROW], out[SIZE_MAX_ROW];
    static long double exact[SIZE_MAX_ROW];
    struct random random = {1};
    struct row row;

    for (size_t k = 0; k < kernels.count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++) {
            size_t n = sizes[s];
            for (size_t c = 0; c < n; c++)
                exact[c] = (long double)(logits[c] = 3 * random_normal(&random));
            struct reference_row wanted = reference_softmax(exact, n);
            kernels.at[k]->softmax(logits, n, exps, &row);
            assert_int_equal(row.top, wanted.top);
            assert_near(row.rest, (double)wanted.rest, 2e-15);
            assert_near(row.log_sum, (double)wanted.log_sum, 2e-15);
            kernels.at[k]->probabilities(&row, 1, out);
            for (size_t c = 0; c < n; c++) {
                double p = (double)reference_probability(&wanted, c);
                assert_near(out[c], p, 2e-15);
                assert_true(row_probability(&row, c) == out[c]);
                assert_near(row_complement(&row, c),
                            (double)(1 - reference_probability(&wanted, c)), 4e-15);
            }
            kernels.at[k]->log_probabilities(&row, out);
            for (size_t c = 0; c < n; c++)
                assert_near(out[c], (double)reference_log_probability(&wanted, c), 2e-15);
        }
}

static void probabilities__are_scaled_as_asked(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3, -INFINITY}, exps[4], out[4];
    struct row row;

    kernel_here()->softmax(logits, 4, exps, &row);
    kernel_here()->probabilities(&row, 2.5, out);
    assert_near(out[2], 2.5 * 0.6652409557748219, 4e-15);
    assert_zero(out[3]);
    kernel_here()->probabilities(&row, 1e300, out);
    assert_zero(out[3]); /* what is masked stays so */
    kernel_here()->probabilities(&row, 0, out);
    for (size_t c = 0; c < 4; c++)
        assert_zero(out[c]);
}

static void complement__of_a_confident_class_is_not_zero(void **state)
{
    (void)state;
    double logits[] = {0, 80, -20}, exps[3];
    struct row row;

    kernel_here()->softmax(logits, 3, exps, &row);
    assert_near(row_complement(&row, 1), 1.8048513915654914e-35, 4e-15);
    assert_true(row_complement(&row, 0) == 1);
    assert_true(row_probability(&row, 1) == 1);
}

static void row__of_masked_classes_only_has_no_probabilities(void **state)
{
    (void)state;
    struct kernels kernels = all_kernels();
    double logits[17], exps[17], out[17];
    struct row row;

    for (size_t c = 0; c < LENGTH(logits); c++)
        logits[c] = -INFINITY;
    for (size_t k = 0; k < kernels.count; k++)
        for (size_t n = 1; n <= LENGTH(logits); n++) {
            kernels.at[k]->softmax(logits, n, exps, &row);
            assert_int_equal(row.top, 0);
            assert_true(row.max == -INFINITY && row.log_sum == 0 && row.sum == 1);
            kernels.at[k]->probabilities(&row, 1, out);
            for (size_t c = 0; c < n; c++)
                assert_zero(out[c]);
            kernels.at[k]->log_probabilities(&row, out);
            for (size_t c = 0; c < n; c++)
                assert_true(out[c] == -INFINITY);
        }
}

static void masked_class__is_as_if_it_were_not_there(void **state)
{
    (void)state;
    struct kernels kernels = all_kernels();
    double with[] = {-INFINITY, 1, -INFINITY, 2, 0.5, -INFINITY}, without[] = {1, 2, 0.5};
    double exps[6], p[6], q[6];
    struct row row;

    for (size_t k = 0; k < kernels.count; k++) {
        kernels.at[k]->softmax(with, 6, exps, &row);
        kernels.at[k]->probabilities(&row, 1, p);
        kernels.at[k]->softmax(without, 3, exps, &row);
        kernels.at[k]->probabilities(&row, 1, q);
        assert_near(p[1], q[0], 1e-15);
        assert_near(p[3], q[1], 1e-15);
        assert_near(p[4], q[2], 1e-15);
        assert_zero(p[0]);
        assert_zero(p[2]);
        assert_zero(p[5]);
    }
}

/* A row of any kind: the usual, huge, subnormal, masked. */
static void draw_row(struct random *random, double *logits, size_t n)
{
    static const double magnitudes[] = {1, 10, 1e3, 1e30, 1e308, 1e-310};
    double magnitude = magnitudes[random_below(random, LENGTH(magnitudes))];

    for (size_t c = 0; c < n; c++)
        logits[c] = random_below(random, 10) ? magnitude * random_within(random, -1, 1)
                                             : -INFINITY;
}

static void every_kernel__gives_the_same_bits(void **state)
{
    (void)state;
    struct kernels kernels = all_kernels();
    static double logits[SIZE_MAX_ROW], exps[2][SIZE_MAX_ROW], out[2][SIZE_MAX_ROW];
    struct random random = {2};
    struct row row[2];

    if (kernels.count == 1)
        print_message("  this machine runs one kernel only\n");
    for (int round = 0; round < 300; round++) {
        size_t n = sizes[random_below(&random, LENGTH(sizes))],
               bytes = n * sizeof(double);
        draw_row(&random, logits, n);
        kernels.at[0]->softmax(logits, n, exps[0], &row[0]);
        for (size_t k = 1; k < kernels.count; k++) {
            kernels.at[k]->softmax(logits, n, exps[1], &row[1]);
            assert_int_equal(row[0].top, row[1].top);
            assert_memory_equal(&row[0].max, &row[1].max, sizeof(double));
            assert_memory_equal(&row[0].rest, &row[1].rest, sizeof(double));
            assert_memory_equal(&row[0].sum, &row[1].sum, sizeof(double));
            assert_memory_equal(&row[0].log_sum, &row[1].log_sum, sizeof(double));
            assert_memory_equal(exps[0], exps[1], bytes);
            kernels.at[0]->probabilities(&row[0], 0.3, out[0]);
            kernels.at[k]->probabilities(&row[1], 0.3, out[1]);
            assert_memory_equal(out[0], out[1], bytes);
            kernels.at[0]->log_probabilities(&row[0], out[0]);
            kernels.at[k]->log_probabilities(&row[1], out[1]);
            assert_memory_equal(out[0], out[1], bytes);
        }
    }
}

static void every_kernel__widens_and_narrows_alike(void **state)
{
    (void)state;
    struct kernels kernels = all_kernels();
    enum { N = 37 };
    struct random random = {3};
    float narrow[N];
    double wide[N];

    for (int round = 0; round < 200; round++) {
        float from[N];
        double temperature = random_within(&random, 0.5, 3);
        for (size_t i = 0; i < N; i++)
            from[i] = (float)(1e30 * random_normal(&random));
        from[0] = -INFINITY;
        for (size_t k = 0; k < kernels.count; k++) {
            kernels.at[k]->widen(from, N, temperature, wide);
            for (size_t i = 0; i < N; i++)
                assert_true(wide[i] == (double)(float)((double)from[i] / temperature));
            for (size_t i = 0; i < N; i++)
                wide[i] = i % 2 ? wide[i] : -random_unit(&random) * 1e-44;
            kernels.at[k]->narrow(wide, N, narrow);
            for (size_t i = 0; i < N; i++)
                assert_true(narrow[i] == (float)wide[i] &&
                            (narrow[i] != 0 || !signbit(narrow[i])));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_here__is_one_of_those_that_run),
        cmocka_unit_test(row__points_at_what_it_was_made_of),
        cmocka_unit_test(top__is_the_first_maximum_wherever_it_stands),
        cmocka_unit_test(softmax__is_that_of_the_plain_formula_for_every_size),
        cmocka_unit_test(probabilities__are_scaled_as_asked),
        cmocka_unit_test(complement__of_a_confident_class_is_not_zero),
        cmocka_unit_test(row__of_masked_classes_only_has_no_probabilities),
        cmocka_unit_test(masked_class__is_as_if_it_were_not_there),
        cmocka_unit_test(every_kernel__gives_the_same_bits),
        cmocka_unit_test(every_kernel__widens_and_narrows_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
