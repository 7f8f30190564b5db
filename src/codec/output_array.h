/* The array behind an output: what any format has to write down of it. */
#ifndef LOSSD_CODEC_OUTPUT_ARRAY_H
#define LOSSD_CODEC_OUTPUT_ARRAY_H

#include <stdint.h>

#include "codec/reply_numbers.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"

struct output_array {
    enum reply_numbers numbers;
    const void *data;
    struct shape shape;
};

/* The outputs that always are arrays, as bits. */
uint32_t output_arrays(void);

/* The array of an output that the batch wants: one of output_arrays(), or the loss of
 * a batch whose losses are not reduced.  Its data live as long as the
 * result. */
struct output_array output_array(enum output output, const struct batch *batch,
                                 const struct result *result);

#endif
