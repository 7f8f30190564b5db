/* Reading the numbers of a long array: most of them, fast.
 *
 * These read numbers from `at` on, each with a comma behind it and perhaps a blank, and put
 * them at `out`, `room` at most.  They say how many they took, and return the byte
 * after the last of these: a comma, or what ends the array, or `at` for none.
 *
 * They leave off before what is no number or a malformed one, one longer than 31 bytes
 * before its exponent, one beyond the type's normal range, one so close to a
 * midpoint that it takes more work, one with a zero byte behind it, and where fewer than
 * NUMBER_SCAN_SLACK bytes are left up to `end`.  The caller then asks number_length() and
 * number_read_*().  What they do take is a JSON number, correctly rounded and finite.
 *
 * They look at up to NUMBER_SCAN_SLACK bytes, whatever these hold, and never at
 * `end` or beyond. */
#ifndef LOSSD_BASE_NUMBER_SCAN_H
#define LOSSD_BASE_NUMBER_SCAN_H

#include <stddef.h>

enum { NUMBER_SCAN_SLACK = 64 };

const char *number_scan_floats(const char *at, const char *end, float *out, size_t room,
                               size_t *count);
const char *number_scan_doubles(const char *at, const char *end, double *out, size_t room,
                                size_t *count);

/* Doubles that may be rounded to floats, or become integers: it leaves off before one of
 * number_rounds_twice() or number_loses_digits() as well. */
const char *number_scan_narrowed(const char *at, const char *end, double *out,
                                 size_t room, size_t *count);

#endif
