/* The powers of ten that the table holds, shared with its generator.
 *
 * Reading needs 10^-342 (nineteen digits times less are below half the smallest
 * double) to 10^308; writing needs 10^-292 to 10^324. */
#ifndef LOSSD_BASE_NUMBER_POWERS_RANGE_H
#define LOSSD_BASE_NUMBER_POWERS_RANGE_H

enum {
    NUMBER_POWER_MIN = -342,
    NUMBER_POWER_MAX = 324,
    NUMBER_POWER_COUNT = NUMBER_POWER_MAX - NUMBER_POWER_MIN + 1
};

#endif
