/* One array of a result as an NPY file. */
#ifndef LOSSD_CODEC_NPY_WRITE_H
#define LOSSD_CODEC_NPY_WRITE_H

#include <stdbool.h>

#include "lossd/codec/codec.h"

/* Does the batch want one array, and nothing else?  False: ERR_NOT_ACCEPTABLE, with
 * what to ask for instead. */
bool npy_can_write(const struct batch *batch, struct err *err);

/* The file of that array, version 1.0, in the precision that JSON has it in.  NULL: no
 * memory. */
struct reply *npy_write(const struct batch *batch, const struct result *result,
                        bool pretty, struct arena *mem, struct err *err);

#endif
