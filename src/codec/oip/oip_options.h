/* The parameters of a whole inference: options of its batch, and wishes for its answer. */
#ifndef LOSSD_CODEC_OIP_OPTIONS_H
#define LOSSD_CODEC_OIP_OPTIONS_H

#include <stdbool.h>

#include "codec/oip/oip_answer.h"
#include "codec/oip/oip_ignored.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

struct options {
    struct batch *batch;
    struct inference *inference;
    struct arena *mem;
    struct ignored *ignored;
};

/* Reads them, from valid JSON.  False: no memory; other errors are noted. */
bool options_read(struct options *options, struct span text, struct err *err);

/* Adds what was found about a member, with a pointer of its own, to the errors.  False:
 * it ends the reading. */
bool options_note(const struct err *found, const char *pointer, struct err *err);

#endif
