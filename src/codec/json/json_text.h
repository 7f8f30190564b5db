/* Small questions about the text of JSON values. */
#ifndef LOSSD_CODEC_JSON_TEXT_H
#define LOSSD_CODEC_JSON_TEXT_H

#include "codec/json/json_token.h"

/* "a number", "a string"; the text itself of the others: "true", "NaN". */
const char *json_scalar_words(enum json_scalar scalar);

#endif
