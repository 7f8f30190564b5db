/* The engine's exponential and logarithms against the C library's in long double. */
#include "engine/kernel/vmath.h"

#include "../made.h"
#include "../random.h"

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

/* Of all magnitudes from 2^-1074 up to `largest`. */
static double draw_size(struct random *random, double largest)
{
    if (random_below(random, 2))
        return largest * random_unit(random);
    return largest *
           ldexp(random_within(random, 0.5, 1), -(int)random_below(random, 1074));
}

static void expm1__is_right_to_three_units_however_small(void **state)
{
    (void)state;
    struct random random = {6};
    double worst = 0;

    for (int i = 0; i < MANY; i++) {
        double d = -draw_size(&random, i % 2 ? 800 : 2);
        worst = fmax(worst, off_by(expm1_of(d), expm1l((long double)d)));
    }
    print_message("  expm1: %.2f units of 2^-53\n", worst);
    assert_true(worst > 0 && worst < 3);
    assert_zero(expm1_of(0));
    assert_true(expm1_of(-5e-324) == -5e-324);
    assert_true(expm1_of(-1e308) == -1);
    assert_true(expm1_of(-INFINITY) == -1);
}

static void tanh__is_right_to_four_units_on_both_sides(void **state)
{
    (void)state;
    struct random random = {7};
    double worst = 0;

    for (int i = 0; i < MANY; i++) {
        double u = draw_size(&random, i % 2 ? 400 : 2);
        worst = fmax(worst, off_by(tanh_of(u), tanhl((long double)u)));
        assert_true(tanh_of(-u) == -tanh_of(u));
        assert_true(tanh_of(u) <= 1);
    }
    print_message("  tanh: %.2f units of 2^-53\n", worst);
    assert_true(worst > 0 && worst < 4);
    assert_true(tanh_of(0) == 0);
    assert_true(tanh_of(5e-324) == 5e-324 || tanh_of(5e-324) == 1e-323);
    assert_true(tanh_of(1.7e308) == 1 && tanh_of(-INFINITY) == -1);
}

static void tanh_slope__is_right_to_five_units_also_where_tanh_is_one(void **state)
{
    (void)state;
    struct random random = {8};
    double worst = 0;

    for (int i = 0; i < MANY; i++) {
        double u = draw_size(&random, i % 2 ? 350 : 2);
        long double wide = coshl((long double)u);
        worst = fmax(worst, off_by(tanh_slope_of(u), 1 / (wide * wide)));
        assert_true(tanh_slope_of(-u) == tanh_slope_of(u));
    }
    print_message("  slope of tanh: %.2f units of 2^-53\n", worst);
    assert_true(worst > 0 && worst < 5);
    assert_true(tanh_slope_of(0) == 1);
    assert_zero(tanh_slope_of(400));
    assert_zero(tanh_slope_of(-1.7e308));
    assert_zero(tanh_slope_of(INFINITY));
}

/* Near 1 too, where the logarithm vanishes. */
static void log__is_right_to_two_units_and_its_tail_makes_it_better(void **state)
{
    (void)state;
    struct random random = {9};
    double worst = 0, worst_with_tail = 0, tail;

    for (int i = 0; i < MANY; i++) {
        double x = i % 3 == 0   ? draw_size(&random, 1.7e308)
                   : i % 3 == 1 ? random_within(&random, 0.5, 2)
                                : 1 + ldexp(random_within(&random, -1, 1),
                                            -(int)random_below(&random, 50));
        long double exact = logl((long double)x);
        double log = log_of(x, &tail);
        if (x == 1) {
            assert_true(log == 0 && tail == 0);
            continue;
        }
        long double off = fabsl((long double)log + (long double)tail - exact);
        worst = fmax(worst, off_by(log, exact));
        worst_with_tail = fmax(worst_with_tail, (double)(off / fabsl(exact) * 0x1p53L));
    }
    print_message("  log: %.2f units of 2^-53, %.2f with its tail\n", worst,
                  worst_with_tail);
    assert_true(worst > 0 && worst < 2);
    assert_true(worst_with_tail < worst);
    assert_near(log_of(5e-324, &tail), -744.44007192138122, 2e-16);
    assert_near(log_of(0x1p-1022, &tail), -708.39641853226408, 2e-16);
}

/* What the logarithm is off by is multiplied with the exponent. */
static void power__is_right_to_three_units_for_exponents_that_are_used(void **state)
{
    (void)state;
    static const double largest[] = {8, 1e6};
    static const double bounds[] = {3, 400}, bounds_of_subnormals[] = {1, 4};
    struct random random = {10};

    for (size_t k = 0; k < LENGTH(largest); k++) {
        double worst = 0, worst_units = 0;
        for (int i = 0; i < MANY; i++) {
            double x = i % 2 ? random_unit(&random) : draw_size(&random, 1);
            double y = i % 4 ? largest[k] * random_unit(&random)
                             : (double)random_below(&random, 9);
            long double exact = powl((long double)x, (long double)y);
            double power = power_of(x, y);
            if (exact < 0x1p-1022L)
                worst_units = fmax(
                    worst_units, (double)(fabsl((long double)power - exact) * 0x1p1074L));
            else
                worst = fmax(worst, off_by(power, exact));
        }
        print_message(
            "  power, exponent to %g: %.2f units of 2^-53; subnormal: %.2f units\n",
            largest[k], worst, worst_units);
        assert_true(worst > 0 && worst < bounds[k]);
        assert_true(worst_units <= bounds_of_subnormals[k]);
    }
    assert_true(power_of(0, 0) == 1 && power_of(1, 1e300) == 1 && power_of(0.5, 0) == 1);
    assert_zero(power_of(0, 5e-324));
    assert_zero(power_of(0.5, 1.7e308));
    assert_true(power_of(0.5, 1) == 0.5 && power_of(0.25, 0.5) == 0.5);
}

static void product_tail__is_what_rounding_left_off(void **state)
{
    (void)state;
    struct random random = {11};

    for (int i = 0; i < MANY; i++) {
        double a = random_normal(&random) * 0x1p20, b = random_normal(&random);
        double high = a * b, tail = product_tail(a, b, high);
        /* both are within 2^53 of the last bit of the product, which has 106 */
        assert_true(high + tail == high);
        long double left = (long double)a * (long double)b - (long double)high;
        assert_true(fabsl((long double)tail - left) <=
                    fabsl((long double)high) * 0x1p-63L);
        assert_true(tail == fma(a, b, -high));
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
        cmocka_unit_test(expm1__is_right_to_three_units_however_small),
        cmocka_unit_test(tanh__is_right_to_four_units_on_both_sides),
        cmocka_unit_test(tanh_slope__is_right_to_five_units_also_where_tanh_is_one),
        cmocka_unit_test(log__is_right_to_two_units_and_its_tail_makes_it_better),
        cmocka_unit_test(power__is_right_to_three_units_for_exponents_that_are_used),
        cmocka_unit_test(product_tail__is_what_rounding_left_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
