/* Random numbers for tests, always the same ones for a seed (the generator is
 * G. Steele, D. Lea and C. Flood's SplitMix64). */
#ifndef LOSSD_TESTS_RANDOM_H
#define LOSSD_TESTS_RANDOM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct random {
    uint64_t state; /* start with any seed */
};

static inline uint64_t random_bits(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline size_t random_below(struct random *random, size_t limit)
{
    return (size_t)(random_bits(random) % limit);
}

/* Between 0 and 1, never either. */
static inline double random_unit(struct random *random)
{
    return ((double)(random_bits(random) >> 12) + 0.5) * 0x1p-52;
}

static inline double random_within(struct random *random, double from, double to)
{
    return from + (to - from) * random_unit(random);
}

/* Normal with mean 0 and deviation 1 (Box and Muller). */
static inline double random_normal(struct random *random)
{
    const double two_pi = 6.283185307179586;
    double radius = sqrt(-2 * log(random_unit(random)));

    return radius * cos(two_pi * random_unit(random));
}

/* Any finite double, all exponents alike. */
static inline double random_finite(struct random *random)
{
    double value;

    do {
        uint64_t bits = random_bits(random);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return value;
}

#endif
