/* Replies as they come back: each with its head, and a body that is all there. */
#ifndef LOSSD_TESTS_HEARD_H
#define LOSSD_TESTS_HEARD_H

#include <string.h>
#include <strings.h>

#include "lossd/base/span.h"
#include "target.h"

struct heard {
    unsigned status;
    struct span head; /* with the empty line */
    struct span body;
    bool is_last; /* it says so */
};

/* The value of a header of the reply; at NULL: there is none. */
static inline struct span heard_header(const struct heard *heard, const char *name)
{
    size_t len = strlen(name);
    struct span rest = heard->head;
    const char *end;

    while ((end = memchr(rest.at, '\n', rest.len)) != NULL) {
        rest = (struct span){end + 1, rest.len - (size_t)(end + 1 - rest.at)};
        if (rest.len < len + 4 || strncasecmp(rest.at, name, len) != 0 ||
            rest.at[len] != ':' || rest.at[len + 1] != ' ')
            continue;
        const char *at = rest.at + len + 2;
        end = memchr(at, '\r', (size_t)(rest.at + rest.len - at));
        require(end != NULL, "the head is whole");
        return (struct span){at, (size_t)(end - at)};
    }
    return (struct span){NULL, 0};
}

/* Every reply of ours has a name; the library's own have none. */
static inline bool heard_is_ours(const struct heard *heard)
{
    return heard_header(heard, "X-Request-ID").at != NULL;
}

static inline size_t heard_number(struct span *text, int base)
{
    char digits[20] = "";
    char *end;

    memcpy(digits, text->at, text->len < 19 ? text->len : 19);
    size_t number = strtoul(digits, &end, base);
    require(end > digits, "there is a number");
    *text = (struct span){text->at + (end - digits), text->len - (size_t)(end - digits)};
    return number;
}

/* Puts the body together where its chunks are. */
static inline void heard_chunks(struct heard *heard, struct span *rest)
{
    char *to = (char *)(uintptr_t)rest->at;
    size_t size;

    heard->body = (struct span){to, 0};
    do {
        size = heard_number(rest, 16);
        require(rest->len >= size + 4 && memcmp(rest->at, "\r\n", 2) == 0 &&
                    memcmp(rest->at + 2 + size, "\r\n", 2) == 0,
                "the chunk is whole");
        memmove(to + heard->body.len, rest->at + 2, size);
        heard->body.len += size;
        *rest = (struct span){rest->at + size + 4, rest->len - size - 4};
    } while (size > 0);
}

static inline void heard_body(struct heard *heard, bool to_head, struct span *rest)
{
    struct span length = heard_header(heard, "Content-Length");
    struct span coding = heard_header(heard, "Transfer-Encoding");
    size_t len = length.at ? heard_number(&length, 10) : rest->len;

    heard->body = (struct span){rest->at, 0};
    require(!length.at || !coding.at, "a reply has one end");
    if (to_head || heard->status == 204)
        return;
    if (coding.at) {
        require(span_is(coding, "chunked"), "chunks are the only coding");
        heard_chunks(heard, rest);
        return;
    }
    /* what the library has not read to the end may be a HEAD, as it knows, and we do not */
    if (heard->is_last && rest->len == 0)
        return;
    require(length.at || heard->is_last, "a reply without a length is the last");
    require(len <= rest->len, "the body is whole");
    heard->body.len = len;
    *rest = (struct span){rest->at + len, rest->len - len};
}

/* The next reply, to HEAD when `to_head`; false: there is none any more.  The text is
 * changed. */
static inline bool heard_next(struct span *rest, bool to_head, struct heard *heard)
{
    const char *end;

    do {
        if (rest->len == 0)
            return false;
        require(rest->len > 13 && memcmp(rest->at, "HTTP/1.", 7) == 0, "it is a reply");
        end = memmem(rest->at, rest->len, "\r\n\r\n", 4);
        require(end != NULL, "the head is whole");
        heard->head = (struct span){rest->at, (size_t)(end - rest->at) + 4};
        struct span status = {rest->at + 9, 3};
        heard->status = (unsigned)heard_number(&status, 10);
        *rest = (struct span){end + 4, rest->len - heard->head.len};
    } while (heard->status == 100);
    heard->is_last = span_is(heard_header(heard, "Connection"), "close");
    heard_body(heard, to_head, rest);
    return true;
}

#endif
