/* The header of an NPY file: a Python dictionary that says what the data are. */
#ifndef LOSSD_CODEC_NPY_HEADER_H
#define LOSSD_CODEC_NPY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/npy/npy_type.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

struct npy_header {
    const struct npy_type *type;
    bool is_swapped; /* the bytes of a number are in another order than here */
    bool is_fortran; /* the first dimension varies fastest */
    unsigned rank;   /* may be more than RANK_MAX; `shape` is cut then */
    struct shape shape;
    size_t count; /* product of all dimensions, SIZE_MAX when that is too large */
};

/* Reads the text between the header's length and the data.  False: ERR_BAD_TENSOR, or
 * ERR_UNSUPPORTED_MEDIA_TYPE for data that are not real numbers. */
bool npy_header_read(struct span text, struct npy_header *header, struct err *err);

#endif
