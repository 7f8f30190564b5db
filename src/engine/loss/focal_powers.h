/* (1 - p)^focal_gamma of labels: the exponent multiplies what 1 - p is off by, so where
 * that is too much the power is made from the logits once more, more closely. */
#ifndef LOSSD_ENGINE_LOSS_FOCAL_POWERS_H
#define LOSSD_ENGINE_LOSS_FOCAL_POWERS_H

#include <stddef.h>

#include "engine/slab.h"

/* Of all rows, [rows] each, where focal_gamma is not 0: p and miss are what is known of
 * their labels.  It takes slab->row. */
void focal_powers(const struct slab *slab, const double *p, const double *miss,
                  double *powers);

/* Of one row. */
double focal_power(const struct slab *slab, size_t row, double p, double miss);

#endif
