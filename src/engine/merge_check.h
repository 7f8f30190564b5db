/* What batch_check() asks of a batch of states. */
#ifndef LOSSD_ENGINE_MERGE_CHECK_H
#define LOSSD_ENGINE_MERGE_CHECK_H

#include <stdbool.h>

#include "lossd/base/err.h"
#include "lossd/engine/batch.h"

/* Is there a state, and in it what is asked for? */
bool merge_check(struct batch *whole, struct err *err);

#endif
