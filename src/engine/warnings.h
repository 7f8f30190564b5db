/* What is no error, but likely a mistake. */
#ifndef LOSSD_ENGINE_WARNINGS_H
#define LOSSD_ENGINE_WARNINGS_H

#include "lossd/engine/batch.h"
#include "lossd/engine/state.h"

/* What there is to warn of in the logits of a batch, or of many whose states are merged. */
struct look look_of(const struct batch *batch);

/* Sentences, ended by NULL.  They live for ever. */
const char *const *warnings_of(const struct look *look);

#endif
