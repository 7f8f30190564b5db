/* Datasets that are longer than the service may grow: DATASET_MB of them, 50 where that is
 * not said, made while they are sent.
 *
 * One block of lines is sent again and again, a power of two times: so sums are the block's
 * with another exponent, and loss and metrics the same to the bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "gauges.h"
#include "lossd/base/clock.h"
#include "service.h"
#include "wire.h"

#define TYPE "Content-Type: application/x-ndjson"
#define RECORD "{\"logits\":[2,1,0.1],\"label\":0}\n"

enum {
    LINES = 1000,
    CLASSES = 10,
    BLOCK_MAX = 200 * LINES,
    USUAL_MB = 50,
    SPARE_KB = 64 << 10,
    PROBE_BYTES = 4 << 20 /* from one look at the service to the next */
};

/* The sanitizers' own memory is many times the service's, and they are slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static struct service service;
static char block[BLOCK_MAX];
static size_t block_len;

static void make_block(void)
{
    char *at = block;

    for (int i = 0; i < LINES; i++) {
        at += sprintf(at, "{\"logits\":[");
        for (int c = 0; c < CLASSES; c++)
            at += sprintf(at, "%s%.5g", c ? "," : "",
                          (double)((i * 7919 + c * 104729) % 9973) / 777.7 - 6);
        at += sprintf(at, "],\"label\":%d}\n", i % 7 ? i % CLASSES : -100);
    }
    block_len = (size_t)(at - block);
}

static int start(void **state)
{
    static const char *const flags[] = {"--net-threads", "1", "--threads", "1", NULL};

    (void)state;
    make_block();
    return service_start(&service, flags) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

/* ---- one that is long ----------------------------------------------------------- */

struct transfer {
    size_t idle_kb, most_kb;
    uint64_t left, sent, probed; /* bytes */
    char answer[4096];
    size_t answer_len;
};

static void look(struct transfer *t)
{
    struct wire wire;
    struct answer answer;
    size_t kb = service_resident_kb(&service);

    t->probed = t->sent;
    t->most_kb = kb > t->most_kb ? kb : t->most_kb;
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "GET /readyz HTTP/1.0\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    wire_close(&wire);
}

static size_t send_body(char *out, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t at = (size_t)(t->sent % block_len), n = size * count;

    if (n > block_len - at)
        n = block_len - at;
    if (n > t->left)
        n = (size_t)t->left;
    memcpy(out, block + at, n);
    t->sent += n;
    t->left -= n;
    if (t->sent - t->probed > PROBE_BYTES)
        look(t);
    return n;
}

static size_t take_answer(char *text, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t n = size * count;

    if (n > sizeof t->answer - 1 - t->answer_len)
        return 0;
    memcpy(t->answer + t->answer_len, text, n);
    t->answer_len += n;
    return n;
}

static long post(struct transfer *t, const char *header)
{
    char url[64];
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, TYPE);

    assert_non_null(curl);
    headers = curl_slist_append(headers, header);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/loss", service.port);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     strstr(header, "chunked") ? -1 : (curl_off_t)t->left);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        fail_msg("%s", curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

/* The power of two of blocks that comes nearest to what is wanted. */
static size_t blocks_wanted(void)
{
    const char *said = getenv("DATASET_MB");
    size_t blocks = 1, mb = said ? (size_t)atoi(said) : USUAL_MB;

    for (mb = IS_SANITIZED ? 2 : mb; blocks * block_len * 3 / 2 < mb * 1000000;)
        blocks *= 2;
    return blocks;
}

static void send_long(const char *header)
{
    static struct transfer t, of_block;
    size_t blocks = blocks_wanted();
    char count[60];

    of_block = (struct transfer){.left = block_len};
    assert_int_equal(post(&of_block, "Expect:"), 200);
    t = (struct transfer){.idle_kb = service_resident_kb(&service),
                          .left = blocks * block_len};
    assert_int_equal(post(&t, header), 200);
    print_message("%llu MB, %zu KB more than before\n",
                  (unsigned long long)t.sent / 1000000,
                  t.most_kb > t.idle_kb ? t.most_kb - t.idle_kb : 0);
    assert_int_equal(t.sent, blocks * block_len);
    size_t same = (size_t)(strstr(of_block.answer, ",\"loss_sum\"") - of_block.answer);
    assert_memory_equal(t.answer, of_block.answer, same);
    snprintf(count, sizeof count, ",\"count\":%zu,\"ignored\":%zu}",
             blocks * (LINES - (LINES + 6) / 7), blocks * ((LINES + 6) / 7));
    assert_non_null(strstr(t.answer, count));
    if (!IS_SANITIZED)
        assert_in_range(t.most_kb, 1, t.idle_kb + SPARE_KB);
}

static void dataset__of_any_length_is_read_in_the_same_memory(void **state)
{
    (void)state;
    send_long("Expect:");
}

static void dataset__may_come_in_chunks_after_a_100(void **state)
{
    (void)state;
    send_long("Transfer-Encoding: chunked");
}

/* ---- that end early ---------------------------------------------------------------- */

static void begin_chunked(struct wire *wire, unsigned port, const char *wanted)
{
    char head[200];

    snprintf(head, sizeof head,
             "POST /v1/loss?return=%s HTTP/1.1\r\nHost: x\r\n" TYPE
             "\r\nTransfer-Encoding: chunked\r\n\r\n",
             wanted);
    assert_true(wire_open(wire, port));
    assert_true(wire_text(wire, head));
}

static void send_chunk(struct wire *wire)
{
    char size[40];

    snprintf(size, sizeof size, "%zx\r\n", block_len);
    assert_true(wire_text(wire, size));
    assert_true(wire_send(wire, block, block_len));
    assert_true(wire_text(wire, "\r\n"));
}

static void dataset__of_a_client_that_leaves_leaves_nothing(void **state)
{
    size_t descriptors = service_descriptors(&service);
    char why[WHY_SIZE];

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct wire wire;
        begin_chunked(&wire, service.port, "records");
        for (int chunk = 0; chunk < 10; chunk++)
            send_chunk(&wire);
        if (i % 2)
            wire_close(&wire);
        else
            wire_reset(&wire);
    }
    if (!gauges_fall_to_rest(service.port, why))
        fail_msg("%s", why);
    assert_true(service_descriptors_fall_to(&service, descriptors));
}

/* What is so long, in one line or in many, is answered with the flag. */
static void assert_too_large(struct client *client, const char *target, const char *body,
                             bool chunked, const char *flag)
{
    const struct question question = {.method = "POST",
                                      .target = target,
                                      .header = {TYPE},
                                      .body = body,
                                      .body_length = strlen(body),
                                      .chunked = chunked};
    struct answer answer;
    char why[200], wanted[60];

    if (!client_ask(client, &question, &answer, why))
        fail_msg("%s", why);
    snprintf(wanted, sizeof wanted, "\"flag\":\"%s\"", flag);
    assert_int_equal(answer.status, 413);
    assert_non_null(strstr(answer.body, wanted));
    answer_release(&answer);
}

static void dataset__beyond_a_ceiling_is_told_which(void **state)
{
    static const char *const flags[] = {"--max-dataset", "50000", "--max-line", "1024",
                                        NULL};
    static char line[2000], lines[60000];
    struct service narrow;

    (void)state;
    assert_true(service_start(&narrow, flags));
    struct client *client = client_new(narrow.port);
    assert_non_null(client);
    memset(line, ' ', sizeof line - 1);
    memcpy(line, "{\"logits\":[2,", 13);
    for (char *at = lines; at - lines < 59000;)
        at += sprintf(at, RECORD);
    for (int chunked = 0; chunked < 2; chunked++) {
        assert_too_large(client, "/v1/loss", line, chunked, "--max-line");
        assert_too_large(client, "/v1/loss?on_error=skip", lines, chunked,
                         "--max-dataset");
    }
    client_free(client);
    assert_int_equal(service_stop(&narrow), 0);
}

/* However long it is, and whatever it has. */
static void dataset__goes_on_behind_a_line_that_is_too_long(void **state)
{
    static const char *const flags[] = {"--max-line", "1024", NULL};
    static char lines[40000];
    struct service narrow;
    struct answer answer;
    char why[200], *at = lines;

    (void)state;
    at += sprintf(at, RECORD "{\"logits\":[");
    for (int i = 0; i < 9000; i++)
        at += sprintf(at, "%d,", i % 10);
    sprintf(at, "oops\n" RECORD);
    assert_true(service_start(&narrow, flags));
    struct client *client = client_new(narrow.port);
    for (int chunked = 0; chunked < 2; chunked++) {
        const struct question question = {.method = "POST",
                                          .target = "/v1/loss?on_error=skip&return=loss",
                                          .header = {TYPE},
                                          .body = lines,
                                          .body_length = strlen(lines),
                                          .chunked = chunked};
        if (!client_ask(client, &question, &answer, why))
            fail_msg("%s", why);
        assert_int_equal(answer.status, 200);
        assert_non_null(
            strstr(answer.body, "\"count\":2,\"ignored\":0,\"errors\":[{\"line\":2,"));
        assert_non_null(strstr(answer.body, "--max-line"));
        assert_non_null(strstr(answer.body, "\"error_count\":1}"));
        answer_release(&answer);
    }
    client_free(client);
    assert_int_equal(service_stop(&narrow), 0);
}

/* It is not the record's alone, and without it there is no going on. */
static void dataset__ends_where_the_memory_of_its_request_does(void **state)
{
    static const char *const flags[] = {"--max-request-memory", "512KiB", NULL};
    static char lines[300000];
    struct service narrow;
    char *at = lines;

    (void)state;
    at += sprintf(at, RECORD "{\"logits\":[");
    for (int i = 0; i < 100000; i++)
        at += sprintf(at, "%d,", i % 10);
    sprintf(at, "1],\"label\":0}\n" RECORD);
    assert_true(service_start(&narrow, flags));
    struct client *client = client_new(narrow.port);
    assert_non_null(client);
    for (int chunked = 0; chunked < 2; chunked++)
        assert_too_large(client, "/v1/loss?on_error=skip", lines, chunked,
                         "--max-request-memory");
    client_free(client);
    assert_int_equal(service_stop(&narrow), 0);
}

static void dataset__that_has_begun_is_finished_by_a_drain(void **state)
{
    struct service other;
    struct wire wire;
    struct answer answer;
    char head[200];

    (void)state;
    assert_true(service_start(&other, NULL));
    assert_true(wire_open(&wire, other.port));
    snprintf(head, sizeof head,
             "POST /v1/loss?return=loss HTTP/1.1\r\nHost: x\r\n" TYPE
             "\r\nExpect: 100-continue\r\nContent-Length: %zu\r\n\r\n",
             2 * strlen(RECORD));
    assert_true(wire_text(&wire, head) && wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 100);
    answer_release(&answer);
    assert_true(wire_text(&wire, RECORD "{\"log"));
    kill(other.pid, SIGTERM);
    assert_true(service_logs(&other, "stopping"));
    assert_true(wire_text(&wire, RECORD + strlen("{\"log")));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"divisor\":2,\"count\":2,\"ignored\":0}"));
    answer_release(&answer);
    wire_close(&wire);
    assert_int_equal(service_wait(&other), 0);
}

/* Each of its many waits for a thread is short; all of them are not. */
static void dataset__may_wait_for_its_time_again_and_again(void **state)
{
    enum { CLIENTS = 4, SECONDS = IS_SANITIZED ? 10 : 3 };
    const char *const flags[] = {"--threads",
                                 "1",
                                 "--net-threads",
                                 "1",
                                 "--request-timeout",
                                 IS_SANITIZED ? "5s" : "1s",
                                 NULL};
    struct service busy;
    struct wire wires[CLIENTS];

    (void)state;
    assert_true(service_start(&busy, flags));
    for (int i = 0; i < CLIENTS; i++)
        begin_chunked(&wires[i], busy.port, "loss");
    for (int64_t end = clock_ns() + SECONDS * INT64_C(1000000000); clock_ns() < end;)
        for (int i = 0; i < CLIENTS; i++)
            send_chunk(&wires[i]);
    for (int i = 0; i < CLIENTS; i++)
        assert_true(wire_text(&wires[i], "0\r\n\r\n"));
    for (int i = 0; i < CLIENTS; i++) {
        struct answer answer;
        assert_true(wire_answer(&wires[i], false, &answer));
        if (answer.status != 200)
            fail_msg("%s", answer.body);
        answer_release(&answer);
        wire_close(&wires[i]);
    }
    assert_int_equal(service_stop(&busy), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dataset__of_any_length_is_read_in_the_same_memory),
        cmocka_unit_test(dataset__may_come_in_chunks_after_a_100),
        cmocka_unit_test(dataset__of_a_client_that_leaves_leaves_nothing),
        cmocka_unit_test(dataset__beyond_a_ceiling_is_told_which),
        cmocka_unit_test(dataset__goes_on_behind_a_line_that_is_too_long),
        cmocka_unit_test(dataset__ends_where_the_memory_of_its_request_does),
        cmocka_unit_test(dataset__may_wait_for_its_time_again_and_again),
        cmocka_unit_test(dataset__that_has_begun_is_finished_by_a_drain),
    };

    return cmocka_run_group_tests_name("long_datasets", tests, start, stop);
}
