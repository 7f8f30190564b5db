/* Decimal text to binary numbers and back, exactly.
 *
 * Reading rounds correctly (IEEE 754, ties to even) for every input, whatever
 * its length.  Writing gives the shortest text that reads back as the same
 * number, the closest one where several are equally short.  Nothing here looks
 * at the locale, allocates, or keeps state: every function is thread-safe.
 *
 * The text is a number by the grammar of RFC 8259, section 6. */
#ifndef LOSSD_BASE_NUMBER_H
#define LOSSD_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lossd/base/span.h"

/* Bytes to keep free before writing a number.  None is longer than 25, but what is
 * behind its end may be written over. */
enum { NUMBER_TEXT_MAX = 40 };

/* Length of the JSON number that `text` starts with, 0 when it starts with none.
 * "1.5," is 3 long; "01" is 1 long; "1." and "-" are 0. */
size_t number_length(struct span text);

/* The value of the number that `text` is, all of it: a number by number_length().
 * A value beyond the type's range is an infinity; that is how overflow shows. */
double number_read_double(struct span text);
float number_read_float(struct span text);

/* True for doubles between two floats, those that are or may become subnormal floats, and
 * those beyond one with the bits `most`. */
static inline bool number_is_between_floats(double value, uint64_t most)
{
    const uint64_t below = (UINT64_C(1) << 29) - 1, half = UINT64_C(1) << 28;
    const uint64_t smallest = UINT64_C(0x3810000000000000); /* FLT_MIN */
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    bits &= INT64_MAX;
    return (bits & below) == half || bits - 1 < smallest - 1 || bits > most;
}

/* May rounding this double to float give another than rounding the text it was read
 * from? */
static inline bool number_rounds_twice(double value)
{
    return number_is_between_floats(value, UINT64_C(0x47EFFFFFE0000000)); /* FLT_MAX */
}

/* May this double be another integer than the text it was read from? */
static inline bool number_loses_digits(double value)
{
    const double most = 9007199254740992; /* 2^53 */

    return value >= most || value <= -most;
}

/* True and the value when the text is an integer written without fraction or
 * exponent and fits. */
bool number_read_int64(struct span text, int64_t *value);

/* The same for a number whose value is an integer, however it is written: "3.0"
 * and "3e0" too. */
bool number_read_integer(struct span text, int64_t *value);

/* What a hexadecimal digit stands for, -1 when it is none. */
int number_hex_digit(char c);

/* Writes the number and returns the length, at most NUMBER_TEXT_MAX.  No
 * terminator.  The layout is JavaScript's: plain decimals from 1e-6 up to below
 * 1e21, without a fraction where there is none ("2"), and an exponent beyond
 * ("1.5e-7", "1e+21").  Negative zero is "-0", and what is not finite is
 * "null", the only way JSON has to say it. */
size_t number_write_double(char *out, double value);
size_t number_write_float(char *out, float value);

/* Writes the numbers, a comma behind each, and a blank behind that if they are to be
 * `spaced`.  NUMBER_TEXT_MAX + 2 bytes must be free for each.  Faster than one by one. */
size_t number_write_doubles(char *out, const double *values, size_t count, bool spaced);
size_t number_write_floats(char *out, const float *values, size_t count, bool spaced);
size_t number_write_int64s(char *out, const int64_t *values, size_t count, bool spaced);

size_t number_write_int64(char *out, int64_t value);
size_t number_write_uint64(char *out, uint64_t value);

#endif
