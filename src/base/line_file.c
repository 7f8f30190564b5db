#include "lossd/base/line_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF" /* which some editors begin every file with */

enum { LINE_SIZE = 1024, ROOM = 4096, MARK_LENGTH = sizeof BYTE_ORDER_MARK - 1 };

struct reading {
    struct line line;
    bool (*take)(void *ctx, const struct line *line, struct err *err);
    void *ctx;
    struct err *err;
};

/* A comment begins the line, or stands behind a blank. */
static size_t length_without_comment(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0' && text[len] != '\n' &&
           !(text[len] == '#' &&
             (len == 0 || text[len - 1] == ' ' || text[len - 1] == '\t')))
        len++;
    return len;
}

/* The room had no NUL before a line was read into it. */
static bool has_nul(const char room[LINE_SIZE])
{
    return memrchr(room, '\0', LINE_SIZE) != strchr(room, '\0');
}

static bool read_line(struct reading *reading, const char room[LINE_SIZE], bool is_last)
{
    static const char blanks[] = " \t\r";
    struct line *line = &reading->line;
    const char *text = room, *end = strchr(text, '\n');

    if (line->number++ == 0 && strncmp(text, BYTE_ORDER_MARK, MARK_LENGTH) == 0)
        text += MARK_LENGTH;
    if ((!end && !is_last) || has_nul(room))
        return fail(reading->err, ERR_INTERNAL, NULL,
                    "%s:%zu: the line is too long or not text; the longest has %d bytes",
                    line->path, line->number, LINE_SIZE - 2);
    line->text = span_trim((struct span){text, length_without_comment(text)}, blanks);
    bool good = line->text.len == 0 || reading->take(reading->ctx, line, reading->err);
    line->text = (struct span){NULL, 0};
    return good;
}

static bool read_lines(struct reading *reading, FILE *stream)
{
    char room[LINE_SIZE];
    bool good = true;

    errno = 0;
    while (good && fgets(memset(room, '\n', sizeof room), sizeof room, stream))
        good = read_line(reading, room, feof(stream));
    int why = errno;
    explicit_bzero(room, sizeof room);
    if (good && ferror(stream))
        return fail(reading->err, ERR_INTERNAL, NULL, "cannot read %s: %s",
                    reading->line.path, strerrordesc_np(why));
    return good;
}

bool line_file_read(const char *path,
                    bool (*take)(void *ctx, const struct line *line, struct err *err),
                    void *ctx, struct err *err)
{
    struct reading reading = {{.path = path}, take, ctx, err};
    char room[ROOM];
    FILE *stream = fopen(path, "re");

    if (!stream)
        return fail(err, ERR_INTERNAL, NULL, "cannot open %s: %s", *path ? path : "\"\"",
                    strerrordesc_np(errno));
    setvbuf(stream, room, _IOFBF, sizeof room); /* not the library's own */
    bool good = read_lines(&reading, stream);
    fclose(stream);
    explicit_bzero(room, sizeof room);
    return good;
}
