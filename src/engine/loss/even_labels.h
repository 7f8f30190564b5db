/* Cross-entropy of rows whose shares are those of no class in particular but the
 * label's, all at once. */
#ifndef LOSSD_ENGINE_LOSS_EVEN_LABELS_H
#define LOSSD_ENGINE_LOSS_EVEN_LABELS_H

#include "engine/slab.h"

/* Fills values, [rows], and the slab's gradient, if it has one. */
void even_labels(const struct slab *slab, double *values);

#endif
