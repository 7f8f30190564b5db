/* A strict reader of JSON (RFC 8259), fed with pieces cut anywhere.
 *
 * The text is one object.  For each of its members the reader asks what to do
 * with the value: look at the syntax only, copy the text, or take the numbers of
 * an array as they come, or enter an array of objects, whose members are then asked
 * about likewise.  Or it is one such value by itself.  What is wrong with the syntax is
 * reported with offset,
 * line and column; what cannot be used is reported too, and the syntax is
 * checked to the end nevertheless.
 *
 * A reader belongs to one thread at a time. */
#ifndef LOSSD_CODEC_JSON_READ_H
#define LOSSD_CODEC_JSON_READ_H

#include "codec/json/json_reader.h"

/* Prepares to read.  False: no memory. */
bool json_read_begin(struct json_reader *reader, const struct json_handler *handler,
                     void *ctx, const struct limits *limits, struct arena *mem,
                     struct err *err);

/* Turns the reader, which has just begun, to a text that is a single value.  An array to
 * be taken may lack its outermost brackets there: "0,1" is [0,1]; a number alone is the
 * number itself, where that may be. */
void json_read_single(struct json_reader *reader, enum json_way way);

/* The next piece, which is not kept.  False: ERR_INVALID_JSON, ERR_TRAILING_DATA,
 * ERR_TOO_LARGE or ERR_OVERLOADED, and more is of no use. */
bool json_read(struct json_reader *reader, struct span piece, struct err *err);

/* The same up to the end of the value: takes from `piece` what belongs to it. */
bool json_read_value(struct json_reader *reader, struct span *piece, struct err *err);

/* Has all of the value been read?  (A number may go on, until something else comes.) */
static inline bool json_is_complete(const struct json_reader *reader)
{
    return reader->state == JSON_END;
}

/* The text is complete.  False: it should not be. */
bool json_read_end(struct json_reader *reader, struct err *err);

#endif
