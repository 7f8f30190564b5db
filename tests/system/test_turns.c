/* Large requests beside others.  Alone on its network thread a request is read and
 * answered there; beside others the pool does that, a part at a time.  Nobody can tell
 * from the answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch_text.h"
#include "service.h"
#include "wire.h"

enum { AT_ONCE = 4096, PARCEL = 256 << 10, ROWS = 12000, OTHERS = 3 };

static struct service service;

static int start(void **state)
{
    static const char *const flags[] = {"--net-threads", "1", "--threads", "1", NULL};

    (void)state;
    return service_start(&service, flags) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

/* A batch and spaces behind it, `length` bytes of them; to be freed. */
static char *padded(size_t length)
{
    char *batch = batch_text(ROWS), *text = malloc(length + 1);
    size_t begun = strlen(batch);

    assert_true(begun <= length);
    memcpy(text, batch, begun);
    memset(text + begun, ' ', length - begun);
    text[length] = '\0';
    free(batch);
    return text;
}

static void send_whole(struct wire *wire, const char *body)
{
    char head[200];

    snprintf(head, sizeof head,
             "POST /v1/softmax HTTP/1.1\r\nHost: x\r\nX-Request-ID: r\r\n"
             "Content-Length: %zu\r\n\r\n",
             strlen(body));
    assert_true(wire_text(wire, head));
    assert_true(wire_text(wire, body));
}

static void send_chunked(struct wire *wire, const char *body)
{
    enum { CHUNK = 70001 };
    char line[40];

    assert_true(wire_text(wire,
                          "POST /v1/softmax HTTP/1.1\r\nHost: x\r\nX-Request-ID: r\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n"));
    for (size_t left = strlen(body), n; left > 0; left -= n, body += n) {
        n = left < CHUNK ? left : CHUNK;
        snprintf(line, sizeof line, "%zx\r\n", n);
        assert_true(wire_text(wire, line));
        assert_true(wire_send(wire, body, n));
        assert_true(wire_text(wire, "\r\n"));
    }
    assert_true(wire_text(wire, "0\r\n\r\n"));
}

/* Without telling megabytes of both where they differ. */
static void assert_same(const char *text, const char *other)
{
    size_t i = 0;

    while (text[i] && text[i] == other[i])
        i++;
    if (text[i] != other[i])
        fail_msg("from byte %zu on: %.40s, and not %.40s", i, text + i, other + i);
}

/* The answer's body, to be freed. */
static char *ask(struct wire *wire, void (*send)(struct wire *, const char *),
                 const char *body, unsigned status)
{
    struct answer answer;

    send(wire, body);
    assert_true(wire_answer(wire, false, &answer));
    assert_int_equal(answer.status, status);
    char *copy = strdup(answer.body);
    answer_release(&answer);
    return copy;
}

/* Asks alone, then beside others, and beside others again. */
static void assert_same_beside_others(const char *body, unsigned status)
{
    void (*const ways[])(struct wire *, const char *) = {send_whole, send_chunked};
    struct wire wire, others[OTHERS];

    /* a chunked body with a mistake ends its connection */
    for (size_t w = 0; w < (status == 200 ? 2 : 1); w++) {
        size_t base = service_descriptors(&service);
        assert_true(wire_open(&wire, service.port));
        char *alone = ask(&wire, ways[w], body, status);
        for (int i = 0; i < OTHERS; i++) {
            assert_true(wire_open(&others[i], service.port));
            free(
                ask(&others[i], send_whole, "{\"logits\":[1,2]}", 200)); /* it is there */
        }
        for (int i = 0; i < 2; i++) {
            char *beside = ask(&wire, ways[w], body, status);
            assert_same(beside, alone);
            free(beside);
        }
        free(alone);
        for (int i = 0; i < OTHERS; i++)
            wire_close(&others[i]);
        wire_close(&wire);
        assert_true(service_descriptors_fall_to(&service, base));
    }
}

static void turns__read_and_write_the_same(void **state)
{
    (void)state;
    size_t least = (size_t)AT_ONCE + PARCEL;
    const size_t lengths[] = {least - 1, least, least + 1, least + PARCEL, 3 * least};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *body = padded(lengths[i]);
        assert_same_beside_others(body, 200);
        free(body);
    }
}

/* Threads that are idle write shares of a long answer, for who is alone too. */
static void turns__are_the_same_with_help(void **state)
{
    static const char *const flags[] = {"--net-threads", "1", "--threads", "6", NULL};
    struct service helped;
    struct wire alone, wire;
    char *body = padded((size_t)AT_ONCE + PARCEL);

    (void)state;
    assert_true(service_start(&helped, flags));
    assert_true(wire_open(&alone, service.port));
    assert_true(wire_open(&wire, helped.port));
    char *plain = ask(&alone, send_whole, body, 200);
    for (int i = 0; i < 10; i++) {
        char *shared = ask(&wire, send_whole, body, 200);
        assert_same(shared, plain);
        free(shared);
    }
    free(plain);
    free(body);
    wire_close(&alone);
    wire_close(&wire);
    assert_int_equal(service_stop(&helped), 0);
}

/* At its place, whatever part of the body it is in. */
static void turns__find_the_same_mistakes(void **state)
{
    (void)state;
    const size_t places[] = {100, AT_ONCE, AT_ONCE + PARCEL, 600000};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *body = padded(700000);
        body[places[i]] = 'x';
        assert_same_beside_others(body, 400);
        free(body);
    }
}

/* The answer is larger than what sockets hold, so it is under way when others come and
 * when they go. */
static void turns__begin_and_end_within_an_answer(void **state)
{
    enum { LARGE = 60000 };
    struct wire wire, other;
    struct answer alone, beside;
    char *body = batch_text(LARGE);

    (void)state;
    assert_true(wire_open(&wire, service.port));
    send_whole(&wire, body);
    assert_true(wire_answer(&wire, false, &alone));
    assert_int_equal(alone.status, 200);
    send_whole(&wire, body);
    for (int i = 0; i < 3; i++) {
        assert_true(wire_open(&other, service.port));
        free(ask(&other, send_whole, "{\"logits\":[1,2]}", 200));
        wire_close(&other);
    }
    assert_true(wire_answer(&wire, false, &beside));
    assert_same(beside.body, alone.body);
    answer_release(&alone);
    answer_release(&beside);
    free(body);
    wire_close(&wire);
}

/* Features and W of nothing but zeros: much to be done for few bytes. */
static char *hard_work(size_t side)
{
    char *text = malloc(4 * side * (side + 2) + 300), *at = text;

    for (int factor = 0; factor < 2; factor++) {
        at += sprintf(at, "%s\":[", factor == 0 ? "{\"features" : ",\"W");
        for (size_t r = 0; r < side; r++) {
            at += sprintf(at, "%s[", r ? "," : "");
            for (size_t c = 0; c < side; c++)
                at += sprintf(at, c ? ",0" : "0");
            at += sprintf(at, "]");
        }
        at += sprintf(at, "]");
    }
    at += sprintf(at, ",\"labels\":[0");
    for (size_t r = 1; r < side; r++)
        at += sprintf(at, ",0");
    sprintf(at, "],\"return\":[\"loss\",\"gradient_W\",\"gradient_features\"]}");
    return text;
}

/* All come before the first of them wants a thread, and then there are more than may wait
 * for it: some have their answers, the others are told. */
static void assert_some_are_refused(size_t side)
{
    enum { CLIENTS = 64 };
    static const char *const flags[] = {"--net-threads", "1", "--threads", "1",
                                        "--queue-size",  "4", NULL};
    struct service narrow;
    struct wire wires[CLIENTS];
    char *body = hard_work(side);
    size_t answered = 0;

    assert_true(service_start(&narrow, flags));
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(wire_open(&wires[i], narrow.port));
        free(ask(&wires[i], send_whole, "{\"logits\":[1,2]}", 200)); /* it is there */
    }
    assert_int_equal(kill(narrow.pid, SIGSTOP), 0);
    for (int i = 0; i < CLIENTS; i++)
        assert_true(wire_post(&wires[i], "/v1/loss", body, false));
    assert_int_equal(kill(narrow.pid, SIGCONT), 0);
    for (int i = 0; i < CLIENTS; i++) {
        struct answer answer;
        assert_true(wire_answer(&wires[i], false, &answer));
        assert_true(answer.status == 200 || answer.status == 503);
        answered += answer.status == 200;
        answer_release(&answer);
        wire_close(&wires[i]);
    }
    assert_in_range(answered, 1, CLIENTS - 8);
    print_message("%zu of %d are answered\n", answered, CLIENTS);
    assert_int_equal(service_stop(&narrow), 0);
    free(body);
}

/* Bodies that one parcel holds, and longer ones. */
static void turns__are_not_for_more_than_may_wait(void **state)
{
    (void)state;
    assert_some_are_refused(250);
    assert_some_are_refused(450);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns__read_and_write_the_same),
        cmocka_unit_test(turns__are_the_same_with_help),
        cmocka_unit_test(turns__find_the_same_mistakes),
        cmocka_unit_test(turns__begin_and_end_within_an_answer),
        cmocka_unit_test(turns__are_not_for_more_than_may_wait),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
