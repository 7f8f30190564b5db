#include "json_text.h"

#include <string.h>

void json_text_cut(char out[FLAW_TEXT_SIZE], struct span text)
{
    static const char cut[] = "...";
    size_t len = text.len;

    if (len < FLAW_TEXT_SIZE) {
        if (len > 0)
            memcpy(out, text.at, len);
        out[len] = '\0';
        return;
    }
    len = FLAW_TEXT_SIZE - sizeof cut;
    while (len > 0 && ((unsigned char)text.at[len] & 0xC0) == 0x80)
        len--;
    memcpy(out, text.at, len);
    memcpy(out + len, cut, sizeof cut);
}

const char *json_scalar_words(enum json_scalar scalar)
{
    static const char *const words[] = {
        [JSON_NUMBER] = "a number",   [JSON_STRING] = "a string",
        [JSON_TRUE] = "true",         [JSON_FALSE] = "false",
        [JSON_NULL] = "null",         [JSON_NAN] = "NaN",
        [JSON_INFINITY] = "Infinity", [JSON_MINUS_INFINITY] = "-Infinity"};

    return words[scalar];
}
