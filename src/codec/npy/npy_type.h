/* The types that the numbers of an NPY file may have. */
#ifndef LOSSD_CODEC_NPY_TYPE_H
#define LOSSD_CODEC_NPY_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/excerpt.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

enum { NPY_NUMBER_MAX = 8 }; /* bytes of a number */

struct npy_type {
    const char *name; /* "f4" */
    size_t size;      /* bytes of a number */
    /* Numbers in the order of this machine's bytes, rounded once where need be. */
    void (*to_doubles)(const char *from, size_t count, void *to);
    void (*to_floats)(const char *from, size_t count, void *to);
    /* INT64_MIN also where the number is no integer, or none of 64 bits. */
    void (*to_integers)(const char *from, size_t count, void *to);
};

/* Numbers that are the upper half of a float; no file has them. */
extern const struct npy_type npy_bfloat16;

/* The type of that name, NULL when there is none. */
const struct npy_type *npy_type_find(struct span name);

/* Is it true or false, and a number only to those who want one? */
bool npy_type_is_truth(const struct npy_type *type);

/* Reads `count` numbers into elements of that kind; `swapped` where the order of their bytes
 * is not that of this machine.  Neither side need be aligned. */
void npy_type_read(const struct npy_type *type, bool swapped, const char *from,
                   size_t count, enum element element, void *to);

/* The number at `at` as a sentence has it: of u8, which may be beyond all labels, to its
 * last digit. */
struct excerpt npy_type_words(const struct npy_type *type, bool swapped, const char *at);

#endif
