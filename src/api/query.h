/* The address: its options; private to this layer. */
#ifndef LOSSD_API_QUERY_H
#define LOSSD_API_QUERY_H

#include "lossd/api/api.h"
#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

/* Sets the batch's members from the target's query; a NULL batch takes none.
 * `wishes` takes what is said of the answer.  What is wrong is noted in `err`. */
void query_read(struct span target, struct batch *batch, struct wishes *wishes,
                struct arena *mem, struct err *err);

/* Seconds, as the address or the header `name` has them, from 0.001 to 3600.  False
 * with an error of `kind`. */
bool timeout_read(const char *name, struct span text, enum err_kind kind,
                  const char *pointer, int64_t *timeout_ns, struct err *err);

#endif
