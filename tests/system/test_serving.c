/* Requests and answers on the wire, from clients that mean well. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batch_text.h"
#include "client.h"
#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"
#define TO_LOSS "POST /v1/loss?return=loss HTTP/1.1\r\nHost: x\r\n"

static struct service service;

static int start(void **state)
{
    static const char *const flags[] = {"--max-body", "1MiB", NULL};

    (void)state;
    return service_start(&service, flags) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

static void assert_answer(struct wire *wire, unsigned status, const char *in_body)
{
    struct answer answer;

    assert_true(wire_answer(wire, false, &answer));
    assert_int_equal(answer.status, status);
    if (!strstr(answer.body, in_body))
        fail_msg("'%s' is not in: %s", in_body, answer.body);
    answer_release(&answer);
}

static void assert_header(const struct answer *answer, const char *name,
                          const char *value)
{
    char found[300];

    assert_true(answer_header(answer, name, found));
    assert_string_equal(found, value);
}

static void open_wire(struct wire *wire)
{
    assert_true(wire_open(wire, service.port));
}

static void serving__keeps_a_connection_between_requests(void **state)
{
    struct wire wire;

    (void)state;
    open_wire(&wire);
    for (int i = 0; i < 3; i++) {
        assert_true(wire_post(&wire, "/v1/loss?return=loss", EXAMPLE, false));
        assert_answer(&wire, 200, "\"loss\":0.318539769649");
    }
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_answer(&wire, 200, "alive");
    wire_close(&wire);
}

static void serving__closes_when_the_client_asks_for_it(void **state)
{
    struct wire wire;
    struct answer answer;

    (void)state;
    open_wire(&wire);
    assert_true(wire_post(&wire, "/v1/loss?return=loss", EXAMPLE, true));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_header(&answer, "Connection", "close");
    answer_release(&answer);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

static void serving__answers_http_1_0(void **state)
{
    struct wire wire;

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, "GET /readyz HTTP/1.0\r\n\r\n"));
    assert_answer(&wire, 200, "ready");
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

static void serving__answers_head_with_the_headers_of_get(void **state)
{
    struct wire wire;
    struct answer get, head;
    char length[300];

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, "GET /v1/losses HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &get));
    assert_true(wire_text(&wire, "HEAD /v1/losses HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&wire, true, &head));
    assert_int_equal(head.status, 200);
    assert_true(answer_header(&get, "Content-Length", length));
    assert_header(&head, "Content-Length", length);
    assert_header(&head, "Content-Type", "application/json");
    answer_release(&get);
    answer_release(&head);
    /* and no body lies in front of the next answer */
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_answer(&wire, 200, "alive");
    wire_close(&wire);
}

static void serving__refuses_with_problems_and_goes_on(void **state)
{
    struct wire wire;
    struct answer answer;

    (void)state;
    open_wire(&wire);
    assert_true(wire_post(&wire, "/v1/lost", EXAMPLE, false));
    assert_answer(&wire, 404, "\"code\":\"unknown_route\"");

    assert_true(wire_text(&wire, "DELETE /v1/loss HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 405);
    assert_header(&answer, "Allow", "POST");
    assert_header(&answer, "Content-Type", "application/problem+json");
    answer_release(&answer);

    assert_true(wire_text(&wire, TO_LOSS "Content-Type: image/png\r\n"
                                         "Content-Length: 3\r\n\r\nabc"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 415);
    assert_non_null(strstr(answer.head, "Accept-Post: application/json"));
    answer_release(&answer);

    assert_true(wire_text(&wire, TO_LOSS "Content-Encoding: br\r\n"
                                         "Content-Length: 3\r\n\r\nabc"));
    assert_answer(&wire, 415, "\"code\":\"unsupported_encoding\"");

    assert_true(wire_post(&wire, "/v1/loss", "{\"logits\":[1,,2]}", false));
    assert_answer(&wire, 400, "\"code\":\"invalid_json\"");

    assert_true(wire_post(&wire, "/v1/loss?return=loss", EXAMPLE, false));
    assert_answer(&wire, 200, "\"loss\":0.31853976964918");
    wire_close(&wire);
}

static void serving__refuses_a_declared_length_over_the_limit_at_once(void **state)
{
    struct wire wire;

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, TO_LOSS "Expect: 100-continue\r\n"
                                         "Content-Length: 1048577\r\n\r\n"));
    assert_answer(&wire, 413, "\"limit\":1048576,\"flag\":\"--max-body\"");
    wire_close(&wire);
}

static void serving__refuses_a_chunked_body_when_it_grows_over_the_limit(void **state)
{
    struct wire wire;
    static char spaces[65536 + 1];

    (void)state;
    memset(spaces, ' ', sizeof spaces - 1);
    open_wire(&wire);
    assert_true(wire_text(&wire, TO_LOSS "Transfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 17; i++) /* the last one is too much */
        assert_true(wire_text(&wire, "10000\r\n") && wire_text(&wire, spaces) &&
                    wire_text(&wire, "\r\n"));
    assert_answer(&wire, 413, "\"code\":\"too_large\"");
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

static void serving__tells_a_client_that_waits_to_continue(void **state)
{
    struct wire wire;
    struct answer answer;

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, TO_LOSS "Expect: 100-continue\r\n"
                                         "Content-Length: 50\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 100);
    answer_release(&answer);
    assert_int_equal(strlen(EXAMPLE), 51);
    assert_true(
        wire_send(&wire, "{\"logits\":[[2,1,0.1],[0.5,2.5,.3]],\"labels\":[0,1]}", 50));
    assert_answer(&wire, 400, "invalid_json");
    wire_close(&wire);
}

static void serving__answers_who_waits_to_continue_with_nothing(void **state)
{
    struct wire wire;
    struct answer answer;

    (void)state;
    /* in one piece: what follows is there before the first is answered */
    open_wire(&wire);
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\n"
                                 "Expect: 100-continue\r\n\r\n"
                                 "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n"
                                 "Expect: 100-continue\r\nExpect: 100-Continue\r\n"
                                 "Content-Length: 0\r\n\r\n"
                                 "GET /readyz HTTP/1.1\r\nHost: x\r\n"
                                 "Connection: close\r\n\r\n"));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(wire_answer(&wire, false, &answer));
        assert_int_equal(answer.status, 100);
        answer_release(&answer);
        assert_answer(&wire, i ? 400 : 200, i ? "the body is empty" : "alive");
    }
    assert_answer(&wire, 200, "ready");
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

static void serving__takes_a_request_in_segments_of_one_byte(void **state)
{
    static const char request[] = TO_LOSS "Content-Length: 51\r\n\r\n" EXAMPLE;
    struct wire wire;

    (void)state;
    open_wire(&wire);
    for (size_t i = 0; i < sizeof request - 1; i++)
        assert_true(wire_send(&wire, request + i, 1));
    assert_answer(&wire, 200, "\"loss\":0.31853976964918");
    wire_close(&wire);
}

/* The library asks for 128 events at a time. */
static void serving__answers_any_number_of_requests_that_come_at_once(void **state)
{
    enum { FEWEST = 126, MOST = 130 };
    static const char *const flags[] = {"--net-threads", "1", NULL};
    struct service alone;
    struct wire wires[MOST];

    (void)state;
    assert_true(service_start(&alone, flags));
    for (size_t i = 0; i < MOST; i++) {
        assert_true(wire_open(&wires[i], alone.port));
        assert_true(wire_post(&wires[i], "/v1/loss?return=loss", EXAMPLE, false));
        assert_answer(&wires[i], 200, "\"loss\":0.31853976964918");
    }
    for (size_t count = FEWEST; count <= MOST; count++) {
        assert_int_equal(kill(alone.pid, SIGSTOP), 0);
        for (size_t i = 0; i < count; i++)
            assert_true(wire_post(&wires[i], "/v1/loss?return=loss", EXAMPLE, false));
        assert_int_equal(kill(alone.pid, SIGCONT), 0);
        for (size_t i = 0; i < count; i++)
            assert_answer(&wires[i], 200, "\"loss\":0.31853976964918");
    }
    for (size_t i = 0; i < MOST; i++)
        wire_close(&wires[i]);
    assert_int_equal(service_stop(&alone), 0);
}

static void serving__takes_a_body_in_chunks_of_one_byte(void **state)
{
    struct wire wire;
    char chunk[] = "1\r\n?\r\n";

    (void)state;
    open_wire(&wire);
    for (int round = 0; round < 2; round++) {
        assert_true(wire_text(&wire, TO_LOSS "Transfer-Encoding: chunked\r\n\r\n"));
        for (const char *at = EXAMPLE; *at; at++) {
            chunk[3] = *at;
            assert_true(wire_text(&wire, chunk));
        }
        assert_true(wire_text(&wire, "0\r\n\r\n"));
        assert_answer(&wire, 200, "\"loss\":0.31853976964918");
    }
    wire_close(&wire);
}

static void serving__answers_pipelined_requests_in_their_order(void **state)
{
    enum { REQUESTS = 500 };
    struct wire wire;
    char request[300], body[100], expected[100];

    (void)state;
    open_wire(&wire);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(body, sizeof body, "{\"logits\":[1,2],\"labels\":0,\"id\":\"%d\"}", i);
        snprintf(request, sizeof request, TO_LOSS "Content-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
        assert_true(wire_text(&wire, request));
    }
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(expected, sizeof expected, "{\"id\":\"%d\",", i);
        assert_answer(&wire, 200, expected);
    }
    wire_close(&wire);
}

static void serving__understands_an_absolute_target(void **state)
{
    struct wire wire;

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, "GET http://x:80/livez?a HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_answer(&wire, 200, "alive");
    assert_true(wire_text(&wire, "GET HTTP://x/livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_answer(&wire, 200, "alive");
    assert_true(wire_text(&wire, "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_answer(&wire, 200, "\"links\"");
    wire_close(&wire);
}

static void serving__takes_a_long_target(void **state)
{
    struct wire wire;
    static char target[4000];

    (void)state;
    strcpy(target, "/v1/loss?id=");
    memset(target + strlen(target), 'x', 120);
    strcat(target, "&return=loss");
    while (strlen(target) < 3900)
        strcat(target, ",loss");
    open_wire(&wire);
    assert_true(
        wire_text(&wire, "POST ") && wire_text(&wire, target) &&
        wire_text(&wire, " HTTP/1.1\r\nHost: x\r\nContent-Length: 51\r\n\r\n" EXAMPLE));
    assert_answer(&wire, 200, "\"id\":\"xxxxxxxx");
    wire_close(&wire);
}

static void serving__echoes_a_request_id_or_makes_one(void **state)
{
    struct wire wire;
    struct answer answer;
    char first[300], second[300];

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\n"
                                 "X-Request-ID: mine-1\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_header(&answer, "X-Request-ID", "mine-1");
    answer_release(&answer);
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
                                 "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_true(answer_header(&answer, "X-Request-ID", first));
    answer_release(&answer);
    assert_true(wire_answer(&wire, false, &answer));
    assert_true(answer_header(&answer, "X-Request-ID", second));
    answer_release(&answer);
    assert_true(strlen(first) >= 16);
    assert_string_not_equal(first, second);
    wire_close(&wire);
}

static void serving__tells_where_the_time_of_what_it_computes_went(void **state)
{
    struct wire wire;
    struct answer answer;
    char timing[300];

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, TO_LOSS "Content-Length: 51\r\n\r\n" EXAMPLE
                                         "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_true(answer_header(&answer, "Server-Timing", timing));
    assert_ptr_equal(strstr(timing, "recv;dur="), timing);
    assert_non_null(strstr(timing, ", compute;dur="));
    answer_release(&answer);
    assert_true(wire_answer(&wire, false, &answer));
    assert_false(answer_header(&answer, "Server-Timing", timing));
    answer_release(&answer);
    wire_close(&wire);
}

static void serving__sends_a_large_answer_in_pieces(void **state)
{
    enum { ROWS = 20000 };
    struct wire wire;
    struct answer answer, whole;
    char *body = batch_text(ROWS), head[200], value[300];

    (void)state;
    open_wire(&wire);
    assert_true(wire_post(&wire, "/v1/softmax?dtype=float32", body, false));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_header(&answer, "Transfer-Encoding", "chunked");
    size_t rows = 0;
    for (const char *at = answer.body; (at = strstr(at, ",0.632149")) != NULL; at++)
        rows++;
    assert_int_equal(rows, ROWS);
    assert_string_equal(answer.body + answer.body_length - 4, "]]}\n");

    /* HTTP/1.0 has no chunks: the same bytes until the end */
    snprintf(head, sizeof head,
             "POST /v1/softmax?dtype=float32 HTTP/1.0\r\nContent-Length: %zu\r\n\r\n",
             strlen(body));
    assert_true(wire_text(&wire, head) && wire_text(&wire, body));
    assert_true(wire_answer(&wire, false, &whole));
    assert_false(answer_header(&whole, "Transfer-Encoding", value));
    assert_int_equal(whole.body_length, answer.body_length);
    assert_memory_equal(whole.body, answer.body, answer.body_length);
    answer_release(&answer);
    answer_release(&whole);
    wire_close(&wire);
    free(body);
}

/* Asks with a header of that size in front.  The length of the answer's body, 0
 * when it was refused. */
static size_t ask_after_header(unsigned port, size_t size, const char *body)
{
    struct wire wire;
    struct answer answer;
    char *filler = malloc(size + 1), head[200];
    size_t length = 0;

    memset(filler, 'x', size);
    filler[size] = '\0';
    snprintf(head, sizeof head,
             "\r\nHost: x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
             strlen(body));
    assert_true(wire_open(&wire, port));
    wire_text(&wire, "POST /v1/softmax HTTP/1.1\r\nA: ");
    wire_text(&wire, filler);
    wire_text(&wire, head);
    wire_text(&wire, body);
    if (wire_answer(&wire, false, &answer) && answer.status == 200) {
        assert_string_equal(answer.body + answer.body_length - 4, "]]}\n");
        length = answer.body_length;
    }
    answer_release(&answer);
    wire_close(&wire);
    free(filler);
    return length;
}

static void serving__sends_a_large_answer_after_headers_that_fill_the_buffer(void **state)
{
    enum { ROWS = 700, STEP = 7, STEPS = 60 };
    char *body = batch_text(ROWS);
    /* short headers of the answer leave the least room for its body */
    static const char *const flags[] = {"--server-timing", "off", NULL};
    struct service brief;

    (void)state;
    assert_true(service_start(&brief, flags));
    size_t fits = 1000, does_not = 70000;
    size_t whole = ask_after_header(brief.port, fits, body);
    assert_true(whole > 65536);
    while (does_not - fits > 1) {
        size_t between = fits + (does_not - fits) / 2;
        if (ask_after_header(brief.port, between, body) > 0)
            fits = between;
        else
            does_not = between;
    }
    for (size_t i = 0; i < STEPS; i++)
        assert_int_equal(ask_after_header(brief.port, fits - i * STEP, body), whole);
    free(body);
    assert_int_equal(service_stop(&brief), 0);
}

static void serving__awaits_the_small_rest_of_a_refused_body(void **state)
{
    static char body[900000];
    struct wire wire;

    (void)state;
    memset(body, ' ', sizeof body - 1);
    body[0] = '?';
    open_wire(&wire);
    assert_true(wire_post(&wire, "/v1/loss", body, false));
    assert_answer(&wire, 400, "invalid_json");
    assert_true(wire_post(&wire, "/v1/loss?return=loss", EXAMPLE, false));
    assert_answer(&wire, 200, "\"loss\":0.31853976964918");
    wire_close(&wire);
}

static void serving__logs_a_line_for_each_request_but_probes(void **state)
{
    struct wire wire;

    (void)state;
    open_wire(&wire);
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\n"
                                 "X-Request-ID: a-probe\r\n\r\n"));
    assert_answer(&wire, 200, "alive");
    assert_true(wire_text(&wire, "BREW /livez HTTP/1.1\r\nHost: x\r\n"
                                 "X-Request-ID: no-probe\r\n\r\n"));
    assert_answer(&wire, 405, "/livez answers GET");
    assert_true(wire_text(&wire, TO_LOSS
                          "X-Request-ID: a-score\r\nContent-Length: 51\r\n"
                          "traceparent: 00-0af7651916cd43dd8448eb211c80319c-"
                          "b7ad6b7169203331-01\r\nUser-Agent: me\r\n\r\n" EXAMPLE));
    assert_answer(&wire, 200, "\"loss\"");
    assert_true(wire_text(&wire,
                          TO_LOSS "X-Request-ID: a-dataset\r\nContent-Length: 104\r\n"
                                  "Content-Type: application/x-ndjson\r\n\r\n" EXAMPLE
                                  "\n" EXAMPLE "\n"));
    assert_answer(&wire, 200, "\"count\":4");
    assert_true(wire_text(&wire, TO_LOSS "X-Request-ID: cut-short\r\n"
                                         "Content-Length: 51\r\n\r\n{\"logits\""));
    wire_close(&wire);
    assert_true(service_logs(&service, "cut-short"));
    char *log = service_log(&service);
    assert_null(strstr(log, "a-probe"));
    assert_non_null(strstr(log, "no-probe"));
    char *line = strstr(log, "a-score");
    assert_non_null(line);
    *strchr(line, '\n') = '\0';
    while (line > log && line[-1] != '\n')
        line--;
    assert_non_null(strstr(line,
                           "\"http.request.method\":\"POST\",\"url.path\":\"/v1/loss\","
                           "\"http.route\":\"/v1/loss\","
                           "\"http.response.status_code\":200,"
                           "\"http.request.body.size\":51,"));
    assert_non_null(
        strstr(line, "\"client.address\":\"127.0.0.1\",\"user_agent.original\":\"me\""));
    assert_non_null(strstr(line, "\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\""));
    assert_non_null(strstr(line, "\"rows\":2,\"classes\":3"));
    line += strlen(line) + 1;
    line = strstr(line, "a-dataset");
    assert_non_null(line);
    assert_non_null(strstr(line, "\"rows\":4,\"classes\":3"));
    line = strstr(line, "\"http.response.status_code\":499");
    assert_non_null(line);
    assert_non_null(strstr(line, "\"complete\":false"));
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serving__keeps_a_connection_between_requests),
        cmocka_unit_test(serving__closes_when_the_client_asks_for_it),
        cmocka_unit_test(serving__answers_http_1_0),
        cmocka_unit_test(serving__answers_head_with_the_headers_of_get),
        cmocka_unit_test(serving__refuses_with_problems_and_goes_on),
        cmocka_unit_test(serving__refuses_a_declared_length_over_the_limit_at_once),
        cmocka_unit_test(serving__refuses_a_chunked_body_when_it_grows_over_the_limit),
        cmocka_unit_test(serving__tells_a_client_that_waits_to_continue),
        cmocka_unit_test(serving__answers_who_waits_to_continue_with_nothing),
        cmocka_unit_test(serving__takes_a_request_in_segments_of_one_byte),
        cmocka_unit_test(serving__answers_any_number_of_requests_that_come_at_once),
        cmocka_unit_test(serving__takes_a_body_in_chunks_of_one_byte),
        cmocka_unit_test(serving__answers_pipelined_requests_in_their_order),
        cmocka_unit_test(serving__understands_an_absolute_target),
        cmocka_unit_test(serving__takes_a_long_target),
        cmocka_unit_test(serving__echoes_a_request_id_or_makes_one),
        cmocka_unit_test(serving__tells_where_the_time_of_what_it_computes_went),
        cmocka_unit_test(serving__sends_a_large_answer_in_pieces),
        cmocka_unit_test(
            serving__sends_a_large_answer_after_headers_that_fill_the_buffer),
        cmocka_unit_test(serving__awaits_the_small_rest_of_a_refused_body),
        cmocka_unit_test(serving__logs_a_line_for_each_request_but_probes),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
