/* A body of 100 MB, 5 million logits, is answered in little more memory than its
 * arrays take: those that are read and those that are returned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "service.h"

enum {
    ROWS = 5000,
    CLASSES = 1000,
    DECODED_KB = ROWS * CLASSES / 128, /* 8 bytes a number */
    SPARE_KB = 64 << 10
};

/* The body is made while it is sent, the answer is looked at while it comes. */
struct transfer {
    size_t row, column;
    bool in_labels, ended;
    char text[32];
    size_t len, sent;
    uint64_t bytes_sent, bytes_received;
    size_t commas;
    char last[160]; /* the end of the answer */
    size_t last_len;
};

/* The next few bytes of the body. */
static void next_text(struct transfer *t)
{
    t->sent = 0;
    if (t->in_labels) {
        t->ended = t->row == ROWS;
        t->len = (size_t)snprintf(t->text, sizeof t->text, t->ended ? "]}" : "%s%zu",
                                  t->row ? "," : "", t->row % CLASSES);
        t->row++;
        return;
    }
    const char *before = t->column > 0 ? ","
                         : t->row > 0  ? "],["
                                       : /* first */ "{\"logits\":[[";
    double logit = (double)((t->row * 7919 + t->column * 104729) % 99991) / 7777.7;
    t->len = (size_t)snprintf(t->text, sizeof t->text, "%s%.15g", before, logit - 6);
    if (++t->column == CLASSES) {
        t->column = 0;
        t->row++;
    }
}

static void end_logits(struct transfer *t)
{
    t->in_labels = true;
    t->row = 0;
    t->len = (size_t)snprintf(t->text, sizeof t->text, "]],\"labels\":[");
    t->sent = 0;
}

static size_t send_body(char *out, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t room = size * count, len = 0;

    while (len < room) {
        if (t->sent == t->len) {
            if (t->ended)
                break;
            if (!t->in_labels && t->row == ROWS)
                end_logits(t);
            else
                next_text(t);
        }
        size_t n = t->len - t->sent < room - len ? t->len - t->sent : room - len;
        memcpy(out + len, t->text + t->sent, n);
        t->sent += n;
        len += n;
    }
    t->bytes_sent += len;
    return len;
}

static size_t take_answer(char *text, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count, kept = len < sizeof t->last ? len : sizeof t->last;

    t->bytes_received += len;
    for (size_t i = 0; i < len; i++)
        t->commas += text[i] == ',';
    size_t old =
        t->last_len + kept > sizeof t->last ? sizeof t->last - kept : t->last_len;
    memmove(t->last, t->last + t->last_len - old, old);
    memcpy(t->last + old, text + len - kept, kept);
    t->last_len = old + kept;
    return len;
}

static long post(unsigned port, struct transfer *t)
{
    char url[64];
    long status = 0;
    CURL *curl = curl_easy_init();

    assert_non_null(curl);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/loss", port);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        fail_msg("%s", curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

/* The most memory the service has had resident, in kilobytes. */
static size_t peak_kb(const struct service *service)
{
    char path[64], line[256];
    size_t kb = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)service->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %zu kB", &kb) == 1)
            break;
    fclose(file);
    assert_in_range(kb, 1, SIZE_MAX);
    return kb;
}

/* The sanitizers' own memory is many times the service's. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static void memory__of_a_body_of_100_mb_is_little_more_than_its_arrays(void **state)
{
    struct service service;
    struct transfer transfer = {0};

    (void)state;
    assert_true(service_start(&service, NULL));
    assert_int_equal(post(service.port, &transfer), 200);
    size_t kb = peak_kb(&service);
    print_message("%llu bytes in, %llu bytes out, %zu MB at most\n",
                  (unsigned long long)transfer.bytes_sent,
                  (unsigned long long)transfer.bytes_received, kb / 1024);
    assert_in_range(transfer.bytes_sent, 85000000, 110000000);
    /* every probability but the first has a comma before it, and five members */
    assert_int_equal(transfer.commas, ROWS * CLASSES - 1 + 5);
    transfer.last[transfer.last_len - 1] = '\0';
    assert_non_null(
        strstr(transfer.last, "\"divisor\":5000,\"count\":5000,\"ignored\":0}"));
    if (!IS_SANITIZED)
        assert_in_range(kb, DECODED_KB, 2 * DECODED_KB + SPARE_KB);
    assert_int_equal(service_stop(&service), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__of_a_body_of_100_mb_is_little_more_than_its_arrays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
