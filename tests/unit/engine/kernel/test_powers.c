/* Powers of two, sixteenth by sixteenth, against the C library's. */
#include "engine/kernel/powers.h"

#include <math.h>

#include "../made.h"

enum { LOWEST = -1000 * POWER_STEPS, HIGHEST = 1000 * POWER_STEPS };

/* 2^(n / 16), rounded; roots are tabulated, whole powers are exact. */
static double power(int64_t n)
{
    int64_t root = n & (POWER_STEPS - 1);

    return ldexp((double)exp2l((long double)root / POWER_STEPS),
                 (int)((n - root) / POWER_STEPS));
}

static void doubles__are_the_powers_of_the_c_library(void **state)
{
    enum { COUNT = VECTOR_BYTES / sizeof(double) };

    (void)state;
    for (int64_t n = LOWEST; n < HIGHEST; n++) {
        double_mask places;
        for (size_t i = 0; i < COUNT; i++)
            places[i] = n + (int64_t)i;
        double_vector powers = double_power(places);
        for (size_t i = 0; i < COUNT; i++)
            assert_true(powers[i] == power(n + (int64_t)i));
    }
}

static void floats__are_the_powers_of_the_c_library(void **state)
{
    enum { COUNT = VECTOR_BYTES / sizeof(float) };

    (void)state;
    for (int32_t n = LOWEST / 10; n < HIGHEST / 10; n++) {
        float_mask places;
        for (size_t i = 0; i < COUNT; i++)
            places[i] = n + (int32_t)i;
        float_vector powers = float_power(places);
        for (size_t i = 0; i < COUNT; i++)
            assert_true(powers[i] == (float)power(n + (int32_t)i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles__are_the_powers_of_the_c_library),
        cmocka_unit_test(floats__are_the_powers_of_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
