/* The fenced blocks of a Markdown page: pages that are read by people and run. */
#ifndef LOSSD_TESTS_MARKDOWN_H
#define LOSSD_TESTS_MARKDOWN_H

#include <stdbool.h>
#include <stddef.h>

struct block {
    const char *heading; /* the text of the last heading above it, "" for none */
    const char *info;    /* what stands behind the opening fence */
    char *text;          /* terminated, without the newline at its end */
    unsigned line;       /* of the opening fence, from 1 */
};

struct markdown {
    char *storage;
    struct block *blocks;
    size_t count;
};

/* Reads the page.  False when there is no such file, or when a fence is left
 * open; `why` then says so. */
bool markdown_read(struct markdown *page, const char *path, char why[200]);

/* Frees the page and its blocks. */
void markdown_release(struct markdown *page);

#endif
