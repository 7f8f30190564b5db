/* Reading the numbers of a long array: most of them, fast.
 *
 * These read the number that starts at `at` and return the byte after it, or
 * NULL when they decline: no number there, a malformed one, one longer than 31
 * bytes before its exponent, one beyond the type's normal range, one so close to
 * a midpoint that it takes more work, or fewer than NUMBER_SCAN_SLACK bytes from
 * `at` to `end`.  The caller then asks number_length() and number_read_*().
 * What they do return is a JSON number, correctly rounded and finite.
 *
 * They look at up to NUMBER_SCAN_SLACK bytes, whatever these hold, and never at
 * `end` or beyond. */
#ifndef LOSSD_BASE_NUMBER_SCAN_H
#define LOSSD_BASE_NUMBER_SCAN_H

enum { NUMBER_SCAN_SLACK = 64 };

const char *number_scan_double(const char *at, const char *end, double *value);
const char *number_scan_float(const char *at, const char *end, float *value);

#endif
