/* The datatypes of tensors in the Open Inference Protocol. */
#ifndef LOSSD_CODEC_OIP_TYPE_H
#define LOSSD_CODEC_OIP_TYPE_H

#include <stdbool.h>

#include "lossd/base/span.h"
#include "npy_type.h"

struct oip_type {
    const char *name;             /* "FP32" */
    const struct npy_type *bytes; /* how its numbers lie in memory */
    bool is_single;               /* float32 holds them all */
};

/* The type of that name.  False: there is none whose elements are numbers. */
bool oip_type_find(struct span name, struct oip_type *type);

/* "FP32, FP64, ...": all of them. */
const char *oip_type_names(void);

#endif
