/* The configuration file: flat `key = value` lines.
 *
 *     # what this machine can bear
 *     max-body = 64MiB
 *     threads  = 4        # the other cores are somebody else's
 *
 * No sections, no quotes, no escapes: no value needs them.  A key twice is a mistake
 * and not an override, because nobody can see which one was meant. */
#include "config_file.h"

#include <string.h>

#include "lossd/base/line_file.h"

enum { WHERE_SIZE = 512 };

struct file {
    struct sources *sources;
    size_t seen[CONFIG_OPTIONS]; /* the line of each key, 0: none yet */
};

static const char blanks[] = " \t\r";

static bool setting_read(struct file *file, const struct line *line, struct span key,
                         struct span value)
{
    struct sources *sources = file->sources;
    const struct option *option = option_find(key);
    char text[OPTION_TEXT_SIZE];
    char where[WHERE_SIZE];

    if (!option) {
        option_suggest(key, "", text);
        return sources_fail(sources, "%s:%zu: unknown key \"%.*s\"%s", line->path,
                            line->number, (int)key.len, key.at, text);
    }
    size_t *seen = &file->seen[option - options];
    if (*seen) {
        return sources_fail(sources, "%s:%zu: %.*s was set in line %zu already",
                            line->path, line->number, (int)key.len, key.at, *seen);
    }
    *seen = line->number;
    snprintf(where, sizeof where, "%s:%zu: %.*s", line->path, line->number, (int)key.len,
             key.at);
    return sources_set(sources, ORIGIN_FILE, option, value, where);
}

/* What is wrong with a setting is told at once: `err` is not filled. */
static bool line_read(void *ctx, const struct line *line, struct err *err)
{
    struct file *file = ctx;
    struct span text = line->text;
    const char *equals = memchr(text.at, '=', text.len);

    (void)err;
    if (!equals) {
        return sources_fail(file->sources, "%s:%zu: \"%.*s\" is not `key = value`",
                            line->path, line->number, (int)text.len, text.at);
    }
    size_t split = (size_t)(equals - text.at);
    struct span key = {text.at, split};
    struct span value = {equals + 1, text.len - split - 1};
    return setting_read(file, line, span_trim(key, blanks), span_trim(value, blanks));
}

bool config_file_read(struct sources *sources, const char *path)
{
    struct file file = {.sources = sources};
    struct err err = {0};
    bool good = line_file_read(path, line_read, &file, &err);

    return err.kind == ERR_NONE ? good : sources_fail(sources, "%s", err.detail);
}
