/* Cross-entropy of a row at a time, class by class. */
#ifndef LOSSD_ENGINE_LOSS_SHARED_ROWS_H
#define LOSSD_ENGINE_LOSS_SHARED_ROWS_H

#include <stddef.h>

#include "engine/slab.h"

/* The row's value, and its part of the slab's gradient. */
double shared_value(const struct slab *slab, size_t row);
void shared_gradient(const struct slab *slab, size_t row);

#endif
