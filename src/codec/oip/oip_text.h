/* The text of an inference: one object, in which those of two arrays are entered. */
#ifndef LOSSD_CODEC_OIP_TEXT_H
#define LOSSD_CODEC_OIP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/json/json_reader.h"
#include "codec/oip/oip_answer.h"
#include "codec/oip/oip_ignored.h"
#include "codec/oip/oip_names.h"
#include "codec/oip/oip_options.h"
#include "codec/oip/oip_output.h"
#include "codec/oip/oip_tensor.h"

struct oip_text {
    struct batch *batch;
    struct arena *mem;
    struct json_reader reader;
    struct json_array array;
    enum oip_scope scope;   /* of the member whose value comes next */
    enum oip_scope entered; /* what the objects of the array are */
    size_t index;           /* of the object, or of the next */
    enum oip_name value;    /* which value comes next */
    unsigned seen_at_top, seen;
    struct tensor *tensors; /* in the order of the inputs */
    size_t count;
    struct wanted_output output;
    bool is_misfit; /* inputs or outputs are no such thing: nothing else is looked at */
    struct err shared; /* of the first tensor that is to be in shared memory */
    bool has_return;   /* the address has what goes with no inference */
    struct inference inference;
    struct ignored ignored;
    struct options options;
};

/* Prepares to read it into the batch.  False: no memory, or the address asks for what
 * no tensor can hold. */
bool oip_text_begin(struct oip_text *text, struct batch *batch, struct arena *mem,
                    struct err *err);

/* The next piece; and after the last what it all says of the tensors, none of whose bytes
 * has been read.  False: more is of no use. */
bool oip_text_read(struct oip_text *text, struct span piece, struct err *err);
bool oip_text_end(struct oip_text *text, struct err *err);

#endif
