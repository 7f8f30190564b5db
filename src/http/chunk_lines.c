/* Lines end with CR, LF or both, as the library has it. */
#include "http/chunk_lines.h"

#include <ctype.h>

void chunk_lines_begin(struct chunk_lines *lines)
{
    *lines = (struct chunk_lines){.state = CHUNK_SIZE};
}

bool chunk_lines_have_ended(const struct chunk_lines *lines)
{
    return lines->state == CHUNK_NONE || lines->state == CHUNK_OVER;
}

static unsigned digit_of(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void follow_size(struct chunk_lines *lines, char c, bool ends)
{
    if (ends)
        lines->state = lines->left > 0 ? CHUNK_DATA : CHUNK_TRAILER_BEGIN;
    else if (lines->state == CHUNK_SIZE && isxdigit((unsigned char)c))
        lines->left = lines->left * 16 + digit_of(c);
    else
        lines->state = CHUNK_EXTENSION;
}

static enum chunk_state begin_trailer(char c, bool ends)
{
    if (ends)
        return CHUNK_OVER;
    return c == ':' || c == '\0' ? CHUNK_ODD : CHUNK_TRAILER;
}

static void follow_line(struct chunk_lines *lines, char c)
{
    bool ends = c == '\r' || c == '\n', has_ended = c == '\n' && lines->last == '\r';

    lines->last = c;
    if (has_ended)
        return;
    switch (lines->state) {
    case CHUNK_SIZE:
    case CHUNK_EXTENSION:
        follow_size(lines, c, ends);
        break;
    case CHUNK_END:
        lines->state = ends ? CHUNK_SIZE : CHUNK_ODD;
        break;
    case CHUNK_TRAILER_BEGIN:
        lines->state = begin_trailer(c, ends);
        break;
    case CHUNK_TRAILER:
        lines->state = ends ? CHUNK_TRAILER_BEGIN : CHUNK_TRAILER;
        break;
    case CHUNK_NONE:
    case CHUNK_DATA:
    case CHUNK_OVER:
    case CHUNK_ODD:
        break;
    }
}

/* Returns how many of the bytes are the chunk's, or the second of two that end its line. */
static size_t pass_data(struct chunk_lines *lines, const char *bytes, size_t size)
{
    bool has_ended = lines->last == '\r' && *bytes == '\n';

    lines->last = '\0';
    if (has_ended)
        return 1;
    size_t passed = lines->left < size ? (size_t)lines->left : size;
    lines->left -= passed;
    if (lines->left == 0)
        lines->state = CHUNK_END;
    return passed;
}

void chunk_lines_follow(struct chunk_lines *lines, const char *bytes, size_t size)
{
    size_t at = 0;

    while (at < size && !chunk_lines_have_ended(lines) && lines->state != CHUNK_ODD)
        if (lines->state == CHUNK_DATA)
            at += pass_data(lines, bytes + at, size - at);
        else
            follow_line(lines, bytes[at++]);
}
