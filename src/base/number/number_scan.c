/* The array reader's inner loop: numbers and commas, from bytes that may all be looked at.
 *
 * An array of logits is read at the speed of this file, and what costs time here
 * is branches on data: signs, digit counts and leading zeros are coin flips.  So
 * there are none on these.  A look at 16 bytes, or 32, gives a mask of those that are no
 * digits; dot and end are its lowest bits.  What the digits are worth takes a
 * table of all places of dot and sign (number_look.h), which also has by what to
 * divide that, sign included, and how much it is at least if the number is written
 * as JSON wants it.  Branches remain where documents do not vary: is there a dot, is
 * there a blank behind the comma, are there more than 16 bytes.
 *
 * The next number starts behind this one's comma, so that is the chain to keep short:
 * load, compare, mask, one bit scan, for the comma by itself.  That it is what ends the
 * number is checked beside the chain, as are all refusals.  These must be branches: by
 * a conditional move the next number waits for the value of this one, and takes
 * twice as long.  Nor may the minus wait for it: that happens where it is put into
 * one byte of a register that held a value, hence the arithmetic.
 *
 * Text that comes from memory is asked for before its turn: the chain sees two lines of a
 * cache ahead at most, and not every processor, or every host of one, sees further.
 *
 * Beside the chain it is the number of instructions that counts, about 75.  So what
 * is rare is left to number_scan_one.c, which starts over.
 *
 * float   One double division.  Its error is below 1 unit in the last place; what
 *         is cut off after digits worth at least 10^11 is below 90 073 units more.  So
 *         rounding once more is right unless the double is that close to a midpoint of
 *         two floats: once in 3000, and then we decline.
 * double  What 16 bytes are worth is an exact double, and so is the power of ten: one
 *         exact division (Clinger).  Otherwise 19 digits by number_powers.h, without the
 *         special cases of number_round.h. */
#include "lossd/base/number_scan.h"

#include <float.h>

#include "base/number/number_scan_one.h"
#include "base/number/number_worth.h"
#include "lossd/base/number.h"

/* Arithmetic wider than double would round twice; then all is left to the
 * caller. */
#define SCAN_ARITHMETIC_IS_EXACT (FLT_EVAL_METHOD == 0)

enum { SHORT_INTEGER = 8, BYTES_AHEAD = 1024 };

enum kind { KIND_FLOAT, KIND_DOUBLE, KIND_NARROWED };

union number {
    double wide;
    float slim;
};

static inline bool take_float(double wide, union number *value)
{
    value->slim = (float)wide;
    return !worth_is_doubtful(worth_bits_of_double(wide));
}

/* One of more bytes than a look takes. */
static inline bool take_long_double(const char *at, size_t minus, size_t dot, size_t stop,
                                    uint64_t worth, union number *value)
{
    size_t behind = WORTH_DIGITS - (LOOK - 1 - minus);
    if (stop > LOOK + behind || worth == 0)
        return false;
    worth = worth_of_nineteen(worth, at, behind, stop);
    uint64_t bits = worth_round(worth, (int)(dot - minus) - WORTH_DIGITS);
    value->wide = worth_double_of_bits(bits, minus);
    return bits != 0;
}

/* What stands behind its digits is shifted out. */
static inline const char *scan_integer(enum kind kind, const char *at, size_t minus,
                                       size_t stop, union number *value)
{
    const char *first = at + minus;
    size_t count = stop - minus;
    if (count - 1 >= SHORT_INTEGER || (*first == '0' && count > 1))
        return NULL;
    uint64_t digits = (digits_load(first) ^ DIGITS_ZERO) << (64 - 8 * count);
    uint64_t bits = worth_bits_of_double((double)digits_join(digits));
    if (kind == KIND_FLOAT)
        value->slim = (float)worth_double_of_bits(bits, minus);
    else
        value->wide = worth_double_of_bits(bits, minus);
    return at + stop;
}

/* A number as most are, or NULL.  It may be the beginning of one with an exponent. */
static inline __attribute__((always_inline)) const char *
scan_plain(enum kind kind, const char *at, union number *value)
{
    struct look look = look_at(at);
    uint64_t others = look_others(look);
    size_t minus = ((uint64_t)((unsigned char)*at ^ '-') - 1) >> 63;
    others ^= minus;
    uint64_t rest = others & (others - 1);
    if (rest == 0) {
        rest = (uint64_t)look_others(look_at(at + LOOK)) << LOOK;
        if (others == 0 || rest == 0)
            return NULL;
    }
    size_t dot = (unsigned)__builtin_ctzll(others);
    size_t stop = (unsigned)__builtin_ctzll(rest);
    if (at[dot] != '.')
        return scan_integer(kind, at, minus, dot, value);
    const struct look_layout *layout = &look_layouts[dot][minus];
    uint64_t worth = look_worth(look, layout, stop);
    if (stop == dot + 1 || worth < layout->least)
        return NULL;
    double exact = (double)(int64_t)worth;
    if (kind == KIND_FLOAT) {
        if (worth_is_cut_short(worth, stop) || !take_float(exact / layout->scale, value))
            return NULL;
    } else if (stop <= LOOK) {
        value->wide = exact / layout->scale;
    } else if (!take_long_double(at, minus, dot, stop, worth, value)) {
        return NULL;
    }
    return at + stop;
}

/* The value of others stays in a register for that. */
static inline const char *scan_one(enum kind kind, const char *at, union number *value)
{
    union number rare = {0};
    const char *next = kind == KIND_FLOAT ? number_scan_one_float(at, &rare.slim)
                                          : number_scan_one_double(at, &rare.wide);
    *value = rare;
    return next;
}

/* Of what may lie behind the text, too. */
static inline void ask_for(uintptr_t address)
{
    __builtin_prefetch((const void *)address);
}

/* How far it is to the next comma, 63 bytes if that is further than two looks. */
static inline size_t comma_in_sight(const char *at)
{
    uint64_t commas = look_commas(at);

    if (commas == 0)
        commas = (uint64_t)look_commas(at + LOOK) << LOOK | UINT64_C(1) << 63;
    return (unsigned)__builtin_ctzll(commas);
}

static inline void store(enum kind kind, void *out, size_t index, union number value)
{
    if (kind == KIND_FLOAT)
        ((float *)out)[index] = value.slim;
    else
        ((double *)out)[index] = value.wide;
}

/* Of what may be narrowed: number_rounds_twice() or number_loses_digits(), which is so from
 * 2^53 on, in one. */
static inline bool is_left_off(double value)
{
    return number_is_between_floats(value, UINT64_C(0x433FFFFFFFFFFFFF));
}

/* Where the next number starts is known before it is known that the comma is right: of two
 * values that are equal from then on a compiler takes either. */
static inline __attribute__((always_inline)) const char *scan(enum kind kind,
                                                              const char *at,
                                                              const char *end, void *out,
                                                              size_t room, size_t *count)
{
    const char *after = at;
    size_t taken = 0;

    *count = 0;
    if (!SCAN_ARITHMETIC_IS_EXACT || end - at < NUMBER_SCAN_SLACK)
        return at;
    const char *last = end - NUMBER_SCAN_SLACK;
    while (at <= last && taken < room) {
        union number value;
        ask_for((uintptr_t)at + BYTES_AHEAD);
        const char *comma = at + comma_in_sight(at), *following = comma + 1;
        const char *next = scan_plain(kind, at, &value);
        if (next != comma) {
            if (!next || number_begins_exponent(next))
                next = scan_one(kind, at, &value);
            if (!next || *next == '\0')
                break;
        }
        if (kind == KIND_NARROWED && is_left_off(value.wide))
            break;
        store(kind, out, taken++, value);
        after = next;
        if (next != comma)
            break;
        at = following;
        if (*at == ' ')
            at++;
    }
    *count = taken;
    return after;
}

const char *number_scan_floats(const char *at, const char *end, float *out, size_t room,
                               size_t *count)
{
    return scan(KIND_FLOAT, at, end, out, room, count);
}

const char *number_scan_doubles(const char *at, const char *end, double *out, size_t room,
                                size_t *count)
{
    return scan(KIND_DOUBLE, at, end, out, room, count);
}

const char *number_scan_narrowed(const char *at, const char *end, double *out,
                                 size_t room, size_t *count)
{
    return scan(KIND_NARROWED, at, end, out, room, count);
}
