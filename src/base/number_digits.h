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

#endif
