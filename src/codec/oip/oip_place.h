/* Where in the body of an inference is what an error finds in the batch. */
#ifndef LOSSD_CODEC_OIP_PLACE_H
#define LOSSD_CODEC_OIP_PLACE_H

#include <stddef.h>

#include "codec/oip/oip_tensor.h"
#include "lossd/base/err.h"
#include "lossd/engine/batch.h"

/* Turns the pointer to a member into one to the input or the parameter that it came from.
 * What points into the body already is left as it is. */
void place_in_body(struct err *err, const struct batch *batch,
                   const struct tensor *tensors, size_t count);

#endif
