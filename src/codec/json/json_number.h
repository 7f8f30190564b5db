/* The grammar of a JSON number, byte by byte. */
#ifndef LOSSD_CODEC_JSON_NUMBER_H
#define LOSSD_CODEC_JSON_NUMBER_H

#include <stdbool.h>

enum json_number {
    NUMBER_MINUS, /* a digit must follow */
    NUMBER_ZERO,
    NUMBER_INTEGER,
    NUMBER_DOT,
    NUMBER_FRACTION,
    NUMBER_E,
    NUMBER_E_SIGN,
    NUMBER_EXPONENT
};

bool json_is_digit(char c);

/* The state of a number that begins with `c`, a minus or a digit. */
enum json_number json_number_begin(char c);

/* Takes `c` into the number.  False: the number ends before it, if it may. */
bool json_number_take(enum json_number *state, char c);

/* May the number end before `next`? */
bool json_number_may_end(enum json_number state, char next);

/* What would have to follow, for errors. */
const char *json_number_wanted(enum json_number state);

#endif
