#include "api/path.h"

#include "lossd/base/number.h"

static bool is_name(struct span wanted)
{
    return wanted.len > 2 && wanted.at[0] == '{';
}

static bool ends_in_slash(struct span text)
{
    return text.len > 0 && text.at[text.len - 1] == '/';
}

/* How far they are the same, up to the first name; most routes have none and differ soon. */
static size_t same_start(struct span path, const char *pattern)
{
    size_t same = 0;

    while (same < path.len && pattern[same] == path.at[same] && pattern[same] != '{' &&
           pattern[same] != '\0')
        same++;
    return same;
}

bool path_matches(struct span path, const char *pattern)
{
    size_t same = same_start(path, pattern);

    if (pattern[same] != '{')
        return pattern[same] == '\0' && same == path.len;
    struct span left = span_of(pattern + same);
    path = (struct span){path.at + same, path.len - same};
    if (ends_in_slash(path) != ends_in_slash(left))
        return false;
    while (path.len > 0 && left.len > 0) {
        struct span segment = span_cut(&path, '/'), wanted = span_cut(&left, '/');
        if (is_name(wanted) ? segment.len == 0 : !span_equal(segment, wanted))
            return false;
    }
    return path.len == 0 && left.len == 0;
}

struct span path_next_name(const char **pattern)
{
    const char *open = strchr(*pattern, '{');
    const char *close = open ? strchr(open, '}') : NULL;

    if (!close)
        return (struct span){NULL, 0};
    *pattern = close + 1;
    return (struct span){open + 1, (size_t)(close - open - 1)};
}

struct span path_segment(struct span path, const char *pattern, const char *name)
{
    struct span left = span_of(pattern);
    size_t len = strlen(name);

    if (!strchr(pattern, '{'))
        return (struct span){NULL, 0};
    while (path.len > 0) {
        struct span segment = span_cut(&path, '/'), wanted = span_cut(&left, '/');
        if (is_name(wanted) && wanted.len == len + 2 &&
            memcmp(wanted.at + 1, name, len) == 0)
            return segment;
    }
    return (struct span){NULL, 0};
}

/* The next character; -1 at a broken escape. */
static int next_character(struct span *segment)
{
    int c = (unsigned char)segment->at[0], high, low;
    size_t taken = 1;

    if (c == '%') {
        high = segment->len > 2 ? number_hex_digit(segment->at[1]) : -1;
        low = segment->len > 2 ? number_hex_digit(segment->at[2]) : -1;
        c = high < 0 || low < 0 ? -1 : high << 4 | low;
        taken = c < 0 ? 1 : 3;
    }
    *segment = (struct span){segment->at + taken, segment->len - taken};
    return c;
}

bool path_segment_is(struct span segment, const char *text)
{
    while (segment.len > 0 && *text)
        if (next_character(&segment) != (unsigned char)*text++)
            return false;
    return segment.len == 0 && *text == '\0';
}
