/* Where the parts of a body begin and end, wherever it is cut. */
#include "../decoded.h"

#include "codec/multipart/multipart_read.h"

#define TYPE "multipart/form-data; boundary=b"
#define PART(name) "Content-Disposition: form-data; name=" name "\r\n\r\n"

/* What the handler was told: "[name|data]" for each part. */
struct told {
    struct arena mem;
    struct err err;
    char text[1024];
    size_t len;
    bool read;
};

static void tell(struct told *told, struct span text)
{
    assert_true(told->len + text.len < sizeof told->text);
    memcpy(told->text + told->len, text.at, text.len);
    told->len += text.len;
    told->text[told->len] = '\0';
}

static bool begin_part(void *ctx, const struct part_header *header, struct err *err)
{
    (void)err;
    tell(ctx, span_of("["));
    tell(ctx, header->name);
    tell(ctx, span_of("|"));
    return true;
}

static bool read_part(void *ctx, struct span piece, struct err *err)
{
    (void)err;
    assert_true(piece.len > 0);
    tell(ctx, piece);
    return true;
}

static bool end_part(void *ctx, struct err *err)
{
    (void)err;
    tell(ctx, span_of("]"));
    return true;
}

/* Cut behind `first` bytes and then every `step`. */
static void read_parts(struct told *told, struct span body, size_t first, size_t step)
{
    static const struct multipart_handler handler = {begin_part, read_part, end_part};
    struct multipart_reader reader;

    *told = (struct told){.err.kind = ERR_NONE};
    arena_init(&told->mem, SIZE_MAX, NULL, NULL);
    told->read = multipart_read_begin(&reader, span_of(TYPE), &handler, told, &told->mem,
                                      &told->err);
    for (size_t at = 0, len; told->read && at < body.len; at += len) {
        len = at == 0 && first > 0 ? first : step;
        len = body.len - at < len ? body.len - at : len;
        char *piece = malloc(len);
        assert_non_null(piece);
        memcpy(piece, body.at + at, len);
        told->read = multipart_read(&reader, (struct span){piece, len}, &told->err);
        free(piece);
    }
    told->read = told->read && multipart_read_end(&reader, &told->err);
    arena_release(&told->mem);
}

static void assert_told(const char *body, const char *wanted, enum err_kind kind,
                        const char *detail)
{
    struct told told;
    size_t len = strlen(body);

    for (size_t first = 0; first <= len; first++)
        for (size_t step = 1; step <= len; step += step < 4 ? 1 : len) {
            read_parts(&told, span_of(body), first, step);
            if (strcmp(told.text, wanted) != 0 || told.err.kind != kind ||
                !strstr(told.err.detail, detail))
                fail_msg("%s\n(%zu, %zu): %s %s", body, first, step, told.text,
                         told.err.detail);
            assert_int_equal(told.read, kind == ERR_NONE);
        }
}

static void multipart_read__hands_on_what_is_between_boundaries(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"--b\r\n" PART("x") "1\r\n--b--", "[x|1]"},
        {"--b\r\n" PART("x") "1\r\n--b\r\n" PART("y") "22\r\n--b--\r\n", "[x|1][y|22]"},
        {"--b--", ""},
        {"\r\n--b--\r\n", ""},
        {"before\r\n--b\r\n" PART("x") "1\r\n--b--behind\r\n--b\r\n", "[x|1]"},
        {"x--b\r\r\n\r\n--b\r\n" PART("x") "1\r\n--b--", "[x|1]"},
        {"--b \t \r\n" PART("x") "1\r\n--b  \r\n" PART("y") "\r\n--b--", "[x|1][y|]"},
        /* the empty line behind the headers is the delimiter's too */
        {"--b\r\n" PART("x") "--b--", "[x|]"},
        {"--b\r\n" PART("x") "\r\n\r\n--b--", "[x|\r\n]"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_told(cases[i][0], cases[i][1], ERR_NONE, "");
}

static void multipart_read__is_not_misled_by_what_looks_like_a_boundary(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"--b\r\n" PART("x") "--\r\n--b--", "[x|--]"},
        {"--b\r\n" PART("x") "-\r\n-b\r\n--b--", "[x|-\r\n-b]"},
        {"--b\r\n" PART("x") "\r\r\n--b--", "[x|\r]"},
        {"--b\r\n" PART("x") "\r\n\r\n-\r\n--\r\n--c--b\n--b\r\n--b--",
         "[x|\r\n\r\n-\r\n--\r\n--c--b\n--b]"},
        {"--b\r\n" PART("x") "--\r\n--a\r\n--b--", "[x|--\r\n--a]"},
        {"--c\r\n\r\n--\r\n--b--", ""},
    };

    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_told(cases[i][0], cases[i][1], ERR_NONE, "");
}

static void multipart_read__refuses_what_is_not_in_parts(void **state)
{
    (void)state;
    static const struct {
        const char *body, *told;
        enum err_kind kind;
        const char *detail;
    } cases[] = {
        {"x", "", ERR_BAD_TENSOR,
         "the boundary --b, which Content-Type names, is not in the body"},
        {"--c\r\n", "", ERR_BAD_TENSOR, "is not in the body"},
        {"--b", "", ERR_BAD_TENSOR, "the body ends before its last boundary, --b--"},
        {"--b-", "", ERR_BAD_TENSOR, "the body ends before"},
        {"--b\r\n" PART("x") "1\r\n--b", "[x|1]", ERR_BAD_TENSOR, "the body ends before"},
        {"--b\nContent", "", ERR_BAD_TENSOR,
         "byte 0x0A stands behind the boundary --b; a line's end (CRLF) or -- is wanted"},
        {"--bc\r\n", "", ERR_BAD_TENSOR, "byte 0x63 stands behind"},
        {"--b-x", "", ERR_BAD_TENSOR, "byte 0x78 stands behind"},
        {"--b \t-", "", ERR_BAD_TENSOR, "byte 0x2D stands behind"},
        {"--b\rx", "", ERR_BAD_TENSOR, "byte 0x78 stands behind"},
        {"--b\r\n\r\nx", "", ERR_BAD_HEADER, "part 1 of the form has no name"},
        {"--b\r\nA: b\nC: d", "", ERR_BAD_HEADER,
         "a line of the headers of part 1 of the form does not end with CRLF"},
        {"--b\r\nA: b\rC: d", "", ERR_BAD_HEADER, "does not end with CRLF"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_told(cases[i].body, cases[i].told, cases[i].kind, cases[i].detail);
    struct told told;
    read_parts(&told, span_of(""), 0, 1);
    assert_int_equal(told.err.kind, ERR_BAD_TENSOR);
}

static void multipart_read__holds_parts_and_their_headers_to_limits(void **state)
{
    (void)state;
    enum { LONG = PART_HEADERS_MAX + 100 };
    static char body[PARTS_MAX * 100 + LONG];
    struct told told;

    strcpy(body, "--b\r\nA: ");
    memset(body + strlen(body), 'x', LONG);
    for (size_t step = 1; step < 10000; step *= 10) {
        read_parts(&told, span_of(body), 0, step);
        assert_int_equal(told.err.kind, ERR_TOO_LARGE);
        assert_int_equal(told.err.limit, PART_HEADERS_MAX);
    }
    memset(body, 0, sizeof body);
    for (size_t part = 0; part < PARTS_MAX; part++)
        strcat(body, "--b\r\n" PART("x") "\r\n");
    strcat(body, "--b--");
    read_parts(&told, span_of(body), 0, 1000);
    assert_true(told.read);
    strcpy(body + strlen(body) - 2, "\r\n" PART("x"));
    read_parts(&told, span_of(body), 0, 1000);
    assert_int_equal(told.err.kind, ERR_TOO_LARGE);
    assert_int_equal(told.err.limit, PARTS_MAX);
    assert_string_equal(told.err.detail,
                        "the form has more than the 64 parts that are allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipart_read__hands_on_what_is_between_boundaries),
        cmocka_unit_test(multipart_read__is_not_misled_by_what_looks_like_a_boundary),
        cmocka_unit_test(multipart_read__refuses_what_is_not_in_parts),
        cmocka_unit_test(multipart_read__holds_parts_and_their_headers_to_limits),
    };
    return cmocka_run_group_tests_name("multipart_read", tests, NULL, NULL);
}
