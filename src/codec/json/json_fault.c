#include "codec/json/json_fault.h"

#include "codec/json/json_text.h"

/* What the text is, as a whole. */
static const char *whole(const struct json_reader *r)
{
    return r->level > 0 && !r->no_object ? "JSON object" : "JSON value";
}

static const char *top_wanted(const struct json_reader *r)
{
    if (r->level > 0)
        return "a JSON object";
    return r->way == JSON_TAKE ? "an array" : "a JSON value";
}

static const char *wanted_behind_value(const struct json_reader *r)
{
    if (json_in_object(r))
        return "',' or '}'";
    return r->depth == 0 ? "',' or the end" : "',' or ']'";
}

static const char *wanted(const struct json_reader *r, bool at_end)
{
    switch (r->state) {
    case JSON_VALUE:
        return r->depth > 0 || r->list == LIST_OPEN ? "a value" : top_wanted(r);
    case JSON_VALUE_OR_CLOSE:
        return "a value or ']'";
    case JSON_AFTER_VALUE:
        return wanted_behind_value(r);
    case JSON_NAME:
        return "a name in double quotes";
    case JSON_NAME_OR_CLOSE:
        return "a name in double quotes or '}'";
    case JSON_COLON:
        return "':'";
    case JSON_IN_NAME:
    case JSON_IN_STRING:
        return r->string.wanted ? r->string.wanted : "the end of a string";
    case JSON_IN_NUMBER:
        return at_end && json_number_may_end(r->number, ' ')
                   ? wanted_behind_value(r)
                   : json_number_wanted(r->number);
    case JSON_IN_LITERAL:
        return json_scalar_words(r->literal);
    case JSON_END:
    case JSON_REFUSED:
        break;
    }
    return "the end";
}

static void describe_byte(char out[32], unsigned char c)
{
    struct buf text;

    buf_over(&text, out, 31);
    if (c == '\n')
        buf_text(&text, "a line break");
    else if (c == '\'')
        buf_text(&text, "a single quote");
    else if (c > 0x20 && c < 0x7F)
        buf_format(&text, "'%c'", c);
    else
        buf_format(&text, "byte 0x%02X", c);
    out[text.len] = '\0';
}

static size_t column_of(const struct json_place *place, size_t offset)
{
    return offset - place->line_from + 1;
}

void json_fault_place(const struct json_place *place, struct err *err)
{
    err->has_position = true;
    err->offset = place->offset;
    err->line = place->line;
    err->column = column_of(place, place->offset);
}

static void set_position(struct err *err, enum err_kind kind,
                         const struct json_place *place, size_t offset)
{
    struct json_place here = *place;

    if (err->kind != kind)
        return;
    here.offset = offset;
    json_fault_place(&here, err);
}

/* Words before wanted(). */
static const char *rest_of(const struct json_reader *r)
{
    return r->state == JSON_IN_LITERAL ? "the rest of " : "";
}

/* What begins with this byte and is sent in place of JSON, and how it would be read. */
static const char *note_of_file(unsigned char byte)
{
    switch (byte) {
    case 0x93:
        return " (NPY begins so: it is read as Content-Type: application/x-npy)";
    case 0x1F:
        return " (gzip begins so: it is read with Content-Encoding: gzip)";
    case 'P':
        return " (.npz and other zip files begin so: an array is read as NPY, unzipped)";
    case 0xEF:
        return " (a byte order mark begins so: UTF-8 is read without one)";
    case 0xFE:
    case 0xFF:
        return " (UTF-16 begins so: UTF-8 is read)";
    default:
        return "";
    }
}

/* What other languages write where this byte stands. */
static const char *note_of_spelling(unsigned char byte)
{
    switch (byte) {
    case '\'':
        return " (strings stand in double quotes)";
    case 'T':
    case 'F':
        return " (true and false have small letters)";
    case 'N':
        return " (None is spelt null, and NaN is not read here)";
    case 'I':
        return " (Infinity is not read here)";
    case 'i':
        return " (Infinity has a capital)";
    default:
        return "";
    }
}

/* In brackets, behind what is wanted: what the sender may have meant. */
static const char *note(const struct json_reader *r, unsigned char byte, size_t offset)
{
    switch (r->state) {
    case JSON_VALUE:
    case JSON_VALUE_OR_CLOSE:
        return r->depth == 0 && offset == 0 ? note_of_file(byte) : note_of_spelling(byte);
    case JSON_NAME:
    case JSON_NAME_OR_CLOSE:
        return note_of_spelling(byte == '\'' ? byte : 0);
    case JSON_IN_LITERAL:
        if (r->literal == JSON_NAN && r->matched == 1 && byte == 'o')
            return " (None is spelt null)";
        return r->literal == JSON_NULL && r->matched == 1 && byte == 'a'
                   ? " (NaN has capitals)"
                   : "";
    case JSON_END:
        return r->level > 0 && byte == '{'
                   ? " (a dataset, a record on each line, is read for a loss as "
                     "Content-Type: application/x-ndjson)"
                   : "";
    default:
        return "";
    }
}

void json_fault_byte(const struct json_reader *r, size_t offset, unsigned char byte)
{
    bool in_string = r->state == JSON_IN_STRING || r->state == JSON_IN_NAME;
    enum err_kind kind = r->state == JSON_END ? ERR_TRAILING_DATA : ERR_INVALID_JSON;
    char words[32];
    const char *found = words;

    describe_byte(words, byte);
    if (in_string && r->string.found) {
        found = r->string.found;
        offset -= r->string.back;
    }
    if (kind == ERR_TRAILING_DATA)
        fail(r->err, kind, NULL, "found %s at offset %zu, after the end of the %s%s",
             found, offset, whole(r), note(r, byte, offset));
    else
        fail(r->err, kind, NULL, "found %s at line %zu, column %zu; %s%s is wanted%s",
             found, r->place.line, column_of(&r->place, offset), rest_of(r),
             wanted(r, false), note(r, byte, offset));
    set_position(r->err, kind, &r->place, offset);
}

void json_fault_end(const struct json_reader *r)
{
    if (r->state == JSON_VALUE && r->depth == 0 && r->list != LIST_OPEN)
        fail(r->err, ERR_INVALID_JSON, NULL, "%s is empty; %s is wanted", r->what,
             top_wanted(r));
    else
        fail(r->err, ERR_INVALID_JSON, NULL,
             "the text ends at line %zu, column %zu; %s%s is wanted", r->place.line,
             column_of(&r->place, r->place.offset), rest_of(r), wanted(r, true));
    set_position(r->err, ERR_INVALID_JSON, &r->place, r->place.offset);
}

void json_fault_between(const struct json_place *place, unsigned char byte, bool at_end,
                        const char *wanted, struct err *err)
{
    enum err_kind kind = at_end ? ERR_TRAILING_DATA : ERR_INVALID_JSON;
    char found[32];

    describe_byte(found, byte);
    if (at_end)
        fail(err, kind, NULL, "found %s at offset %zu, after the end of the array", found,
             place->offset);
    else
        fail(err, kind, NULL, "found %s at line %zu, column %zu; %s is wanted", found,
             place->line, column_of(place, place->offset), wanted);
    set_position(err, kind, place, place->offset);
}

void json_fault_cut(const struct json_place *place, const char *wanted, struct err *err)
{
    fail(err, ERR_INVALID_JSON, NULL,
         "the text ends at line %zu, column %zu; %s is wanted", place->line,
         column_of(place, place->offset), wanted);
    set_position(err, ERR_INVALID_JSON, place, place->offset);
}

void json_fault_depth(const struct json_reader *r, size_t offset)
{
    fail_limit(r->err, ERR_TOO_LARGE, NULL, r->limits->max_depth, "--max-depth",
               "the JSON is nested deeper than %zu levels at offset %zu",
               r->limits->max_depth, offset);
    set_position(r->err, ERR_TOO_LARGE, &r->place, offset);
}
