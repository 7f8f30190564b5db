/* IEEE 754 binary16, which the compilers of some machines do not know. */
#ifndef LOSSD_CODEC_HALF_H
#define LOSSD_CODEC_HALF_H

#include <stdint.h>

/* The number that has these bits. */
double half_read(uint16_t bits);

/* The nearest number of half precision, the even one of two; an infinity for what is
 * beyond the largest, 65504.  NaN and the infinities are left as they are. */
double half_round(double value);

#endif
