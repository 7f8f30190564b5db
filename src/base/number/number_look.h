/* A look at sixteen bytes of a number: which of them are no digits, and what those are
 * worth that are.
 *
 * Digits are joined to pairs, these to fours, to eights and to sixteen by
 * multiplications.  Where a dot lies among them differs from number to number, and is
 * a matter of what they are multiplied with, which comes from a table of all its
 * places.  So no digit is moved.
 *
 * Elsewhere 64-bit words do the same as SSE2, and do move digits: the same results, at
 * half the speed. */
#ifndef LOSSD_BASE_NUMBER_LOOK_H
#define LOSSD_BASE_NUMBER_LOOK_H

#include "base/number/number_digits.h"

enum {
    LOOK = 16,         /* bytes */
    LOOK_NO_DOT = LOOK /* where the dot is if there is none */
};

/* What the bytes count for in a number with its dot at one place, that starts with a minus
 * or does not.  These two count nothing: what the others are worth is a whole number
 * of as many digits.  Divided by `scale`, which has the sign, it is the number;
 * it is less than `least` only where no digit comes first, or a zero before
 * another.  (Both hold for a number that has a dot.) */
struct look_layout {
    _Alignas(64) uint16_t pair[8];
    int16_t four[8], eight[8];
    uint64_t sixteen, least;
    double scale;
    unsigned char minus, dot;
};

/* The second byte of a product is a pair: that of 1 + 256 * 10 and its two bytes is
 * ten times the first and the second. */
#define LOOK_PAIR(minus, dot, i) \
    ((minus) && (i) == 0 ? 1 : (i) != (dot) / 2 ? 1 + (10 << 8) : (dot) % 2 ? 1 << 8 : 1)
#define LOOK_FOUR(minus, dot, i) ((i) % 2 ? 1 : (i) + 1 == (dot) / 2 ? 10 : 100)
#define LOOK_EIGHT(minus, dot, i) ((i) % 2 ? 1 : (i) + 1 == (dot) / 4 ? 1000 : 10000)
#define LOOK_SIXTEEN(dot) ((dot) / 8 == 1 ? 10000000 : 100000000)
#define LOOK_LEAST(minus, dot)                         \
    ((dot) <= (minus)       ? UINT64_MAX               \
     : (dot) == (minus) + 1 ? 0                        \
     : (minus)              ? UINT64_C(10000000000000) \
                            : UINT64_C(100000000000000))

#define LOOK_EACH(of, minus, dot)                                                      \
    {                                                                                  \
        of(minus, dot, 0), of(minus, dot, 1), of(minus, dot, 2), of(minus, dot, 3),    \
            of(minus, dot, 4), of(minus, dot, 5), of(minus, dot, 6), of(minus, dot, 7) \
    }
#define LOOK_LAYOUT(minus, dot, scale)                                       \
    {                                                                        \
        LOOK_EACH(LOOK_PAIR, minus, dot), LOOK_EACH(LOOK_FOUR, minus, dot),  \
            LOOK_EACH(LOOK_EIGHT, minus, dot), LOOK_SIXTEEN(dot),            \
            LOOK_LEAST(minus, dot), (minus) ? -(scale) : (scale), minus, dot \
    }
#define LOOK_PLACE(dot, scale)                                 \
    {                                                          \
        LOOK_LAYOUT(0, dot, scale), LOOK_LAYOUT(1, dot, scale) \
    }

/* By the place of the dot, without a minus and with one. */
static const struct look_layout look_layouts[LOOK + 1][2] = {
    LOOK_PLACE(0, 1e15), LOOK_PLACE(1, 1e14),          LOOK_PLACE(2, 1e13),
    LOOK_PLACE(3, 1e12), LOOK_PLACE(4, 1e11),          LOOK_PLACE(5, 1e10),
    LOOK_PLACE(6, 1e9),  LOOK_PLACE(7, 1e8),           LOOK_PLACE(8, 1e7),
    LOOK_PLACE(9, 1e6),  LOOK_PLACE(10, 1e5),          LOOK_PLACE(11, 1e4),
    LOOK_PLACE(12, 1e3), LOOK_PLACE(13, 1e2),          LOOK_PLACE(14, 1e1),
    LOOK_PLACE(15, 1e0), LOOK_PLACE(LOOK_NO_DOT, 1e0),
};

/* The i-th of its suffixes starts with 32 - i set bytes: loaded at 32 - n it is
 * a mask of the first n bytes. */
static const _Alignas(64) unsigned char look_window[64] = {
#define EIGHT 255, 255, 255, 255, 255, 255, 255, 255
    EIGHT, EIGHT, EIGHT, EIGHT
#undef EIGHT
};

#if DIGITS_SSE2

/* Digits are 0 to 9 in these. */
struct look {
    __m128i bytes;
};

static inline __m128i look_load(const void *at)
{
    __m128i bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return bytes;
}

static inline struct look look_at(const char *at)
{
    return (struct look){_mm_xor_si128(look_load(at), _mm_set1_epi8('0'))};
}

/* Bit i: byte i is no digit.  Addition stops at 255: all these get the highest bit. */
static inline uint32_t look_others(struct look look)
{
    __m128i beyond_nine = _mm_adds_epu8(look.bytes, _mm_set1_epi8(127 - 9));
    return (uint32_t)_mm_movemask_epi8(beyond_nine);
}

/* Bit i: byte i of 16 is a comma. */
static inline uint32_t look_commas(const char *at)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(look_load(at), _mm_set1_epi8(',')));
}

/* What the bytes before `stop` are worth, as if zeros followed. */
static inline uint64_t look_worth(struct look look, const struct look_layout *layout,
                                  size_t stop)
{
    __m128i bytes = _mm_and_si128(look.bytes, look_load(look_window + 32 - stop));
    __m128i products = _mm_mullo_epi16(bytes, look_load(layout->pair));
    __m128i pairs = _mm_srli_epi16(products, 8);
    __m128i fours = _mm_madd_epi16(pairs, look_load(layout->four));
    fours = _mm_packs_epi32(fours, fours);
    __m128i eights = _mm_madd_epi16(fours, look_load(layout->eight));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    return (both & 0xffffffff) * layout->sixteen + (both >> 32);
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

#else

struct look {
    uint64_t low, high;
};

static inline struct look look_at(const char *at)
{
    return (struct look){digits_load(at) ^ DIGITS_ZERO,
                         digits_load(at + 8) ^ DIGITS_ZERO};
}

/* Bit i: byte i has its highest bit, and no other. */
static inline uint32_t look_gather(uint64_t highest)
{
    return (uint32_t)(((highest >> 7) * UINT64_C(0x0102040810204080)) >> 56);
}

#define LOOK_EACH_BYTE UINT64_C(0x0101010101010101)
#define LOOK_HIGHEST (LOOK_EACH_BYTE << 7)

/* Bit i: byte i is above 9; that gives it its highest bit, or it has it. */
static inline uint32_t look_above_nine(uint64_t word)
{
    uint64_t sum = (word & ~LOOK_HIGHEST) + LOOK_EACH_BYTE * (127 - 9);
    return look_gather((word | sum) & LOOK_HIGHEST);
}

static inline uint32_t look_zeros(uint64_t word)
{
    uint64_t sum = (word & ~LOOK_HIGHEST) + ~LOOK_HIGHEST;
    return look_gather(~(word | sum) & LOOK_HIGHEST);
}

static inline uint32_t look_others(struct look look)
{
    return look_above_nine(look.low) | look_above_nine(look.high) << 8;
}

static inline uint32_t look_commas(const char *at)
{
    uint64_t commas = LOOK_EACH_BYTE * ',';
    return look_zeros(digits_load(at) ^ commas) | look_zeros(digits_load(at + 8) ^ commas)
                                                      << 8;
}

static inline uint64_t look_mask(const unsigned char *window)
{
    uint64_t mask;
    memcpy(&mask, window, sizeof(mask));
    return digits_little_endian(mask);
}

static inline uint64_t look_worth(struct look look, const struct look_layout *layout,
                                  size_t stop)
{
    bool dotted = layout->dot < LOOK_NO_DOT;
    const unsigned char *before = look_window + 32 - layout->dot;
    const unsigned char *counted = look_window + 32 - stop + dotted;
    uint64_t low = look_mask(before), high = look_mask(before + 8);
    low = (look.low & low) | ((look.low >> 8 | look.high << 56) & ~low);
    high = (look.high & high) | (look.high >> 8 & ~high);
    low &= look_mask(counted) & UINT64_MAX << 8 * layout->minus;
    high &= look_mask(counted + 8);
    uint64_t sixteen = (uint64_t)digits_join(low) * 100000000 + digits_join(high);
    return dotted ? sixteen / 10 : sixteen;
}

static inline unsigned look_leading_zeros(const char *at)
{
    unsigned zeros = 0;
    while (zeros < 31 && (at[zeros] == '0' || at[zeros] == '.'))
        zeros++;
    return zeros;
}

#endif

/* What the first `count` bytes behind a look at `at` are worth, all of them digits before
 * `stop`, as if zeros followed. */
static inline uint64_t look_behind(const char *at, size_t count, size_t stop)
{
    uint64_t counted, digits = digits_load(at + LOOK) ^ DIGITS_ZERO;
    memcpy(&counted, look_window + 32 + LOOK - stop, sizeof(counted));
    return digits_join((digits & digits_little_endian(counted)) << (64 - 8 * count));
}

#endif
