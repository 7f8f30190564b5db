/* An automaton, so that a string may be cut anywhere and no byte is looked at
 * twice: a long string that drips in byte by byte costs what it costs in one
 * piece. */
#include "codec/json/json_string.h"

#include "lossd/base/number.h"

static inline bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The code point as UTF-8. */
static void add_character(struct buf *out, uint32_t code)
{
    char text[4];
    size_t len;

    if (!out)
        return;
    if (code < 0x80) {
        text[0] = (char)code;
        len = 1;
    } else if (code < 0x800) {
        text[0] = (char)(0xC0 | code >> 6);
        len = 2;
    } else if (code < 0x10000) {
        text[0] = (char)(0xE0 | code >> 12);
        len = 3;
    } else {
        text[0] = (char)(0xF0 | code >> 18);
        len = 4;
    }
    for (size_t i = 1; i < len; i++)
        text[i] = (char)(0x80 | (code >> 6 * (len - 1 - i) & 0x3F));
    buf_add(out, (struct span){text, len});
}

static bool wrong(struct json_string *s, const char *wanted)
{
    s->wanted = wanted;
    return false;
}

static void expect(struct json_string *s, unsigned left, unsigned char lowest,
                   unsigned char highest)
{
    s->state = STRING_UTF8;
    s->left = left;
    s->lowest = lowest;
    s->highest = highest;
}

/* The first byte of a character of several; RFC 3629 has the ranges. */
static bool begin_character(struct json_string *s, unsigned char c)
{
    if (c >= 0xC2 && c <= 0xDF)
        expect(s, 1, 0x80, 0xBF);
    else if (c >= 0xE0 && c <= 0xEF)
        expect(s, 2, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF);
    else if (c >= 0xF0 && c <= 0xF4)
        expect(s, 3, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF);
    else if (c < 0x20)
        return wrong(s, "a closing '\"' or an escape for this control character");
    else
        return wrong(s, "valid UTF-8");
    return true;
}

static bool take_utf8(struct json_string *s, unsigned char c)
{
    if (c < s->lowest || c > s->highest)
        return wrong(s, "valid UTF-8");
    s->lowest = 0x80;
    s->highest = 0xBF;
    if (--s->left == 0)
        s->state = STRING_PLAIN;
    return true;
}

static void begin_hex(struct json_string *s)
{
    s->state = STRING_HEX;
    s->left = 4;
    s->code = 0;
}

static bool take_escape(struct json_string *s, unsigned char c, struct buf *out)
{
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    if (c == 'u') {
        begin_hex(s);
        return true;
    }
    for (const char *e = escapes; *e; e += 2) {
        if (*e == (char)c) {
            add_character(out, (unsigned char)e[1]);
            s->state = STRING_PLAIN;
            return true;
        }
    }
    return wrong(s, "one of \"\\/bfnrtu after a backslash");
}

/* All four digits of an escape are there. */
static bool end_hex(struct json_string *s, struct buf *out)
{
    bool is_low = s->code >= 0xDC00 && s->code <= 0xDFFF;

    if (is_low != (s->high != 0)) {
        s->back = 5;
        if (is_low) {
            s->found = "an escaped second half of a surrogate pair";
            return wrong(s, "its first half before it");
        }
        s->found = "an escape after the first half of a surrogate pair";
        return wrong(s, "the second half, \\uDC00 to \\uDFFF,");
    }
    if (s->code >= 0xD800 && s->code <= 0xDBFF) {
        s->high = s->code;
        s->state = STRING_PAIR;
        return true;
    }
    add_character(out, is_low ? 0x10000 + ((s->high - 0xD800) << 10) + (s->code - 0xDC00)
                              : s->code);
    s->high = 0;
    s->state = STRING_PLAIN;
    return true;
}

static bool take_hex(struct json_string *s, unsigned char c, struct buf *out)
{
    int digit = number_hex_digit((char)c);

    if (digit < 0)
        return wrong(s, "four hexadecimal digits after \\u");
    s->code = s->code << 4 | (uint32_t)digit;
    return --s->left > 0 || end_hex(s, out);
}

static bool take_pair(struct json_string *s, unsigned char c)
{
    if (c != (s->state == STRING_PAIR ? '\\' : 'u'))
        return wrong(s, "the escaped second half of a surrogate pair");
    if (s->state == STRING_PAIR)
        s->state = STRING_PAIR_ESCAPE;
    else
        begin_hex(s);
    return true;
}

/* Inside of an escape. */
static bool take(struct json_string *s, unsigned char c, struct buf *out)
{
    switch (s->state) {
    case STRING_ESCAPE:
        return take_escape(s, c, out);
    case STRING_HEX:
        return take_hex(s, c, out);
    case STRING_PAIR:
    case STRING_PAIR_ESCAPE:
        return take_pair(s, c);
    case STRING_PLAIN:
    case STRING_UTF8:
        break;
    }
    return false;
}

static bool is_text(const struct json_string *s)
{
    return s->state == STRING_PLAIN || s->state == STRING_UTF8;
}

/* Text that stands for itself: up to a quote, a backslash or what is wrong. */
static const char *skip_text(struct json_string *s, const char *at, const char *end)
{
    while (at < end) {
        unsigned char c = (unsigned char)*at;
        if (s->state == STRING_UTF8) {
            if (!take_utf8(s, c))
                break;
        } else if (!is_plain(c)) {
            if (c == '"' || c == '\\' || !begin_character(s, c))
                break;
        }
        at++;
    }
    return at;
}

const char *json_string_read(struct json_string *s, const char *at, const char *end,
                             struct buf *out)
{
    while (at < end && !s->ended) {
        if (is_text(s)) {
            const char *run = at;
            at = skip_text(s, at, end);
            if (out && at > run)
                buf_add(out, (struct span){run, (size_t)(at - run)});
            if (at == end || s->wanted)
                return at;
            s->ended = *at == '"';
            if (!s->ended)
                s->state = STRING_ESCAPE;
        } else if (!take(s, (unsigned char)*at, out)) {
            return at;
        }
        at++;
    }
    return at;
}
