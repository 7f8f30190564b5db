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
    BOMB_MEMORY_KB = 64 << 10, /* that a bomb may take of the service */
    NO_BOMB = 64 << 20,        /* bytes of text that may be anything; and those of one */
    READ_OF_BOMB = 65 << 20    /* until it is known for what it is */
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
    static const char *const flags[] = {
        "--net-threads=1",          "--threads=1",   "--max-request-memory=32MiB",
        "--connection-memory=1MiB", "--max-ratio=0", NULL};

    (void)state;
    return service_start(&service, flags) ? 0 : -1;
}

static struct answer answer_to(unsigned port, const struct question *question)
{
    struct client *client = client_new(port);
    struct answer answer;
    char why[200];

    assert_non_null(client);
    if (!client_ask(client, question, &answer, why))
        fail_msg("%s", why);
    client_free(client);
    return answer;
}

static struct answer ask(const char *encoding, const char *body, size_t len, bool chunked)
{
    return answer_to(service.port,
                     &(struct question){.method = "POST",
                                        .target = "/v1/softmax?dtype=float32",
                                        .header = {encoding},
                                        .body = body,
                                        .body_length = len,
                                        .chunked = chunked});
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

/* Empty lines: told before a third of them is read. */
static void bombs__end_where_they_are_too_many_times_what_was_sent(void **state)
{
    static const char sent[] = "lossd_http_request_body_bytes_total{route=\"/v1/loss\"}";
    static const char told[] = "lossd_errors_total{code=\"too_large\"}";
    static const char *const flags[] = {"--net-threads=1", "--threads=1", NULL};
    struct compressed bomb =
        compressed_bomb("{\"logits\":[2,1],\"label\":0}", "\n", BOMB_MIB << 20);
    struct service usual;
    struct scrape scrape;
    char why[WHY_SIZE];

    (void)state;
    assert_true(service_start(&usual, flags));
    size_t before = service_resident_kb(&usual);
    for (int n = 1; n <= 4; n++) {
        const struct question question = {
            .method = "POST",
            .target = n > 2 ? "/v1/loss?on_error=skip" : "/v1/loss",
            .header = {"Content-Encoding: gzip", "Content-Type: application/x-ndjson"},
            .body = bomb.at,
            .body_length = bomb.len,
            .chunked = n % 2};
        struct answer answer = answer_to(usual.port, &question);
        assert_int_equal(answer.status, 413);
        assert_non_null(strstr(answer.body, "\"limit\":200,\"flag\":\"--max-ratio\""));
        const char *have = strstr(answer.body, "bytes of the body have ");
        assert_non_null(have);
        assert_in_range(strtoul(have + 23, NULL, 10), NO_BOMB, READ_OF_BOMB);
        answer_release(&answer);
        if (!scrape_comes_to(&scrape, usual.port, told, n, why))
            fail_msg("%s", why);
        assert_in_range((uint64_t)scrape_value(&scrape, sent), 1, bomb.len * (size_t)n);
        scrape_release(&scrape);
    }
    assert_in_range(service_resident_kb(&usual), 0, before + BOMB_MEMORY_KB);
    assert_int_equal(service_stop(&usual), 0);
    free(bomb.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_bodies__are_answered_like_others),
        cmocka_unit_test(compressed_bodies__are_counted_as_they_came),
        cmocka_unit_test(bombs__hold_up_nobody_and_take_no_more_memory_than_others),
        cmocka_unit_test(bombs__end_at_a_ceiling),
        cmocka_unit_test(bombs__end_where_they_are_too_many_times_what_was_sent),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
