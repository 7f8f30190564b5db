/* Doubles that turn out to be integers: those that a double cannot tell from their
 * neighbours.
 *
 * Labels may stand before the name that says that they are any.  They are read as doubles
 * then, which hold every integer up to 2^53; the few beyond are noted while the text is at
 * hand. */
#ifndef LOSSD_CODEC_JSON_INTEGERS_H
#define LOSSD_CODEC_JSON_INTEGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"

struct json_integers {
    struct integer_note {
        size_t index;
        int64_t value;
    } * notes; /* in the order of their elements */
    size_t count, capacity;
};

/* Takes note of element `index`, whose text is a number, if that is an integer of 64 bits.
 * False: no memory. */
bool integers_note(struct json_integers *integers, size_t index, struct span text,
                   struct arena *mem, struct err *err);

/* Is element `index` noted?  Then says what it is. */
bool integers_find(const struct json_integers *integers, size_t index, int64_t *value);

#endif
