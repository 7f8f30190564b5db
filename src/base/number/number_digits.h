/* Eight decimal digits at a time, in one 64-bit word.
 *
 * The first byte of the text is the lowest byte of the word on every machine.
 * Neighbouring digits are joined (or split) pairwise: eight digits, four pairs,
 * two fours, one eight.  Each step is one multiplication for all lanes. */
#ifndef LOSSD_BASE_NUMBER_DIGITS_H
#define LOSSD_BASE_NUMBER_DIGITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* SSE2 is part of every x86-64, so nothing is chosen while running.  Defining
 * NUMBER_PORTABLE does without on x86-64 too, which is how that is tested. */
#if defined(__SSE2__) && !defined(NUMBER_PORTABLE)
#define DIGITS_SSE2 1
#include <emmintrin.h>
#else
#define DIGITS_SSE2 0
#endif

static inline bool digit_is(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline uint64_t digits_little_endian(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

static inline uint64_t digits_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return digits_little_endian(word);
}

static inline void digits_store(char *at, uint64_t word)
{
    word = digits_little_endian(word);
    memcpy(at, &word, sizeof(word));
}

#define DIGITS_ZERO UINT64_C(0x3030303030303030)

/* Adding 6 to a digit leaves its upper half as it is, and to nothing else whose
 * upper half is 3; a carry into the next byte needs a byte that is refused. */
static inline bool digits_are_eight(uint64_t text)
{
    uint64_t upper = UINT64_C(0xf0f0f0f0f0f0f0f0);
    uint64_t six = UINT64_C(0x0606060606060606);
    return ((text & upper) | ((text + six) & upper) >> 4) == UINT64_C(0x3333333333333333);
}

/* The value of eight digits, each a byte of 0 to 9. */
static inline uint32_t digits_join(uint64_t digits)
{
    uint64_t pairs = (digits * (1 + (10 << 8))) >> 8 & UINT64_C(0x00ff00ff00ff00ff);
    uint64_t fours = (pairs * (1 + (100 << 16))) >> 16 & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)((fours * (1 + (UINT64_C(10000) << 32))) >> 32);
}

/* The other way: the eight digits of a value below 10^8, a byte of 0 to 9 each.
 * 10486 / 2^20 and 103 / 2^10 are 1/100 and 1/10, close enough for these. */
static inline uint64_t digits_split(uint32_t value)
{
    uint64_t high = value / 10000;
    uint64_t fours = high | (value - high * 10000) << 32;
    uint64_t hundreds = (fours * 10486) >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (pairs * 103) >> 10 & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - tens * 10) << 8;
}

/* Of two such values at once: the same steps, with 5243 / 2^19 and 6554 / 2^16. */
static inline void digits_split_two(uint32_t a, uint32_t b, uint64_t *digits_a,
                                    uint64_t *digits_b)
{
#if DIGITS_SSE2
    const __m128i one_ten_thousandth = _mm_set1_epi32((int)0xd1b71759); /* 2^45 / 10^4 */
    __m128i eights = _mm_set_epi64x(b, a);
    __m128i high = _mm_srli_epi64(_mm_mul_epu32(eights, one_ten_thousandth), 45);
    __m128i low = _mm_sub_epi32(eights, _mm_mul_epu32(high, _mm_set1_epi32(10000)));
    __m128i fours = _mm_or_si128(high, _mm_slli_epi64(low, 32));
    __m128i hundreds = _mm_srli_epi16(_mm_mulhi_epu16(fours, _mm_set1_epi16(5243)), 3);
    __m128i units = _mm_sub_epi16(fours, _mm_mullo_epi16(hundreds, _mm_set1_epi16(100)));
    __m128i pairs = _mm_or_si128(hundreds, _mm_slli_epi32(units, 16));
    __m128i tens = _mm_mulhi_epu16(pairs, _mm_set1_epi16(6554));
    __m128i ones = _mm_sub_epi16(pairs, _mm_mullo_epi16(tens, _mm_set1_epi16(10)));
    __m128i digits = _mm_or_si128(tens, _mm_slli_epi16(ones, 8));
    *digits_a = (uint64_t)_mm_cvtsi128_si64(digits);
    *digits_b = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(digits, digits));
#else
    *digits_a = digits_split(a);
    *digits_b = digits_split(b);
#endif
}

#endif
