/* A result as a JSON object; see codec.h. */
#ifndef LOSSD_CODEC_JSON_ENCODE_H
#define LOSSD_CODEC_JSON_ENCODE_H

#include <stdbool.h>

#include "lossd/codec/codec.h"

struct reply *json_encode(const struct batch *batch, const struct result *result,
                          bool pretty, struct arena *mem, struct err *err);

#endif
