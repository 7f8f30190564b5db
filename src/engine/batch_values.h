/* The last phase of batch_check(). */
#ifndef LOSSD_ENGINE_BATCH_VALUES_H
#define LOSSD_ENGINE_BATCH_VALUES_H

#include <stdbool.h>

#include "lossd/engine/batch.h"

/* Are the numbers what their members want?  False with `err` filled. */
bool batch_check_values(const struct batch *batch, struct err *err);

#endif
