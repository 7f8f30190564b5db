/* Refusals reach clients that send their whole body before they read a byte of
 * the answer, as most HTTP libraries do: every time, not mostly. */
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

enum { TRIES = 40, MIB = 1 << 20, BODY = 20 * MIB };

static struct service service;
static char *body; /* not JSON from its second byte on */
static size_t descriptors;

static int start(void **state)
{
    static const char *const flags[] = {
        "--max-body", "16MiB", "--memory-budget", "8MiB", "--small-body", "0", NULL};

    (void)state;
    body = malloc(BODY);
    memset(body, 'x', BODY);
    body[0] = '{';
    if (!service_start(&service, flags))
        return -1;
    descriptors = service_descriptors(&service);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(body);
    return service_stop(&service);
}

struct refusal {
    const char *head;
    size_t length; /* of the body that is sent all the same */
    bool chunked;
    unsigned status;
    const char *code;
};

static bool send_chunked(struct wire *wire, size_t length)
{
    for (size_t sent = 0; sent < length; sent += MIB)
        if (!wire_text(wire, "100000\r\n") || !wire_send(wire, body + sent, MIB) ||
            !wire_text(wire, "\r\n"))
            return false;
    return wire_text(wire, "0\r\n\r\n");
}

static void assert_refused(const struct refusal *refusal)
{
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, refusal->head));
    bool sent = refusal->chunked ? send_chunked(&wire, refusal->length)
                                 : wire_send(&wire, body, refusal->length);
    if (!sent)
        fail_msg("the connection broke while the body was sent");
    if (!wire_answer(&wire, false, &answer))
        fail_msg("no answer");
    assert_int_equal(answer.status, refusal->status);
    assert_non_null(strstr(answer.body, refusal->code));
    answer_release(&answer);
    wire_close(&wire);
}

static void assert_always_refused(struct refusal refusal)
{
    for (int i = 0; i < TRIES; i++)
        assert_refused(&refusal);
    /* and what was kept open for that is closed */
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

static void refusals__reach_a_sender_of_too_large_a_body(void **state)
{
    (void)state;
    assert_always_refused((struct refusal){"POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                           "Content-Length: 20971520\r\n\r\n",
                                           BODY, false, 413, "\"too_large\""});
}

static void refusals__reach_a_sender_to_an_unknown_route(void **state)
{
    (void)state;
    assert_always_refused((struct refusal){"POST /v1/lost HTTP/1.1\r\nHost: x\r\n"
                                           "Content-Length: 20971520\r\n\r\n",
                                           BODY, false, 404, "\"unknown_route\""});
}

static void refusals__reach_a_sender_of_bad_json_in_the_middle(void **state)
{
    (void)state;
    assert_always_refused((struct refusal){"POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                           "Content-Length: 5242880\r\n\r\n",
                                           5 * MIB, false, 400, "\"invalid_json\""});
}

static void refusals__reach_a_sender_of_bad_json_in_chunks(void **state)
{
    (void)state;
    assert_always_refused((struct refusal){"POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                           "Transfer-Encoding: chunked\r\n\r\n",
                                           BODY, true, 400, "\"invalid_json\""});
}

static void refusals__reach_a_sender_whose_request_is_unsound(void **state)
{
    (void)state;
    assert_always_refused(
        (struct refusal){"POST /v1/loss HTTP/1.1\r\nHost: x\r\nHost: y\r\n"
                         "Content-Length: 20971520\r\n\r\n",
                         BODY, false, 400, "\"bad_header\""});
}

static void refusals__reach_a_sender_for_whom_there_is_no_memory(void **state)
{
    struct wire holder;

    (void)state;
    /* one body under way has most of the budget reserved */
    assert_true(wire_open(&holder, service.port));
    assert_int_equal(wire_announce(&holder, "/v1/softmax", 9437184), 100);
    descriptors++;
    assert_always_refused((struct refusal){"POST /v1/softmax HTTP/1.1\r\nHost: x\r\n"
                                           "Content-Length: 5242880\r\n\r\n",
                                           5 * MIB, false, 503, "\"overloaded\""});
    descriptors--;
    wire_close(&holder);
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

static size_t write_post(char *out, const char *target, const char *text, size_t length)
{
    size_t len = (size_t)sprintf(out,
                                 "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: "
                                 "application/json\r\nContent-Length: %zu\r\n\r\n",
                                 target, length);

    memcpy(out + len, text, length);
    return len + length;
}

/* On one connection, cut into pieces of some length, or not at all. */
static void assert_refused_and_gone_on(const char *target, unsigned status, size_t length,
                                       size_t piece)
{
    static const char good[] = "{\"logits\":[[0,0]],\"labels\":[0]}";
    static char text[2 * MIB];
    struct wire wire;
    struct answer first, second;
    size_t len = write_post(text, target, body, length);

    len += write_post(text + len, "/v1/loss", good, sizeof good - 1);
    assert_true(wire_open(&wire, service.port));
    for (size_t at = 0; at < len; at += piece)
        assert_true(wire_send(&wire, text + at, len - at < piece ? len - at : piece));
    if (!wire_answer(&wire, false, &first) || !wire_answer(&wire, false, &second))
        fail_msg("no answer behind a body of %zu bytes in pieces of %zu", length, piece);
    assert_int_equal(first.status, status);
    assert_int_equal(second.status, 200);
    assert_non_null(strstr(second.body, "\"loss\":0.6931471805599453,"));
    answer_release(&first);
    answer_release(&second);
    wire_close(&wire);
}

static void refusals__end_with_the_body_that_is_dropped(void **state)
{
    static const size_t lengths[] = {1,     2,      4095,   12000,  12287,
                                     12288, 65535,  65536,  65537,  100000,
                                     MIB,   180001, 262143, 262144, 7 * 12184},
                        pieces[] = {2 * MIB, 65536, 12288, 5003};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
            assert_refused_and_gone_on("/v1/lost", 404, lengths[i], pieces[j]);
            assert_refused_and_gone_on("/v1/loss", 400, lengths[i], pieces[j]);
        }
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

/* The next client gets the same descriptor in the service. */
static void refusals__leave_the_next_client_alone(void **state)
{
    static char text[2 * MIB];

    (void)state;
    for (int i = 0; i < TRIES; i++) {
        struct wire leaves, comes;
        struct answer answer;
        size_t len = write_post(text, "/v1/lost", body, MIB);
        assert_true(wire_open(&leaves, service.port));
        assert_true(wire_send(&leaves, text, len / 2));
        wire_close(&leaves);
        assert_true(service_descriptors_fall_to(&service, descriptors));
        assert_true(wire_open(&comes, service.port));
        assert_true(
            wire_post(&comes, "/v1/loss", "{\"logits\":[[0,0]],\"labels\":[0]}", true));
        assert_true(wire_answer(&comes, false, &answer));
        assert_int_equal(answer.status, 200);
        answer_release(&answer);
        wire_close(&comes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals__reach_a_sender_of_too_large_a_body),
        cmocka_unit_test(refusals__reach_a_sender_to_an_unknown_route),
        cmocka_unit_test(refusals__reach_a_sender_of_bad_json_in_the_middle),
        cmocka_unit_test(refusals__reach_a_sender_of_bad_json_in_chunks),
        cmocka_unit_test(refusals__reach_a_sender_whose_request_is_unsound),
        cmocka_unit_test(refusals__reach_a_sender_for_whom_there_is_no_memory),
        cmocka_unit_test(refusals__end_with_the_body_that_is_dropped),
        cmocka_unit_test(refusals__leave_the_next_client_alone),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
