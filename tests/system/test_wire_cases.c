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

#include <cmocka.h>

#include "service.h"
#include "wire.h"

#define SMUGGLED "GET /version HTTP/1.1\r\nHost: x\r\nX-Request-ID: smuggled\r\n\r\n"
#define POST "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n"
#define BODY "{\"logits\":[1,2]}" /* 16 bytes */
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define AS_CHUNK "10\r\n" BODY "\r\n0\r\n\r\n"

struct wire_case {
    const char *name;
    const char *bytes;
    unsigned status;
    bool goes_on;
};

static const struct wire_case cases[] = {
    /* sound */
    {"a length", POST "Content-Length: 16\r\n\r\n" BODY, 200, true},
    {"chunks", POST CHUNKED "\r\n" AS_CHUNK, 200, true},
    {"a chunk extension", POST CHUNKED "\r\n10;a=b\r\n" BODY "\r\n0\r\n\r\n", 200, true},
    {"a trailer", POST CHUNKED "\r\n10\r\n" BODY "\r\n0\r\nA: b\r\n\r\n", 200, true},
    {"chunk sizes in both cases",
     POST CHUNKED "\r\nA\r\n{\"logits\":\r\n6\r\n[1,2]}\r\n0\r\n\r\n", 200, true},
    {"a folded header", POST "A: b\r\n c\r\nContent-Length: 16\r\n\r\n" BODY, 200, true},
    {"an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 405, true},
    {"no body", "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n\r\n", 400, true},
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
    {"a chunk of -5", POST CHUNKED "\r\n-5\r\n" SMUGGLED, 400, false},
    {"a chunk of 0x5", POST CHUNKED "\r\n0x5\r\n" SMUGGLED, 400, false},
    {"a chunk without a size", POST CHUNKED "\r\n\r\n" SMUGGLED, 400, false},
    {"a chunk without its end", POST CHUNKED "\r\n10\r\n" BODY "0\r\n\r\n" SMUGGLED, 400,
     false},
    /* what is this? */
    {"no Host", "GET /livez HTTP/1.1\r\n\r\n" SMUGGLED, 400, false},
    {"two Hosts", "GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n" SMUGGLED, 400,
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

static void follow(const struct wire_case *wire_case, struct wire *wire)
{
    struct answer answer;
    bool answered;

    wire_text(wire, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    if (!wire_case->goes_on) {
        /* some refusals of the library itself have a second head in their body */
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

static void vetting__decides_every_case_by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire wire;
        struct answer answer;
        assert_true(wire_open(&wire, service.port));
        assert_true(wire_text(&wire, cases[i].bytes));
        if (!wire_answer(&wire, false, &answer))
            fail_msg("%s: no answer", cases[i].name);
        if (answer.status != cases[i].status)
            fail_msg("%s: %u, not %u: %s", cases[i].name, answer.status, cases[i].status,
                     answer.body);
        answer_release(&answer);
        follow(&cases[i], &wire);
        wire_close(&wire);
    }
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
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.body, "'A:' is not a method"));
    answer_release(&answer);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vetting__decides_every_case_by_the_table),
        cmocka_unit_test(vetting__lets_no_refused_request_bring_another_one),
        cmocka_unit_test(vetting__refuses_a_header_that_is_taken_for_a_request),
        cmocka_unit_test(vetting__explains_itself_with_a_problem),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
