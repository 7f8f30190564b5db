/* Requests that could be read in two ways, as bytes on the wire: what is the
 * first answer, does the connection go on, and is nothing executed that came in
 * the place of a body?  Every case is followed by a request of its own, which is
 * answered when the case was accepted, and never when it was refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "service.h"
#include "wire.h"

#define SMUGGLED "GET /version HTTP/1.1\r\nHost: x\r\nX-Request-ID: smuggled\r\n\r\n"
#define GET "GET /livez HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n"
#define BODY "{\"logits\":[1,2]}" /* 16 bytes */
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define AS_CHUNK "10\r\n" BODY "\r\n0\r\n\r\n"

/* A byte of FF stands for a NUL. */
struct wire_case {
    const char *name;
    const char *bytes;
    unsigned status;
    bool goes_on;
};

struct long_case {
    struct wire_case begins;
    unsigned times; /* then follows so often */
    const char *repeated, *rest;
};

static const struct wire_case cases[] = {
    /* sound */
    {"a length", POST "Content-Length: 16\r\n\r\n" BODY, 200, true},
    {"chunks", POST CHUNKED "\r\n" AS_CHUNK, 200, true},
    {"a chunk extension", POST CHUNKED "\r\n10;a=b\r\n" BODY "\r\n0\r\n\r\n", 200, true},
    {"a trailer", POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\nA: b\r\n\r\n", 200, true},
    {"a colon that begins a trailer behind another",
     POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\nA: b\r\n: c\r\n", 200, false},
    {"a colon in place of the end of trailers",
     POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\nA: b\r\n:\r\n", 200, false},
    {"a NUL in place of the end of trailers",
     POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\nA: b\r\n\xff\r\n", 200, false},
    {"a NUL in place of trailers", POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\n\xff\r\n",
     200, false},
    {"a NUL that begins a trailer", POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\n\xff: c\n",
     200, false},
    {"chunk sizes in both cases",
     POST CHUNKED "\r\nA\r\n{\"logits\":\r\n6\r\n[1,2]}\r\n0\r\n\r\n", 200, true},
    {"a folded header", POST "A: b\r\n c\r\nContent-Length: 16\r\n\r\n" BODY, 200, true},
    {"an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 405, true},
    {"no body", "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n\r\n", 400, true},
    {"Chunked", POST "Transfer-Encoding: Chunked\r\n\r\n" AS_CHUNK, 200, true},
    {"zeros before a chunk size", POST CHUNKED "\r\n0010\r\n" BODY "\r\n0\r\n\r\n", 200,
     true},
    {"zeros before a length", POST "Content-Length: 0016\r\n\r\n" BODY, 200, true},
    {"a length in a trailer",
     POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\nContent-Length: 75\r\n\r\n", 200, true},
    {"empty lines before it", "\r\n\r\n" GET "\r\n", 200, true},
    {"an absolute target", "GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n", 200, true},
    {"an absolute target of https", "GET HTTPS://x:1/livez HTTP/1.1\r\nHost: x\r\n\r\n",
     200, true},
    {"an absolute target without a path", "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", 200,
     true},
    {"an absolute target of a query alone",
     "GET http://x?pretty HTTP/1.1\r\nHost: x\r\n\r\n", 200, true},
    {"an authority", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 404, true},
    {"an asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, true},
    {"a method in small letters", "get /livez HTTP/1.1\r\nHost: x\r\n\r\n", 405, true},
    {"an underscore in a name",
     POST "Content_Length: 5\r\nContent-Length: 16\r\n\r\n" BODY, 200, true},
    {"a Host that is empty", "GET /livez HTTP/1.1\r\nHost:\r\n\r\n", 200, true},
    {"bytes above ASCII in a value", GET "A: \xc3\xa4\xfe\r\n\r\n", 200, true},
    /* what the library lets through, and does not show us */
    {"lines that end in LF",
     "POST /v1/softmax HTTP/1.1\nHost: x\nContent-Length: 16\n\n" BODY, 200, true},
    {"chunk lines that end in LF", POST CHUNKED "\r\n10\n" BODY "\n0\n\n", 200, true},
    {"a chunk extension that ends in LF",
     POST CHUNKED "\r\n10;a=b\n" BODY "\r\n0\r\n\r\n", 200, true},
    {"a NUL in a value",
     "GET /livez HTTP/1.1\r\nA: b\xff"
     "c\r\nHost: x\r\n\r\n",
     200, true},
    {"a NUL in the target",
     "GET /livez\xff"
     "x HTTP/1.1\r\nHost: x\r\n\r\n",
     200, true},
    {"%00 in the target", "GET /livez%00x HTTP/1.1\r\nHost: x\r\n\r\n", 404, true},
    {"a blank in the target", "GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n", 404, true},
    {"two blanks before the target", "GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n", 200,
     true},
    /* where does the body end? */
    {"a length twice", POST "Content-Length: 16\r\nContent-Length: 16\r\n\r\n" BODY, 400,
     false},
    {"two lengths", POST "Content-Length: 16\r\nContent-Length: 3\r\n\r\n" BODY, 400,
     false},
    {"two lengths, the other way",
     POST "Content-Length: 0\r\nContent-Length: 75\r\n\r\n" SMUGGLED, 400, false},
    {"a length and chunks", POST "Content-Length: 4\r\n" CHUNKED "\r\n" AS_CHUNK, 400,
     false},
    {"chunks and a length", POST CHUNKED "Content-Length: 75\r\n\r\n0\r\n\r\n" SMUGGLED,
     400, false},
    {"chunked twice", POST CHUNKED CHUNKED "\r\n" AS_CHUNK, 400, false},
    {"identity", POST "Transfer-Encoding: identity\r\n\r\n" SMUGGLED, 400, false},
    {"gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n" AS_CHUNK, 400,
     false},
    {"xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n" AS_CHUNK, 400, false},
    {"VT chunked",
     POST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n" AS_CHUNK,
     400, false},
    {"a blank behind chunked", POST "Transfer-Encoding: chunked \r\n\r\n" AS_CHUNK, 400,
     false},
    {"a tab behind chunked", POST "Transfer-Encoding: chunked\t\r\n\r\n" AS_CHUNK, 400,
     false},
    {"an empty coding", POST "Transfer-Encoding:\r\n\r\n" AS_CHUNK, 400, false},
    {"chunked in quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n" AS_CHUNK, 400,
     false},
    {"chunked, chunked", POST "Transfer-Encoding: chunked, chunked\r\n\r\n" AS_CHUNK, 400,
     false},
    {"chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n" AS_CHUNK,
     400, false},
    {"chunked with a parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n" AS_CHUNK,
     400, false},
    {"a blank before the colon of TE",
     POST "Transfer-Encoding : chunked\r\n\r\n" AS_CHUNK SMUGGLED, 400, false},
    {"a blank before the colon of CL", POST "Content-Length : 75\r\n\r\n" SMUGGLED, 400,
     false},
    {"a tab before the colon of CL", POST "Content-Length\t: 75\r\n\r\n" SMUGGLED, 400,
     false},
    {"TE folded", POST "Transfer-Encoding:\r\n chunked\r\n\r\n" AS_CHUNK SMUGGLED, 400,
     false},
    {"CL folded", POST "Content-Length:\r\n 75\r\n\r\n" SMUGGLED, 400, false},
    {"chunks in HTTP/1.0", "POST /v1/softmax HTTP/1.0\r\n" CHUNKED "\r\n" AS_CHUNK, 400,
     false},
    {"2^64-1", POST "Content-Length: 18446744073709551615\r\n\r\n" SMUGGLED, 413, false},
    {"2^63", POST "Content-Length: 9223372036854775808\r\n\r\n" SMUGGLED, 413, false},
    {"over the limit", POST "Content-Length: 1073741824\r\n\r\n" SMUGGLED, 413, false},
    {"2^64", POST "Content-Length: 18446744073709551616\r\n\r\n" SMUGGLED, 413, false},
    {"-1", POST "Content-Length: -1\r\n\r\n" SMUGGLED, 400, false},
    {"+5", POST "Content-Length: +5\r\n\r\n" SMUGGLED, 400, false},
    {"0x5", POST "Content-Length: 0x5\r\n\r\n" SMUGGLED, 400, false},
    {"5, 5", POST "Content-Length: 5, 5\r\n\r\n" SMUGGLED, 400, false},
    {"an empty length", POST "Content-Length:\r\n\r\n" SMUGGLED, 400, false},
    {"a blank behind a length", POST "Content-Length: 16 \r\n\r\n" BODY, 400, false},
    {"a tab behind a length", POST "Content-Length: 16\t\r\n\r\n" BODY, 400, false},
    {"5 5", POST "Content-Length: 5 5\r\n\r\n" SMUGGLED, 400, false},
    {"1e1", POST "Content-Length: 1e1\r\n\r\n" SMUGGLED, 400, false},
    {"16.0", POST "Content-Length: 16.0\r\n\r\n" BODY, 400, false},
    {"a NUL in a length",
     POST "Content-Length: 16\xff"
          "1\r\n\r\n" BODY,
     400, false},
    {"a NUL in a coding",
     POST "Transfer-Encoding: chunked\xff"
          ", gzip\r\n\r\n" AS_CHUNK,
     400, false},
    {"a chunk of -5", POST CHUNKED "\r\n-5\r\n" SMUGGLED, 400, false},
    {"a chunk of 0x5", POST CHUNKED "\r\n0x5\r\n" SMUGGLED, 400, false},
    {"a chunk without a size", POST CHUNKED "\r\n\r\n" SMUGGLED, 400, false},
    {"a chunk of +10", POST CHUNKED "\r\n+10\r\n" BODY "\r\n0\r\n\r\n", 400, false},
    {"a blank behind a chunk size", POST CHUNKED "\r\n10 \r\n" BODY "\r\n0\r\n\r\n", 400,
     false},
    {"a chunk of 2^64-1", POST CHUNKED "\r\nFFFFFFFFFFFFFFFF\r\n" BODY "\r\n" SMUGGLED,
     400, false},
    {"a chunk of 2^68-1", POST CHUNKED "\r\nFFFFFFFFFFFFFFFFF\r\n" BODY "\r\n" SMUGGLED,
     413, false},
    {"a chunk that is longer than it says", POST CHUNKED "\r\n1\r\n" BODY SMUGGLED, 400,
     false},
    {"a chunk without its end", POST CHUNKED "\r\n10\r\n" BODY "0\r\n\r\n" SMUGGLED, 400,
     false},
    /* what is this? */
    {"no Host", "GET /livez HTTP/1.1\r\n\r\n" SMUGGLED, 400, false},
    {"two Hosts", "GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n" SMUGGLED, 400,
     false},
    {"a Host that is none", "GET /livez HTTP/1.1\r\nHost: a b/c@[\r\n\r\n" SMUGGLED, 400,
     false},
    {"HTTP/1.2", "GET /livez HTTP/1.2\r\nHost: x\r\n\r\n" SMUGGLED, 400, false},
    {"a colon in the method", "GET: /livez HTTP/1.1\r\nHost: x\r\n\r\n" SMUGGLED, 400,
     false},
    {"a quote in the method", "\"GET\" /livez HTTP/1.1\r\nHost: x\r\n\r\n" SMUGGLED, 400,
     false},
    {"a blank in a name", "GET /livez HTTP/1.1\r\nHost: x\r\na b: c\r\n\r\n" SMUGGLED,
     400, false},
    {"a control in a name", "GET /livez HTTP/1.1\r\nHost: x\r\na\x01: c\r\n\r\n" SMUGGLED,
     400, false},
    {"a control in a value", "GET /livez HTTP/1.1\r\nHost: x\r\na: \x1b\r\n\r\n" SMUGGLED,
     400, false},
    {"DEL in a name", GET "a\x7f: b\r\n\r\n" SMUGGLED, 400, false},
    {"a bare CR in a value", GET "a: b\rc\r\n\r\n" SMUGGLED, 400, false},
    {"a bare CR before a coding", GET "a: b\r" CHUNKED "\r\n" SMUGGLED, 400, false},
    {"a blank before the first name", "GET /livez HTTP/1.1\r\n Host: x\r\n\r\n" SMUGGLED,
     400, false},
    {"a header without a colon", GET "abc\r\n\r\n" SMUGGLED, 400, false},
    {"a header without a name, the first",
     "GET /livez HTTP/1.1\r\n: b\r\nHost: x\r\n\r\n" SMUGGLED, 400, false},
    {"a header without a name, the last", GET ": b\r\n\r\n" SMUGGLED, 400, false},
    {"a header without a name before a length",
     POST ": b\r\nContent-Length: 16\r\n\r\n" BODY, 400, false},
    {"a header without a name before a line like a first one", GET ":\r\n" SMUGGLED, 400,
     false},
    {"a header without a name, between lines that end in LF",
     "GET /livez HTTP/1.1\nHost: x\n:\n" SMUGGLED, 400, false},
    {"a header without a name, with a value and LF",
     "GET /livez HTTP/1.1\nHost: x\n:b\n" SMUGGLED, 400, false},
    {"a header without a name, and CR LF after LF",
     "GET /livez HTTP/1.1\nHost: x\n:\r\n" SMUGGLED, 400, false},
    {"a header without a name, and LF after CR LF",
     "GET /livez HTTP/1.1\nHost: x\r\n:\n" SMUGGLED, 400, false},
    {"a folded header, the last", GET "A: b\r\n c\r\n\r\n" SMUGGLED, 400, false},
    {"HTTP/1.0 without Host", "GET /livez HTTP/1.0\r\n\r\n", 200, false},
    {"HTTP/1.10", "GET /livez HTTP/1.10\r\nHost: x\r\n\r\n" SMUGGLED, 400, false},
    {"HTTP/2.0", "GET /livez HTTP/2.0\r\nHost: x\r\n\r\n" SMUGGLED, 505, false},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, false},
    {"http/1.1", "GET /livez http/1.1\r\nHost: x\r\n\r\n" SMUGGLED, 400, false},
    {"no version", "GET /livez\r\n\r\n" SMUGGLED, 400, false},
    {"an expectation that cannot be met",
     POST "Expect: x\r\nContent-Length: 16\r\n\r\n" BODY, 417, false},
};

static const struct long_case long_cases[] = {
    {{"a chunk extension of 20 KB", POST CHUNKED "\r\n10;a=", 200, true},
     20480,
     "x",
     "\r\n" BODY "\r\n0\r\n\r\n"},
    {{"100 headers", GET, 200, true}, 100, "A: b\r\n", "\r\n"},
    {{"500 headers", GET, 431, false}, 500, "A: b\r\n", "\r\n"},
    {{"5000 headers", GET, 431, false}, 5000, "A: b\r\n", "\r\n"},
    {{"a header of 20 KB", GET "A: ", 200, true}, 20480, "b", "\r\n\r\n"},
    {{"a header of 40 KB", GET "A: ", 431, false}, 40960, "b", "\r\n\r\n"},
    {{"a target of 20 KB", "GET /livez?", 200, true},
     20480,
     "a",
     " HTTP/1.1\r\nHost: x\r\n\r\n"},
    {{"2000 arguments", "GET /livez?", 200, true},
     2000,
     "a&",
     " HTTP/1.1\r\nHost: x\r\n\r\n"},
    {{"a target of 40 KB", "GET /livez?", 414, false},
     40960,
     "a",
     " HTTP/1.1\r\nHost: x\r\n\r\n"},
};

static struct service service;

static int start(void **state)
{
    (void)state;
    return service_start(&service, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

static bool send_bytes(struct wire *wire, const char *text)
{
    size_t len = strlen(text);
    char *bytes = strdup(text);

    for (size_t i = 0; i < len; i++)
        if (text[i] == '\xff')
            bytes[i] = '\0';
    bool sent = wire_send(wire, bytes, len);
    free(bytes);
    return sent;
}

/* What is too large may be refused before it is all there. */
static void send_rest(struct wire *wire, const struct long_case *long_case)
{
    size_t len = strlen(long_case->repeated);
    char *text = malloc(long_case->times * len);

    for (size_t i = 0; i < long_case->times; i++)
        memcpy(text + i * len, long_case->repeated, len);
    wire_send(wire, text, long_case->times * len);
    wire_text(wire, long_case->rest);
    free(text);
}

static void follow(const struct wire_case *wire_case, struct wire *wire)
{
    struct answer answer;
    bool answered;

    if (!wire_case->goes_on)
        wire_text(wire, SMUGGLED);
    wire_text(wire, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    if (!wire_case->goes_on) {
        if (strstr(wire_rest(wire), "HTTP/1"))
            fail_msg("%s: another answer follows: %s", wire_case->name, wire->unread);
        return;
    }
    answered = wire_answer(wire, false, &answer);
    if (!answered || answer.status != 200 || !strstr(answer.body, "ready"))
        fail_msg("%s: the connection does not go on", wire_case->name);
    answer_release(&answer);
    assert_true(wire_ends(wire));
}

/* In one piece with the end of a body that nobody looks at. */
static void vetting__sees_trailers_that_end_early_behind_a_long_body(void **state)
{
    enum { BLANKS = 60000 };
    static const char head[] = POST "Content-Length: 60016\r\n\r\n";
    static const char rest[] =
        BODY POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\nA: b\r\n: c\r\n" SMUGGLED;
    static char text[sizeof head + BLANKS + sizeof rest];
    struct wire wire;
    struct answer answer;

    (void)state;
    int len = snprintf(text, sizeof text, "%s%*s%s", head, BLANKS, "", rest);
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_send(&wire, text, (size_t)len));
    for (int i = 0; i < 2; i++) {
        assert_true(wire_answer(&wire, false, &answer));
        assert_int_equal(answer.status, 200);
        answer_release(&answer);
    }
    assert_null(strstr(wire_rest(&wire), "HTTP/1"));
    wire_close(&wire);
}

/* What is not answered is explained in one problem, whoever has found it. */
static void assert_problem(const struct wire_case *wire_case, const struct answer *answer)
{
    char type[300] = "";
    cJSON *problem = cJSON_Parse(answer->body);
    const cJSON *status = cJSON_GetObjectItem(problem, "status");

    answer_header(answer, "Content-Type", type);
    if (strcmp(type, "application/problem+json") != 0 || !cJSON_IsNumber(status) ||
        status->valueint != (int)answer->status ||
        !cJSON_IsString(cJSON_GetObjectItem(problem, "code")))
        fail_msg("%s: no problem: %s: %s", wire_case->name, type, answer->body);
    cJSON_Delete(problem);
}

/* `rest` may be NULL. */
static void assert_decides(const struct wire_case *wire_case,
                           const struct long_case *rest)
{
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, service.port));
    assert_true(send_bytes(&wire, wire_case->bytes));
    if (rest)
        send_rest(&wire, rest);
    if (!wire_answer(&wire, false, &answer))
        fail_msg("%s: no answer", wire_case->name);
    if (answer.status != wire_case->status)
        fail_msg("%s: %u, not %u: %s", wire_case->name, answer.status, wire_case->status,
                 answer.body);
    if (answer.status >= 400)
        assert_problem(wire_case, &answer);
    answer_release(&answer);
    follow(wire_case, &wire);
    wire_close(&wire);
}

static void vetting__decides_every_case_by_the_table(void **state)
{
    enum { CASES = sizeof cases / sizeof *cases };

    (void)state;
    print_message("%d cases\n", CASES);
    for (size_t i = 0; i < CASES; i++)
        assert_decides(&cases[i], NULL);
}

static void vetting__decides_long_cases_by_the_table(void **state)
{
    enum { CASES = sizeof long_cases / sizeof *long_cases };

    (void)state;
    print_message("%d cases\n", CASES);
    for (size_t i = 0; i < CASES; i++)
        assert_decides(&long_cases[i].begins, &long_cases[i]);
}

static void vetting__lets_no_refused_request_bring_another_one(void **state)
{
    (void)state;
    /* all answers above have been read, so all has been logged but the last */
    struct wire wire;
    struct answer answer;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "GET /version HTTP/1.1\r\nHost: x\r\n"
                                 "X-Request-ID: the-end\r\nConnection: close\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    answer_release(&answer);
    wire_close(&wire);
    assert_true(service_logs(&service, "the-end"));
    char *log = service_log(&service);
    assert_null(strstr(log, "smuggled"));
    free(log);
}

/* The library takes a header without a name for the end of the headers, and the next
 * one for a request, of which a proxy in front knows nothing. */
static void vetting__refuses_a_header_that_is_taken_for_a_request(void **state)
{
    struct wire wire;
    struct answer answer;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\n: y\r\n"
                                 "A: /version HTTP/1.1\r\nHost: x\r\n\r\n" SMUGGLED));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 400);
    answer_release(&answer);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

/* The status of a request with so many bytes of header.  A refusal is all that comes, and
 * without a body to HEAD. */
static unsigned status_after_header(const char *method, const char *value, size_t bytes)
{
    bool to_head = strcmp(method, "HEAD") == 0;
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, method) &&
                wire_text(&wire, " /livez HTTP/1.1\r\nHost: x\r\nA: "));
    wire_send(&wire, value, bytes);
    wire_text(&wire, "\r\n\r\n");
    if (!wire_answer(&wire, to_head, &answer))
        fail_msg("no answer to %s with a header of %zu bytes", method, bytes);
    unsigned status = answer.status;
    if (status != 200)
        assert_string_equal(wire_rest(&wire), "");
    answer_release(&answer);
    wire_close(&wire);
    return status;
}

static void vetting__names_the_ceiling_of_headers_and_addresses(void **state)
{
    static const struct {
        const char *before, *behind;
        unsigned status;
    } rows[] = {
        {"GET /livez HTTP/1.1\r\nHost: x\r\nA: ", "\r\n\r\n", 431},
        {"GET /livez?", " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
    };
    static char filling[40961];

    (void)state;
    memset(filling, 'b', sizeof filling - 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire wire;
        struct answer answer;
        assert_true(wire_open(&wire, service.port));
        wire_text(&wire, rows[i].before);
        wire_text(&wire, filling);
        wire_text(&wire, rows[i].behind);
        assert_true(wire_answer(&wire, false, &answer));
        assert_int_equal(answer.status, rows[i].status);
        assert_non_null(
            strstr(answer.body, "\"limit\":24576,\"flag\":\"--connection-memory\""));
        answer_release(&answer);
        wire_close(&wire);
    }
}

/* The head of an answer has to fit behind the request's. */
static void vetting__answers_every_head_that_nearly_fills_the_buffer(void **state)
{
    enum { BUFFER = 24 << 10, ROOM = 1200, STEP = 23 };
    static const char *const methods[] = {"GET", "HEAD"};
    static char value[BUFFER + 1];

    (void)state;
    memset(value, 'b', BUFFER);
    for (size_t m = 0; m < 2; m++) {
        size_t fits = 0, too_large = 0;
        for (size_t left = ROOM; left > 0; left = left > STEP ? left - STEP : 0) {
            unsigned status = status_after_header(methods[m], value, BUFFER - left);
            fits += status == 200;
            too_large += status == 431;
        }
        assert_true(fits > 0 && too_large > 0);
        assert_int_equal(fits + too_large, (ROOM + STEP - 1) / STEP);
    }
}

/* So has it behind what the library notes of a request besides its headers. */
static const struct crowd {
    const char *what, *before, *each, *behind;
    size_t from, to, step; /* how many of them */
} crowds[] = {
    /* behind a NUL, for which a tab stands, the library looks for arguments */
    {"arguments", "GET /livez\tHTTP/1.1\t?", "a&", " HTTP/1.1\r\nHost: x\r\n\r\n", 280,
     384, 1},
    {"bytes before the only argument", "GET /livez\t", "b",
     "?a HTTP/1.1\r\nHost: x\r\n\r\n", 23400, 24500, 4},
    {"bytes behind what is no version", "GET /livez\tHTTP/1.1\t", "b",
     "?a HTTP/1.1\r\nHost: x\r\n\r\n", 24000, 24500, 3},
    {"bytes before a body", POST "Content-Length: 16\r\nA: ", "b", "\r\n\r\n" BODY, 23500,
     24400, 1},
    {"cookies", "GET /livez HTTP/1.1\r\nHost: x\r\nCookie: ", "a=b; ", "c=d\r\n\r\n", 300,
     380, 1},
    {"trailers", POST "Transfer-Encoding: chunked\r\n\r\n10\r\n" BODY "\r\n0\r\n",
     "X: a\r\n", "\r\n", 320, 380, 1},
    {"bytes of a trailer",
     POST "Transfer-Encoding: chunked\r\n\r\n10\r\n" BODY "\r\n0\r\nX: ", "a", "\r\n\r\n",
     23600, 24500, 20},
};

static unsigned status_of_crowd(const struct crowd *crowd, size_t count)
{
    static char text[1 << 16];
    struct wire wire;
    struct answer answer;
    char *at = stpcpy(text, crowd->before);

    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, crowd->each);
    at = stpcpy(at, crowd->behind);
    size_t len = (size_t)(at - text);
    while ((at = memchr(text, '\t', len)))
        *at = '\0';
    assert_true(wire_open(&wire, service.port));
    wire_send(&wire, text, len);
    if (!wire_answer(&wire, false, &answer))
        fail_msg("no answer to %zu %s", count, crowd->what);
    unsigned status = answer.status;
    answer_release(&answer);
    wire_close(&wire);
    return status;
}

static void vetting__answers_every_crowd_that_nearly_fills_the_buffer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crowds / sizeof *crowds; i++) {
        size_t fits = 0, too_large = 0, asked = 0;
        for (size_t n = crowds[i].from; n <= crowds[i].to; n += crowds[i].step) {
            unsigned status = status_of_crowd(&crowds[i], n);
            fits += status == 200;
            too_large += status == 431;
            asked++;
        }
        if (fits == 0 || too_large == 0 || fits + too_large != asked)
            fail_msg("%s: of %zu, %zu fit and %zu are too many", crowds[i].what, asked,
                     fits, too_large);
    }
}

/* A head that is refused, and behind it what fills the rest of the buffer: of some lengths of
 * the head there is no room left for that of the answer. */
static void vetting__answers_where_what_comes_behind_fills_the_buffer(void **state)
{
    enum { HEADS = 64, BEHIND = 13000 };
    static char text[BEHIND + 256];
    struct wire wire;
    struct answer answer;

    (void)state;
    for (int more = 0; more < HEADS; more++) {
        int len = snprintf(
            text, sizeof text, "(%.*s /v1/loss HTTP/1.1\r\nA: b\r\n c\r\n\r\n", more,
            "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((");
        memset(text + len, 'a', BEHIND);
        assert_true(wire_open(&wire, service.port));
        wire_send(&wire, text, (size_t)len + BEHIND);
        if (!wire_answer(&wire, false, &answer))
            fail_msg("no answer to a head of %d bytes", len);
        assert_int_equal(answer.status, 400);
        answer_release(&answer);
        wire_close(&wire);
    }
}

static void vetting__explains_itself_with_a_problem(void **state)
{
    struct wire wire;
    struct answer answer;
    char value[300];

    (void)state;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, POST "Transfer-Encoding: gzip\r\n\r\nabc"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_true(answer_header(&answer, "Connection", value));
    assert_string_equal(value, "close");
    assert_true(answer_header(&answer, "Content-Type", value));
    assert_string_equal(value, "application/problem+json");
    assert_non_null(strstr(answer.body, "\"code\":\"bad_header\""));
    assert_non_null(strstr(answer.body, "Transfer-Encoding is 'gzip'"));
    answer_release(&answer);
    wire_close(&wire);
}

/* Also to HEAD, behind another request: the head alone, and no more. */
static void vetting__explains_what_the_library_cannot_read(void **state)
{
    struct wire wire;
    struct answer answer;
    char value[300];

    (void)state;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, GET "\r\nHEAD /livez HTTP/1.1\r\nHost x\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    assert_true(wire_answer(&wire, true, &answer));
    assert_int_equal(answer.status, 400);
    assert_true(answer_header(&answer, "Content-Type", value));
    assert_string_equal(value, "application/problem+json");
    answer_release(&answer);
    assert_string_equal(wire_rest(&wire), "");
    wire_close(&wire);
}

static void assert_header(const struct answer *answer, const char *name,
                          const char *wanted)
{
    char value[300];

    answer_header(answer, name, value);
    assert_string_equal(value, wanted);
}

/* Behind another request; a problem, and nothing after it. */
static void assert_no_length(const char *length, unsigned status, const char *code)
{
    char text[300];
    struct answer answer;
    struct wire wire;

    assert_true(wire_open(&wire, service.port));
    snprintf(text, sizeof text,
             GET "\r\n" POST "X-Request-ID: no-length\r\nContent-Length: %s\r\n\r\n",
             length);
    assert_true(wire_text(&wire, text));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, status);
    assert_header(&answer, "Content-Type", "application/problem+json");
    assert_header(&answer, "Connection", "close");
    assert_header(&answer, "X-Request-ID", "no-length");
    snprintf(text, sizeof text, "\"code\":\"%s\"", code);
    assert_non_null(strstr(answer.body, text));
    answer_release(&answer);
    assert_string_equal(wire_rest(&wire), "");
    wire_close(&wire);
}

/* The library refuses these by itself, before it asks us. */
static void vetting__explains_what_is_no_length(void **state)
{
    static const char *const none[] = {"abc", "-1", "+27", "", "5, 5", "0x5"};
    static const char *const too_large[] = {"18446744073709551616",
                                            "99999999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_no_length(none[i], 400, "bad_header");
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++)
        assert_no_length(too_large[i], 413, "too_large");
    assert_true(service_logs(&service, "\"request_id\":\"no-length\""));
    char *log = service_log(&service); /* whoever asked has read the whole answer */
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "no-length"))
            assert_null(strstr(line, "\"complete\":false"));
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vetting__decides_every_case_by_the_table),
        cmocka_unit_test(vetting__sees_trailers_that_end_early_behind_a_long_body),
        cmocka_unit_test(vetting__decides_long_cases_by_the_table),
        cmocka_unit_test(vetting__lets_no_refused_request_bring_another_one),
        cmocka_unit_test(vetting__refuses_a_header_that_is_taken_for_a_request),
        cmocka_unit_test(vetting__names_the_ceiling_of_headers_and_addresses),
        cmocka_unit_test(vetting__answers_every_head_that_nearly_fills_the_buffer),
        cmocka_unit_test(vetting__answers_every_crowd_that_nearly_fills_the_buffer),
        cmocka_unit_test(vetting__answers_where_what_comes_behind_fills_the_buffer),
        cmocka_unit_test(vetting__explains_itself_with_a_problem),
        cmocka_unit_test(vetting__explains_what_the_library_cannot_read),
        cmocka_unit_test(vetting__explains_what_is_no_length),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
