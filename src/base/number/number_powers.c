/* The table itself, printed by number_powers_gen.c while building: 667 entries
 * are too many to check by eye, and the program that prints them is not. */
#include "base/number/number_powers.h"

const struct number_power number_powers[NUMBER_POWER_COUNT] = {
#include "number_powers.inc"
};
