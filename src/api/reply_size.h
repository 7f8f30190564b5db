/* How large an answer will be; private to this layer. */
#ifndef LOSSD_API_REPLY_SIZE_H
#define LOSSD_API_REPLY_SIZE_H

#include <stddef.h>

#include "lossd/engine/batch.h"

/* How many numbers all outputs that the batch wants have together, about. */
size_t reply_numbers(const struct batch *batch);

#endif
