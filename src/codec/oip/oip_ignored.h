/* Names of parameters that nobody knows.  Clients send parameters to whoever answers: it is
 * no error, but told of in the answer, for they may be misspelt. */
#ifndef LOSSD_CODEC_OIP_IGNORED_H
#define LOSSD_CODEC_OIP_IGNORED_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/oip/oip_names.h"
#include "lossd/base/arena.h"
#include "lossd/base/buf.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

struct ignored {
    struct buf names; /* "a, outputs[0].b" */
};

void ignored_begin(struct ignored *ignored, const struct limits *limits,
                   struct arena *mem, struct err *err);

/* Adds a parameter of an object, the `index`th of its kind, unless the name means something
 * to other servers.  False: no memory. */
bool ignored_add(struct ignored *ignored, enum oip_scope scope, size_t index,
                 struct span name);

#endif
