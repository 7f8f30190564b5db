/* What is wrong with a JSON text, said in a sentence. */
#ifndef LOSSD_CODEC_JSON_FAULT_H
#define LOSSD_CODEC_JSON_FAULT_H

#include <stddef.h>

#include "codec/json/json_reader.h"

/* Says where in the text an error is. */
void json_fault_place(const struct json_place *place, struct err *err);

/* The reader cannot go on with this byte: ERR_INVALID_JSON, ERR_TRAILING_DATA. */
void json_fault_byte(const struct json_reader *reader, size_t offset, unsigned char byte);

/* The text ends, and should not have. */
void json_fault_end(const struct json_reader *reader);

/* The same between the values of a sequence: `place` is that of the byte or of the end,
 * `wanted` says what should stand there. */
void json_fault_between(const struct json_place *place, unsigned char byte, bool at_end,
                        const char *wanted, struct err *err);
void json_fault_cut(const struct json_place *place, const char *wanted, struct err *err);

/* One container more than may be open begins at `offset`: ERR_TOO_LARGE. */
void json_fault_depth(const struct json_reader *reader, size_t offset);

#endif
