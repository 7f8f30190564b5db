/* Small questions about the text of JSON values. */
#ifndef LOSSD_CODEC_JSON_TEXT_H
#define LOSSD_CODEC_JSON_TEXT_H

#include "json_token.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

/* The text as an error can show it, terminated: cut at a character, with "...",
 * where it is too long. */
void json_text_cut(char out[FLAW_TEXT_SIZE], struct span text);

/* "a number", "a string"; the text itself of the others: "true", "NaN". */
const char *json_scalar_words(enum json_scalar scalar);

#endif
