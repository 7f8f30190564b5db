/* Requests as the strictest reading has them.
 *
 * What is written exactly as RFC 9112 wants it has one meaning, and every server has to
 * see the same requests in it; what breaks a rule about where a request ends has to be
 * refused.  Of everything else nothing is claimed. */
#ifndef LOSSD_TESTS_ASKED_H
#define LOSSD_TESTS_ASKED_H

#include <string.h>
#include <strings.h>

#include "lossd/base/span.h"
#include "target.h"

enum asking {
    ASKED_SOUND,
    ASKED_UNSOUND, /* to be refused, together with all that follows */
    ASKED_UNCLEAR  /* or not to its end */
};

struct asked {
    struct span method, path;
    size_t body; /* bytes of it, without those of chunks */
};

enum { ASKED_HEAD_MAX = 1500, ASKED_HEADERS_MAX = 200 };

/* What has been seen of a head. */
struct asked_framing {
    unsigned hosts, lengths, codings, headers;
    bool is_old; /* HTTP/1.0 */
    bool broken;
    bool after_framing; /* the line before says where the request ends */
    size_t length;
};

static inline bool asked_in(char c, const char *characters)
{
    return c != '\0' && strchr(characters, c) != NULL;
}

static inline bool asked_is(struct span text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static inline struct span asked_skip(struct span text, size_t bytes)
{
    return (struct span){text.at + bytes, text.len - bytes};
}

/* The text up to `end`, which is taken off with it.  False: it is not there. */
static inline bool asked_cut(struct span *rest, const char *end, struct span *out)
{
    const char *at = memmem(rest->at, rest->len, end, strlen(end));

    if (!at)
        return false;
    *out = (struct span){rest->at, (size_t)(at - rest->at)};
    *rest = asked_skip(*rest, out->len + strlen(end));
    return true;
}

/* "GET /path?query HTTP/1.1" */
static inline bool asked_line(struct span line, struct asked *asked, bool *is_old)
{
    struct span target;

    if (!asked_cut(&line, " ", &asked->method) || !asked_cut(&line, " ", &target))
        return false;
    *is_old = span_is(line, "HTTP/1.0");
    if ((!*is_old && !span_is(line, "HTTP/1.1")) || asked->method.len == 0 ||
        target.len == 0 || *target.at != '/')
        return false;
    for (size_t i = 0; i < asked->method.len; i++)
        if (asked->method.at[i] < 'A' || asked->method.at[i] > 'Z')
            return false;
    for (size_t i = 0; i < target.len; i++)
        if (target.at[i] <= ' ' || target.at[i] >= 0x7F)
            return false;
    asked->path = target;
    asked_cut(&target, "?", &asked->path);
    return true;
}

/* False: it may be too much for anybody, or zeros. */
static inline bool asked_length(struct span digits, struct asked_framing *framing)
{
    framing->broken |= digits.len == 0;
    framing->length = 0;
    if (digits.len > 9)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        framing->broken |= !asked_in(digits.at[i], "0123456789");
        framing->length = framing->length * 10 + (size_t)(digits.at[i] - '0');
    }
    return true;
}

/* The rest of the header before, as it once was allowed.  Where that is one of those
 * that matter it must not be; of others nothing is known. */
static inline bool asked_fold(struct span line, struct asked_framing *framing)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] <= ' ' && !asked_in(line.at[i], " \t"))
            return false;
    framing->broken |= span_trim(line, " \t").len > 0;
    return framing->after_framing;
}

/* False: it is not clear what the line is. */
static inline bool asked_header(struct span line, struct asked_framing *framing)
{
    struct span name;

    if (line.len > 0 && asked_in(*line.at, " \t"))
        return asked_fold(line, framing);
    /* without a name the library takes it for the end of the headers */
    if (!asked_cut(&line, ":", &name) || name.len == 0)
        return false;
    while (line.len > 0 && asked_in(*line.at, " \t"))
        line = asked_skip(line, 1);
    for (size_t i = 0; i < name.len; i++) {
        if (asked_in(name.at[i], "\r\n") || name.at[i] == '\0')
            return false;
        framing->broken |= name.at[i] <= ' ' || name.at[i] >= 0x7F ||
                           asked_in(name.at[i], "\"(),/:;<=>?@[\\]{}");
    }
    for (size_t i = 0; i < line.len; i++) {
        if (asked_in(line.at[i], "\r\n") || line.at[i] == '\0')
            return false;
        framing->broken |=
            ((unsigned char)line.at[i] < ' ' && line.at[i] != '\t') || line.at[i] == 0x7F;
    }
    framing->hosts += asked_is(name, "host");
    framing->after_framing =
        asked_is(name, "content-length") || asked_is(name, "transfer-encoding");
    if (asked_is(name, "content-length")) {
        framing->lengths++;
        if (!asked_length(line, framing))
            return false;
    } else if (asked_is(name, "transfer-encoding")) {
        framing->codings++;
        framing->broken |= !asked_is(line, "chunked");
    }
    return ++framing->headers <= ASKED_HEADERS_MAX;
}

/* Takes chunks off, and counts what is in them.  Extensions and trailers are sound,
 * but of no concern here. */
static inline bool asked_chunks(struct span *rest, size_t *body)
{
    struct span digits;

    *body = 0;
    while (asked_cut(rest, "\r\n", &digits) && digits.len > 0 && digits.len < 8) {
        size_t size = 0;
        for (size_t i = 0; i < digits.len; i++) {
            if (!asked_in(digits.at[i], "0123456789abcdefABCDEF"))
                return false;
            size = size * 16 + (digits.at[i] <= '9' ? (size_t)(digits.at[i] - '0')
                                                    : (size_t)(digits.at[i] | 32) - 87);
        }
        if (rest->len < size + 2 || memcmp(rest->at + size, "\r\n", 2) != 0)
            return false;
        *rest = asked_skip(*rest, size + 2);
        *body += size;
        if (size == 0)
            return true;
    }
    return false;
}

/* The next request; `rest` is then what follows a sound one. */
static inline enum asking asked_next(struct span *rest, struct asked *asked)
{
    struct asked_framing framing = {0};
    struct span head, line;
    bool too_long;

    if (!asked_cut(rest, "\r\n\r\n", &head))
        return ASKED_UNCLEAR;
    too_long = head.len > ASKED_HEAD_MAX;
    head.len += 2; /* so that each line has its end */
    if (too_long || !asked_cut(&head, "\r\n", &line) ||
        !asked_line(line, asked, &framing.is_old))
        return ASKED_UNCLEAR;
    while (asked_cut(&head, "\r\n", &line))
        if (!asked_header(line, &framing))
            return ASKED_UNCLEAR;
    if (framing.broken || framing.lengths + framing.codings > 1 || framing.hosts > 1 ||
        (framing.is_old ? framing.codings > 0 : framing.hosts == 0))
        return ASKED_UNSOUND;
    if (framing.codings > 0)
        return asked_chunks(rest, &asked->body) ? ASKED_SOUND : ASKED_UNCLEAR;
    asked->body = framing.length;
    if (framing.length > rest->len)
        return ASKED_UNCLEAR;
    *rest = asked_skip(*rest, framing.length);
    return ASKED_SOUND;
}

#endif
