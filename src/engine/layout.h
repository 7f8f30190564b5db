/* How the rows of a batch lie in its arrays, and the copies that put them side by
 * side: a class axis that is not the last one, logits that are tempered first. */
#ifndef LOSSD_ENGINE_LAYOUT_H
#define LOSSD_ENGINE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/engine/batch.h"

struct kernel;

/* Do the rows stand one behind the other? */
static inline bool layout_is_plain(const struct batch *batch)
{
    return batch->inner == 1;
}

/* Are the scores to be used the logits as they came? */
static inline bool layout_is_tempered(const struct batch *batch)
{
    return batch->temperature != 1 || batch_has(batch, MEMBER_softcap);
}

/* Bytes of an element of the batch's dtype. */
static inline size_t layout_size(const struct batch *batch)
{
    return batch->dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* An element of an array of the batch's dtype and of the shape of logits. */
static inline void *layout_at(const struct batch *batch, void *array, size_t index)
{
    return (char *)array + index * layout_size(batch);
}

/* Rows from position `from` on, side by side: where they stand in `array` (elements
 * of `size` bytes, shape of logits), or copied into `room`. */
const void *layout_gather(const struct batch *batch, const void *array, size_t size,
                          size_t from, size_t rows, void *room);

/* The way back, unless `packed` stands there already. */
void layout_scatter(const struct batch *batch, const void *packed, size_t size,
                    size_t from, size_t rows, void *array);

#endif
