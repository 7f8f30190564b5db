/* The last phase of batch_check(). */
#ifndef LOSSD_ENGINE_BATCH_VALUES_H
#define LOSSD_ENGINE_BATCH_VALUES_H

#include "lossd/engine/place.h"

/* Are the numbers what their members want?  False with `err` filled. */
bool batch_check_values(const struct batch *batch, struct err *err);

/* Where the row of a position stands in logits or targets, as place_pointer() and
 * place_words() have it.  A row that is no array of its own is its first element. */
void batch_row_place(const struct batch *batch, const char *name, size_t position,
                     char pointer[PLACE_SIZE], char words[PLACE_SIZE]);

#endif
