#include "cli/key_file.h"

#include <string.h>

#include "cli/complain.h"
#include "lossd/base/line_file.h"

/* A key stands in a header: what could end that is none. */
static bool is_key(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return text.len < KEY_FILE_SIZE;
}

static bool take_first(void *ctx, const struct line *line, struct err *err)
{
    char *key = ctx;

    if (*key)
        return true;
    if (!is_key(line->text))
        return fail(err, ERR_INTERNAL, NULL,
                    "%s:%zu: this is no key; wanted at most 255 printable characters "
                    "without blanks",
                    line->path, line->number);
    memcpy(key, line->text.at, line->text.len);
    key[line->text.len] = '\0';
    return true;
}

bool key_file_read(const char *path, char key[KEY_FILE_SIZE])
{
    struct err err = {0};

    *key = '\0';
    if (!line_file_read(path, take_first, key, &err))
        return complain("key file: %s", err.detail);
    return *key || complain("key file: %s has no key; wanted one key a line", path);
}
