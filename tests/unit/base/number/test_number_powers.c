/* The table of powers of ten, held to the inequality that defines it: by whole
 * numbers only, and by multiplying where its generator divides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "base/number/number_powers.h"

enum { LIMBS = 44 };

struct big {
    uint32_t limb[LIMBS];
};

static void big_multiply(struct big *a, uint32_t factor, int times)
{
    while (times-- > 0) {
        uint64_t carry = 0;
        for (int i = 0; i < LIMBS; i++, carry >>= 32) {
            carry += (uint64_t)a->limb[i] * factor;
            a->limb[i] = (uint32_t)carry;
        }
        assert_int_equal(carry, 0);
    }
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (int i = LIMBS; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* Compares entry * 2^(log2 - 127) with 10^q, both multiplied by what makes them
 * whole. */
static int compare_with_power(struct number_power entry, int q)
{
    struct big left = {{(uint32_t)entry.low, (uint32_t)(entry.low >> 32),
                        (uint32_t)entry.high, (uint32_t)(entry.high >> 32)}};
    struct big right = {{1}};
    int twos = number_power_log2(q) - 127 - q;
    big_multiply(&left, 5, -q);
    big_multiply(&left, 2, twos);
    big_multiply(&right, 5, q);
    big_multiply(&right, 2, -twos);
    return big_compare(&left, &right);
}

static void number_powers__are_exact_or_rounded_up_by_less_than_one(void **state)
{
    (void)state;
    for (int q = NUMBER_POWER_MIN; q <= NUMBER_POWER_MAX; q++) {
        struct number_power entry = number_power_of_ten(q), one_less = entry;
        bool exact = q >= 0 && q <= NUMBER_POWER_EXACT_MAX;
        one_less.high -= one_less.low-- == 0;
        assert_true(entry.high >> 63);
        assert_int_equal(compare_with_power(entry, q), exact ? 0 : 1);
        assert_int_equal(compare_with_power(one_less, q), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_powers__are_exact_or_rounded_up_by_less_than_one),
    };
    return cmocka_run_group_tests_name("number_powers", tests, NULL, NULL);
}
