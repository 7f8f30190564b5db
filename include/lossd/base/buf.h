/* A growable text with a ceiling, in the memory of an arena.
 *
 * Appending to a buffer that has failed does nothing, so a row of appends needs
 * one check at its end: buf_ok(). */
#ifndef LOSSD_BASE_BUF_H
#define LOSSD_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/span.h"

struct buf {
    struct arena *mem; /* NULL: `at` is the caller's and does not grow */
    char *at;
    size_t len;
    size_t capacity;
    const char *what; /* for errors: "the name"; NULL for "the text" */
    size_t ceiling;   /* bytes; more than that fails with ERR_TOO_LARGE */
    const char *flag; /* the setting that raises the ceiling, or NULL */
    bool failed;
    struct err *err; /* where a failure is written */
};

/* An empty buffer that grows in `mem` up to `ceiling` bytes. */
void buf_init(struct buf *buf, struct arena *mem, size_t ceiling, const char *flag,
              struct err *err);

/* An empty buffer over the caller's `at`; text past `capacity` is a failure,
 * of which nothing is written. */
void buf_over(struct buf *buf, char *at, size_t capacity);

void buf_add(struct buf *buf, struct span text);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
/* Text of 512 bytes or more wants room for one more, its end. */
void buf_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `more` bytes at the end, to be written by hand and then counted into
 * `len`.  NULL when there is none. */
char *buf_room(struct buf *buf, size_t more);

static inline bool buf_ok(const struct buf *buf)
{
    return !buf->failed;
}

static inline struct span buf_span(const struct buf *buf)
{
    return (struct span){buf->at, buf->len};
}

#endif
