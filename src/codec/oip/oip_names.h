/* The members that the objects of an inference may have. */
#ifndef LOSSD_CODEC_OIP_NAMES_H
#define LOSSD_CODEC_OIP_NAMES_H

#include <stdbool.h>

#include "lossd/base/err.h"
#include "lossd/base/span.h"

enum oip_scope { OIP_TOP, OIP_INPUT, OIP_OUTPUT, OIP_SCOPES };

enum oip_name {
    OIP_INPUTS,
    OIP_PARAMETERS,
    OIP_OUTPUTS,
    OIP_ID,
    OIP_NAME,
    OIP_SHAPE,
    OIP_DATATYPE,
    OIP_DATA,
    OIP_MODEL_NAME, /* these two the address says, too */
    OIP_MODEL_VERSION,
    OIP_NAMES
};

/* Finds the member of an object, the `index`th of its kind, and adds it to those `seen`.
 * False: it has no such member, or has it twice, which is noted. */
bool oip_name_take(enum oip_scope scope, size_t index, struct span name, unsigned *seen,
                   enum oip_name *found, struct err *err);

/* A required member is not there: noted. */
void oip_name_missing(enum oip_scope scope, size_t index, const char *name,
                      struct err *err);

/* An object says that its tensor is in shared memory: ERR_BAD_TENSOR, always false. */
bool oip_fail_shared(enum oip_scope scope, size_t index, struct err *err);

/* "inputs[3]" and "/inputs/3"; "the body" and "" at the top. */
enum { OIP_PLACE_SIZE = 48 };
void oip_words(char out[OIP_PLACE_SIZE], enum oip_scope scope, size_t index);
void oip_pointer(char out[OIP_PLACE_SIZE], enum oip_scope scope, size_t index);

#endif
