/* Compressed bodies, sent to the real program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "batch_text.h"
#include "client.h"
#include "compressed.h"
#include "scrape.h"
#include "service.h"
#include "wire.h"

enum {
    ROWS = 20000,
    BOMB_MIB = 200,
    BOMB_MEMORY_KB = 64 << 10 /* that a bomb may take of the service */
};

static struct service service;

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

static int start(void **state)
{
    /* all of a bomb comes as one piece */
    static const char *const flags[] = {"--net-threads=1", "--threads=1",
                                        "--max-request-memory=32MiB",
                                        "--connection-memory=1MiB", NULL};

    (void)state;
    return service_start(&service, flags) ? 0 : -1;
}

static struct answer ask(const char *encoding, const char *body, size_t len, bool chunked)
{
    struct client *client = client_new(service.port);
    struct question question = {.method = "POST",
                                .target = "/v1/softmax?dtype=float32",
                                .header = {encoding},
                                .body = body,
                                .body_length = len,
                                .chunked = chunked};
    struct answer answer;
    char why[200];

    assert_non_null(client);
    if (!client_ask(client, &question, &answer, why))
        fail_msg("%s", why);
    client_free(client);
    return answer;
}

static void compressed_bodies__are_answered_like_others(void **state)
{
    static const char *const codings[] = {"gzip", "deflate"};
    char *text = batch_text(ROWS), encoding[64];
    struct answer plain = ask(NULL, text, strlen(text), false);

    (void)state;
    assert_int_equal(plain.status, 200);
    for (int i = 0; i < 4; i++) {
        const char *coding = codings[i / 2];
        struct compressed body = compressed_as(coding, span_of(text));
        snprintf(encoding, sizeof encoding, "Content-Encoding: %s", coding);
        struct answer answer = ask(encoding, body.at, body.len, i % 2);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body_length, plain.body_length);
        assert_memory_equal(answer.body, plain.body, plain.body_length);
        answer_release(&answer);
        free(body.at);
    }
    answer_release(&plain);
    free(text);
}

static void compressed_bodies__are_counted_as_they_came(void **state)
{
    static const char series[] =
        "lossd_http_request_body_bytes_total{route=\"/v1/softmax\"}";
    struct compressed body = compressed_gzip(span_of("{\"logits\":[[0,0,0,0,0,0,0,0]]}"));
    struct scrape before, after;
    char why[WHY_SIZE];

    (void)state;
    assert_true(scrape_service(&before, service.port, false, why));
    struct answer answer = ask("Content-Encoding: gzip", body.at, body.len, false);
    assert_int_equal(answer.status, 200);
    if (!scrape_comes_to(&after, service.port, series,
                         scrape_value(&before, series) + (double)body.len, why))
        fail_msg("%s", why);
    scrape_release(&before);
    scrape_release(&after);
    answer_release(&answer);
    free(body.at);
}

static void send_bomb(struct wire *wire, const struct compressed *bomb)
{
    char head[200];

    assert_true(wire_open(wire, service.port));
    snprintf(head, sizeof head,
             "POST /v1/loss HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
             "Content-Length: %zu\r\n\r\n",
             bomb->len);
    assert_true(wire_text(wire, head));
    assert_true(wire_send(wire, bomb->at, bomb->len));
}

static void assert_no_answer_yet(const struct wire *wire)
{
    char byte;

    assert_int_equal(recv(wire->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

/* Hundreds of megabytes of one member's text, from hundreds of kilobytes. */
static void bombs__hold_up_nobody_and_take_no_more_memory_than_others(void **state)
{
    struct compressed bomb = compressed_bomb("{\"logits\":[0", " ", BOMB_MIB << 20);
    size_t before = service_resident_kb(&service);
    struct wire wire, probe;
    struct answer answer;

    (void)state;
    assert_true(bomb.len < 256 << 10);
    send_bomb(&wire, &bomb);
    assert_true(wire_open(&probe, service.port));
    assert_true(wire_text(&probe, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&probe, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_no_answer_yet(&wire);
    answer_release(&answer);
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 400); /* the text is cut off */
    assert_non_null(strstr(answer.body, "\"code\":\"invalid_json\""));
    assert_in_range(service_resident_kb(&service), 0, before + BOMB_MEMORY_KB);
    answer_release(&answer);
    wire_close(&probe);
    wire_close(&wire);
    free(bomb.at);
}

static void bombs__end_at_a_ceiling(void **state)
{
    static const struct {
        const char *begin, *text, *limit;
        size_t count;
    } bombs[] = {
        {"", " ", "\"flag\":\"--max-body\"", 300 << 20},
        {"{\"logits\":[0", ",0", "\"flag\":\"--max-request-memory\"", 10 << 20},
        {"{\"id\":\"", "a", "\"flag\":\"--max-text\"", 2 << 20},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        struct compressed bomb =
            compressed_bomb(bombs[i].begin, bombs[i].text, bombs[i].count);
        struct answer answer = ask("Content-Encoding: gzip", bomb.at, bomb.len, false);
        assert_int_equal(answer.status, 413);
        assert_non_null(strstr(answer.body, bombs[i].limit));
        answer_release(&answer);
        free(bomb.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_bodies__are_answered_like_others),
        cmocka_unit_test(compressed_bodies__are_counted_as_they_came),
        cmocka_unit_test(bombs__hold_up_nobody_and_take_no_more_memory_than_others),
        cmocka_unit_test(bombs__end_at_a_ceiling),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
