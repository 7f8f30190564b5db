/* Numbers to text: digits and where they go.
 *
 * number_shortest.h says which digits.  They are brought to a fixed count, 17 or
 * 9, split into bytes eight at a time, and their trailing zeros counted from the
 * bytes; so neither takes a loop.  The layout then stores whole words at places
 * that depend on the decimal point, later stores over earlier ones, and returns
 * how much of it counts.  That is why NUMBER_TEXT_MAX bytes must be free even
 * for "1": sixteen digits are stored at most nine bytes in.
 *
 * The dot is inserted by shifting the digits behind it one byte on, within one
 * 64- or 128-bit word: a load across bytes that two stores have just written would
 * stall, and a byte-wise loop would run an unpredictable number of times. */
#include "lossd/base/number.h"

#include <math.h>

#include "number_digits.h"
#include "number_shortest.h"

__extension__ typedef unsigned __int128 text16;

enum {
    /* Plain decimals have their point here, counted from the first digit: from
     * 0.000001 to 100000000000000000000. */
    POINT_MIN = -5,
    POINT_MAX = 21
};

/* d.ddd as text: a first digit and eight or, if `wide`, sixteen more, of which
 * `count` matter altogether.  The decimal point is after `point` digits. */
struct digits {
    char first;
    bool wide;
    uint64_t next, last;
    int count, point;
};

/* Bytes up to the last that is not 0. */
static inline int length_used(uint64_t bytes)
{
    return (70 - __builtin_clzll(bytes << 1 | 1)) >> 3;
}

static size_t write_text(char *out, struct span text)
{
    memcpy(out, text.at, text.len);
    return text.len;
}

static inline void digits_store_rest(char *out, const struct digits *d)
{
    digits_store(out, d->next);
    if (d->wide)
        digits_store(out + 8, d->last);
}

/* A dot between the digits, and those behind it one byte on. */
static inline void digits_store_dotted(char *out, const struct digits *d)
{
    text16 rest = (text16)d->last << 64 | d->next;
    int shift = 8 * (d->point - 1);
    text16 before = ((text16)1 << shift) - 1;
    text16 text = (rest & before) | (rest & ~before) << 8 | (text16)'.' << shift;
    digits_store(out, (uint64_t)text);
    digits_store(out + 8, (uint64_t)(text >> 64));
}

static inline void digits_store_dotted_narrow(char *out, const struct digits *d)
{
    int shift = 8 * (d->point - 1);
    uint64_t before = (UINT64_C(1) << shift) - 1;
    digits_store(out,
                 (d->next & before) | (d->next & ~before) << 8 | (uint64_t)'.' << shift);
}

/* "12.5", "120": the point is after the first of the digits or a later one. */
static inline size_t lay_out_middle(char *out, const struct digits *d)
{
    out[0] = d->first;
    digits_store_rest(out + 2, d);
    if (d->wide)
        digits_store_dotted(out + 1, d);
    else
        digits_store_dotted_narrow(out + 1, d);
    return (size_t)(d->count > d->point ? d->count + 1 : d->point);
}

/* "0.00125" */
static inline size_t lay_out_small(char *out, const struct digits *d)
{
    size_t zeros = (size_t)(2 - d->point);
    memset(out, '0', 8);
    out[1] = '.';
    out[zeros] = d->first;
    digits_store_rest(out + zeros + 1, d);
    return zeros + (size_t)d->count;
}

/* "120000000000000000000" */
static size_t lay_out_large(char *out, const struct digits *d)
{
    memset(out, '0', POINT_MAX);
    out[0] = d->first;
    digits_store_rest(out + 1, d);
    return (size_t)d->point;
}

/* "1.25e-7", "1e+21" */
static size_t lay_out_exponent(char *out, const struct digits *d)
{
    int exponent = d->point - 1;
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    size_t length = (size_t)(d->count > 1 ? d->count + 1 : 1);
    out[0] = d->first;
    out[1] = '.';
    digits_store_rest(out + 2, d);
    out[length++] = 'e';
    out[length++] = exponent < 0 ? '-' : '+';
    return length + number_write_uint64(out + length, size);
}

static inline size_t lay_out(char *out, const struct digits *d)
{
    if (d->point >= 1 && d->point <= (d->wide ? 16 : 8))
        return lay_out_middle(out, d);
    if (d->point <= 0 && d->point >= POINT_MIN)
        return lay_out_small(out, d);
    if (d->point >= 1 && d->point <= POINT_MAX)
        return lay_out_large(out, d);
    return lay_out_exponent(out, d);
}

/* Digits of 16 or 17 places, less for the smallest of all numbers. */
static inline struct digits digits_of_double(struct shortest s)
{
    int point = s.power + 17;
    while (s.digits < UINT64_C(1000000000000000)) {
        s.digits *= 10;
        point--;
    }
    bool sixteen = s.digits < UINT64_C(10000000000000000);
    s.digits *= sixteen ? 10 : 1;
    uint64_t nine = s.digits / 100000000, first = nine / 100000000;
    uint64_t next = digits_split((uint32_t)(nine - first * 100000000));
    uint64_t last = digits_split((uint32_t)(s.digits - nine * 100000000));
    int count = last != 0 ? 9 + length_used(last) : 1 + length_used(next);
    return (struct digits){.first = (char)('0' + first),
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
    s.digits *= missing == 0 ? 1 : missing == 1 ? 10 : 100;
    uint64_t first = s.digits / 100000000;
    uint64_t next = digits_split((uint32_t)(s.digits - first * 100000000));
    return (struct digits){.first = (char)('0' + first),
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

/* A number that is not negative, if it has at most nine digits, at most four of them
 * decimals; else 0.  Numbers of up to 15 digits are all different doubles, so digits
 * that give the number back are its shortest. */
static inline size_t write_short(char *out, double value)
{
    const double unit = 10000, end = 1e9;
    double scaled = value * unit;
    if (!(scaled < end))
        return 0;
    uint32_t digits = (uint32_t)(scaled + 0.5), whole = digits / 10000;
    if ((double)digits / unit != value)
        return 0;
    uint64_t decimals = digits_split(digits - whole * 10000) >> 32;
    size_t length = write_head(out, whole);
    out[length] = '.';
    digits_store(out + length + 1, decimals | DIGITS_ZERO);
    return length + (decimals != 0 ? 1 + (size_t)length_used(decimals) : 0);
}

size_t number_write_double(char *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    size_t sign = bits >> 63;
    bits &= INT64_MAX;
    if (bits >= UINT64_C(0x7ff) << 52)
        return write_text(out, span_of("null"));
    if (bits == 0)
        return write_text(out, span_of(sign ? "-0" : "0"));
    *out = '-';
    size_t length = write_short(out + sign, fabs(value));
    if (length > 0)
        return sign + length;
    struct digits d = digits_of_double(shortest_double(bits));
    return sign + lay_out(out + sign, &d);
}

size_t number_write_float(char *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    size_t sign = bits >> 31;
    bits &= INT32_MAX;
    if (bits >= UINT32_C(0xff) << 23)
        return write_text(out, span_of("null"));
    if (bits == 0)
        return write_text(out, span_of(sign ? "-0" : "0"));
    struct digits d = digits_of_float(shortest_float(bits));
    *out = '-';
    return sign + lay_out(out + sign, &d);
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
