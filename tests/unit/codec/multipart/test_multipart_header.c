/* The headers of a form: where its boundary is found, and what a part is. */
#include "../decoded.h"

#include "codec/multipart/multipart_header.h"

static void multipart_boundary__is_found_among_other_parameters(void **state)
{
    (void)state;
    static const char *const types[][2] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"multipart/form-data;boundary=abc", "abc"},
        {"Multipart/Form-Data ; BOUNDARY=abc ; charset=utf-8", "abc"},
        {"multipart/form-data; charset=\"a;boundary=no\"; boundary=abc; x=y", "abc"},
        {"multipart/form-data; boundary=\"a b:c\"", "a b:c"},
        {"multipart/form-data; boundary = \"abc\" ; x", "abc"},
        {"multipart/form-data; boundary=a=b", "a=b"},
        {"multipart/form-data; boundary=------------------------d74496d66958873e",
         "------------------------d74496d66958873e"},
        {"multipart/form-data; boundary=abc; boundary=def", "abc"},
        {"multipart/form-data; ; boundary='()+_,-./:?9", "'()+_,-./:?9"},
    };
    char boundary[BOUNDARY_MAX + 1];
    struct err err = {.kind = ERR_NONE};

    for (size_t i = 0; i < LENGTH(types); i++) {
        if (!multipart_boundary(span_of(types[i][0]), boundary, &err))
            fail_msg("%s: %s", types[i][0], err.detail);
        assert_string_equal(boundary, types[i][1]);
    }
}

static void multipart_boundary__is_missed_with_a_sentence(void **state)
{
    (void)state;
    static const char *const types[][2] = {
        {"multipart/form-data", "which names no boundary"},
        {"multipart/form-data; boundary", "which names no boundary"},
        {"multipart/form-data; boundary=\"abc", "which names no boundary"},
        {"multipart/form-data; boundary=\"abc\"d", "which names no boundary"},
        {"multipart/form-data; xboundary=abc", "which names no boundary"},
        {"multipart/form-data; boundary=", "is \"\"; 1 to 70 letters"},
        {"multipart/form-data; boundary=\"abc \"", "is \"abc \"; 1 to 70 letters"},
        {"multipart/form-data; boundary=a\rb", "1 to 70 letters"},
        {"multipart/form-data; boundary=\"a\\\"b\"", "1 to 70 letters"},
        {"multipart/form-data; "
         "boundary=12345678901234567890123456789012345678901234567890"
         "123456789012345678901",
         "1 to 70 letters"},
    };
    char boundary[BOUNDARY_MAX + 1];

    for (size_t i = 0; i < LENGTH(types); i++) {
        struct err err = {.kind = ERR_NONE};
        assert_false(multipart_boundary(span_of(types[i][0]), boundary, &err));
        assert_int_equal(err.kind, ERR_BAD_HEADER);
        if (!strstr(err.detail, types[i][1]))
            fail_msg("%s: %s", types[i][0], err.detail);
    }
}

#define NAMED "Content-Disposition: form-data; name=\"logits\"\r\n"

static void part_header_read__finds_name_and_type(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *name;
        enum part_type type;
    } cases[] = {
        {NAMED, "logits", PART_UNTYPED},
        {"content-disposition:FORM-DATA;NAME=logits\r\n", "logits", PART_UNTYPED},
        {"Content-Disposition: form-data; filename=\"a;name=b.npy\"; name=\"W\"\r\n", "W",
         PART_UNTYPED},
        {"Content-Disposition: form-data; name=\"a\\\"b\\\\c\"; filename=\"C:\\d\\\"\r\n",
         "a\"b\\c", PART_UNTYPED},
        {"Content-Disposition: form-data; name=\"\"\r\n", "", PART_UNTYPED},
        {"Content-Disposition: form-data;\r\n\tname=\"b\"\r\n", "b", PART_UNTYPED},
        {NAMED "Content-Type: application/x-npy\r\n", "logits", PART_NPY},
        {"Content-Type: Application/JSON; charset=utf-8\r\n" NAMED, "logits", PART_JSON},
        {NAMED "Content-Type: application/octet-stream\r\n", "logits", PART_UNTYPED},
        {NAMED "Content-Transfer-Encoding: BINARY\r\n", "logits", PART_UNTYPED},
        {NAMED "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\n",
         "logits", PART_UNTYPED},
        {NAMED "X-Whatever: \xFF\xFE: x\r\nA:\r\n", "logits", PART_UNTYPED},
    };
    char lines[512];
    struct part_header header;
    struct err err = {.kind = ERR_NONE};

    for (size_t i = 0; i < LENGTH(cases); i++) {
        strcpy(lines, cases[i].lines);
        if (!part_header_read(lines, strlen(lines), 1, &header, &err))
            fail_msg("%s: %s", cases[i].lines, err.detail);
        if (!span_is(header.name, cases[i].name))
            fail_msg("%s: %.*s", cases[i].lines, (int)header.name.len, header.name.at);
        assert_int_equal(header.type, cases[i].type);
    }
}

static void part_header_read__refuses_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        enum err_kind kind;
        const char *detail;
    } cases[] = {
        {"", ERR_BAD_HEADER,
         "part 3 of the form has no name; Content-Disposition: form-data; "
         "name=\"logits\", say, is wanted"},
        {"Content-Type: application/x-npy\r\n", ERR_BAD_HEADER, "part 3 of the form has"},
        {"Content-Disposition: attachment; name=\"a\"\r\n", ERR_BAD_HEADER,
         "has no name"},
        {"Content-Disposition: form-data; filename=\"a\"\r\n", ERR_BAD_HEADER, "no name"},
        {"Content-Disposition: form-data; name=\"a\r\n", ERR_BAD_HEADER, "has no name"},
        {NAMED NAMED, ERR_BAD_HEADER, "part 3 of the form has Content-Disposition twice"},
        {"Content-Disposition: form-data; name=\"\xE9\"\r\n", ERR_BAD_HEADER,
         "the name of part 3 of the form is not UTF-8"},
        {NAMED "nothing\r\n", ERR_BAD_HEADER,
         "the headers of part 3 of the form have a line without a colon"},
        {NAMED "Content-Transfer-Encoding: base64\r\n", ERR_UNSUPPORTED_ENCODING,
         "Content-Transfer-Encoding of part 3 of the form is base64; binary, 8bit or "
         "7bit is wanted"},
        {NAMED "Content-Transfer-Encoding: \xE9\r\n", ERR_UNSUPPORTED_ENCODING,
         "is not UTF-8; binary"},
    };
    char lines[512];
    struct part_header header;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct err err = {.kind = ERR_NONE};
        strcpy(lines, cases[i].lines);
        assert_false(part_header_read(lines, strlen(lines), 3, &header, &err));
        assert_int_equal(err.kind, cases[i].kind);
        if (!strstr(err.detail, cases[i].detail))
            fail_msg("%s: %s", cases[i].lines, err.detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipart_boundary__is_found_among_other_parameters),
        cmocka_unit_test(multipart_boundary__is_missed_with_a_sentence),
        cmocka_unit_test(part_header_read__finds_name_and_type),
        cmocka_unit_test(part_header_read__refuses_with_a_sentence),
    };
    return cmocka_run_group_tests_name("multipart_header", tests, NULL, NULL);
}
