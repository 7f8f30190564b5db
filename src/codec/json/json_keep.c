/* Names and copied values are kept in one buffer that all of a body shares, so its
 * ceiling is the ceiling of everything that is not an array of numbers.  An array's
 * token has a buffer for itself, for the case that it is cut.  What is kept is added
 * before an error is reported: which of a ceiling and an error comes first must not
 * depend on where the text was cut. */
#include "codec/json/json_keep.h"

/* Bytes of a number that every ceiling allows. */
enum { IN_PLACE_MAX = 64 };

struct buf *json_kept_in(struct json_reader *r)
{
    return r->way == JSON_TAKE ? &r->token : &r->text;
}

bool json_keep(struct json_reader *r, const char *to)
{
    struct buf *into = json_kept_in(r);

    if (r->keeping && to > r->keep_from)
        buf_add(into, (struct span){r->keep_from, (size_t)(to - r->keep_from)});
    r->keep_from = to;
    return buf_ok(into);
}

void json_keep_begin(struct json_reader *r)
{
    r->token.len = 0;
    r->text_from = json_kept_in(r)->len;
}

struct span json_kept(struct json_reader *r)
{
    const struct buf *buf = json_kept_in(r);

    if (buf->len == r->text_from)
        return span_of("");
    return (struct span){buf->at + r->text_from, buf->len - r->text_from};
}

void json_keep_from(struct json_reader *r, const char *at)
{
    json_keep_begin(r);
    r->keeping = true;
    r->keep_from = at;
}

bool json_keep_token(struct json_reader *r, const char *at, struct span *text)
{
    bool in_place =
        r->token.len == 0 && at - r->keep_from <= IN_PLACE_MAX && r->list != LIST_FIRST;

    *text = (struct span){r->keep_from, (size_t)(at - r->keep_from)};
    if (!in_place) {
        if (!json_keep(r, at))
            return false;
        *text = json_kept(r);
    }
    r->keeping = false;
    return true;
}
