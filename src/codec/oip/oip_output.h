/* An output that an inference asks for: which one, and how it is to be sent. */
#ifndef LOSSD_CODEC_OIP_OUTPUT_H
#define LOSSD_CODEC_OIP_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/oip/oip_answer.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

struct wanted_output {
    size_t index; /* among the outputs */
    struct span name;
    bool is_told, in_bytes; /* how to send it */
    int64_t classes; /* how many of each row, if that is not all; 0 where not said */
};

/* Takes a parameter of it; what is wrong is noted.  False: it has none of that name. */
bool output_take(struct wanted_output *output, struct span name,
                 const struct value *value, struct err *err);

/* Adds it, which has a name, to what the inference asks for.  False with ERR_BAD_TENSOR:
 * the task has no such output, or none that can be sent so, or it is asked for already. */
bool output_want(const struct wanted_output *output, const struct task *task,
                 struct inference *inference, struct err *err);

#endif
