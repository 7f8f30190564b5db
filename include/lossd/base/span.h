/* A piece of somebody else's text: where it starts and how long it is.
 * A span owns nothing and is not terminated; it lives as long as the text. */
#ifndef LOSSD_BASE_SPAN_H
#define LOSSD_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *at;
    size_t len;
};

static inline struct span span_of(const char *text)
{
    return (struct span){text, text ? strlen(text) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
    return span_equal(a, span_of(text));
}

/* In letters of any case. */
static inline bool span_equal_caseless(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

static inline bool span_is_caseless(struct span a, const char *text)
{
    return span_equal_caseless(a, span_of(text));
}

static inline bool span_is_blank(char c, const char *blanks)
{
    return c != '\0' && strchr(blanks, c);
}

/* Without the characters of `blanks` at both its ends. */
static inline struct span span_trim(struct span text, const char *blanks)
{
    while (text.len > 0 && span_is_blank(text.at[0], blanks)) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && span_is_blank(text.at[text.len - 1], blanks))
        text.len--;
    return text;
}

/* What is before the next `separator`; `rest` then begins behind that. */
static inline struct span span_cut(struct span *rest, char separator)
{
    const char *end =
        rest->len ? (const char *)memchr(rest->at, separator, rest->len) : NULL;
    struct span part = {rest->at, end ? (size_t)(end - rest->at) : rest->len};
    size_t skip = part.len + (end != NULL);

    if (skip > 0) /* a text that was not sent is nowhere */
        *rest = (struct span){rest->at + skip, rest->len - skip};
    return part;
}

#endif
