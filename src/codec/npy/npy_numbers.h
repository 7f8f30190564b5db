/* The numbers of an NPY file, as they arrive, into typed memory. */
#ifndef LOSSD_CODEC_NPY_NUMBERS_H
#define LOSSD_CODEC_NPY_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/json/json_narrow.h"
#include "codec/npy/npy_header.h"
#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

struct npy_numbers {
    enum member member; /* that the array is of */
    const struct npy_header *header;
    struct array *out;
    struct json_narrow *narrow;
    struct arena *mem;
    size_t capacity;          /* numbers there is room for */
    char cut[NPY_NUMBER_MAX]; /* the one that a piece ends in */
    size_t cut_len;
    bool has_fraction;     /* some label is no integer */
    size_t fraction_index; /* the first, row-major */
    struct excerpt fraction_text;
};

/* Begins to read the data behind `header`, which outlives it, into the empty `out`, the
 * array of that member.  For doubles that may become floats `narrow` takes notes; NULL: they
 * may not. */
void npy_numbers_begin(struct npy_numbers *numbers, enum member member,
                       const struct npy_header *header, struct array *out,
                       struct json_narrow *narrow, struct arena *mem);

/* The next bytes, not more than all numbers have.  False: no memory. */
bool npy_numbers_feed(struct npy_numbers *numbers, struct span data, struct err *err);

/* All numbers are there: gives the array its shape.  False: no memory.  Labels that are no
 * integers are noted in `err`. */
bool npy_numbers_end(struct npy_numbers *numbers, struct err *err);

#endif
