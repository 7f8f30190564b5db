/* What a reader keeps of its text: a name, a value that is to be copied, a token of an
 * array that a piece may cut. */
#ifndef LOSSD_CODEC_JSON_KEEP_H
#define LOSSD_CODEC_JSON_KEEP_H

#include <stdbool.h>

#include "codec/json/json_reader.h"

/* Where what is kept goes now. */
struct buf *json_kept_in(struct json_reader *reader);

/* Makes ready for text that others add. */
void json_keep_begin(struct json_reader *reader);

/* Makes ready for the text from `at` on. */
void json_keep_from(struct json_reader *reader, const char *at);

/* Appends what is to be kept of the text before `to`.  False: it is too much. */
bool json_keep(struct json_reader *reader, const char *to);

/* What has been kept since. */
struct span json_kept(struct json_reader *reader);

/* The text of a number that ends before `at`, where it lies if it was not cut.  Which
 * way is taken makes a difference only to numbers that no ceiling is below. */
bool json_keep_token(struct json_reader *reader, const char *at, struct span *text);

#endif
