#include "lossd/base/json_write.h"

#include <string.h>

#include "lossd/base/number.h"
#include "lossd/base/utf8.h"

struct json json_into(struct buf *buf, bool pretty)
{
    return (struct json){.buf = buf, .pretty = pretty};
}

static void new_line(struct json *json)
{
    if (!json->pretty)
        return;
    buf_char(json->buf, '\n');
    for (unsigned i = 0; i < json->depth; i++)
        buf_text(json->buf, "  ");
}

void json_before_value(struct json *json)
{
    if (json->after_key) {
        json->after_key = false;
    } else {
        if (json->comma)
            buf_char(json->buf, ',');
        if (json->depth > 0)
            new_line(json);
    }
    json->comma = true;
}

void json_open(struct json *json, char bracket)
{
    json_before_value(json);
    buf_char(json->buf, bracket);
    json->depth++;
    json->comma = false;
}

void json_close(struct json *json, char bracket)
{
    json->depth--;
    if (json->comma)
        new_line(json);
    buf_char(json->buf, bracket);
    json->comma = true;
}

/* Are all eight bytes printable ASCII, but neither quotes nor backslashes? */
static bool are_plain(uint64_t bytes)
{
    const uint64_t each = UINT64_C(0x0101010101010101), top = each << 7;
    uint64_t quote = bytes ^ each * '"', backslash = bytes ^ each * '\\',
             delete = bytes ^ each * 0x7F;

    /* a byte's top bit becomes one where it is below what is taken off */
    return ((bytes | (bytes - each * ' ') | (quote - each) | (backslash - each) |
             (delete - each)) &
            top) == 0;
}

size_t json_plain_length(struct span text)
{
    size_t len = 0;
    uint64_t bytes;

    for (; text.len - len >= sizeof bytes; len += sizeof bytes) {
        memcpy(&bytes, text.at + len, sizeof bytes);
        if (!are_plain(bytes))
            break;
    }
    /* the last eight, of which some have been looked at */
    if (len > 0 && text.len - len < sizeof bytes) {
        memcpy(&bytes, text.at + text.len - sizeof bytes, sizeof bytes);
        if (are_plain(bytes))
            return text.len;
    }
    while (len < text.len && text.at[len] >= 0x20 && text.at[len] < 0x7F &&
           text.at[len] != '"' && text.at[len] != '\\')
        len++;
    return len;
}

/* Writes the character that `text` starts with, and returns how long it is there. */
static size_t write_special(struct buf *buf, struct span text)
{
    static const char short_escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    unsigned char c = (unsigned char)text.at[0];
    size_t len = utf8_length(text);
    const char *escape = NULL;

    for (const char *e = short_escapes; *e && !escape; e += 2)
        if (*e == (char)c)
            escape = e + 1;
    if (escape) {
        buf_char(buf, '\\');
        buf_char(buf, *escape);
    } else if (c < 0x20 || c == 0x7F) {
        buf_format(buf, "\\u%04x", c);
    } else if (len == 0) {
        buf_text(buf, "\xEF\xBF\xBD");
    } else {
        buf_add(buf, (struct span){text.at, len});
    }
    return len ? len : 1;
}

static void write_escaped(struct buf *buf, struct span text)
{
    size_t len = json_plain_length(text);

    if (len == text.len && !buf->failed && buf->capacity - buf->len >= len + 2) {
        char *at = buf->at + buf->len;
        *at = '"';
        if (len > 0)
            memcpy(at + 1, text.at, len);
        at[len + 1] = '"';
        buf->len += len + 2;
        return;
    }
    buf_char(buf, '"');
    for (; text.len > 0; len = json_plain_length(text)) {
        if (len > 0)
            buf_add(buf, (struct span){text.at, len});
        else
            len = write_special(buf, text);
        text.at += len;
        text.len -= len;
    }
    buf_char(buf, '"');
}

void json_string(struct json *json, struct span text)
{
    json_before_value(json);
    write_escaped(json->buf, text);
}

void json_text(struct json *json, const char *text)
{
    json_string(json, span_of(text));
}

/* The usual one: nothing to escape, and room for all of it. */
static bool write_key_at_once(const struct json *json, struct span name)
{
    struct buf *buf = json->buf;

    if (json->pretty || buf->failed ||
        buf->capacity - buf->len < name.len + sizeof ",\"\":" - 1 ||
        json_plain_length(name) < name.len)
        return false;
    char *at = buf->at + buf->len;
    if (json->comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, name.at, name.len);
    at += name.len;
    *at++ = '"';
    *at++ = ':';
    buf->len = (size_t)(at - buf->at);
    return true;
}

void json_key(struct json *json, const char *name)
{
    if (!write_key_at_once(json, span_of(name))) {
        json_before_value(json);
        write_escaped(json->buf, span_of(name));
        buf_text(json->buf, json->pretty ? ": " : ":");
    }
    json->comma = json->after_key = true;
}

void json_number(struct json *json, double value)
{
    json_before_value(json);
    char *room = buf_room(json->buf, NUMBER_TEXT_MAX);
    if (room)
        json->buf->len += number_write_double(room, value);
}

void json_uint(struct json *json, uint64_t value)
{
    json_before_value(json);
    char *room = buf_room(json->buf, NUMBER_TEXT_MAX);
    if (room)
        json->buf->len += number_write_uint64(room, value);
}

void json_bool(struct json *json, bool value)
{
    json_raw(json, span_of(value ? "true" : "false"));
}

void json_text_member(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_uint_member(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_uint(json, value);
}

void json_raw(struct json *json, struct span text)
{
    json_before_value(json);
    buf_add(json->buf, text);
}
