/* Compressed bodies: the content codings of RFC 9110, section 8.4.1, undone as the bytes
 * arrive.
 *
 *     inflater_give(inflater, piece);
 *     while (inflater_next(inflater, &text, err) && text.len > 0)
 *         use(text);
 *
 * What comes out does not depend on where the body was cut.  An inflater holds the same
 * memory whatever the length of the body, and belongs to one thread at a time. */
#ifndef LOSSD_CODEC_INFLATER_H
#define LOSSD_CODEC_INFLATER_H

#include <stdbool.h>
#include <stdint.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"

struct coding;
struct inflater;

/* The codings, for Accept-Encoding: "gzip, deflate, identity". */
extern const char coding_names[];

/* The coding that a Content-Encoding header names, in letters of any case; NULL for
 * identity and where there is no header.  False when it names another, or several. */
bool coding_find(struct span content_encoding, const struct coding **out);

struct inflater_limits {
    uint64_t most;    /* bytes of text; what raises that: */
    const char *flag; /* "--max-body" */
    /* Bytes of text for each of the body's that was needed for them, 0 for any number;
     * seen only when there is more text than that. */
    uint64_t ratio, ratio_from;
};

/* Begins to decompress a body.  NULL: no memory. */
struct inflater *inflater_new(const struct coding *coding, struct inflater_limits limits,
                              struct arena *mem, struct err *err);

/* The next piece of the body, when all text of the one before has been taken.  It is not
 * kept, but must live until all of its text has been taken. */
void inflater_give(struct inflater *inflater, struct span piece);

/* The next of the text, which lives until the next call; empty when all that was given
 * has been used.  False with `err` filled: ERR_BAD_HEADER where the body is not what its
 * header says, ERR_TRAILING_DATA where something follows it, ERR_TOO_LARGE; the text that
 * came before has been handed out then. */
bool inflater_next(struct inflater *inflater, struct span *text, struct err *err);

/* The body is complete.  False with ERR_BAD_HEADER: the compressed data is not. */
bool inflater_finish(const struct inflater *inflater, struct err *err);

/* Bytes of text so far. */
uint64_t inflater_count(const struct inflater *inflater);

#endif
