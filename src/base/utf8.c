#include "lossd/base/utf8.h"

static bool continues(struct span text, size_t at, unsigned char lowest,
                      unsigned char highest)
{
    unsigned char c = at < text.len ? (unsigned char)text.at[at] : 0;

    return c >= lowest && c <= highest;
}

size_t utf8_length(struct span text)
{
    if (text.len == 0)
        return 0;
    unsigned char first = (unsigned char)text.at[0];
    unsigned char lowest = 0x80, highest = 0xBF;
    size_t len;

    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF) {
        len = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        len = 3;
        lowest = first == 0xE0 ? 0xA0 : 0x80;  /* shorter forms exist */
        highest = first == 0xED ? 0x9F : 0xBF; /* surrogates */
    } else if (first >= 0xF0 && first <= 0xF4) {
        len = 4;
        lowest = first == 0xF0 ? 0x90 : 0x80;  /* shorter forms exist */
        highest = first == 0xF4 ? 0x8F : 0xBF; /* above U+10FFFF */
    } else {
        return 0;
    }
    if (!continues(text, 1, lowest, highest))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!continues(text, i, 0x80, 0xBF))
            return 0;
    return len;
}

bool utf8_is_text(struct span text)
{
    while (text.len > 0) {
        size_t len = utf8_length(text);
        if (len == 0)
            return false;
        text = (struct span){text.at + len, text.len - len};
    }
    return true;
}

struct span utf8_show_nuls(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; to++) {
        bool nul = (unsigned char)from[0] == 0xC0 && (unsigned char)from[1] == 0x80;
        *to = nul ? '\0' : *from;
        from += 1 + nul;
    }
    return (struct span){text, (size_t)(to - text)};
}

size_t utf8_fit(struct span text, size_t most)
{
    size_t len = most;

    if (text.len <= most)
        return text.len;
    while (len > 0 && most - len < 3 && ((unsigned char)text.at[len] & 0xC0) == 0x80)
        len--;
    return len;
}
