#include "engine/batch_place.h"

/* Is a row an array of its own in the text?  Else its first element stands for it. */
static bool rows_have_places(const struct batch *batch)
{
    return batch->axis == -1 || batch->axis == (int64_t)batch->logits.shape.rank - 1;
}

void batch_row_place(const struct batch *batch, const char *name, size_t position,
                     char pointer[PLACE_SIZE], char words[PLACE_SIZE])
{
    bool have = rows_have_places(batch);
    const struct shape *shape = have ? &batch->position_shape : &batch->logits.shape;
    size_t index = have ? position : batch_row(batch, position);

    place_pointer(pointer, name, shape, index);
    place_words(words, name, shape, index);
}
