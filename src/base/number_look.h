/* The two looks that number_scan.c takes at a text: which of 32 bytes are what,
 * and what sixteen digits with a dot among them are worth.
 *
 * SSE2 is part of every x86-64, so nothing is chosen while running.  Elsewhere
 * 64-bit words do the same: the same results, at half the speed.  Defining
 * NUMBER_PORTABLE takes the words on x86-64 too, which is how they are tested. */
#ifndef LOSSD_BASE_NUMBER_LOOK_H
#define LOSSD_BASE_NUMBER_LOOK_H

#include "number_digits.h"

#if defined(__SSE2__) && !defined(NUMBER_PORTABLE)
#define NUMBER_LOOK_SSE2 1
#include <emmintrin.h>
#else
#define NUMBER_LOOK_SSE2 0
#endif

/* Bit i is about byte i of the 32: it is no digit; it is a byte above '0', so
 * not a zero, a sign, a dot, a comma or a blank. */
struct look {
    uint32_t other, above;
};

/* The i-th of its suffixes starts with 32 - i set bytes: loaded at 32 - n it is
 * a mask of the first n bytes. */
static const unsigned char look_window[64] = {
#define EIGHT 255, 255, 255, 255, 255, 255, 255, 255
    EIGHT, EIGHT, EIGHT, EIGHT
#undef EIGHT
};

#if NUMBER_LOOK_SSE2

static inline __m128i look_load(const void *at)
{
    __m128i bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return bytes;
}

static inline __m128i look_mask(unsigned count)
{
    return look_load(look_window + 32 - count);
}

/* Signed comparison is the only one there is: the digits go to -128..-119. */
static inline struct look look_at(const char *at)
{
    __m128i low = look_load(at), high = look_load(at + 16);
    __m128i bias = _mm_set1_epi8((char)(128 - '0')), limit = _mm_set1_epi8((char)-119);
    __m128i zero = _mm_set1_epi8('0');
    int other_low = _mm_movemask_epi8(_mm_cmpgt_epi8(_mm_add_epi8(low, bias), limit));
    int other_high = _mm_movemask_epi8(_mm_cmpgt_epi8(_mm_add_epi8(high, bias), limit));
    int above_low = _mm_movemask_epi8(_mm_cmpgt_epi8(low, zero));
    int above_high = _mm_movemask_epi8(_mm_cmpgt_epi8(high, zero));
    return (struct look){(uint32_t)other_low | (uint32_t)other_high << 16,
                         (uint32_t)above_low | (uint32_t)above_high << 16};
}

/* The first `count` digits at `at`, as if zeros followed up to sixteen.  The
 * byte after the first `split` of them is a dot, and stepped over. */
static inline uint64_t look_sixteen(const char *at, unsigned split, unsigned count)
{
    __m128i before = look_mask(split);
    __m128i text = _mm_or_si128(_mm_and_si128(before, look_load(at)),
                                _mm_andnot_si128(before, look_load(at + 1)));
    __m128i digits =
        _mm_and_si128(_mm_sub_epi8(text, _mm_set1_epi8('0')), look_mask(count));
    __m128i pairs =
        _mm_srli_epi16(_mm_mullo_epi16(digits, _mm_set1_epi16(1 + (10 << 8))), 8);
    __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 + (1 << 16)));
    fours = _mm_packs_epi32(fours, fours);
    __m128i eights = _mm_madd_epi16(fours, _mm_set1_epi32(10000 + (1 << 16)));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    return (both & 0xffffffff) * 100000000 + (both >> 32);
}

#else

/* The highest bit of each byte, the first byte's lowest. */
static inline uint32_t look_gather(uint64_t highest)
{
    return (uint32_t)(((highest >> 7) * UINT64_C(0x0102040810204080)) >> 56);
}

/* Bytes of 128 and more are no digits, and count as not above, as with SSE2. */
static inline struct look look_at(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), top = ones << 7;
    struct look look = {0, 0};
    for (int i = 0; i < 4; i++) {
        uint64_t text = digits_load(at + 8 * i), low = text & ~top;
        uint64_t from_zero = low + ones * (128 - '0');
        uint64_t above_zero = low + ones * (127 - '0');
        uint64_t above_nine = low + ones * (127 - '9');
        look.other |= look_gather((text | ~from_zero | above_nine) & top) << (8 * i);
        look.above |= look_gather(~text & above_zero & top) << (8 * i);
    }
    return look;
}

static inline uint64_t look_eight(const char *at, const unsigned char *before,
                                  const unsigned char *counted)
{
    uint64_t split, count;
    memcpy(&split, before, sizeof(split));
    memcpy(&count, counted, sizeof(count));
    split = digits_little_endian(split);
    uint64_t text = (digits_load(at) & split) | (digits_load(at + 1) & ~split);
    return digits_join((text ^ DIGITS_ZERO) & digits_little_endian(count));
}

static inline uint64_t look_sixteen(const char *at, unsigned split, unsigned count)
{
    const unsigned char *before = look_window + 32 - split;
    const unsigned char *counted = look_window + 32 - count;
    return look_eight(at, before, counted) * 100000000 +
           look_eight(at + 8, before + 8, counted + 8);
}

#endif

/* Digits 17 to 19 of `count`, as if zeros followed; `at` is at the 17th. */
static inline uint32_t look_three_more(const char *at, unsigned count)
{
    const unsigned char *counted = look_window + 32 + 16 - count;
    unsigned first = (unsigned)(at[0] - '0') & counted[0];
    unsigned second = (unsigned)(at[1] - '0') & counted[1];
    unsigned third = (unsigned)(at[2] - '0') & counted[2];
    return first * 100 + second * 10 + third;
}

#endif
