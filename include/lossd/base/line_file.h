/* A text file that says one thing a line: what stands behind #, at the start of a
 * line or behind a blank, is a comment; blanks around a line are left off, and lines with
 * nothing on them are passed over, as is a byte order mark in front of all.
 *
 * May be called from any thread. */
#ifndef LOSSD_BASE_LINE_FILE_H
#define LOSSD_BASE_LINE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/err.h"
#include "lossd/base/span.h"

/* A line that is not empty; it is gone when the function returns. */
struct line {
    const char *path;
    size_t number; /* from 1 */
    struct span text;
};

/* Reads the file line by line.  Where `take` returns false, reading ends; it may have
 * filled `err`.  False then, or with `err` filled (ERR_INTERNAL), naming the file: it
 * cannot be read, or has a line that is too long or not text.  No copy of what was read
 * is left in memory. */
bool line_file_read(const char *path,
                    bool (*take)(void *ctx, const struct line *line, struct err *err),
                    void *ctx, struct err *err);

#endif
