/* What is no error, but likely a mistake. */
#ifndef LOSSD_ENGINE_WARNINGS_H
#define LOSSD_ENGINE_WARNINGS_H

#include "lossd/engine/batch.h"

/* Sentences, ended by NULL.  They live for ever. */
const char *const *warnings_of(const struct batch *batch);

#endif
