/* Where the rows of a batch stand in its text. */
#ifndef LOSSD_ENGINE_BATCH_PLACE_H
#define LOSSD_ENGINE_BATCH_PLACE_H

#include <stddef.h>

#include "lossd/engine/batch.h"
#include "lossd/engine/place.h"

/* Where the row of a position stands in logits or targets, as place_pointer() and
 * place_words() have it.  A row that is no array of its own is its first element. */
void batch_row_place(const struct batch *batch, const char *name, size_t position,
                     char pointer[PLACE_SIZE], char words[PLACE_SIZE]);

#endif
