/* The address: path and options; private to this layer. */
#ifndef LOSSD_API_QUERY_H
#define LOSSD_API_QUERY_H

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

/* The part of a request target before the question mark. */
struct span query_path(struct span target);

/* Sets the batch's members from the target's query; a NULL batch takes none.
 * `pretty` is set when it asks for that.  What is wrong is noted in `err`. */
void query_read(struct span target, struct batch *batch, bool *pretty, struct arena *mem,
                struct err *err);

#endif
