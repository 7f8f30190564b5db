#include "codec/half.h"

#include <math.h>
#include <string.h>

double half_read(uint16_t bits)
{
    const uint64_t sign = (uint64_t)(bits >> 15) << 63;
    const uint64_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    uint64_t wide = sign | (exponent + 1023 - 15) << 52 | fraction << 42;
    double value;

    if (exponent == 0)
        return (sign ? -0x1p-24 : 0x1p-24) * (double)fraction;
    if (exponent == 31)
        wide = sign | UINT64_C(0x7FF) << 52 | fraction << 42;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* Steps are powers of two, so that counting them rounds once. */
double half_round(double value)
{
    int exponent;

    if (!isfinite(value))
        return value;
    frexp(value, &exponent);
    double step = exponent > -13 ? ldexp(1, exponent - 11) : 0x1p-24;
    double rounded = rint(value / step) * step;
    return fabs(rounded) <= 65504 ? rounded : copysign((double)INFINITY, value);
}
