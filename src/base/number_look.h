/* The looks that number_scan.c takes at a text: which of 16 bytes are no digits, where
 * the first digit is that is not 0, and what sixteen with a dot among them are worth.
 *
 * Elsewhere 64-bit words do the same as SSE2: the same results, at half the speed. */
#ifndef LOSSD_BASE_NUMBER_LOOK_H
#define LOSSD_BASE_NUMBER_LOOK_H

#include "number_digits.h"

/* The i-th of its suffixes starts with 32 - i set bytes: loaded at 32 - n it is
 * a mask of the first n bytes. */
static const _Alignas(64) unsigned char look_window[64] = {
#define EIGHT 255, 255, 255, 255, 255, 255, 255, 255
    EIGHT, EIGHT, EIGHT, EIGHT
#undef EIGHT
};

#if DIGITS_SSE2

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

/* Bit i: byte i of 16 is no digit.  Digits become 0 to 9, and addition stops at 255: all
 * others get the highest bit. */
static inline uint32_t look_at(const char *at)
{
    __m128i value = _mm_xor_si128(look_load(at), _mm_set1_epi8('0'));
    __m128i beyond_nine = _mm_adds_epu8(value, _mm_set1_epi8(127 - 9));
    return (uint32_t)_mm_movemask_epi8(beyond_nine);
}

/* Bytes before the first digit that is not 0, of 31 at most; a dot among them counts. */
static inline unsigned look_leading_zeros(const char *at)
{
    __m128i zero = _mm_set1_epi8('0');
    int low = _mm_movemask_epi8(_mm_cmpgt_epi8(look_load(at), zero));
    int high = _mm_movemask_epi8(_mm_cmpgt_epi8(look_load(at + 16), zero));
    return (unsigned)__builtin_ctz((unsigned)low | (unsigned)high << 16 |
                                   UINT32_C(1) << 31);
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
    /* Known to gcc, it becomes four additions and shifts. */
    __m128i ten_and_one = _mm_set1_epi16(1 + (10 << 8));
    __asm__("" : "+x"(ten_and_one));
    __m128i pairs = _mm_srli_epi16(_mm_mullo_epi16(digits, ten_and_one), 8);
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

static inline uint32_t look_at(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), top = ones << 7;
    uint32_t others = 0;
    for (int i = 0; i < 2; i++) {
        uint64_t text = digits_load(at + 8 * i), low = text & ~top;
        uint64_t from_zero = low + ones * (128 - '0');
        uint64_t above_nine = low + ones * (127 - '9');
        others |= look_gather((text | ~from_zero | above_nine) & top) << (8 * i);
    }
    return others;
}

static inline unsigned look_leading_zeros(const char *at)
{
    unsigned zeros = 0;
    while (zeros < 31 && (at[zeros] == '0' || at[zeros] == '.'))
        zeros++;
    return zeros;
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
