#include "http/vet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { HEADERS_MAX = 6 };

struct block {
    const char *version;
    struct {
        const char *name, *value;
    } header[HEADERS_MAX];
    enum err_kind expected;
    const char *why;
};

static const struct block blocks[] = {
    {"HTTP/1.1", {{"Host", "x"}}, ERR_NONE, "the least there is"},
    {"HTTP/1.0", {{NULL, NULL}}, ERR_NONE, "1.0 needs no Host"},
    {"HTTP/1.1", {{"hOsT", "x"}, {"CONTENT-length", "5"}}, ERR_NONE, "case is no matter"},
    {"HTTP/1.1", {{"Host", "x"}, {"Transfer-Encoding", "chunked"}}, ERR_NONE, "chunks"},
    {"HTTP/1.1", {{"Host", "x"}, {"A", "tab\tand \xC3\xA4"}}, ERR_NONE, "text in values"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Contents", ""}, {"Transfer", ""}},
     ERR_NONE,
     "names that only look alike"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "9223372036854775807"}},
     ERR_NONE,
     "2^63-1 is for others to judge"},
    {"HTTP/1.1", {{"Host", "[::1%25lo]:8080"}}, ERR_NONE, "an address and a port"},
    {"HTTP/1.1", {{"Host", "a_b.example.\t "}}, ERR_NONE, "a name, and blanks behind it"},
    {"HTTP/1.1", {{"Host", ""}}, ERR_NONE, "nobody in particular"},
    {"HTTP/1.1", {{"Host", "a b"}}, ERR_BAD_HEADER, "two names"},
    {"HTTP/1.1", {{"Host", "a/b"}}, ERR_BAD_HEADER, "a path"},
    {"HTTP/1.1", {{"Host", "a@b"}}, ERR_BAD_HEADER, "somebody at a host"},
    {"HTTP/1.0", {{"Host", "a,\xC3\xA4"}}, ERR_BAD_HEADER, "letters that no host has"},
    {"HTTP/1.1", {{NULL, NULL}}, ERR_BAD_HEADER, "no Host"},
    {"HTTP/1.1", {{"Host", "x"}, {"Host", "x"}}, ERR_BAD_HEADER, "two Hosts"},
    {"HTTP/1.0", {{"Host", "x"}, {"Host", "y"}}, ERR_BAD_HEADER, "two Hosts in 1.0"},
    {"HTTP/1.2", {{"Host", "x"}}, ERR_BAD_HEADER, "a version there is not"},
    {"HTTP/2.0", {{"Host", "x"}}, ERR_BAD_HEADER, "another protocol"},
    {"http/1.1", {{"Host", "x"}}, ERR_BAD_HEADER, "versions have a case"},
    {"", {{"Host", "x"}}, ERR_BAD_HEADER, "no version"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "5"}, {"Content-Length", "5"}},
     ERR_BAD_HEADER,
     "a length twice"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "5"}, {"Content-Length", "3"}},
     ERR_BAD_HEADER,
     "two lengths"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
     ERR_BAD_HEADER,
     "a length and chunks"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}},
     ERR_BAD_HEADER,
     "chunks and a length"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
     ERR_BAD_HEADER,
     "chunked twice"},
    {"HTTP/1.1", {{"Host", "x"}, {"Transfer-Encoding", "identity"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Transfer-Encoding", "gzip, chunked"}},
     ERR_BAD_HEADER,
     ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Transfer-Encoding", "xchunked"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Transfer-Encoding", "\vchunked"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Transfer-Encoding", "chunked "}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Transfer-Encoding", ""}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.0", {{"Transfer-Encoding", "chunked"}}, ERR_BAD_HEADER, "1.0 has no chunks"},
    {"HTTP/1.1", {{"Host", "x"}, {"Content-Length ", "5"}}, ERR_BAD_HEADER, "a blank"},
    {"HTTP/1.1", {{"Host", "x"}, {"Transfer-Encoding\t", "chunked"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Transfer-Encodingchunked", ""}},
     ERR_BAD_HEADER,
     "folded: the value is glued to the name"},
    {"HTTP/1.1", {{"Host", "x"}, {"content-length5", ""}}, ERR_BAD_HEADER, "folded"},
    {"HTTP/1.1", {{"Host", "x"}, {"Content-Length", "-1"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Content-Length", "+5"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Content-Length", "0x5"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Content-Length", "5, 5"}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1", {{"Host", "x"}, {"Content-Length", ""}}, ERR_BAD_HEADER, ""},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "9223372036854775808"}},
     ERR_TOO_LARGE,
     "2^63"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "18446744073709551615"}},
     ERR_TOO_LARGE,
     "2^64-1, which means unknown to some"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "18446744073709551616000000000000"}},
     ERR_TOO_LARGE,
     "wraps around"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Length", "18446744073709551616x"}},
     ERR_BAD_HEADER,
     "too many digits, but not only digits"},
    {"HTTP/1.1", {{"Host", "x"}, {"a b", "c"}}, ERR_BAD_HEADER, "a blank in a name"},
    {"HTTP/1.1", {{"Host", "x"}, {"a\x01", "c"}}, ERR_BAD_HEADER, "a control in a name"},
    {"HTTP/1.1", {{"Host", "x"}, {"a\xC3\xA4", "c"}}, ERR_BAD_HEADER, "not ASCII"},
    {"HTTP/1.1", {{"Host", "x"}, {"(a)", "c"}}, ERR_BAD_HEADER, "not a token"},
    {"HTTP/1.1", {{"Host", "x"}, {"", "c"}}, ERR_BAD_HEADER, "no name"},
    {"HTTP/1.1", {{"Host", "x"}, {"A", "a\rb"}}, ERR_BAD_HEADER, "a bare CR"},
    {"HTTP/1.1", {{"Host", "x"}, {"A", "a\x7F"}}, ERR_BAD_HEADER, "DEL"},
    {"HTTP/1.1", {{"Host", "x\x1b[0m"}}, ERR_BAD_HEADER, "an escape"},
    {"HTTP/1.1", {{"Host", "x"}, {"Expect", "100-CONTINUE"}}, ERR_NONE, "can be met"},
    {"HTTP/1.1", {{"Host", "x"}, {"Expect", "x"}}, ERR_EXPECTATION_FAILED, "what?"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Encoding", "gzip"}, {"content-encoding", "gzip"}},
     ERR_UNSUPPORTED_ENCODING,
     "two codings"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Authorization", "Bearer a"}, {"authorization", "Bearer b"}},
     ERR_BAD_HEADER,
     "two keys"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"X-Request-Timeout", "1"}, {"X-Request-Timeout", "2"}},
     ERR_BAD_HEADER,
     "two times to wait"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Content-Type", "text/plain"}, {"Content-Type", "text/html"}},
     ERR_BAD_HEADER,
     "two types of one body"},
    {"HTTP/1.1",
     {{"Host", "x"},
      {"Inference-Header-Content-Length", "1"},
      {"Inference-Header-Content-Length", "2"}},
     ERR_BAD_HEADER,
     "two ends of one text"},
    {"HTTP/1.1",
     {{"Host", "x"}, {"Expect", "100-continue, x"}},
     ERR_EXPECTATION_FAILED,
     "one of two can be met"},
};

static void vet__accepts_and_refuses_by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        const struct block *block = &blocks[i];
        struct request head = {0};
        struct err err = {0};
        char room[VET_ROOM];
        struct vetting vetting = vet_begin(&head, room, &err);
        for (size_t h = 0; h < HEADERS_MAX && block->header[h].name; h++)
            vet_header(&vetting, span_of(block->header[h].name),
                       span_of(block->header[h].value));
        bool sound = vet_end(&vetting, span_of(block->version));
        if (err.kind != block->expected || sound != (err.kind == ERR_NONE))
            fail_msg("block %zu (%s): error %d (%s), not %d", i, block->why,
                     (int)err.kind, err.detail, (int)block->expected);
    }
}

static void vet_method__takes_tokens_only(void **state)
{
    static const char *const sound[] = {"GET", "get", "M-SEARCH", "!"};
    static const char *const unsound[] = {"",        "GET:",       "GE T",
                                          "\"GET\"", "G\xC3\xA4T", "\x01"};
    struct request head = {0};

    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        struct err err = {0};
        char room[VET_ROOM];
        struct vetting vetting = vet_begin(&head, room, &err);
        vet_method(&vetting, span_of(sound[i]));
        assert_int_equal(err.kind, ERR_NONE);
    }
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        struct err err = {0};
        char room[VET_ROOM];
        struct vetting vetting = vet_begin(&head, room, &err);
        vet_method(&vetting, span_of(unsound[i]));
        assert_int_equal(err.kind, ERR_BAD_HEADER);
    }
}

static void vet__picks_what_the_service_looks_at(void **state)
{
    (void)state;
    struct request head = {0};
    struct err err = {0};
    char room[VET_ROOM];
    struct vetting vetting = vet_begin(&head, room, &err);
    const char *const headers[][2] = {{"host", "x"},
                                      {"CONTENT-TYPE", "application/json"},
                                      {"Content-Type", "application/json"},
                                      {"content-encoding", "identity"},
                                      {"accept", "*/*"},
                                      {"x-request-id", "7"},
                                      {"x-request-id", "8"},
                                      {"traceparent", "00-"},
                                      {"AUTHORIZATION", "Bearer a"},
                                      {"Authorization", "Bearer a "},
                                      {"Origin", "https://a.example"},
                                      {"Access-Control-Request-Method", "POST"},
                                      {"user-agent", "me"},
                                      {"content-length", "0099"},
                                      {"expect", "100-Continue"}};

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        vet_header(&vetting, span_of(headers[i][0]), span_of(headers[i][1]));
    assert_true(vet_end(&vetting, span_of("HTTP/1.1")));
    assert_true(span_is(head.content_type, "application/json"));
    assert_true(span_is(head.content_encoding, "identity"));
    assert_true(span_is(head.accept, "*/*"));
    assert_true(span_is(head.request_id, "7"));
    assert_true(span_is(head.traceparent, "00-"));
    assert_true(span_is(head.authorization, "Bearer a"));
    assert_true(span_is(head.origin, "https://a.example"));
    assert_true(span_is(head.access_control_request_method, "POST"));
    assert_true(span_is(vetting.user_agent, "me"));
    assert_true(head.has_content_length && head.content_length == 99);
    assert_true(vetting.expects_continue);
    assert_false(vetting.chunked);
}

/* Blanks around a value are no part of it. */
static void vet__joins_lists_and_trims_values(void **state)
{
    (void)state;
    struct request head = {0};
    struct err err = {0};
    char room[VET_ROOM], long_list[VET_ROOM];
    struct vetting vetting = vet_begin(&head, room, &err);

    vet_header(&vetting, span_of("Accept"), span_of("text/html "));
    vet_header(&vetting, span_of("If-None-Match"), span_of("\"a\""));
    vet_header(&vetting, span_of("accept"), span_of("application/json;q=0.5\t"));
    vet_header(&vetting, span_of("If-None-Match"), span_of("\"b\""));
    vet_header(&vetting, span_of("Accept"), span_of("*/*"));
    vet_header(&vetting, span_of("X-Request-Timeout"), span_of("5 "));
    vet_header(&vetting, span_of("Expect"), span_of("100-continue "));
    vet_header(&vetting, span_of("Host"), span_of("a"));
    assert_true(vet_end(&vetting, span_of("HTTP/1.1")));
    assert_true(span_is(head.accept, "text/html, application/json;q=0.5, */*"));
    assert_true(span_is(head.if_none_match, "\"a\", \"b\""));
    assert_true(span_is(head.timeout, "5"));
    assert_true(vetting.expects_continue);
    memset(long_list, 'a', sizeof long_list - 1);
    long_list[sizeof long_list - 1] = '\0';
    vet_header(&vetting, span_of("Accept"), span_of(long_list));
    assert_int_equal(err.kind, ERR_BAD_HEADER);
    assert_string_equal(err.detail, "there is more than one Accept header, with more "
                                    "than 256 bytes together");
}

static void vet__says_what_is_wrong(void **state)
{
    (void)state;
    struct request head = {0};
    struct err err = {0};
    char room[VET_ROOM];
    struct vetting vetting = vet_begin(&head, room, &err);

    vet_header(&vetting, span_of("Transfer-Encoding"), span_of("gzip"));
    vet_header(&vetting, span_of("a b"), span_of("a later error does not matter"));
    assert_false(vet_end(&vetting, span_of("HTTP/1.1")));
    assert_string_equal(err.detail,
                        "Transfer-Encoding is 'gzip'; only chunked is understood");
}

/* A block as the library leaves it: its line ends are NULs.  Shown are HTTP/1.1, Host,
 * and x; `text` is what follows x.  The first line ends in CR LF, or in LF. */
static bool is_sound(const char *line_end, const char *text, size_t len)
{
    static const char begin_crlf[] = "GET / HTTP/1.1\0\0Host\0x";
    static const char begin_lf[] = "GET / HTTP/1.1\0Host\0x";
    bool lf = strcmp(line_end, "LF") == 0;
    const char *begin = lf ? begin_lf : begin_crlf;
    enum { VERSION_AT = 6, VERSION = 8 };
    size_t begins = lf ? sizeof begin_lf - 1 : sizeof begin_crlf - 1,
           host_at = begins - 6;
    char block[100];
    struct request head = {0};
    struct err err = {0};
    char room[VET_ROOM];
    struct vetting vetting = vet_begin(&head, room, &err);

    memcpy(block, begin, begins);
    memcpy(block + begins, text, len);
    vet_block(&vetting, (struct span){block, begins + len},
              (struct span){block + VERSION_AT, VERSION});
    vet_header(&vetting, (struct span){block + host_at, 4},
               (struct span){block + begins - 1, 1});
    return vet_end(&vetting, (struct span){block + VERSION_AT, VERSION});
}

static void vet__misses_nothing_between_the_last_header_and_their_end(void **state)
{
    (void)state;
    assert_true(is_sound("CRLF", "\0\0\0\0", 4));          /* CR LF CR LF */
    assert_true(is_sound("CRLF", "\0\0", 2));              /* LF LF */
    assert_true(is_sound("LF", "\0\0", 2));                /* LF LF */
    assert_false(is_sound("CRLF", "\0\0\0\0\0", 5));       /* CR LF : CR LF */
    assert_false(is_sound("CRLF", "\0\0\0 b\0\0", 7));     /* CR LF : b CR LF */
    assert_false(is_sound("CRLF", "\0y\0\0\0\0", 6));      /* the value was x NUL y */
    assert_false(is_sound("CRLF", "\0\0 folded\0\0", 11)); /* and glued elsewhere */
    assert_false(is_sound("CRLF", "\0\0\0", 3));           /* LF : LF */
    assert_false(is_sound("LF", "\0\0\0", 3));             /* LF : LF */
    assert_false(is_sound("LF", "\0\0\0\0", 4));           /* LF : CR LF, CR LF : LF */
    assert_false(is_sound("LF", "\0\0b\0", 4));            /* LF : b LF */
    assert_false(is_sound("CRLF", "\0\0b\0", 4));          /* LF : b LF */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vet__accepts_and_refuses_by_the_table),
        cmocka_unit_test(vet_method__takes_tokens_only),
        cmocka_unit_test(vet__picks_what_the_service_looks_at),
        cmocka_unit_test(vet__joins_lists_and_trims_values),
        cmocka_unit_test(vet__says_what_is_wrong),
        cmocka_unit_test(vet__misses_nothing_between_the_last_header_and_their_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
