/* The text of a member that is no array of numbers, as a value for the batch. */
#ifndef LOSSD_CODEC_JSON_VALUE_H
#define LOSSD_CODEC_JSON_VALUE_H

#include <stdbool.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

/* `text` must be valid JSON; it is not kept.  What `value` points to lives in
 * `mem`.  False: no memory. */
bool json_value(struct span text, struct arena *mem, struct value *value,
                struct err *err);

#endif
