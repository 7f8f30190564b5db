/* The page is read whole and cut up in place: lines lose their newline where a
 * heading, an info string or a block ends, and the blocks point into it. */
#include "markdown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = NULL;
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (size >= 0 && (text = malloc((size_t)size + 1))) {
        rewind(file);
        text[fread(text, 1, (size_t)size, file)] = '\0';
    }
    fclose(file);
    return text;
}

/* Ends the line at `at` and returns the next one, NULL after the last. */
static char *line_end(char *at)
{
    char *newline = strchr(at, '\n');
    if (!newline)
        return NULL;
    *newline = '\0';
    return newline + 1;
}

static bool is_fence(const char *line)
{
    return strncmp(line, "```", 3) == 0;
}

static bool add_block(struct markdown *page, struct block block)
{
    struct block *more =
        realloc(page->blocks, (page->count + 1) * sizeof page->blocks[0]);
    if (!more)
        return false;
    page->blocks = more;
    page->blocks[page->count++] = block;
    return true;
}

/* Reads from the line after the opening fence to the closing one.  Returns the
 * line after that; *closed tells whether there was one. */
static char *read_block(char *line, unsigned *number, struct block *block, bool *closed)
{
    block->text = line ? line : block->text;
    char *last = NULL; /* the newline before the closing fence */
    for (char *at = line; at;) {
        char *newline = strchr(at, '\n');
        ++*number;
        if (is_fence(at)) {
            *closed = true;
            if (last)
                *last = '\0';
            else
                block->text[0] = '\0';
            return newline ? newline + 1 : NULL;
        }
        last = newline;
        at = newline ? newline + 1 : NULL;
    }
    *closed = false;
    return NULL;
}

bool markdown_read(struct markdown *page, const char *path, char why[200])
{
    *page = (struct markdown){.storage = file_text(path)};
    if (!page->storage) {
        snprintf(why, 200, "%s: cannot be read", path);
        return false;
    }
    const char *heading = "";
    unsigned number = 0;
    for (char *line = page->storage; line;) {
        char *next = line_end(line);
        ++number;
        if (line[0] == '#')
            heading = line + strspn(line, "# ");
        if (is_fence(line)) {
            struct block block = {heading, line + 3, line + strlen(line), number};
            bool closed;
            next = read_block(next, &number, &block, &closed);
            if (!closed || !add_block(page, block)) {
                snprintf(why, 200, "%s:%u: this fence is never closed", path, block.line);
                markdown_release(page);
                return false;
            }
        }
        line = next;
    }
    return true;
}

void markdown_release(struct markdown *page)
{
    free(page->blocks);
    free(page->storage);
    *page = (struct markdown){0};
}
