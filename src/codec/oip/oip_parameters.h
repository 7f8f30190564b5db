/* An object of parameters, in which an inference may say anything of itself. */
#ifndef LOSSD_CODEC_OIP_PARAMETERS_H
#define LOSSD_CODEC_OIP_PARAMETERS_H

#include <stdbool.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

/* Who is told of them, and whose they are, in words and as a pointer: both empty for the
 * body's.  Names and values live as long as `mem`.  False: the reading ends. */
struct parameter_reader {
    bool (*take)(void *ctx, struct span name, const struct value *value, struct err *err);
    void *ctx;
    const char *words, *pointer;
};

/* Reads the object, from valid JSON.  False with ERR_WRONG_TYPE, ERR_TOO_LARGE or
 * ERR_OVERLOADED: it is none, or there is no memory for it. */
bool parameters_read(struct span text, const struct parameter_reader *reader,
                     const struct limits *limits, struct arena *mem, struct err *err);

/* Is it `true` or `false`?  Then says which. */
bool parameter_is_bool(const struct value *value, bool *truth);

#endif
