/* Numbers of twice the precision. */
#include "engine/kernel/pairs.h"

#include "../made.h"
#include "../random.h"

enum { MANY = 20000 };

static double_vector all(double x)
{
    return (double_vector){0} + x;
}

/* The k-th root squared is the one that is twice as far, exactly but for 2^-100. */
static void roots__are_exact_with_their_tails(void **state)
{
    (void)state;
    for (int64_t k = 1; k < POWER_STEPS; k++) {
        struct pair root = {
            double_power((double_mask){0} + k),
            (double_vector)double_look_up(root_tails, (double_mask){0} + k)};
        struct pair square = pair_times(root, root.high);
        int64_t twice = 2 * k;
        double power = twice >= POWER_STEPS ? 2 : 1;
        struct pair wanted = {
            double_power((double_mask){0} + twice),
            power * (double_vector)double_look_up(root_tails, (double_mask){0} + twice)};
        square =
            pair_plus(square, pair_times((struct pair){root.low, all(0)}, root.high));
        double off = (square.high - wanted.high + (square.low - wanted.low))[0];
        assert_true(fabs(off) < 0x1p-100);
    }
}

static void exp__has_twice_the_precision(void **state)
{
    struct random random = {8};

    (void)state;
    for (int k = 0; k < MANY; k++) {
        double d = -exp(random_within(&random, -30, 6.6));
        struct pair e = pair_exp((struct pair){all(d), all(0)});
        long double found = ((long double)e.high[0] + (long double)e.low[0]) / EXPS_SCALE;
        assert_true(fabsl(found / expl((long double)d) - 1) < 0x1p-60L);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots__are_exact_with_their_tails),
        cmocka_unit_test(exp__has_twice_the_precision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
