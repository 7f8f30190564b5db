/* Writes JSON into a buf: the commas, the colons and the escapes.
 *
 *     struct json json = json_into(&buf, false);
 *     json_open(&json, '{');
 *     json_key(&json, "status");
 *     json_uint(&json, 404);
 *     json_close(&json, '}');
 *
 * Failure is the buf's: see buf_ok().  Strings are escaped and what is not
 * UTF-8 in them is replaced by U+FFFD, so the output is always valid. */
#ifndef LOSSD_BASE_JSON_WRITE_H
#define LOSSD_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "lossd/base/buf.h"
#include "lossd/base/span.h"

struct json {
    struct buf *buf;
    bool pretty; /* two spaces a level */
    bool comma;  /* a value stands before */
    bool after_key;
    unsigned depth;
};

struct json json_into(struct buf *buf, bool pretty);
void json_open(struct json *json, char bracket);  /* '{' or '[' */
void json_close(struct json *json, char bracket); /* '}' or ']' */
void json_key(struct json *json, const char *name);
void json_string(struct json *json, struct span text);
void json_text(struct json *json, const char *text);
void json_number(struct json *json, double value); /* null when not finite */
void json_uint(struct json *json, uint64_t value);
void json_bool(struct json *json, bool value);

/* A key and its text. */
void json_text_member(struct json *json, const char *key, const char *text);
void json_uint_member(struct json *json, const char *key, uint64_t value);

/* How many bytes come before the first that is not printable ASCII, or a quote or a
 * backslash: they are in a string as they are. */
size_t json_plain_length(struct span text);

/* A value whose text is JSON already. */
void json_raw(struct json *json, struct span text);

/* The separator and indent before the next value, for a value that somebody
 * else writes after what is in the buf so far. */
void json_before_value(struct json *json);

#endif
