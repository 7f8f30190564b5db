#include "lossd/obs/log.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

enum { TEXT_SIZE = 1 << 18 };

/* A log that writes into a file, and the text so far. */
struct page {
    struct log log;
    char text[TEXT_SIZE];
};

static struct page *page_new(enum log_format format, enum log_level lowest)
{
    struct page *page = calloc(1, sizeof *page);

    char name[] = "/tmp/lossd-test-log-XXXXXX";
    page->log = (struct log){mkstemp(name), format, lowest, NULL, NULL};
    unlink(name);
    int flags = fcntl(page->log.fd, F_GETFL);
    fcntl(page->log.fd, F_SETFL, flags | O_APPEND);
    return page;
}

static const char *page_text(struct page *page)
{
    ssize_t len = pread(page->log.fd, page->text, TEXT_SIZE - 1, 0);

    assert_in_range(len, 0, TEXT_SIZE - 2);
    page->text[len] = '\0';
    return page->text;
}

static void page_free(struct page *page)
{
    close(page->log.fd);
    free(page);
}

/* The only line of the page, as JSON. */
static cJSON *page_line(struct page *page)
{
    const char *end, *text = page_text(page);
    cJSON *line = cJSON_ParseWithOpts(text, &end, false);

    assert_non_null(line);
    assert_string_equal(end, "\n");
    return line;
}

static const char *string_of(const cJSON *line, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, key));
}

static double number_of(const cJSON *line, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(line, key));
}

static struct access an_access(void)
{
    return (struct access){
        .method = span_of("POST"),
        .path = span_of("/v1/loss"),
        .route = "/v1/loss",
        .status = 422,
        .request_bytes = 99,
        .response_bytes = 78,
        .duration_ms = 0.23149,
        .request_id = "r-1",
        .trace_id = "0af7651916cd43dd8448eb211c80319c",
        .client = span_of("127.0.0.1"),
        .user_agent = span_of("curl/7.88.1"),
        .code = "label_out_of_range",
        .rows = 2,
        .classes = 3,
        .complete = true,
    };
}

static void log_note__is_one_json_object_a_line(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_INFO);

    log_note(&page->log, LOG_WARNING, "listening on %s:%d", "127.0.0.1", 8080);
    cJSON *line = page_line(page);
    assert_string_equal(string_of(line, "msg"), "listening on 127.0.0.1:8080");
    assert_string_equal(string_of(line, "level"), "warning");
    int end = 0;
    assert_int_equal(
        sscanf(string_of(line, "ts"), "%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ%n", &end), 0);
    assert_int_equal(end, 24);
    cJSON_Delete(line);
    page_free(page);
}

static void log_note__cannot_be_forged_by_what_is_logged(void **state)
{
    (void)state;
    const char *evil = "a\n{\"level\":\"info\"}\r\x1b[31m\\ \"x\" \x7f \xff\xfe";

    struct page *page = page_new(LOG_JSON, LOG_INFO);
    log_note(&page->log, LOG_INFO, "%s", evil);
    cJSON *line = page_line(page);
    assert_string_equal(string_of(line, "msg"),
                        "a\n{\"level\":\"info\"}\r\x1b[31m\\ \"x\" \x7f "
                        "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_null(strchr(page->text, '\x1b'));
    cJSON_Delete(line);
    page_free(page);

    page = page_new(LOG_TEXT, LOG_INFO);
    log_note(&page->log, LOG_INFO, "%s", evil);
    assert_string_equal(
        page_text(page) + 25,
        "info    a\\x0a{\"level\":\"info\"}\\x0d\\x1b[31m\\x5c \"x\" \\x7f \\xff\\xfe\n");
    page_free(page);
}

static void log_note__keeps_quiet_below_its_level(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_WARNING);

    log_note(&page->log, LOG_DEBUG, "no");
    log_note(&page->log, LOG_INFO, "no");
    log_note(NULL, LOG_ERROR, "no");
    assert_string_equal(page_text(page), "");
    log_note(&page->log, LOG_ERROR, "yes");
    assert_non_null(strstr(page_text(page), "yes"));
    page->log.format = LOG_OFF;
    log_note(&page->log, LOG_ERROR, "never");
    assert_null(strstr(page_text(page), "never"));
    page_free(page);
}

static void log_access__has_the_keys_of_opentelemetry(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_INFO);
    struct access access = an_access();

    log_access(&page->log, &access);
    cJSON *line = page_line(page);
    assert_string_equal(string_of(line, "level"), "info");
    assert_string_equal(string_of(line, "msg"), "request");
    assert_string_equal(string_of(line, "http.request.method"), "POST");
    assert_string_equal(string_of(line, "url.path"), "/v1/loss");
    assert_string_equal(string_of(line, "http.route"), "/v1/loss");
    assert_true(number_of(line, "http.response.status_code") == 422);
    assert_true(number_of(line, "http.request.body.size") == 99);
    assert_true(number_of(line, "http.response.body.size") == 78);
    assert_string_equal(string_of(line, "client.address"), "127.0.0.1");
    assert_string_equal(string_of(line, "user_agent.original"), "curl/7.88.1");
    assert_string_equal(string_of(line, "request_id"), "r-1");
    assert_string_equal(string_of(line, "trace_id"), "0af7651916cd43dd8448eb211c80319c");
    assert_true(number_of(line, "duration_ms") == 0.231);
    assert_true(number_of(line, "rows") == 2);
    assert_true(number_of(line, "classes") == 3);
    assert_string_equal(string_of(line, "code"), "label_out_of_range");
    assert_null(cJSON_GetObjectItemCaseSensitive(line, "complete"));
    cJSON_Delete(line);
    page_free(page);
}

static void log_access__leaves_out_what_there_is_not(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_INFO);
    struct access access = an_access();

    access.status = 503;
    access.trace_id = access.code = "";
    access.user_agent = (struct span){NULL, 0};
    access.rows = access.classes = 0;
    access.complete = false;
    log_access(&page->log, &access);
    cJSON *line = page_line(page);
    assert_string_equal(string_of(line, "level"), "warning");
    assert_null(cJSON_GetObjectItemCaseSensitive(line, "trace_id"));
    assert_null(cJSON_GetObjectItemCaseSensitive(line, "code"));
    assert_null(cJSON_GetObjectItemCaseSensitive(line, "user_agent.original"));
    assert_null(cJSON_GetObjectItemCaseSensitive(line, "rows"));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(line, "complete")));
    cJSON_Delete(line);
    page_free(page);
}

static void log_access__is_readable_as_text(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_TEXT, LOG_INFO);
    struct access access = an_access();

    log_access(&page->log, &access);
    assert_string_equal(page_text(page) + 25,
                        "info    127.0.0.1 POST /v1/loss 422 0.231ms in=99 out=78 "
                        "code=label_out_of_range rows=2 classes=3 id=r-1\n");
    page_free(page);
}

static void log_access__cannot_be_forged_by_a_path(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_TEXT, LOG_INFO);
    struct access access = an_access();

    access.path = span_of("/a 200 0.1ms\n");
    log_access(&page->log, &access);
    assert_non_null(strstr(page_text(page), " POST /a\\x20200\\x200.1ms\\x0a 422 "));
    page_free(page);
}

/* Who watches warnings is not to be woken by whoever speaks another version. */
static void log_access__warns_of_what_is_not_the_clients_fault(void **state)
{
    static const struct {
        unsigned status;
        const char *level;
    } cases[] = {
        {431, "info"}, {499, "info"}, {500, "warning"}, {503, "warning"}, {505, "info"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct page *page = page_new(LOG_JSON, LOG_INFO);
        struct access access = an_access();

        access.status = cases[i].status;
        log_access(&page->log, &access);
        cJSON *line = page_line(page);
        assert_string_equal(string_of(line, "level"), cases[i].level);
        cJSON_Delete(line);
        page_free(page);
    }
}

/* What is longer than a pipe takes at once may be mixed with another's. */
static void assert_lines_fit(enum log_format format, const char *long_text)
{
    struct page *page = page_new(format, LOG_INFO);
    struct access access = an_access();

    access.method = access.path = access.user_agent = access.client = span_of(long_text);
    access.route = access.request_id = access.trace_id = access.code = long_text;
    access.request_bytes = access.response_bytes = UINT64_MAX;
    access.rows = access.classes = SIZE_MAX;
    access.duration_ms = 1e15 / 3;
    access.complete = false;
    log_access(&page->log, &access);
    size_t len = strlen(page_text(page));
    assert_in_range(len, 500, PIPE_BUF);
    assert_int_equal(page->text[len - 1], '\n');
    assert_ptr_equal(strchr(page->text, '\n'), page->text + len - 1);
    log_note(&page->log, LOG_INFO, "%s", long_text);
    assert_in_range(strlen(page_text(page)), len + 500, len + PIPE_BUF);
    page_free(page);
}

static void log_access__cuts_what_a_client_made_too_long(void **state)
{
    static const char fillers[] = {1, '"', '\\', (char)0xFF, 'a'};
    static char long_text[100000];

    (void)state;
    for (size_t i = 0; i < sizeof fillers; i++) {
        memset(long_text, fillers[i], sizeof long_text - 1);
        for (enum log_format format = LOG_JSON; format <= LOG_TEXT; format++)
            assert_lines_fit(format, long_text);
    }
}

static void *write_notes(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_note(&((struct page *)arg)->log, LOG_INFO, "%0200d", i);
    return NULL;
}

static void log_note__keeps_the_lines_of_threads_apart(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_INFO);
    pthread_t threads[4];
    int lines = 0;

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_notes, page), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (const char *at = page_text(page), *end; *at; at = end + 1, lines++) {
        cJSON *line = cJSON_ParseWithOpts(at, &end, false);
        assert_non_null(line);
        assert_int_equal(*end, '\n');
        assert_int_equal(strlen(string_of(line, "msg")), 200);
        cJSON_Delete(line);
    }
    assert_int_equal(lines, 800);
    page_free(page);
}

static size_t count_lines(const char *text, const char *word)
{
    size_t count = 0;

    for (; (text = strstr(text, word)); text++)
        count++;
    return count;
}

static void log__leaves_out_access_lines_and_notes_apart_and_says_how_many(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_INFO);
    struct log_gate gate = {.per_second = 1};
    struct access access = an_access();
    enum { MANY = 100 };

    gate.due_ns[LOG_KIND_ACCESS] = INT64_MAX / 2; /* an empty bucket, for long */
    page->log.gate = &gate;
    for (int i = 0; i < MANY; i++)
        log_access(&page->log, &access);
    assert_int_equal(count_lines(page_text(page), "\"request\""), 0);
    /* told of at once, and the rest not within this second */
    assert_non_null(strstr(page->text,
                           "\"level\":\"warning\",\"msg\":\"log lines left out: "
                           "1; more than 1 came in a second (--log-rate "
                           "raises that)\""));
    log_note(&page->log, LOG_INFO, "all is well");
    assert_int_equal(count_lines(page_text(page), "all is well"), 1);
    log_end(&page->log);
    log_end(&page->log);
    size_t told = 0;
    for (const char *at = page_text(page); (at = strstr(at, "left out: ")); at++)
        told += strtoul(at + strlen("left out: "), NULL, 10);
    assert_int_equal(told, MANY);
    page_free(page);
}

static void log__counts_no_line_below_its_level_against_the_rate(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_WARNING);
    struct log_gate gate = {.per_second = 1};

    page->log.gate = &gate;
    for (int i = 0; i < 1000; i++)
        log_note(&page->log, LOG_INFO, "not wanted");
    log_note(&page->log, LOG_ERROR, "wanted");
    log_end(&page->log);
    assert_non_null(strstr(page_text(page), "\"wanted\""));
    assert_null(strstr(page->text, "left out"));
    page_free(page);
}

/* The size that files may have, as the next write finds it. */
static void allow_size(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
log__ends_a_line_that_was_cut_before_the_next_and_says_what_was_lost(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_TEXT, LOG_INFO);
    struct log_flow flow = {0};
    struct rlimit before;

    page->log.flow = &flow;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    allow_size(40);
    log_note(&page->log, LOG_INFO, "half of this line is taken");
    log_note(&page->log, LOG_INFO, "nothing of this");
    allow_size(90);
    log_note(&page->log, LOG_INFO, "x"); /* but nothing of what is lost */
    allow_size(before.rlim_cur);
    log_note(&page->log, LOG_INFO, "whole");
    log_note(&page->log, LOG_INFO, "and on");
    signal(SIGXFSZ, SIG_DFL);
    const char *end = strchr(page_text(page), '\n');
    assert_non_null(end);
    assert_int_equal(end - page->text, 40);
    const char *whole = strstr(end, " info    whole\n");
    const char *lost =
        strstr(end, "warning log lines lost: 3; there was no room for them\n");
    const char *on = strstr(end, " info    and on\n");
    assert_true(whole && lost > whole && on > lost);
    assert_int_equal(count_lines(end + 1, "\n"), 5);
    page_free(page);
}

static void log__says_what_was_lost_at_a_level_that_is_wanted(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_TEXT, LOG_INFO);
    struct log_flow flow = {0};

    page->log.flow = &flow;
    log_flow_lose(&flow, 3, false);
    page->log.lowest = LOG_ERROR;
    log_note(&page->log, LOG_ERROR, "grave");
    assert_int_equal(count_lines(page_text(page), "\n"), 1);
    page->log.lowest = LOG_WARNING;
    log_note(&page->log, LOG_ERROR, "grave");
    assert_non_null(strstr(page_text(page), "log lines lost: 3;"));
    page_free(page);
}

struct reading {
    int fd;
    size_t lines;
};

static void *read_all(void *arg)
{
    struct reading *reading = arg;
    char piece[4096];

    usleep(20000); /* the pipe is full by then */
    for (ssize_t n; (n = read(reading->fd, piece, sizeof piece)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            reading->lines += piece[i] == '\n';
    return NULL;
}

static void log__waits_for_a_reader_though_the_descriptor_would_not(void **state)
{
    (void)state;
    struct log log = {.format = LOG_JSON, .lowest = LOG_INFO};
    struct reading reading = {0};
    pthread_t reader;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    log.fd = ends[1];
    reading.fd = ends[0];
    assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);
    for (int i = 0; i < 1000; i++)
        log_note(&log, LOG_INFO, "%0200d", i);
    close(ends[1]);
    pthread_join(reader, NULL);
    close(ends[0]);
    assert_int_equal(reading.lines, 1000);
}

static void log_end__takes_a_log_without_a_gate(void **state)
{
    (void)state;
    struct page *page = page_new(LOG_JSON, LOG_INFO);

    log_end(NULL);
    log_end(&page->log);
    assert_string_equal(page_text(page), "");
    page_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_note__is_one_json_object_a_line),
        cmocka_unit_test(log_note__cannot_be_forged_by_what_is_logged),
        cmocka_unit_test(log_note__keeps_quiet_below_its_level),
        cmocka_unit_test(log_access__has_the_keys_of_opentelemetry),
        cmocka_unit_test(log_access__leaves_out_what_there_is_not),
        cmocka_unit_test(log_access__is_readable_as_text),
        cmocka_unit_test(log_access__cannot_be_forged_by_a_path),
        cmocka_unit_test(log_access__warns_of_what_is_not_the_clients_fault),
        cmocka_unit_test(log_access__cuts_what_a_client_made_too_long),
        cmocka_unit_test(log__leaves_out_access_lines_and_notes_apart_and_says_how_many),
        cmocka_unit_test(log__counts_no_line_below_its_level_against_the_rate),
        cmocka_unit_test(
            log__ends_a_line_that_was_cut_before_the_next_and_says_what_was_lost),
        cmocka_unit_test(log__says_what_was_lost_at_a_level_that_is_wanted),
        cmocka_unit_test(log__waits_for_a_reader_though_the_descriptor_would_not),
        cmocka_unit_test(log_end__takes_a_log_without_a_gate),
        cmocka_unit_test(log_note__keeps_the_lines_of_threads_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
