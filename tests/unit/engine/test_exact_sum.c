/* Exact sums against a sum that is plainly right: one byte for each bit, positive
 * and negative numbers apart, carries by hand. */
#include "lossd/engine/exact_sum.h"

#include <float.h>
#include <stdlib.h>

#include "made.h"
#include "random.h"

/* ---- the plain sum --------------------------------------------------------------- */

enum { PLAIN_BITS = 1074 + 1024 + 64 }; /* bit i counts 2^(i - 1074) */

struct plain {
    uint8_t bit[2][PLAIN_BITS]; /* [1]: of what is negative */
};

static void plain_add(struct plain *plain, double value)
{
    int exponent;
    double fraction = frexp(fabs(value), &exponent); /* in [1/2, 1) */
    uint64_t mantissa = (uint64_t)(fraction * 0x1p53);
    int lowest = exponent - 53 + 1074;
    uint8_t *bit = plain->bit[signbit(value) != 0];

    for (; lowest < 0; lowest++) /* subnormal: these bits are 0 */
        mantissa >>= 1;
    unsigned carry = 0;
    for (size_t i = (size_t)lowest; mantissa || carry; i++, mantissa >>= 1) {
        assert_true(i < PLAIN_BITS);
        unsigned sum = bit[i] + (unsigned)(mantissa & 1) + carry;
        bit[i] = sum & 1;
        carry = sum >> 1;
    }
}

/* Is the first larger, bit for bit? */
static bool is_larger(const uint8_t *a, const uint8_t *b)
{
    for (size_t i = PLAIN_BITS; i-- > 0;)
        if (a[i] != b[i])
            return a[i] > b[i];
    return false;
}

static double plain_value(const struct plain *plain)
{
    bool negative = is_larger(plain->bit[1], plain->bit[0]);
    const uint8_t *large = plain->bit[negative], *small = plain->bit[!negative];
    uint8_t rest[PLAIN_BITS];
    int borrow = 0;
    size_t top = 0;

    for (size_t i = 0; i < PLAIN_BITS; i++) {
        int difference = large[i] - small[i] - borrow;
        borrow = difference < 0;
        rest[i] = difference & 1;
        top = rest[i] ? i : top;
    }
    size_t low = top > 52 ? top - 52 : 0;
    uint64_t mantissa = 0;
    for (size_t i = top + 1; i-- > low;)
        mantissa = mantissa << 1 | rest[i];
    bool half = low > 0 && rest[low - 1], more = false;
    for (size_t i = 0; low > 0 && i < low - 1; i++)
        more |= rest[i];
    mantissa += half && (more || mantissa & 1);
    double value = ldexp((double)mantissa, (int)low - 1074);
    return negative ? -value : value;
}

/* ---- helpers --------------------------------------------------------------------- */

static double sum_of(const double *values, size_t n)
{
    struct exact_sum sum = {0};

    for (size_t i = 0; i < n; i++)
        exact_sum_add(&sum, values[i]);
    return exact_sum_value(&sum);
}

static void assert_same(double found, double wanted)
{
    if (found != wanted || signbit(found) != signbit(wanted))
        fail_msg("%a is not %a", found, wanted);
}

static double random_near(struct random *random, int exponent, int spread)
{
    double value = ldexp(random_unit(random) + 1,
                         exponent + (int)random_below(random, (size_t)spread));

    return random_below(random, 2) ? value : -value;
}

/* Numbers of one kind: all exponents, a few, about one, subnormal, or pairs that
 * cancel but for the last bits. */
static void draw(struct random *random, double *values, size_t n)
{
    size_t kind = random_below(random, 5);
    int exponent = (int)random_below(random, 1880) - 1000;

    for (size_t i = 0; i < n; i++)
        switch (kind) {
        case 0:
            values[i] = random_finite(random) * 0x1p-20;
            break;
        case 1:
            values[i] = random_near(random, exponent, 120);
            break;
        case 2:
            values[i] = random_near(random, exponent, 2);
            break;
        case 3:
            values[i] = (double)(random_bits(random) >> 40) * 0x1p-1074 *
                        (random_below(random, 2) ? 1 : -1);
            break;
        default:
            values[i] = i % 2 ? -values[i - 1] *
                                    (1 + DBL_EPSILON * (double)random_below(random, 2))
                              : random_near(random, exponent, 50);
            break;
        }
}

/* ---- tests ----------------------------------------------------------------------- */

static void value__of_one_number_is_that_number(void **state)
{
    (void)state;
    static const double values[] = {1,           -1,       0.1,     DBL_MAX,  -DBL_MAX,
                                    DBL_MIN,     -DBL_MIN, 5e-324,  -5e-324,  DBL_MIN / 2,
                                    0x1.8p-1050, 1e300,    -1e-300, 0x1p1023, 0x1p-1022};
    struct random random = {1};
    double zero = -0.0;

    for (size_t i = 0; i < LENGTH(values); i++)
        assert_same(sum_of(&values[i], 1), values[i]);
    for (int i = 0; i < 20000; i++) {
        double value = random_finite(&random);
        assert_same(sum_of(&value, 1), value);
    }
    assert_same(sum_of(NULL, 0), 0);
    assert_same(sum_of(&zero, 1), 0);
}

static void value__is_the_total_rounded_once(void **state)
{
    (void)state;
    struct random random = {2};
    double values[64];

    for (int round = 0; round < 3000; round++) {
        size_t n = 1 + random_below(&random, LENGTH(values));
        struct plain plain = {0};
        draw(&random, values, n);
        for (size_t i = 0; i < n; i++)
            plain_add(&plain, values[i]);
        assert_same(sum_of(values, n), plain_value(&plain));
    }
}

static void value__does_not_depend_on_order_or_split(void **state)
{
    (void)state;
    enum { PARTS = 7 };
    struct random random = {3};
    double values[200];

    for (int round = 0; round < 500; round++) {
        size_t n = 1 + random_below(&random, LENGTH(values));
        draw(&random, values, n);
        double wanted = sum_of(values, n);
        struct exact_sum part[PARTS] = {{{0}, 0, 0, 0, 0}};
        for (size_t i = n; i > 0; i--) { /* one after another, drawn from what is left */
            size_t pick = random_below(&random, i);
            exact_sum_add(&part[random_below(&random, PARTS)], values[pick]);
            values[pick] = values[i - 1];
        }
        for (size_t left = PARTS; left > 1; left--) { /* a tree of any form */
            size_t a = random_below(&random, left - 1);
            if (random_below(&random, 2))
                (void)exact_sum_value(&part[a]);
            exact_sum_merge(&part[a], &part[left - 1]);
        }
        assert_same(exact_sum_value(&part[0]), wanted);
    }
}

static void value__rounds_ties_to_even(void **state)
{
    (void)state;
    static const struct {
        double values[4];
        double total;
    } rows[] = {
        {{0x1p53, 1}, 0x1p53},
        {{0x1p53, 1, 5e-324}, 0x1p53 + 2},
        {{0x1p53, 1, -5e-324}, 0x1p53},
        {{0x1p53, 3}, 0x1p53 + 4},
        {{0x1p53, 3, -5e-324}, 0x1p53 + 2},
        {{0x1p53, 2, 1}, 0x1p53 + 4},
        {{1, 0x1p-53}, 1},
        {{1, 0x1p-53, 0x1p-1074}, 1 + DBL_EPSILON},
        {{1, DBL_EPSILON, 0x1p-53}, 1 + 2 * DBL_EPSILON},
        {{1, -0x1p-54}, 1},
        {{1, -0x1p-54, -0x1p-1000}, 1 - DBL_EPSILON / 2},
        {{0x1p900, 0x1p847}, 0x1p900},
        {{0x1p900, 0x1p847, 1}, 0x1.0000000000001p900},
        {{DBL_MIN, 5e-324}, 0x1.0000000000001p-1022},
        {{DBL_MIN, -5e-324}, 0x0.fffffffffffffp-1022},
        {{0x1p-1021, 5e-324}, 0x1p-1021},
        {{0x1p-1021, 1.5e-323}, 0x1.0000000000002p-1021},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        double negative[4];
        for (size_t j = 0; j < 4; j++)
            negative[j] = -rows[i].values[j];
        assert_same(sum_of(rows[i].values, 4), rows[i].total);
        assert_same(sum_of(negative, 4), -rows[i].total);
    }
}

static void value__cancels_to_the_last_bit(void **state)
{
    (void)state;
    static const double values[] = {1e300,   1,       -1e300,   5e-324, -1,
                                    DBL_MAX, -1e-300, -DBL_MAX, 1e-300};

    assert_same(sum_of(values, LENGTH(values)), 5e-324);
    assert_same(sum_of(values, 3), 1);
    assert_same(sum_of((const double[]){0.1, 0.2, -0.3}, 3), 0x1p-55);
    assert_same(sum_of((const double[]){5, -5}, 2), 0);
}

static void value__is_infinite_only_where_the_total_is_beyond(void **state)
{
    (void)state;
    static const double half = 0x1p970; /* half a unit in the last place of DBL_MAX */
    static const struct {
        double values[3];
        double total;
    } rows[] = {
        {{DBL_MAX, DBL_MAX}, INFINITY},          {{DBL_MAX, half}, INFINITY},
        {{DBL_MAX, half, -5e-324}, DBL_MAX},     {{DBL_MAX, 0x1p969}, DBL_MAX},
        {{DBL_MAX, DBL_MAX, -DBL_MAX}, DBL_MAX}, {{-DBL_MAX, -half}, -INFINITY},
        {{INFINITY, -DBL_MAX, 1}, INFINITY},     {{1, -INFINITY, 1}, -INFINITY},
    };

    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_same(sum_of(rows[i].values, 3), rows[i].total);
    assert_true(isnan(sum_of((const double[]){INFINITY, -INFINITY, 1}, 3)));
    assert_true(isnan(sum_of((const double[]){1, NAN, INFINITY}, 3)));
}

/* Infinities survive a merge, from either side. */
static void merge__keeps_what_is_beyond(void **state)
{
    (void)state;
    struct exact_sum finite = {0}, infinite = {0}, total = {0};

    exact_sum_add(&finite, 1);
    exact_sum_add(&infinite, INFINITY);
    exact_sum_merge(&total, &finite);
    exact_sum_merge(&total, &infinite);
    assert_same(exact_sum_value(&total), INFINITY);
    exact_sum_merge(&infinite, &finite);
    assert_same(exact_sum_value(&infinite), INFINITY);
    assert_same(exact_sum_value(&finite), 1);
}

static void merge__leaves_the_other_as_it_is_in_value(void **state)
{
    (void)state;
    struct exact_sum a = {0}, b = {0};

    exact_sum_add(&a, -3);
    exact_sum_add(&b, 0x1p60);
    exact_sum_add(&b, -0.5);
    exact_sum_merge(&a, &b);
    exact_sum_merge(&a, &b);
    assert_same(exact_sum_value(&b), 0x1p60);
    exact_sum_add(&b, -0x1p60);
    assert_same(exact_sum_value(&b), -0.5);
    exact_sum_add(&a, -0x1p61);
    assert_same(exact_sum_value(&a), -4);
}

static void value__may_be_asked_between_additions(void **state)
{
    (void)state;
    struct exact_sum sum = {0};

    for (int i = 1; i <= 5000; i++) {
        exact_sum_add(&sum, -0.1);
        double value = exact_sum_value(&sum);
        assert_same(exact_sum_value(&sum), value);
        assert_near(value, -0.1 * i, DBL_EPSILON);
    }
}

/* Carries wait, but not for ever. */
static void value__is_right_after_millions_of_additions(void **state)
{
    (void)state;
    enum { MANY = 1500000 };
    struct random random = {4};
    struct exact_sum sum = {0}, largest = {0};
    struct plain *plain = calloc(1, sizeof *plain);

    assert_non_null(plain);
    for (int i = 0; i < MANY; i++) {
        double value = random_near(&random, -20, 40);
        exact_sum_add(&sum, value);
        plain_add(plain, value);
        exact_sum_add(&largest, DBL_MAX);
    }
    assert_same(exact_sum_value(&sum), plain_value(plain));
    assert_same(exact_sum_value(&largest), INFINITY);
    for (int i = 0; i < MANY; i++)
        exact_sum_add(&largest, -DBL_MAX);
    assert_same(exact_sum_value(&largest), 0);
    for (int i = 0; i < MANY; i++)
        exact_sum_add(&largest, -0x1.fffffffffffffp-1000);
    assert_same(exact_sum_value(&largest), MANY * -0x1.fffffffffffffp-1000);
    free(plain);
}

/* Sums that wait with their carries, as many as there can be. */
static void merge__of_thousands_loses_nothing(void **state)
{
    enum { MERGES = 3000 };
    const double most = 0x1.fffffffffffffp65; /* nearly all of it in one limb */

    (void)state;
    for (int count = 1; count < 1000; count += 111) {
        struct exact_sum part = {0}, total = {0};
        for (int i = 0; i < count; i++)
            exact_sum_add(&part, -most);
        for (int i = 0; i < MERGES; i++)
            exact_sum_merge(&total, &part);
        for (int i = 0; i < MERGES * count; i++)
            exact_sum_add(&total, most);
        assert_same(exact_sum_value(&total), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value__of_one_number_is_that_number),
        cmocka_unit_test(value__is_the_total_rounded_once),
        cmocka_unit_test(value__does_not_depend_on_order_or_split),
        cmocka_unit_test(value__rounds_ties_to_even),
        cmocka_unit_test(value__cancels_to_the_last_bit),
        cmocka_unit_test(value__is_infinite_only_where_the_total_is_beyond),
        cmocka_unit_test(merge__keeps_what_is_beyond),
        cmocka_unit_test(merge__leaves_the_other_as_it_is_in_value),
        cmocka_unit_test(merge__of_thousands_loses_nothing),
        cmocka_unit_test(value__may_be_asked_between_additions),
        cmocka_unit_test(value__is_right_after_millions_of_additions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
