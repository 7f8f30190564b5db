/* The configuration file: flat `key = value` lines.
 *
 *     # what this machine can bear
 *     max-body = 64MiB
 *     threads  = 4        # the other cores are somebody else's
 *
 * No sections, no quotes, no escapes: no value needs them.  A key twice is a mistake
 * and not an override, because nobody can see which one was meant. */
#include "config_source.h"

#include <errno.h>
#include <string.h>

enum { LINE_SIZE = 1024, WHERE_SIZE = 512 };

struct file {
    struct sources *sources;
    const char *path;
    size_t line;
    size_t seen[CONFIG_OPTIONS]; /* the line of each key, 0: none yet */
};

static const char blanks[] = " \t\r";

static bool setting_read(struct file *file, struct span key, struct span value)
{
    struct sources *sources = file->sources;
    const struct option *option = option_find(key);
    char text[OPTION_TEXT_SIZE];
    char where[WHERE_SIZE];

    if (!option) {
        option_suggest(key, "", text);
        return sources_fail(sources, "%s:%zu: unknown key \"%.*s\"%s", file->path,
                            file->line, (int)key.len, key.at, text);
    }
    size_t *seen = &file->seen[option - options];
    if (*seen) {
        return sources_fail(sources, "%s:%zu: %.*s was set in line %zu already",
                            file->path, file->line, (int)key.len, key.at, *seen);
    }
    *seen = file->line;
    snprintf(where, sizeof where, "%s:%zu: %.*s", file->path, file->line, (int)key.len,
             key.at);
    return sources_set(sources, ORIGIN_FILE, option, value, where);
}

static bool line_read(struct file *file, struct span line)
{
    const char *comment = line.len ? memchr(line.at, '#', line.len) : NULL;

    if (comment)
        line.len = (size_t)(comment - line.at);
    line = span_trim(line, blanks);
    if (line.len == 0)
        return true;
    const char *equals = memchr(line.at, '=', line.len);
    if (!equals) {
        return sources_fail(file->sources, "%s:%zu: \"%.*s\" is not `key = value`",
                            file->path, file->line, (int)line.len, line.at);
    }
    size_t split = (size_t)(equals - line.at);
    struct span key = {line.at, split};
    struct span value = {equals + 1, line.len - split - 1};
    return setting_read(file, span_trim(key, blanks), span_trim(value, blanks));
}

static bool lines_read(struct file *file, FILE *stream)
{
    char text[LINE_SIZE];

    while (fgets(text, sizeof text, stream)) {
        struct span line = span_of(text);
        file->line++;
        if (line.len > 0 && text[line.len - 1] == '\n') {
            line.len--;
        } else if (!feof(stream)) {
            return sources_fail(
                file->sources,
                "%s:%zu: the line is too long or not text; the longest has "
                "%d bytes",
                file->path, file->line, LINE_SIZE - 2);
        }
        if (!line_read(file, line))
            return false;
    }
    return !ferror(stream) || sources_fail(file->sources, "cannot read %s: %s",
                                           file->path, strerrordesc_np(errno));
}

bool config_file_read(struct sources *sources, const char *path)
{
    struct file file = {.sources = sources, .path = path};
    FILE *stream = fopen(path, "re");

    if (!stream)
        return sources_fail(sources, "cannot open %s: %s", path, strerrordesc_np(errno));
    bool ok = lines_read(&file, stream);
    fclose(stream);
    return ok;
}
