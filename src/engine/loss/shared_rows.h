/* Cross-entropy of a row at a time, class by class. */
#ifndef LOSSD_ENGINE_LOSS_SHARED_ROWS_H
#define LOSSD_ENGINE_LOSS_SHARED_ROWS_H

#include <stddef.h>

#include "engine/slab.h"

/* Fills values, [rows], and the slab's gradient, if it has one. */
void shared_rows(const struct slab *slab, double *values);

/* The value of a single row. */
double shared_value(const struct slab *slab, size_t row);

#endif
