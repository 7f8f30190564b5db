/* Numbers to text: digits and where they go.
 *
 * number_shortest.h says which digits.  They are brought to a fixed count, 17 or
 * 9, split into bytes eight at a time, and their trailing zeros counted from the
 * bytes; so neither takes a loop.
 *
 * Where the digits go depends on the decimal point, which nobody can predict from one
 * number to the next: so it is looked up and not branched on.  A layout says what the
 * first eight bytes are made of and where the digits behind the point begin; they are
 * stored whole, and the eight over them.  What is stored behind the end is of no
 * account.  That is why NUMBER_TEXT_MAX bytes must be free even for "1". */
#include "lossd/base/number.h"

#include <math.h>
#include <stdlib.h>

#include "base/number/number_digits.h"
#include "base/number/number_shortest.h"

enum {
    /* Plain decimals have their point here, counted from the first digit: from
     * 0.000001 to 100000000000000000000. */
    POINT_MIN = -5,
    POINT_MAX = 21,
    EARLY_MAX = 7,          /* of those that have a layout */
    EXPONENT_MAX = 99,      /* of those that have an ending */
    SHORT_END = 1000000000, /* of numbers that have few digits, as integers */
    SHORT_POWER = -4,       /* of ten, which is one of them */
    BLOCK = 32              /* numbers */
};

/* d.ddd as text: a first digit and eight or, if `wide`, sixteen more, of which
 * `count` matter altogether.  The decimal point is after `point` digits. */
struct digits {
    uint64_t first, next, last;
    bool wide;
    int count, point;
};

/* Where the point is in the text, or before it.  The first eight bytes are of `text`,
 * of the digits as they are where `whole` has bits, and else of the digits moved on by
 * `shift` bits.  All digits stand from `from` on, too, and the text is as long as they
 * are from there, but when they are no more than `least`: then it is that long. */
struct layout {
    uint64_t whole, text;
    unsigned char shift, from, least;
};

/* "12.5", "120" */
#define BEHIND(point)                                                                   \
    {                                                                                   \
        (UINT64_C(1) << (8 * (point))) - 1, (uint64_t)'.' << (8 * (point)), 8, 1, point \
    }
/* "0.00125" */
#define BEFORE(zeros)                                                         \
    {                                                                         \
        0, UINT64_C(0x30303030302e30) & ((UINT64_C(1) << (8 * (zeros))) - 1), \
            8 * (zeros), zeros, 0                                             \
    }
static const struct layout layouts[] = {
    BEFORE(7), BEFORE(6), BEFORE(5), BEFORE(4), BEFORE(3), BEFORE(2), BEHIND(1),
    BEHIND(2), BEHIND(3), BEHIND(4), BEHIND(5), BEHIND(6), BEHIND(7)};

/* What is behind the digits, and the layout before it. */
struct ending {
    char text[6];
    unsigned char length, layout;
};

#define PLAIN(layout) \
    {                 \
        "", 0, layout \
    }
#define POWER(text)                           \
    {                                         \
        text, sizeof(text) - 1, 1 - POINT_MIN \
    }
#define TENS_DOWN(tens)                                                   \
    POWER("e-" tens "9"), POWER("e-" tens "8"), POWER("e-" tens "7"),     \
        POWER("e-" tens "6"), POWER("e-" tens "5"), POWER("e-" tens "4"), \
        POWER("e-" tens "3"), POWER("e-" tens "2"), POWER("e-" tens "1"), \
        POWER("e-" tens "0")
#define TENS_UP(tens)                                                     \
    POWER("e+" tens "0"), POWER("e+" tens "1"), POWER("e+" tens "2"),     \
        POWER("e+" tens "3"), POWER("e+" tens "4"), POWER("e+" tens "5"), \
        POWER("e+" tens "6"), POWER("e+" tens "7"), POWER("e+" tens "8"), \
        POWER("e+" tens "9")

/* By the point, from 1 - EXPONENT_MAX to 1 + EXPONENT_MAX.  Those from 8 to 21 are
 * for lay_out_late(). */
static const struct ending endings[] = {
    TENS_DOWN("9"), TENS_DOWN("8"), TENS_DOWN("7"), TENS_DOWN("6"), TENS_DOWN("5"),
    TENS_DOWN("4"), TENS_DOWN("3"), TENS_DOWN("2"), TENS_DOWN("1"), POWER("e-9"),
    POWER("e-8"),   POWER("e-7"),   PLAIN(0),       PLAIN(1),       PLAIN(2),
    PLAIN(3),       PLAIN(4),       PLAIN(5),       PLAIN(6),       PLAIN(7),
    PLAIN(8),       PLAIN(9),       PLAIN(10),      PLAIN(11),      PLAIN(12),
    POWER("e+7"),   POWER("e+8"),   POWER("e+9"),   TENS_UP("1"),   TENS_UP("2"),
    TENS_UP("3"),   TENS_UP("4"),   TENS_UP("5"),   TENS_UP("6"),   TENS_UP("7"),
    TENS_UP("8"),   TENS_UP("9")};

/* Bytes up to the last that is not 0. */
static inline int length_used(uint64_t bytes)
{
    return (70 - __builtin_clzll(bytes << 1 | 1)) >> 3;
}

/* What has no digits. */
static __attribute__((noinline)) size_t write_special(char *out, double value)
{
    struct span text = span_of(value != 0 ? "null" : signbit(value) ? "-0" : "0");
    memcpy(out, text.at, text.len);
    return text.len;
}

static inline void digits_store_all(char *out, struct digits d)
{
    *out = (char)d.first;
    digits_store(out + 1, d.next);
    if (d.wide)
        digits_store(out + 9, d.last);
}

/* "1234567890.5", "120000000000000000000" */
static __attribute__((noinline)) size_t lay_out_late(char *out, struct digits d)
{
    size_t point = (size_t)d.point, count = (size_t)d.count;

    memset(out, '0', POINT_MAX);
    digits_store_all(out, d);
    if (count <= point)
        return point;
    memmove(out + point + 1, out + point, count - point);
    out[point] = '.';
    return count + 1;
}

/* "1.25e-107" */
static __attribute__((noinline)) size_t lay_out_far(char *out, struct digits d)
{
    int exponent = d.point - 1;
    size_t length = (size_t)d.count + (d.count > 1);

    digits_store_all(out + 1, d);
    out[0] = out[1];
    out[1] = '.';
    out[length++] = 'e';
    out[length++] = exponent < 0 ? '-' : '+';
    return length + number_write_uint64(out + length, (uint64_t)abs(exponent));
}

static inline size_t lay_out(char *out, struct digits d)
{
    if (d.point > EARLY_MAX && d.point <= POINT_MAX)
        return lay_out_late(out, d);
    if (d.point < 1 - EXPONENT_MAX || d.point > 1 + EXPONENT_MAX)
        return lay_out_far(out, d);
    const struct ending *ending = &endings[d.point + EXPONENT_MAX - 1];
    const struct layout *layout = &layouts[ending->layout];
    uint64_t eight = d.first | d.next << 8;
    digits_store_all(out + layout->from, d);
    digits_store(out, layout->text | (eight & layout->whole) |
                          (eight & ~layout->whole) << layout->shift);
    size_t count = (size_t)d.count, least = layout->least;
    size_t length = count > least ? count + layout->from : least;
    memcpy(out + length, ending, sizeof *ending);
    return length + ending->length;
}

/* What brings digits to their count when so many are missing: no branch, for nobody
 * could predict it. */
static const uint64_t missing_unit[] = {1, 10, 100};

/* Digits of 16 or 17 places, less for the smallest of all numbers. */
static inline struct digits digits_of_double(struct shortest s)
{
    int point = s.power + 17;
    while (s.digits < UINT64_C(1000000000000000)) {
        s.digits *= 10;
        point--;
    }
    bool sixteen = s.digits < UINT64_C(10000000000000000);
    s.digits *= missing_unit[sixteen];
    uint64_t nine = s.digits / 100000000, first = nine / 100000000;
    uint64_t next, last;
    digits_split_two((uint32_t)(nine - first * 100000000),
                     (uint32_t)(s.digits - nine * 100000000), &next, &last);
    int count = last != 0 ? 9 + length_used(last) : 1 + length_used(next);
    return (struct digits){.first = '0' + first,
                           .wide = true,
                           .next = next | DIGITS_ZERO,
                           .last = last | DIGITS_ZERO,
                           .count = count,
                           .point = point - sixteen};
}

/* Digits of 7 to 9 places, less for the smallest of all numbers. */
static inline struct digits digits_of_float(struct shortest s)
{
    int point = s.power + 9;
    while (s.digits < 1000000) {
        s.digits *= 10;
        point--;
    }
    int missing = (s.digits < 100000000) + (s.digits < 10000000);
    s.digits *= missing_unit[missing];
    uint64_t first = s.digits / 100000000;
    uint64_t next = digits_split((uint32_t)(s.digits - first * 100000000));
    return (struct digits){.first = '0' + first,
                           .wide = false,
                           .next = next | DIGITS_ZERO,
                           .count = 1 + length_used(next),
                           .point = point - missing};
}

/* A value below 10^8 without leading zeros. */
static inline size_t write_head(char *out, uint32_t value)
{
    uint64_t digits = digits_split(value);
    int zeros = __builtin_ctzll(digits | UINT64_C(1) << 56) >> 3;
    digits_store(out, (digits | DIGITS_ZERO) >> (8 * zeros));
    return (size_t)(8 - zeros);
}

/* True for a number of at most nine digits, of which at most four are decimals: it is
 * so many ten-thousandths.  Numbers of up to 15 digits are all different doubles, so
 * digits that give the number back are its shortest. */
static inline bool find_short(double size, struct shortest *shortest)
{
    const double unit = 10000;
    double scaled = size * unit;
    if (!(scaled < SHORT_END))
        return false;
    uint32_t digits = (uint32_t)(int64_t)(scaled + 0.5);
    *shortest = (struct shortest){digits, SHORT_POWER};
    return (double)digits / unit == size;
}

/* Digits 0: none. */
static inline struct shortest shortest_of_double(double value)
{
    struct shortest shortest;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= INT64_MAX;
    if (find_short(fabs(value), &shortest))
        return shortest;
    if (bits >= UINT64_C(0x7ff) << 52)
        return (struct shortest){0, 0};
    return shortest_double(bits);
}

static inline struct shortest shortest_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= INT32_MAX;
    if (bits - 1 >= (UINT32_C(0xff) << 23) - 1)
        return (struct shortest){0, 0};
    return shortest_float(bits);
}

static inline size_t write_short(char *out, uint32_t digits)
{
    uint32_t whole = digits / 10000;
    uint64_t decimals = digits_split(digits - whole * 10000) >> 32;
    size_t length = write_head(out, whole);
    out[length] = '.';
    digits_store(out + length + 1, decimals | DIGITS_ZERO);
    return length + (decimals != 0 ? 1 + (size_t)length_used(decimals) : 0);
}

static inline size_t write_double(char *out, double value, struct shortest shortest)
{
    size_t sign = signbit(value) != 0;
    if (shortest.digits == 0)
        return write_special(out, value);
    *out = '-';
    if (shortest.digits < SHORT_END && shortest.power == SHORT_POWER)
        return sign + write_short(out + sign, (uint32_t)shortest.digits);
    return sign + lay_out(out + sign, digits_of_double(shortest));
}

static inline size_t write_float(char *out, float value, struct shortest shortest)
{
    size_t sign = signbit(value) != 0;
    if (shortest.digits == 0)
        return write_special(out, (double)value);
    *out = '-';
    return sign + lay_out(out + sign, digits_of_float(shortest));
}

size_t number_write_double(char *out, double value)
{
    return write_double(out, value, shortest_of_double(value));
}

size_t number_write_float(char *out, float value)
{
    return write_float(out, value, shortest_of_float(value));
}

static inline char *write_comma(char *out, bool spaced)
{
    out[0] = ',';
    out[1] = ' ';
    return out + 1 + spaced;
}

/* First the digits of a block and then the text of it: the processor looks a fixed
 * number of instructions ahead, and so sees more numbers at once. */
size_t number_write_doubles(char *out, const double *values, size_t count, bool spaced)
{
    struct shortest shortest[BLOCK];
    char *at = out;
    for (size_t from = 0; from < count; from += BLOCK) {
        size_t n = count - from < BLOCK ? count - from : BLOCK;
        for (size_t i = 0; i < n; i++)
            shortest[i] = shortest_of_double(values[from + i]);
        for (size_t i = 0; i < n; i++) {
            at += write_double(at, values[from + i], shortest[i]);
            at = write_comma(at, spaced);
        }
    }
    return (size_t)(at - out);
}

size_t number_write_floats(char *out, const float *values, size_t count, bool spaced)
{
    struct shortest shortest[BLOCK];
    char *at = out;
    for (size_t from = 0; from < count; from += BLOCK) {
        size_t n = count - from < BLOCK ? count - from : BLOCK;
        for (size_t i = 0; i < n; i++)
            shortest[i] = shortest_of_float(values[from + i]);
        for (size_t i = 0; i < n; i++) {
            at += write_float(at, values[from + i], shortest[i]);
            at = write_comma(at, spaced);
        }
    }
    return (size_t)(at - out);
}

static inline size_t write_eight(char *out, uint64_t value)
{
    digits_store(out, digits_split((uint32_t)value) | DIGITS_ZERO);
    return 8;
}

size_t number_write_uint64(char *out, uint64_t value)
{
    const uint64_t unit = 100000000;
    if (value < unit)
        return write_head(out, (uint32_t)value);
    size_t length = number_write_uint64(out, value / unit);
    return length + write_eight(out + length, value % unit);
}

size_t number_write_int64(char *out, int64_t value)
{
    size_t sign = value < 0;
    uint64_t size = sign ? -(uint64_t)value : (uint64_t)value;
    *out = '-';
    return sign + number_write_uint64(out + sign, size);
}

size_t number_write_int64s(char *out, const int64_t *values, size_t count, bool spaced)
{
    char *at = out;
    for (size_t i = 0; i < count; i++) {
        at += number_write_int64(at, values[i]);
        at = write_comma(at, spaced);
    }
    return (size_t)(at - out);
}
