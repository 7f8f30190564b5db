#include "lossd/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void buf_init(struct buf *buf, struct arena *mem, size_t ceiling, const char *flag,
              struct err *err)
{
    *buf = (struct buf){.mem = mem, .ceiling = ceiling, .flag = flag, .err = err};
}

void buf_over(struct buf *buf, char *at, size_t capacity)
{
    *buf = (struct buf){.at = at, .capacity = capacity, .ceiling = capacity};
}

static bool grow(struct buf *buf, size_t needed)
{
    if (!buf->mem)
        return false;
    if (needed > buf->ceiling)
        return fail_limit(buf->err, ERR_TOO_LARGE, NULL, buf->ceiling, buf->flag,
                          "%s has more than the %zu bytes that are allowed",
                          buf->what ? buf->what : "the text", buf->ceiling);
    size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
    while (capacity < needed && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity < needed || capacity > buf->ceiling)
        capacity = buf->ceiling;
    char *at = arena_resize(buf->mem, buf->at, capacity, buf->err);
    if (!at)
        return false;
    buf->at = at;
    buf->capacity = capacity;
    return true;
}

char *buf_room(struct buf *buf, size_t more)
{
    if (buf->failed)
        return NULL;
    if (more > buf->capacity - buf->len) {
        bool fits = more <= SIZE_MAX - buf->len;
        if (!grow(buf, fits ? buf->len + more : SIZE_MAX)) {
            buf->failed = true;
            return NULL;
        }
    }
    return buf->at + buf->len;
}

void buf_add(struct buf *buf, struct span text)
{
    char *room = text.len > 0 ? buf_room(buf, text.len) : NULL;

    if (room) {
        memcpy(room, text.at, text.len);
        buf->len += text.len;
    }
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, span_of(text));
}

void buf_char(struct buf *buf, char c)
{
    char *room = buf->len < buf->capacity ? buf->at + buf->len : buf_room(buf, 1);

    if (room && !buf->failed) {
        *room = c;
        buf->len++;
    }
}

void buf_format(struct buf *buf, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(len >= 0);
    if ((size_t)len < sizeof text) {
        buf_add(buf, (struct span){text, (size_t)len});
        return;
    }
    char *room = buf_room(buf, (size_t)len + 1); /* it is terminated first */
    if (!room)
        return;
    va_start(args, format);
    vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}
