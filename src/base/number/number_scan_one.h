/* One number that number_scan.c does not take in its stride: with an exponent, with zeros
 * in front, an integer of many digits.
 *
 * As there, NUMBER_SCAN_SLACK bytes can be looked at, and NULL declines. */
#ifndef LOSSD_BASE_NUMBER_SCAN_ONE_H
#define LOSSD_BASE_NUMBER_SCAN_ONE_H

#include <stdbool.h>

const char *number_scan_one_double(const char *at, double *value);
const char *number_scan_one_float(const char *at, float *value);

static inline bool number_begins_exponent(const char *at)
{
    return (*at | 0x20) == 'e';
}

#endif
