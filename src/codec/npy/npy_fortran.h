/* Arrays whose first dimension varies fastest, and how they become row-major ones. */
#ifndef LOSSD_CODEC_NPY_FORTRAN_H
#define LOSSD_CODEC_NPY_FORTRAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/engine/batch.h"

/* The row-major index of the element that is `index`th where the first dimension
 * varies fastest. */
size_t npy_fortran_index(const struct shape *shape, size_t index);

/* Puts doubles or floats, whose data came from arena_resize(), into row-major order.
 * Needs their memory once more while it works.  False: there is none. */
bool npy_fortran_turn(struct array *array, struct arena *mem, struct err *err);

#endif
