/* The numbers of a tensor's text, and what its datatype can hold of them.  Those of bytes
 * cannot be anything else. */
#ifndef LOSSD_CODEC_OIP_RANGE_H
#define LOSSD_CODEC_OIP_RANGE_H

#include "codec/oip/oip_tensor.h"
#include "lossd/base/err.h"

/* Is every number of it one of the datatype?  Notes the first that is none: in `err` true
 * where numbers are wanted, and with the batch, for it is one value among others, what is no
 * integer of the type's range.  The tensor is a member of the batch and its data have the
 * shape that it says. */
void range_check(const struct tensor *tensor, struct batch *batch, struct err *err);

/* Rounds its doubles and labels to the precision that they were sent in: to single from the
 * text, to half from the double that the text was rounded to.  The first beyond its range
 * is a flaw. */
void range_round(struct tensor *tensor);

#endif
