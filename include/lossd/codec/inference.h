/* The format of an inference of the Open Inference Protocol, version 2: tensors in JSON or
 * behind it, in and out.  It has a route of its own and is not negotiated.
 *
 * The batch knows its task and, where that has one, its loss before the body begins. */
#ifndef LOSSD_CODEC_INFERENCE_H
#define LOSSD_CODEC_INFERENCE_H

#include "lossd/codec/codec.h"

extern const struct codec codec_inference;

#endif
