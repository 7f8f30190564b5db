/* The datatypes of tensors in the Open Inference Protocol. */
#ifndef LOSSD_CODEC_OIP_TYPE_H
#define LOSSD_CODEC_OIP_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/npy/npy_type.h"
#include "lossd/base/span.h"

enum oip_kind {
    OIP_FLOAT,
    OIP_HALF,     /* to which doubles are rounded that the text was */
    OIP_BFLOAT16, /* in bytes only */
    OIP_INTEGER,
    OIP_TRUTH /* true and false, as which 1 and 0 count too */
};

struct oip_type {
    const char *name; /* "FP32" */
    enum oip_kind kind;
    const struct npy_type *bytes; /* how its numbers lie in memory */
    bool is_single;               /* float32 holds them all */
    int64_t lowest;               /* of integers and truths, as is */
    uint64_t highest;
};

/* Is it FP32, as which the text is read to the last digit? */
static inline bool oip_type_is_float32(const struct oip_type *type)
{
    return type->kind == OIP_FLOAT && type->is_single;
}

/* The type of that name.  False: there is none whose elements are numbers. */
bool oip_type_find(struct span name, struct oip_type *type);

/* "FP32, FP64, ...": all of them. */
const char *oip_type_names(void);

#endif
