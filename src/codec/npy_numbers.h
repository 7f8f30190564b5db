/* The numbers of an NPY file, as they arrive, into typed memory. */
#ifndef LOSSD_CODEC_NPY_NUMBERS_H
#define LOSSD_CODEC_NPY_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"
#include "npy_header.h"

struct npy_numbers {
    const struct npy_header *header;
    struct array *out;
    struct arena *mem;
    size_t capacity;          /* numbers there is room for */
    char cut[NPY_NUMBER_MAX]; /* the one that a piece ends in */
    size_t cut_len;
};

/* Begins to read the data behind `header`, which outlives it, into the empty `out`, of
 * doubles or floats. */
void npy_numbers_begin(struct npy_numbers *numbers, const struct npy_header *header,
                       struct array *out, struct arena *mem);

/* The next bytes, not more than all numbers have.  False: no memory. */
bool npy_numbers_feed(struct npy_numbers *numbers, struct span data, struct err *err);

/* All numbers are there: gives the array its shape.  False: no memory. */
bool npy_numbers_end(struct npy_numbers *numbers, struct err *err);

#endif
