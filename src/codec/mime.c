#include "lossd/codec/mime.h"

#define BLANKS " \t\r\n" /* a header may be folded */

struct span mime_type(struct span value)
{
    return span_trim(span_cut(&value, ';'), BLANKS);
}

struct span mime_parameters(struct span value)
{
    span_cut(&value, ';');
    return value;
}

/* Bytes of a quoted text up to its last quote, which `text` begins behind the first of;
 * text.len when there is none. */
static size_t quoted_length(struct span text)
{
    size_t len = 0;

    while (len < text.len && text.at[len] != '"')
        len += text.at[len] == '\\' && len + 1 < text.len ? 2 : 1;
    return len;
}

static void skip(struct span *text, size_t bytes)
{
    *text = (struct span){text->at + bytes, text->len - bytes};
}

static bool read_quoted(struct span *rest, struct mime_parameter *out)
{
    skip(rest, 1);
    size_t len = quoted_length(*rest);
    if (len == rest->len)
        return false;
    out->value = (struct span){rest->at, len};
    out->is_quoted = true;
    skip(rest, len + 1);
    return span_trim(span_cut(rest, ';'), BLANKS).len == 0;
}

bool mime_next(struct span *rest, struct mime_parameter *out)
{
    const char *ends = "=;";

    *rest = span_trim(*rest, BLANKS ";"); /* nothing may stand between two semicolons */
    *out = (struct mime_parameter){.is_quoted = false};
    if (rest->len == 0)
        return false;
    size_t len = 0;
    while (len < rest->len && !span_is_blank(rest->at[len], ends))
        len++;
    out->name = span_trim((struct span){rest->at, len}, BLANKS);
    if (len == rest->len || rest->at[len] != '=')
        return false;
    skip(rest, len + 1);
    while (rest->len > 0 && span_is_blank(rest->at[0], BLANKS))
        skip(rest, 1);
    if (rest->len > 0 && rest->at[0] == '"')
        return read_quoted(rest, out);
    out->value = span_trim(span_cut(rest, ';'), BLANKS);
    return true;
}

struct span mime_unquote(const struct mime_parameter *parameter, char *out)
{
    struct span from = parameter->value;
    size_t len = 0;

    for (size_t i = 0; i < from.len; i++) {
        if (parameter->is_quoted && from.at[i] == '\\' && i + 1 < from.len)
            i++;
        out[len++] = from.at[i];
    }
    return (struct span){out, len};
}
