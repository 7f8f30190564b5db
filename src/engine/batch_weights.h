/* What weights of classes and of samples make of each other. */
#ifndef LOSSD_ENGINE_BATCH_WEIGHTS_H
#define LOSSD_ENGINE_BATCH_WEIGHTS_H

#include <stdbool.h>

#include "lossd/base/err.h"
#include "lossd/engine/batch.h"

/* Is the product of both within the range of float64, wherever there is one?  What would
 * be made of one that is not is another loss.  The batch is sound otherwise.  False with
 * `err` filled. */
bool batch_check_weights(const struct batch *batch, struct err *err);

#endif
