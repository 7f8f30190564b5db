/* JSON strings, read byte by byte: escapes, surrogate pairs, UTF-8. */
#ifndef LOSSD_CODEC_JSON_STRING_H
#define LOSSD_CODEC_JSON_STRING_H

#include <stdbool.h>
#include <stdint.h>

#include "lossd/base/buf.h"

/* A string being read; all zero is one whose opening quote was just seen. */
struct json_string {
    enum {
        STRING_PLAIN,
        STRING_UTF8,       /* inside a character of several bytes */
        STRING_ESCAPE,     /* after a backslash */
        STRING_HEX,        /* after \u */
        STRING_PAIR,       /* after the first half of a surrogate pair */
        STRING_PAIR_ESCAPE /* and a backslash */
    } state;
    unsigned left;                 /* bytes or digits that are still to come */
    unsigned char lowest, highest; /* what the next byte of a character may be */
    uint32_t code;                 /* of the hexadecimal digits so far */
    uint32_t high;                 /* first half of a pair, or 0 */
    bool ended;                    /* the closing quote was seen */
    const char *found;             /* what is wrong; NULL: the byte itself */
    const char *wanted;            /* set when something is wrong */
    unsigned back;                 /* it began so many bytes before */
};

/* Reads on at `at` and returns the byte after the closing quote (`ended`), the
 * byte that is wrong (`wanted`), or `end`.  Adds the decoded text to `out`
 * unless that is NULL; see buf_ok(). */
const char *json_string_read(struct json_string *string, const char *at, const char *end,
                             struct buf *out);

#endif
