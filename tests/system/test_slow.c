/* Clients that hold on to their connection without using it are let go, and none
 * other is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

static struct service service;
static size_t descriptors;

static int start(void **state)
{
    static const char *const flags[] = {"--header-timeout",
                                        "400ms",
                                        "--body-timeout",
                                        "600ms",
                                        "--write-timeout",
                                        "600ms",
                                        "--keepalive-timeout",
                                        "1h",
                                        NULL};

    (void)state;
    if (!service_start(&service, flags))
        return -1;
    descriptors = service_descriptors(&service);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Sends the text again and again, a byte now and then, until the other end has
 * had enough. */
static void drip(struct wire *wire, const char *text)
{
    char byte;
    size_t at = 0;

    for (int sent = 0; sent < 1500; sent++) {
        if (!wire_send(wire, &text[at], 1) ||
            recv(wire->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
            return;
        at = text[at + 1] ? at + 1 : 0;
        pause_ms(20);
    }
    fail_msg("the connection is still there");
}

static void ask_once(struct wire *wire)
{
    struct answer answer;

    assert_true(wire_post(wire, "/v1/loss", EXAMPLE, false));
    assert_true(wire_answer(wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
}

static void slow__headers_end_the_connection(void **state)
{
    struct wire wire;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\n"));
    drip(&wire, "A: b\r\n");
    assert_true(wire_ends(&wire));
    wire_close(&wire);
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

static void slow__first_lines_end_the_connection(void **state)
{
    struct wire wire;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    drip(&wire, "GET_");
    wire_close(&wire);
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

static void slow__silence_ends_a_connection_that_never_asked(void **state)
{
    struct wire wire;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

static void slow__headers_after_an_honest_request_end_the_connection(void **state)
{
    struct wire wire;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    ask_once(&wire);
    drip(&wire, "GET_");
    wire_close(&wire);
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

/* Before anybody has looked at the connection while it was idle. */
static void slow__headers_right_behind_an_answer_end_the_connection(void **state)
{
    struct wire wire;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    ask_once(&wire);
    assert_true(wire_text(&wire, "GET /li"));
    assert_true(wire_ends(&wire));
    wire_close(&wire);
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

static void slow__silence_after_an_honest_request_does_not(void **state)
{
    struct wire wire;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    ask_once(&wire);
    pause_ms(1500); /* three times what headers may take */
    ask_once(&wire);
    wire_close(&wire);
}

static void slow__bodies_are_told_so(void **state)
{
    struct wire wire;
    struct answer answer;
    char value[300];

    (void)state;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(
        &wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\nX-Request-ID: drop-by-drop\r\n"
               "Content-Length: 100000\r\n\r\n"));
    drip(&wire, " ");
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 408);
    assert_non_null(strstr(answer.body, "\"code\":\"upload_timeout\""));
    assert_non_null(strstr(answer.body, "less than 1024 bytes a second for 0.6 s"));
    assert_non_null(strstr(answer.body, "\"request_id\":\"drop-by-drop\""));
    assert_true(answer_header(&answer, "Connection", value));
    assert_string_equal(value, "close");
    answer_release(&answer);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
    assert_true(service_descriptors_fall_to(&service, descriptors));
    assert_true(service_logs(&service, "drop-by-drop"));
    char *log = service_log(&service);
    char *line = strtok(log, "\n");
    while (line && !strstr(line, "drop-by-drop"))
        line = strtok(NULL, "\n");
    assert_true(line && strstr(line, "\"http.response.status_code\":408"));
    assert_null(strstr(line, "\"http.response.body.size\":0,"));
    free(log);
}

static void slow__bodies_of_head_are_told_so_without_one(void **state)
{
    struct wire wire;
    struct answer answer;

    (void)state;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "HEAD /livez HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 100000\r\n\r\n "));
    assert_true(wire_answer(&wire, true, &answer));
    assert_int_equal(answer.status, 408);
    answer_release(&answer);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

/* The first part of it has been read already, and by another thread. */
static void slow__rests_of_bodies_are_told_so(void **state)
{
    enum { BEGUN = 1 << 20 };
    struct wire wire;
    struct answer answer;
    char *spaces = malloc(BEGUN);

    (void)state;
    memset(spaces, ' ', BEGUN);
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 100000000\r\n\r\n"));
    assert_true(wire_send(&wire, spaces, BEGUN));
    free(spaces);
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 408);
    answer_release(&answer);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

static void slow__but_steady_bodies_are_answered(void **state)
{
    /* slower than the timeout as a whole, never within it */
    struct wire wire;
    struct answer answer;
    static char spaces[4096 + 1];

    (void)state;
    memset(spaces, ' ', sizeof spaces - 1);
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 163891\r\n\r\n"));
    for (int i = 0; i < 40; i++) {
        assert_true(wire_text(&wire, spaces));
        pause_ms(40);
    }
    assert_true(wire_text(&wire, EXAMPLE));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    wire_close(&wire);
}

static void slow__readers_end_the_connection(void **state)
{
    enum { ROWS = 60000 };
    struct wire wire;
    char *body = malloc(ROWS * 24 + 100), *end = body;

    (void)state;
    end += sprintf(end, "{\"id\":\"never-read\",\"logits\":[");
    for (size_t i = 0; i < ROWS; i++)
        end += sprintf(end, "%s[0,1,2,3,4,5,6,7,8,9]", i ? "," : "");
    sprintf(end, "]}");
    assert_true(wire_open(&wire, service.port));
    /* the answer has about 12 MB, more than the sockets hold */
    assert_true(wire_post(&wire, "/v1/softmax", body, false));
    free(body);
    assert_true(service_descriptors_fall_to(&service, descriptors));
    char *log = service_log(&service);
    assert_non_null(strstr(log, "\"complete\":false"));
    free(log);
    wire_close(&wire);
}

static void slow__closing_is_noticed_though_it_came_with_data(void **state)
{
    enum { CLIENTS = 100 };
    struct wire wires[CLIENTS];
    struct answer answer;

    (void)state;
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(wire_open(&wires[i], service.port));
        assert_true(wire_post(&wires[i], "/v1/loss", EXAMPLE, false));
        wire_half_close(&wires[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(wire_answer(&wires[i], false, &answer));
        assert_int_equal(answer.status, 200);
        answer_release(&answer);
        assert_true(wire_ends(&wires[i])); /* the keep-alive timeout is an hour */
        wire_close(&wires[i]);
    }
}

/* Questions that came while the service was stopped, longer than headers may take: on
 * connections that had asked before, and on new ones. */
static void slow__is_not_the_client_when_the_service_was_stopped(void **state)
{
    enum { CLIENTS = 500 };
    static const char *const flags[] = {"--header-timeout", "2s", NULL};
    static struct wire wires[CLIENTS];
    struct service stopped;
    struct answer answer;

    (void)state;
    assert_true(service_start(&stopped, flags));
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(wire_open(&wires[i], stopped.port));
        if (i % 2)
            ask_once(&wires[i]);
    }
    assert_int_equal(kill(stopped.pid, SIGSTOP), 0);
    for (int i = 0; i < CLIENTS; i++)
        assert_true(wire_post(&wires[i], "/v1/loss", EXAMPLE, false));
    pause_ms(3000);
    assert_int_equal(kill(stopped.pid, SIGCONT), 0);
    for (int i = 0; i < CLIENTS; i++) {
        if (!wire_answer(&wires[i], false, &answer))
            fail_msg("client %d: no answer", i);
        assert_int_equal(answer.status, 200);
        answer_release(&answer);
        wire_close(&wires[i]);
    }
    assert_int_equal(service_stop(&stopped), 0);
}

/* Those that came while it was stopped, on all the connections that it may have: who
 * comes then gets none of them. */
static void slow__service_closes_no_connection_that_has_a_request(void **state)
{
    enum { CAP = 4, ROUNDS = 5, IDLE_MS = 1300 };
    static const char *const flags[] = {"--max-connections", "4", "--net-threads", "1",
                                        NULL};
    struct service stopped;
    struct wire wires[CAP], more[2];

    (void)state;
    assert_true(service_start(&stopped, flags));
    for (int i = 0; i < CAP; i++)
        assert_true(wire_open(&wires[i], stopped.port));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CAP; i++)
            ask_once(&wires[i]);
        pause_ms(IDLE_MS); /* long enough to make room for others */
        assert_int_equal(kill(stopped.pid, SIGSTOP), 0);
        for (int i = 0; i < CAP; i++)
            assert_true(wire_post(&wires[i], "/v1/loss", EXAMPLE, false));
        for (int i = 0; i < 2; i++)
            assert_true(wire_open(&more[i], stopped.port));
        assert_int_equal(kill(stopped.pid, SIGCONT), 0);
        for (int i = 0; i < CAP; i++) {
            struct answer answer;
            if (!wire_answer(&wires[i], false, &answer))
                fail_msg("round %d, client %d: no answer", round, i);
            assert_int_equal(answer.status, 200);
            answer_release(&answer);
        }
        for (int i = 0; i < 2; i++)
            wire_close(&more[i]);
    }
    for (int i = 0; i < CAP; i++)
        wire_close(&wires[i]);
    assert_int_equal(service_stop(&stopped), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow__headers_end_the_connection),
        cmocka_unit_test(slow__first_lines_end_the_connection),
        cmocka_unit_test(slow__silence_ends_a_connection_that_never_asked),
        cmocka_unit_test(slow__headers_after_an_honest_request_end_the_connection),
        cmocka_unit_test(slow__headers_right_behind_an_answer_end_the_connection),
        cmocka_unit_test(slow__silence_after_an_honest_request_does_not),
        cmocka_unit_test(slow__bodies_are_told_so),
        cmocka_unit_test(slow__bodies_of_head_are_told_so_without_one),
        cmocka_unit_test(slow__rests_of_bodies_are_told_so),
        cmocka_unit_test(slow__but_steady_bodies_are_answered),
        cmocka_unit_test(slow__readers_end_the_connection),
        cmocka_unit_test(slow__is_not_the_client_when_the_service_was_stopped),
        cmocka_unit_test(slow__service_closes_no_connection_that_has_a_request),
        cmocka_unit_test(slow__closing_is_noticed_though_it_came_with_data),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
