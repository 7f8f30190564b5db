/* Masked classes that would count: the truth, or its smoothing, gives them a share. */
#ifndef LOSSD_ENGINE_BATCH_MASKS_H
#define LOSSD_ENGINE_BATCH_MASKS_H

#include "lossd/engine/batch.h"

/* A row in which such a class is, and which element is at fault for it. */
struct mask {
    size_t index; /* of an array, row-major; SIZE_MAX: there is no such row */
    size_t position;
    size_t class; /* SIZE_MAX: all are masked */
};

/* The first of them that an element of each member is at fault for. */
struct masks {
    struct mask logits, labels, targets;
};

/* Looks at a batch whose shapes are right, whatever its values. */
struct masks batch_masks(const struct batch *batch);

/* Reports the mask; always false. */
bool batch_fail_mask(const struct batch *batch, const struct mask *mask, struct err *err);

#endif
