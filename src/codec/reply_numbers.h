/* The kinds of numbers that answers have. */
#ifndef LOSSD_CODEC_REPLY_NUMBERS_H
#define LOSSD_CODEC_REPLY_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

enum reply_numbers {
    REPLY_DOUBLES,
    REPLY_DOUBLES_AS_FLOATS, /* doubles, rounded to float and sent as such */
    REPLY_FLOATS,
    REPLY_INTEGERS, /* int64_t */
    REPLY_RANKED    /* texts: `data` is a struct ranking */
};

/* Bytes of such a number where it is not text.  Not of what is ranked: ranking.h. */
static inline size_t reply_number_size(enum reply_numbers numbers)
{
    bool is_float = numbers == REPLY_FLOATS || numbers == REPLY_DOUBLES_AS_FLOATS;

    return is_float ? sizeof(float) : sizeof(double);
}

#endif
