/* The engine's exponential and logarithms against the C library's in long double. */
#include "engine/vmath.h"

#include "made.h"
#include "random.h"

enum { MANY = 400000 };

/* Relative, in units of 2^-53; where the exact value is 0 only 0 is right. */
static double off_by(double found, long double exact)
{
    if (exact == 0)
        return found == 0 ? 0 : (double)INFINITY;
    return (double)(fabsl((long double)found - exact) / fabsl(exact) * 0x1p53L);
}

static void exp__is_right_to_two_units_with_its_tail(void **state)
{
    (void)state;
    struct random random = {1};
    double worst = 0;

    for (int i = 0; i < MANY; i++) {
        double d = -random_within(&random, 0, 1) * (i % 2 ? 799 : 1);
        double tail = d * random_within(&random, -0x1p-53, 0x1p-53);
        long double exact = expl((long double)d + (long double)tail) * 0x1p512L;
        worst = fmax(worst, off_by(exp_scaled(d, tail), exact));
    }
    print_message("  exp: %.2f units of 2^-53\n", worst);
    assert_true(worst > 0 && worst < 2);
}

static void exp__of_zero_is_one(void **state)
{
    (void)state;
    assert_true(exp_scaled(0, 0) == EXPS_SCALE);
    assert_true(exp_scaled(-0.0, 0) == EXPS_SCALE);
    assert_near(exp_scaled(-0x1p-1074, 0), EXPS_SCALE, 0x1p-53);
}

/* What is that small vanishes when the scale is taken off, a NaN tail or not. */
static void exp__of_anything_below_is_as_good_as_zero(void **state)
{
    (void)state;
    static const double below[] = {-800, -801, -1e4, -1e30, -1e308, -INFINITY};

    for (size_t i = 0; i < LENGTH(below); i++) {
        double e = exp_scaled(below[i], below[i] == -INFINITY ? (double)NAN : -1e-14);
        assert_true(e >= 0 && e <= 0x1p-600);
        assert_true(e * (1 / EXPS_SCALE) == 0);
    }
}

static void log1p__is_right_to_two_units_however_small(void **state)
{
    (void)state;
    struct random random = {3};
    double worst = 0;

    for (int i = 0; i < MANY; i++) {
        double v = ldexp(random_within(&random, 1, 2),
                         (int)random_below(&random, 1022 + 60) - 1022);
        worst = fmax(worst, off_by(log1p_of(v), log1pl((long double)v)));
        v = random_within(&random, 0, 4);
        worst = fmax(worst, off_by(log1p_of(v), log1pl((long double)v)));
    }
    print_message("  log1p: %.2f units of 2^-53\n", worst);
    assert_true(worst > 0 && worst < 2);
    assert_zero(log1p_of(0));
    assert_true(log1p_of(5e-324) == 5e-324);
    assert_true(log1p_of(3e-320) == 3e-320);
}

static void difference_tail__is_what_rounding_left_off(void **state)
{
    (void)state;
    struct random random = {4};

    for (int i = 0; i < MANY; i++) {
        double a = random_normal(&random) * ldexp(1, (int)random_below(&random, 40) - 20);
        double b = random_normal(&random);
        double high = a - b;
        double tail = difference_tail(a, b, high);
        /* exact in 64 bits where the two are within 2^11 of each other */
        long double left = ((long double)a - (long double)b) - (long double)high;
        if (fabs(a) < 0x1p10 * fabs(b) && fabs(b) < 0x1p10 * fabs(a))
            assert_true((long double)tail == left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp__is_right_to_two_units_with_its_tail),
        cmocka_unit_test(exp__of_zero_is_one),
        cmocka_unit_test(exp__of_anything_below_is_as_good_as_zero),
        cmocka_unit_test(log1p__is_right_to_two_units_however_small),
        cmocka_unit_test(difference_tail__is_what_rounding_left_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
