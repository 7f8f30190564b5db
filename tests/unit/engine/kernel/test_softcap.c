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

/* Where the parts of a temperature have no room, it is divided by as it is. */
static void capped__takes_any_temperature(void **state)
{
    static const double temperatures[] = {2e300, 1e308, 1e-100, 1e-300, 1e-302};

    (void)state;
    for (size_t i = 0; i < LENGTH(temperatures); i++) {
        long double exact = 1e5L * tanhl(1) / (long double)temperatures[i];
        double found = capped_one(1e5, 1e5, temperatures[i]);
        assert_true(off_by(found, exact) < 1.001);
        assert_true(capped_one(0, 1e5, temperatures[i]) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capped__is_rounded_once),
        cmocka_unit_test(capped__takes_any_temperature),
        cmocka_unit_test(capped__leaves_alone_what_is_small_and_what_is_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
