#include "codec/multipart/multipart_header.h"

#include "lossd/base/excerpt.h"
#include "lossd/base/utf8.h"
#include "lossd/codec/mime.h"

#define BLANKS " \t\r\n"

/* --- the boundary --- */

static bool is_boundary(struct span text)
{
    static const char others[] = "'()+_,-./:=? ";

    if (text.len == 0 || text.len > BOUNDARY_MAX || text.at[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i], letter = (char)(c | 0x20);
        if (!(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'z') &&
            !span_is_blank(c, others))
            return false;
    }
    return true;
}

/* The parameter of that name, in letters of any case. */
static bool find(struct span rest, const char *name, struct mime_parameter *out)
{
    while (mime_next(&rest, out))
        if (span_is_caseless(out->name, name))
            return true;
    return false;
}

bool multipart_boundary(struct span content_type, char out[BOUNDARY_MAX + 1],
                        struct err *err)
{
    struct mime_parameter parameter;

    if (!find(mime_parameters(content_type), "boundary", &parameter))
        return fail(err, ERR_BAD_HEADER, NULL,
                    "Content-Type is %s, which names no boundary; multipart/form-data; "
                    "boundary=... is wanted",
                    excerpt_of(content_type).text);
    if (!is_boundary(parameter.value))
        return fail(err, ERR_BAD_HEADER, NULL,
                    "the boundary in Content-Type is \"%s\"; 1 to %d letters, digits and "
                    "'()+_,-./:=? are wanted",
                    excerpt_of(parameter.value).text, BOUNDARY_MAX);
    memcpy(out, parameter.value.at, parameter.value.len);
    out[parameter.value.len] = '\0';
    return true;
}

/* --- a part --- */

struct part_reader {
    char *lines;
    size_t number; /* of the part, from 1 */
    struct part_header *out;
    struct err *err;
};

static bool fail_name(const struct part_reader *r)
{
    return fail(r->err, ERR_BAD_HEADER, NULL,
                "part %zu of the form has no name; Content-Disposition: form-data; "
                "name=\"logits\", say, is wanted",
                r->number);
}

static bool read_disposition(const struct part_reader *r, struct span value)
{
    struct mime_parameter name;

    if (!span_is_caseless(mime_type(value), "form-data") ||
        !find(mime_parameters(value), "name", &name))
        return fail_name(r);
    if (r->out->name.at)
        return fail(r->err, ERR_BAD_HEADER, NULL,
                    "part %zu of the form has Content-Disposition twice", r->number);
    r->out->name = mime_unquote(&name, r->lines + (name.value.at - r->lines));
    return utf8_is_text(r->out->name) ||
           fail(r->err, ERR_BAD_HEADER, NULL,
                "the name of part %zu of the form is not UTF-8", r->number);
}

static bool read_type(const struct part_reader *r, struct span value)
{
    struct span type = mime_type(value);

    r->out->type = span_is_caseless(type, "application/x-npy")  ? PART_NPY
                   : span_is_caseless(type, "application/json") ? PART_JSON
                                                                : PART_UNTYPED;
    return true;
}

static bool read_encoding(const struct part_reader *r, struct span value)
{
    static const char *const names[] = {"binary", "8bit", "7bit"};
    struct span encoding = mime_type(value);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_is_caseless(encoding, names[i]))
            return true;
    return fail(r->err, ERR_UNSUPPORTED_ENCODING, NULL,
                "Content-Transfer-Encoding of part %zu of the form is %s; binary, 8bit "
                "or 7bit is wanted",
                r->number,
                utf8_is_text(encoding) ? excerpt_of(encoding).text : "not UTF-8");
}

static bool read_line(const struct part_reader *r, struct span line)
{
    static const struct {
        const char *name;
        bool (*read)(const struct part_reader *r, struct span value);
    } known[] = {{"Content-Disposition", read_disposition},
                 {"Content-Type", read_type},
                 {"Content-Transfer-Encoding", read_encoding}};
    struct span value = line, name = span_cut(&value, ':');

    if (name.len == line.len)
        return fail(r->err, ERR_BAD_HEADER, NULL,
                    "the headers of part %zu of the form have a line without a colon",
                    r->number);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_is_caseless(name, known[i].name))
            return known[i].read(r, span_trim(value, BLANKS));
    return true;
}

/* Cuts the next header off `rest`, with the lines that it is folded into. */
static struct span next_header(struct span *rest)
{
    struct span header = span_cut(rest, '\n');

    while (rest->len > 0 && span_is_blank(rest->at[0], " \t")) {
        struct span more = span_cut(rest, '\n');
        header.len = (size_t)(more.at + more.len - header.at);
    }
    return header;
}

bool part_header_read(char *lines, size_t len, size_t number, struct part_header *out,
                      struct err *err)
{
    const struct part_reader reader = {lines, number, out, err};
    struct span rest = {lines, len};

    *out = (struct part_header){.type = PART_UNTYPED};
    while (rest.len > 0)
        if (!read_line(&reader, next_header(&rest)))
            return false;
    return out->name.at || fail_name(&reader);
}
