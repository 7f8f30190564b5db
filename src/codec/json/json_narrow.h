/* Doubles that turn out to be floats: what is needed to round them only once.
 *
 * The dtype of the logits may stand after them, and so may the datatype of a tensor.  They
 * are read as doubles then, and rounding a double to a float is not always what rounding
 * the text would have given: see number_rounds_twice().  Those few are noted while the text
 * is at hand. */
#ifndef LOSSD_CODEC_JSON_NARROW_H
#define LOSSD_CODEC_JSON_NARROW_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

struct json_narrow {
    struct narrow_note {
        size_t index;
        float value;
    } * notes;
    size_t count, capacity;
    bool overflows;        /* some finite double is no finite float */
    size_t overflow_index; /* the first */
    struct excerpt overflow_text;
};

/* Takes note of element `index`, a finite number, if need be.  False: no memory. */
bool narrow_note(struct json_narrow *narrow, size_t index, struct span text, double value,
                 struct arena *mem, struct err *err);

/* The same where it is known already what the number rounds to. */
bool narrow_note_float(struct json_narrow *narrow, size_t index, struct span text,
                       double value, float right, struct arena *mem, struct err *err);

/* Turns the array's doubles into floats, each what its text rounds to. */
bool narrow_array(struct json_narrow *narrow, struct array *array, struct arena *mem,
                  struct err *err);

/* Rounds them likewise, but leaves them doubles: members that are doubles always may have
 * been sent as floats. */
void narrow_round(struct json_narrow *narrow, struct array *array);

#endif
