/* Where an element stands, in the two ways an error says it, and shapes in words. */
#ifndef LOSSD_ENGINE_PLACE_H
#define LOSSD_ENGINE_PLACE_H

#include <stddef.h>

#include "lossd/engine/batch.h"

enum { PLACE_SIZE = 192 };

/* "/logits/3/0" and "logits[3][0]": where element `index` of an array stands.
 * Terminated, and cut where there is no room for all of it. */
void place_pointer(char out[PLACE_SIZE], const char *member, const struct shape *shape,
                   size_t index);
void place_words(char out[PLACE_SIZE], const char *member, const struct shape *shape,
                 size_t index);

/* "/inputs/0/shape": the member `name` of the object at `object`, whatever the name; the
 * object where that is too long, for a part of it would point elsewhere.  Terminated. */
void place_member(char out[POINTER_SIZE], const char *object, struct span name);

/* "1.5", "-Infinity", "NaN", terminated: a value that was found. */
void number_words(char out[PLACE_SIZE], double value);

/* "[2,3]", terminated. */
void shape_words(char out[PLACE_SIZE], const struct shape *shape);

#endif
