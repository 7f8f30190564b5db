#include "lossd/base/excerpt.h"

#include "lossd/base/utf8.h"

/* Cuts the first character off `rest`, in the spelling in which it is shown. */
static struct span next_character(struct span *rest)
{
    size_t len = utf8_length(*rest);
    struct span character = {rest->at, len ? len : 1};

    rest->at += character.len;
    rest->len -= character.len;
    return *character.at == '\0' ? span_of("\\u0000") : character;
}

struct excerpt excerpt_of(struct span text)
{
    static const char cut[] = "...";
    struct excerpt out;
    size_t len = 0, before_cut = 0;

    while (text.len > 0) {
        struct span character = next_character(&text);
        if (len + character.len > EXCERPT_MAX) {
            memcpy(out.text + before_cut, cut, sizeof cut);
            return out;
        }
        memcpy(out.text + len, character.at, character.len);
        len += character.len;
        if (len + sizeof cut <= sizeof out.text)
            before_cut = len;
    }
    out.text[len] = '\0';
    return out;
}
