/* Logits under a softcap and a temperature, against the C library in long double. */
#include "engine/kernel/softcap.h"

#include "../made.h"
#include "../random.h"

enum { MANY = 20000 };

static double_vector all(double x)
{
    return (double_vector){0} + x;
}

static double capped_one(double x, double softcap, double temperature)
{
    const struct cap by = cap_of(softcap, temperature);

    return capped(all(x), &by)[0];
}

/* How far a number is from the exact one, in its last place. */
static double off_by(double found, long double exact)
{
    double place = nextafter(fabs(found), (double)INFINITY) - fabs(found);

    return (double)(fabsl((long double)found - exact) / place);
}

static void capped__is_rounded_once(void **state)
{
    static const double caps[] = {1e-300, 0.3, 1, 20, 30, 50, 1e10, 1e300};
    static const double temperatures[] = {1, 0.7, 2, 30};
    struct random random = {7};

    (void)state;
    for (size_t i = 0; i < LENGTH(caps); i++)
        for (size_t j = 0; j < LENGTH(temperatures); j++)
            for (int k = 0; k < MANY; k++) {
                double ratio = exp(random_within(&random, -8, 4));
                double x = k % 2 ? caps[i] * ratio : -caps[i] * ratio;
                long double exact = caps[i] * tanhl((long double)x / caps[i]);
                double found = capped_one(x, caps[i], temperatures[j]);
                assert_true(off_by(found, exact / temperatures[j]) < 0.501);
            }
}

static void capped__leaves_alone_what_is_small_and_what_is_masked(void **state)
{
    (void)state;
    assert_true(capped_one(0, 30, 0.7) == 0);
    assert_true(capped_one(5e-324, 30, 1) == 5e-324);
    assert_true(capped_one(-1e-12, 30, 0.7) == -1e-12 / 0.7);
    assert_true(capped_one(1e308, 30, 1) == 30);
    assert_true(capped_one(-1e308, 30, 1) == -30);
    assert_true(capped_one(1, 1e-320, 1) == 1e-320);
    assert_true(capped_one(-(double)INFINITY, 30, 0.7) == -(double)INFINITY);
}

static void capped__takes_any_temperature(void **state)
{
    static const double temperatures[] = {2e300, 1e308, 1e-20, 1e-100, 1e-300, 1e-302};

    (void)state;
    for (size_t i = 0; i < LENGTH(temperatures); i++) {
        long double exact = 1e5L * tanhl(1) / (long double)temperatures[i];
        double found = capped_one(1e5, 1e5, temperatures[i]);
        assert_true(off_by(found, exact) < 0.501);
        assert_true(capped_one(0, 1e5, temperatures[i]) == 0);
    }
}

/* A small logit is not lost beside a huge softcap, nor beside a small temperature. */
static void capped__keeps_what_is_small(void **state)
{
    struct random random = {8};

    (void)state;
    assert_true(capped_one(7.4e-280, 1e300, 1e-280) == 7.4e-280 / 1e-280);
    assert_true(capped_one(3e-280, 1e300, 1) == 3e-280);
    for (int k = 0; k < MANY; k++) {
        double x = 1e-17 * exp(random_within(&random, -4, 4));
        long double exact = 1e-17 * tanhl((long double)x / 1e-17) / 1e-20;
        assert_true(off_by(capped_one(x, 1e-17, 1e-20), exact) < 0.501);
    }
    for (int k = 0; k < MANY; k++) {
        double x = -6.969e-261 * random_unit(&random);
        assert_true(capped_one(x, 1.709e305, 4.71e-208) == x / 4.71e-208);
        x = 4.445646731e-314 * random_unit(&random);
        assert_true(capped_one(x, 2.66e-129, 7.06e-4) == x / 7.06e-4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capped__is_rounded_once),
        cmocka_unit_test(capped__keeps_what_is_small),
        cmocka_unit_test(capped__takes_any_temperature),
        cmocka_unit_test(capped__leaves_alone_what_is_small_and_what_is_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
