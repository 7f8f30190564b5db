/* The text of an answer, made while it is sent.
 *
 * An answer is a list of parts: small texts, written at once, and arrays of
 * numbers, which stay numbers until reply_fill() comes to them.  Nothing ever
 * holds the whole text.  See codec.h for reply_fill(). */
#ifndef LOSSD_CODEC_REPLY_H
#define LOSSD_CODEC_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/reply_numbers.h"
#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/json_write.h"
#include "lossd/codec/codec.h"
#include "lossd/engine/batch.h"

/* A reply without parts.  NULL: no memory. */
struct reply *reply_new(bool pretty, struct arena *mem, struct err *err);

/* For the texts between the arrays. */
struct json *reply_json(struct reply *reply);

/* The next value is an array of that shape (no dimension is 0; rank 0 is a bare
 * number).  `data` must live until the reply has been sent. */
void reply_array(struct reply *reply, enum reply_numbers numbers, const void *data,
                 const struct shape *shape);

/* Text that comes next, before any value.  It must live until the reply has been sent. */
void reply_text(struct reply *reply, struct span text);

/* A reply that is no text: the head, then the numbers as little-endian machines have
 * them.  `data` must live until the reply has been sent.  NULL: no memory. */
struct reply *reply_of_bytes(struct span head, enum reply_numbers numbers,
                             const void *data, size_t count, struct arena *mem,
                             struct err *err);

/* Ends the text.  False: there was no memory for it. */
bool reply_end(struct reply *reply);

/* Numbers behind the text, as little-endian machines have them; what is ranked, each behind
 * its length.  `data` must live until
 * the reply has been sent. */
void reply_bytes(struct reply *reply, enum reply_numbers numbers, const void *data,
                 size_t count);

/* False: there was no memory for some part of it. */
bool reply_is_whole(const struct reply *reply);

#endif
