/* http/turn.c: what the requests that have been let in are counted to cost. */
#include "http/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../fuzz/daemon.h"
#include "../../system/compressed.h"
#include "api/route.h"

#include <cmocka.h>

enum {
    SHORT = 2400,     /* bytes of a body that needs the pool */
    LONG = 900 << 10, /* of one that is read in several turns */
    ROOM = 4 << 20,   /* for what that holds */
    BYTE_NS = 6,      /* what a byte is expected to cost: api/exchange.c */
    INFLATE_NS = 5,
    USUAL_RATIO = 3, /* api/body.c */
    HEAD_SIZE = 200,
    SENT_AT_ONCE = 2000 /* bytes that a socketpair always takes */
};

#define POST(route) "POST " route " HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

static const int64_t SECOND_NS = INT64_C(1000000000);

static struct daemon service;

static int start(void **state)
{
    (void)state;
    daemon_start(&service);
    service.budget.limit = ROOM;
    service.open->settings.max_request_memory = ROOM;
    service.open->settings.max_body = LONG;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    daemon_stop(&service);
    return 0;
}

/* One row of zeros; to be freed. */
static char *body_of(size_t size)
{
    static const char begin[] = "{\"labels\":[0],\"logits\":[[0", end[] = "]]}";
    char *body = malloc(size + 1);

    memset(body, ' ', size);
    body[size] = '\0';
    memcpy(body, begin, sizeof begin - 1);
    for (size_t i = 0, at = sizeof begin - 1; i < 900 && at + 6 < size; i++, at += 2)
        memcpy(body + at, ",1", 2);
    memcpy(body + size - 3, end, 3);
    return body;
}

/* A job that ends at once leaves a connection that is resumed by the next run. */
static void run(void)
{
    const struct connection *at;

    do {
        daemon_run(&service);
        at = service.net->registry.first;
        while (at && at->talk.state != TALK_QUEUED && at->talk.state != TALK_ANSWERED)
            at = at->next;
    } while (at);
}

static void tell(int fd, const char *text, size_t size)
{
    while (size > 0) {
        size_t n = size < SENT_AT_ONCE ? size : SENT_AT_ONCE;
        assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
        run();
        text += n;
        size -= n;
    }
}

static void tell_head(int fd, const char *route, size_t length)
{
    char head[HEAD_SIZE];
    int n = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", route,
                     length);

    tell(fd, head, (size_t)n);
}

static void tell_chunk(int fd, const char *text, size_t size)
{
    char line[32];
    int n = snprintf(line, sizeof line, "%zx\r\n", size);

    tell(fd, line, (size_t)n);
    tell(fd, text, size);
    tell(fd, "\r\n", 2);
}

static void leave(int fd)
{
    close(fd);
    daemon_run(&service);
    daemon_reap(&service);
    daemon_reap(&service);
}

static int64_t work_ns(void)
{
    return atomic_load(&service.server->admission.work_ns);
}

/* With that header, if there is a `name`, whose value is copied. */
static void assert_answers(int fd, unsigned status, const char *name, char *value,
                           size_t size)
{
    char text[65536], line[32];
    size_t len = 0;
    ssize_t n;

    snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    while ((n = recv(fd, text + len, sizeof text - 1 - len, MSG_DONTWAIT)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    if (strncmp(text, line, strlen(line)) != 0)
        fail_msg("not %u: %s", status, text);
    const char *at = name ? strstr(text, name) : NULL;
    if (at)
        snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at + strlen(name));
}

static void turns__of_a_body_in_chunks_cost_what_one_with_a_length_does(void **state)
{
    char *body = body_of(SHORT);
    int fd = daemon_connect(&service, ENTRANCE_OPEN);

    (void)state;
    tell_head(fd, "/v1/loss", SHORT);
    int64_t with_length = work_ns();
    assert_int_equal(with_length, SHORT * BYTE_NS);
    tell(fd, body, SHORT);
    assert_answers(fd, 200, NULL, NULL, 0);
    assert_int_equal(work_ns(), 0);
    leave(fd);

    fd = daemon_connect(&service, ENTRANCE_OPEN);
    tell(fd, POST("/v1/loss") CHUNKED, strlen(POST("/v1/loss") CHUNKED));
    for (size_t at = 0; at < SHORT; at += 400)
        tell_chunk(fd, body + at, 400);
    assert_int_equal(work_ns(), with_length);
    tell(fd, "0\r\n\r\n", 5);
    assert_answers(fd, 200, NULL, NULL, 0);
    assert_int_equal(work_ns(), 0);
    leave(fd);
    free(body);
}

/* Its answer is longer than the socket holds. */
static void turns__count_what_is_known_of_a_request_once(void **state)
{
    static const char route[] =
        "/v1/loss?return=probabilities,log_probabilities,gradient";
    char *body = body_of(SHORT);
    int fd = daemon_connect(&service, ENTRANCE_OPEN), small = 1;

    (void)state;
    daemon_run(&service);
    const struct connection *connection = service.net->registry.first;
    assert_int_equal(
        setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    tell_head(fd, route, SHORT);
    assert_int_equal(work_ns(), SHORT * BYTE_NS);
    tell(fd, body, SHORT);
    int64_t cost = api_cost_ns(&connection->talk.exchange);
    assert_true(cost > 0);
    assert_int_equal(work_ns(), cost > SHORT * BYTE_NS ? cost : SHORT * BYTE_NS);
    leave(fd);
    assert_int_equal(work_ns(), 0);
    free(body);
}

static void tell_compressed_head(int fd, size_t length)
{
    char head[HEAD_SIZE];
    int n = snprintf(
        head, sizeof head,
        POST("/v1/loss") "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", length);

    tell(fd, head, (size_t)n);
}

/* However short it is: nobody knows how long its text will be. */
static void turns__are_where_compressed_bodies_are_read(void **state)
{
    struct compressed body = compressed_gzip(span_of("{\"logits\":[0,0],\"labels\":0}"));
    int fd = daemon_connect(&service, ENTRANCE_OPEN);

    (void)state;
    tell_compressed_head(fd, body.len);
    assert_true(work_ns() > 0);
    tell(fd, body.at, body.len - 1);
    const struct exchange *exchange = &service.net->registry.first->talk.exchange;
    assert_int_equal(exchange->body_bytes, 0);
    tell(fd, body.at + body.len - 1, 1);
    assert_int_equal(exchange->body_bytes, body.len);
    assert_answers(fd, 200, NULL, NULL, 0);
    assert_int_equal(work_ns(), 0);
    leave(fd);
    free(body.at);
}

/* Enough to be read in a turn before the last: a long text, and then members without any. */
static struct compressed long_body(size_t text)
{
    enum { AT_LEAST = (256 << 10) + 1 };
    struct compressed body = compressed_bomb("", " ", text),
                      none = compressed_gzip(span_of(""));

    body.at = realloc(body.at, AT_LEAST + none.len);
    for (; body.len < AT_LEAST; body.len += none.len)
        memcpy(body.at + body.len, none.at, none.len);
    free(none.at);
    return body;
}

static void turns__cost_what_came_out_of_a_compressed_body(void **state)
{
    const int64_t text = LONG - 1;
    struct compressed body = long_body((size_t)text);
    int fd = daemon_connect(&service, ENTRANCE_OPEN);

    (void)state;
    tell_compressed_head(fd, body.len);
    int64_t usual = USUAL_RATIO * (int64_t)body.len;
    assert_true(usual < text);
    assert_int_equal(work_ns(), usual * (BYTE_NS + INFLATE_NS));
    tell(fd, body.at, body.len - 1);
    assert_int_equal(work_ns(), text * (BYTE_NS + INFLATE_NS));
    leave(fd);
    assert_int_equal(work_ns(), 0);
    free(body.at);
}

/* In several turns, of which another request waits during the last or during all. */
static void ask_while_others_wait(const char *body, bool in_all)
{
    struct admission *admission = &service.server->admission;
    int other = daemon_connect(&service, ENTRANCE_OPEN);
    daemon_run(&service);
    int fd = daemon_connect(&service, ENTRANCE_OPEN);

    atomic_store(&admission->pace, 1);
    if (in_all)
        admission_begin(admission);
    tell_head(fd, "/v1/loss", LONG);
    tell(fd, body, LONG - 1);
    if (!in_all)
        admission_begin(admission);
    tell(fd, body + LONG - 1, 1);
    admission_end(admission);
    assert_answers(fd, 200, NULL, NULL, 0);
    leave(fd);
    leave(other);
}

static void turns__tell_the_pace_when_no_thread_was_idle_in_any_of_them(void **state)
{
    char *body = body_of(LONG);

    (void)state;
    ask_while_others_wait(body, false);
    assert_int_equal(atomic_load(&service.server->admission.pace), 1);
    ask_while_others_wait(body, true);
    assert_true(atomic_load(&service.server->admission.pace) > 1);
    free(body);
}

/* What the last connection has is all that there is. */
static void take_memory_away(void)
{
    struct arena *mem = &service.net->registry.first->talk.exchange.mem;

    mem->reserved = mem->used;
    atomic_store(&service.budget.used, mem->used);
    service.budget.limit = mem->used + service.budget.kept;
}

/* A request that finds none for its answer, `body` its last byte. */
static void ask_without_memory(const char *head, const char *body)
{
    struct admission *admission = &service.server->admission;
    int fd = daemon_connect(&service, ENTRANCE_OPEN);
    char value[16] = "";

    atomic_store(&admission->pace, 1000);
    atomic_fetch_add(&admission->work_ns, 20 * SECOND_NS);
    tell(fd, head, strlen(head));
    tell(fd, body, strlen(body) - 1);
    take_memory_away();
    tell(fd, body + strlen(body) - 1, 1);
    atomic_fetch_sub(&admission->work_ns, 20 * SECOND_NS);
    service.budget.limit = ROOM;
    assert_answers(fd, 503, "Retry-After: ", value, sizeof value);
    assert_in_range(atoi(value), 21, 30);
    leave(fd);
}

static void
turns__without_memory_for_an_answer_end_with_the_time_to_come_back(void **state)
{
    char *body = body_of(SHORT), head[HEAD_SIZE];

    (void)state;
    ask_without_memory("GET /v1/losses HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n",
                       "  ");
    snprintf(head, sizeof head,
             POST("/v1/loss?return=probabilities,gradient") "Content-Length: %d\r\n\r\n",
             SHORT);
    ask_without_memory(head, body);
    free(body);
}

static void turns__count_nothing_when_all_are_over(void **state)
{
    static const char *const bodies[] = {"{\"logits\":[[1,", "{\"logits\":[[1,?", "[]"};
    char *body = body_of(LONG);

    (void)state;
    for (size_t i = 0; i < 2 * sizeof bodies / sizeof *bodies; i++) {
        const char *begin = bodies[i / 2];
        int fd = daemon_connect(&service, ENTRANCE_OPEN);
        if (i % 2)
            tell_head(fd, "/v1/loss", LONG);
        else
            tell(fd, POST("/v1/loss") CHUNKED, strlen(POST("/v1/loss") CHUNKED));
        (i % 2 ? tell : tell_chunk)(fd, begin, strlen(begin));
        leave(fd);
        assert_int_equal(work_ns(), 0);
    }
    daemon_require_rest(&service);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns__of_a_body_in_chunks_cost_what_one_with_a_length_does),
        cmocka_unit_test(turns__count_what_is_known_of_a_request_once),
        cmocka_unit_test(turns__are_where_compressed_bodies_are_read),
        cmocka_unit_test(turns__cost_what_came_out_of_a_compressed_body),
        cmocka_unit_test(turns__tell_the_pace_when_no_thread_was_idle_in_any_of_them),
        cmocka_unit_test(
            turns__without_memory_for_an_answer_end_with_the_time_to_come_back),
        cmocka_unit_test(turns__count_nothing_when_all_are_over),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
