/* codec/half.c against all there is of half precision. */
#include "codec/half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LARGEST = 0x7BFF, SIGN = 0x8000 };

static void assert_rounds(double value, double wanted)
{
    double found = half_round(value);

    if (found != wanted || signbit(found) != signbit(wanted))
        fail_msg("%a is rounded to %a, not to %a", value, found, wanted);
}

static void half_round__leaves_what_is_half_precision(void **state)
{
    (void)state;
    for (uint16_t bits = 0; bits <= LARGEST; bits++) {
        assert_rounds(half_read(bits), half_read(bits));
        assert_rounds(half_read(bits | SIGN), half_read(bits | SIGN));
    }
}

static void half_round__takes_the_even_one_of_two(void **state)
{
    (void)state;
    for (uint16_t bits = 0; bits < LARGEST; bits++) {
        double low = half_read(bits), high = half_read((uint16_t)(bits + 1));
        double middle = (low + high) / 2;
        assert_rounds(middle, bits & 1 ? high : low);
        assert_rounds(-middle, bits & 1 ? -high : -low);
        assert_rounds(nextafter(middle, low), low);
        assert_rounds(nextafter(middle, high), high);
    }
}

static void half_round__is_infinite_beyond_the_largest(void **state)
{
    (void)state;
    assert_rounds(nextafter(65520, 0), 65504);
    assert_rounds(65520, INFINITY);
    assert_rounds(-1e308, -INFINITY);
    assert_rounds(-INFINITY, -INFINITY);
    assert_true(isnan(half_round(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_round__leaves_what_is_half_precision),
        cmocka_unit_test(half_round__takes_the_even_one_of_two),
        cmocka_unit_test(half_round__is_infinite_beyond_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
