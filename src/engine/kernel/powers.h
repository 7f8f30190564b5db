/* Powers of two whose exponents are sixteenths, on vectors: what is between two whole
 * powers is looked up.  Where no instruction looks up so many at once, roots of floats are
 * looked up in twos. */
#ifndef LOSSD_ENGINE_KERNEL_POWERS_H
#define LOSSD_ENGINE_KERNEL_POWERS_H

#include <string.h>

#include "engine/kernel/vectors.h"

enum {
    POWER_STEP_BITS = 4,
    POWER_STEPS = 1 << POWER_STEP_BITS,
    DOUBLE_ROOT_BITS = 52 - POWER_STEP_BITS,
    FLOAT_ROOT_BITS = 23 - POWER_STEP_BITS
};

/* 2^(k / 16), rounded, less k where a shift by so many bits leaves it. */
#define ROOT(k, bits) ((bits) - ((int64_t)(k) << DOUBLE_ROOT_BITS))
static const int64_t double_roots[POWER_STEPS] __attribute__((aligned(LINE_BYTES))) = {
    ROOT(0, 0x3ff0000000000000),  ROOT(1, 0x3ff0b5586cf9890f),
    ROOT(2, 0x3ff172b83c7d517b),  ROOT(3, 0x3ff2387a6e756238),
    ROOT(4, 0x3ff306fe0a31b715),  ROOT(5, 0x3ff3dea64c123422),
    ROOT(6, 0x3ff4bfdad5362a27),  ROOT(7, 0x3ff5ab07dd485429),
    ROOT(8, 0x3ff6a09e667f3bcd),  ROOT(9, 0x3ff7a11473eb0187),
    ROOT(10, 0x3ff8ace5422aa0db), ROOT(11, 0x3ff9c49182a3f090),
    ROOT(12, 0x3ffae89f995ad3ad), ROOT(13, 0x3ffc199bdd85529c),
    ROOT(14, 0x3ffd5818dcfba487), ROOT(15, 0x3ffea4afa2a490da),
};
#undef ROOT

#define ROOT(k, bits) ((bits) - ((k) << FLOAT_ROOT_BITS))
enum {
    ROOT_0 = ROOT(0, 0x3f800000),
    ROOT_1 = ROOT(1, 0x3f85aac3),
    ROOT_2 = ROOT(2, 0x3f8b95c2),
    ROOT_3 = ROOT(3, 0x3f91c3d3),
    ROOT_4 = ROOT(4, 0x3f9837f0),
    ROOT_5 = ROOT(5, 0x3f9ef532),
    ROOT_6 = ROOT(6, 0x3fa5fed7),
    ROOT_7 = ROOT(7, 0x3fad583f),
    ROOT_8 = ROOT(8, 0x3fb504f3),
    ROOT_9 = ROOT(9, 0x3fbd08a4),
    ROOT_10 = ROOT(10, 0x3fc5672a),
    ROOT_11 = ROOT(11, 0x3fce248c),
    ROOT_12 = ROOT(12, 0x3fd744fd),
    ROOT_13 = ROOT(13, 0x3fe0ccdf),
    ROOT_14 = ROOT(14, 0x3feac0c7),
    ROOT_15 = ROOT(15, 0x3ff5257d),
};
#undef ROOT

#ifdef __AVX2__
static const int32_t float_roots[POWER_STEPS] __attribute__((aligned(LINE_BYTES))) = {
    ROOT_0, ROOT_1, ROOT_2,  ROOT_3,  ROOT_4,  ROOT_5,  ROOT_6,  ROOT_7,
    ROOT_8, ROOT_9, ROOT_10, ROOT_11, ROOT_12, ROOT_13, ROOT_14, ROOT_15,
};
#else
#define PAIRS(b)                                                                        \
    {ROOT_0, b}, {ROOT_1, b}, {ROOT_2, b}, {ROOT_3, b}, {ROOT_4, b}, {ROOT_5, b},       \
        {ROOT_6, b}, {ROOT_7, b}, {ROOT_8, b}, {ROOT_9, b}, {ROOT_10, b}, {ROOT_11, b}, \
        {ROOT_12, b}, {ROOT_13, b}, {ROOT_14, b},                                       \
    {                                                                                   \
        ROOT_15, b                                                                      \
    }
static const int32_t float_roots[POWER_STEPS * POWER_STEPS][2] = {
    PAIRS(ROOT_0),  PAIRS(ROOT_1),  PAIRS(ROOT_2),  PAIRS(ROOT_3),
    PAIRS(ROOT_4),  PAIRS(ROOT_5),  PAIRS(ROOT_6),  PAIRS(ROOT_7),
    PAIRS(ROOT_8),  PAIRS(ROOT_9),  PAIRS(ROOT_10), PAIRS(ROOT_11),
    PAIRS(ROOT_12), PAIRS(ROOT_13), PAIRS(ROOT_14), PAIRS(ROOT_15),
};
#undef PAIRS
#endif

/* What the low four bits of each element name in a table of doubles, or of their bits. */
static inline double_mask double_look_up(const int64_t table[POWER_STEPS], double_mask n)
{
#if defined __AVX512F__
    return (double_mask)_mm512_permutex2var_epi64(_mm512_load_si512(table), (__m512i)n,
                                                  _mm512_load_si512(table + 8));
#else
    enum { COUNT = VECTOR_BYTES / sizeof(int64_t) };
    double_mask found = {0};

    n &= POWER_STEPS - 1;
    for (size_t i = 0; i < COUNT; i++)
        found[i] = table[n[i]];
    return found;
#endif
}

/* The roots that the low four bits of each element name. */
static inline float_mask float_roots_of(float_mask n)
{
#if defined __AVX512F__
    return (float_mask)_mm512_permutexvar_epi32((__m512i)n,
                                                _mm512_load_si512(float_roots));
#elif defined __AVX2__
    float_mask low = *(const float_mask *)(const void *)float_roots;
    float_mask high = *(const float_mask *)(const void *)(float_roots + 8);
    __m256 of_low = _mm256_permutevar8x32_ps((__m256)low, (__m256i)n);
    __m256 of_high = _mm256_permutevar8x32_ps((__m256)high, (__m256i)n);
    return (float_mask)_mm256_blendv_ps(of_low, of_high, (__m256)(n << 28));
#else
    double_bits pair = (double_bits)(n & (POWER_STEPS - 1));
    double_bits roots;

    pair |= pair >> 28; /* the odd one above the even one */
    memcpy(&roots, float_roots[(uint8_t)pair[0]], sizeof roots / 2);
    memcpy((char *)&roots + sizeof roots / 2, float_roots[(uint8_t)pair[1]],
           sizeof roots / 2);
    return (float_mask)roots;
#endif
}

/* 2^(n / 16), for integers n whose power is normal. */
static inline double_vector double_power(double_mask n)
{
    return (double_vector)((n << DOUBLE_ROOT_BITS) + double_look_up(double_roots, n));
}

static inline float_vector float_power(float_mask n)
{
    return (float_vector)((n << FLOAT_ROOT_BITS) + float_roots_of(n));
}

#endif
