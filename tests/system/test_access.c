/* Who may ask, and how loud the log gets: keys, pages from elsewhere, floods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "program.h"
#include "service.h"
#include "wire.h"

#define KEY "the-right-key-of-this-test"
#define OTHER "another-key-of-this-test"
#define WRONG "a-wrong-key-of-this-test"
#define BATCH "{\"logits\":[1,2],\"labels\":0}"

enum { TRIES = 20, BODY = 20 << 20 };

static char keys[] = "/tmp/lossd-test-access-XXXXXX";
static struct service service;
static struct client *client;
static struct ending ending; /* too large for a stack */

static void write_keys(const char *text)
{
    FILE *file = fopen(keys, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_file(void **state)
{
    int fd = mkstemp(keys);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(keys);
}

static void open_service(const char *const *flags)
{
    assert_true(service_start(&service, flags));
    client = client_new(service.port);
    assert_non_null(client);
}

static void open_service_with_keys(void)
{
    const char *const flags[] = {"--api-key-file", keys, NULL};

    write_keys("# for tests\n" KEY "\n" OTHER "\n");
    open_service(flags);
}

/* Also after a test that failed half-way. */
static int close_service(void **state)
{
    (void)state;
    client_free(client);
    client = NULL;
    if (service.pid > 0)
        assert_int_equal(service_stop(&service), 0);
    return 0;
}

static struct answer ask(struct question question)
{
    struct answer answer;
    char why[200];

    if (!client_ask(client, &question, &answer, why))
        fail_msg("%s %s: no answer: %s", question.method, question.target, why);
    return answer;
}

static unsigned status_of(struct question question)
{
    struct answer answer = ask(question);
    unsigned status = answer.status;

    answer_release(&answer);
    return status;
}

static unsigned status_with(const char *authorization)
{
    return status_of((struct question){
        .method = "GET", .target = "/version", .header = {authorization}});
}

/* ---- keys ---------------------------------------------------------------------- */

static void access__is_everybody_s_without_keys(void **state)
{
    (void)state;
    open_service(NULL);
    assert_int_equal(status_with(NULL), 200);
    assert_int_equal(status_with("Authorization: Bearer " WRONG), 200);
}

static void access__tells_health_without_a_key_and_all_else_with_one(void **state)
{
    static const char *const health[] = {"/livez", "/readyz", "/healthz"};
    static const char *const others[] = {"/",          "/version", "/v1/losses",
                                         "/v1/limits", "/v1/loss", "/metrics",
                                         "/nowhere",   "/livez/"};

    (void)state;
    open_service_with_keys();
    for (size_t i = 0; i < sizeof health / sizeof *health; i++) {
        assert_int_equal(
            status_of((struct question){.method = "GET", .target = health[i]}), 200);
        assert_int_equal(
            status_of((struct question){.method = "HEAD", .target = health[i]}), 200);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct answer answer =
            ask((struct question){.method = "GET", .target = others[i]});
        char value[300];
        assert_int_equal(answer.status, 401);
        assert_non_null(strstr(answer.body, "\"unauthorized\""));
        assert_true(answer_header(&answer, "WWW-Authenticate", value));
        assert_string_equal(value, "Bearer realm=\"lossd\"");
        answer_release(&answer);
    }
    assert_int_equal(status_with("Authorization: Bearer " KEY), 200);
    assert_int_equal(status_with("Authorization: Bearer " OTHER), 200);
    assert_int_equal(status_with("Authorization: Bearer " WRONG), 401);
}

static void access__scores_for_those_with_a_key(void **state)
{
    struct question question = {.method = "POST",
                                .target = "/v1/loss",
                                .header = {"Authorization: Bearer " KEY},
                                .body = BATCH,
                                .body_length = strlen(BATCH)};

    (void)state;
    open_service_with_keys();
    assert_int_equal(status_of(question), 200);
    question.chunked = true;
    assert_int_equal(status_of(question), 200);
    question.header[0] = "Authorization: Bearer " WRONG;
    assert_int_equal(status_of(question), 401);
}

static void assert_unauthorized(struct wire *wire)
{
    struct answer answer;

    if (!wire_answer(wire, false, &answer))
        fail_msg("no answer");
    assert_int_equal(answer.status, 401);
    assert_non_null(strstr(answer.body, "\"unauthorized\""));
    answer_release(&answer);
}

#define LARGE_HEAD                          \
    "POST /v1/loss HTTP/1.1\r\nHost: x\r\n" \
    "Authorization: Bearer " WRONG "\r\n"   \
    "Content-Length: 20971520\r\n"

static void access__refuses_a_large_upload_before_any_of_it_is_sent(void **state)
{
    static const char *const heads[] = {LARGE_HEAD "\r\n",
                                        LARGE_HEAD "Expect: 100-continue\r\n\r\n"};

    (void)state;
    open_service_with_keys();
    for (size_t i = 0; i < 2; i++) {
        struct wire wire;
        assert_true(wire_open(&wire, service.port));
        assert_true(wire_text(&wire, heads[i]));
        assert_unauthorized(&wire);
        wire_close(&wire);
    }
}

static void access__lets_one_read_the_refusal_who_sends_it_all_the_same(void **state)
{
    char *body = malloc(BODY);

    (void)state;
    assert_non_null(body);
    memset(body, '[', BODY);
    open_service_with_keys();
    size_t descriptors = service_descriptors(&service);
    for (int i = 0; i < TRIES; i++) {
        struct wire wire;
        assert_true(wire_open(&wire, service.port));
        assert_true(wire_text(&wire, LARGE_HEAD "\r\n"));
        if (!wire_send(&wire, body, BODY))
            fail_msg("the connection broke while the body was sent");
        assert_unauthorized(&wire);
        wire_close(&wire);
    }
    assert_true(service_descriptors_fall_to(&service, descriptors));
    struct question question = {.method = "POST",
                                .target = "/v1/loss",
                                .header = {"Authorization: Bearer " WRONG},
                                .body = body,
                                .body_length = BODY};
    assert_int_equal(status_of(question), 401);
    free(body);
}

static void access__goes_on_with_the_connection_after_a_small_one(void **state)
{
    struct wire wire;
    struct answer answer;

    (void)state;
    open_service_with_keys();
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_post(&wire, "/v1/loss", BATCH, false));
    assert_unauthorized(&wire);
    assert_true(wire_text(&wire, "GET /version HTTP/1.1\r\nHost: x\r\n"
                                 "Authorization: Bearer " KEY "\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    wire_close(&wire);
}

static void
access__takes_new_keys_at_a_hangup_and_keeps_the_old_if_they_are_bad(void **state)
{
    char line[200];

    (void)state;
    open_service_with_keys();
    write_keys(WRONG "\n");
    kill(service.pid, SIGHUP);
    assert_true(service_logs(&service, "\"the keys have been read again: 1\""));
    assert_int_equal(status_with("Authorization: Bearer " WRONG), 200);
    assert_int_equal(status_with("Authorization: Bearer " KEY), 401);
    write_keys(KEY "\nshort\n");
    kill(service.pid, SIGHUP);
    snprintf(line, sizeof line,
             "\"level\":\"error\",\"msg\":\"the keys stay as they were: %s:2: the key is "
             "too short; wanted at least 16 characters\"",
             keys);
    assert_true(service_logs(&service, line));
    assert_int_equal(status_with("Authorization: Bearer " WRONG), 200);
    assert_int_equal(status_with("Authorization: Bearer " KEY), 401);
}

static void access__leaves_no_key_in_the_log(void **state)
{
    const char *const flags[] = {"--api-key-file", keys, "--log-level", "debug", NULL};

    (void)state;
    write_keys(KEY "\n" OTHER "\n");
    open_service(flags);
    assert_int_equal(status_with("Authorization: Bearer " KEY), 200);
    assert_int_equal(status_with("Authorization: Bearer " WRONG), 401);
    assert_int_equal(status_with("Authorization: " KEY), 401);
    kill(service.pid, SIGHUP);
    assert_true(service_logs(&service, "the keys have been read again: 2"));
    char *log = service_log(&service);
    assert_non_null(strstr(log, "\"unauthorized\""));
    assert_null(strstr(log, "of-this-test"));
    free(log);
}

static void run(const char *flag, const char *value, const char *more)
{
    /* what should have refused to start must not run for ever */
    struct program program = {
        .path = "/usr/bin/timeout",
        .words = {"30", service_program(), "--port", "0", flag, value, more}};

    assert_true(program_run(&program, &ending));
}

/* It does not start; `why` stands behind the name of the file. */
static void assert_refuses_keys(const char *text, const char *why)
{
    char expected[300];

    write_keys(text);
    run("--api-key-file", keys, NULL);
    assert_int_equal(ending.status, 2);
    snprintf(expected, sizeof expected, "lossd: %s%s\n", keys, why);
    assert_string_equal(ending.err, expected);
    assert_string_equal(ending.out, "");
}

static void access__starts_with_no_file_that_has_a_bad_key_or_none(void **state)
{
    (void)state;
    assert_refuses_keys("", " has no key; wanted one key a line");
    assert_refuses_keys(KEY "\nof-this-test\n",
                        ":2: the key is too short; wanted at least 16 characters");
    run("--api-key-file", "/nowhere/keys", NULL);
    assert_int_equal(ending.status, 2);
    assert_string_equal(ending.err,
                        "lossd: cannot open /nowhere/keys: No such file or directory\n");
}

static void access__prints_the_name_of_the_file_among_the_settings(void **state)
{
    char line[200];

    (void)state;
    write_keys(KEY "\n");
    run("--api-key-file", keys, "--print-config");
    assert_int_equal(ending.status, 0);
    snprintf(line, sizeof line, "\napi-key-file = %s  # from a flag\n", keys);
    assert_non_null(strstr(ending.out, line));
    assert_null(strstr(ending.out, "of-this-test"));
}

/* ---- pages from elsewhere --------------------------------------------------------- */

static bool has(const struct answer *answer, const char *name, const char *wanted)
{
    char value[300];

    return answer_header(answer, name, value) && strcmp(value, wanted) == 0;
}

static void cors__lets_a_page_ask_and_read(void **state)
{
    static const char *const flags[] = {"--cors-origin", "https://app.example", NULL};
    char value[300];

    (void)state;
    open_service(flags);
    struct answer answer =
        ask((struct question){.method = "OPTIONS",
                              .target = "/v1/loss?return=loss",
                              .header = {"Origin: https://app.example",
                                         "Access-Control-Request-Method: POST"}});
    assert_int_equal(answer.status, 204);
    assert_int_equal(answer.body_length, 0);
    assert_true(has(&answer, "Access-Control-Allow-Origin", "https://app.example"));
    assert_true(has(&answer, "Access-Control-Allow-Methods", "GET, HEAD, POST"));
    assert_false(answer_header(&answer, "Content-Type", value));
    answer_release(&answer);
    struct question question = {.method = "POST",
                                .target = "/v1/loss",
                                .header = {"Origin: https://app.example"},
                                .body = BATCH,
                                .body_length = strlen(BATCH)};
    answer = ask(question);
    assert_int_equal(answer.status, 200);
    assert_true(has(&answer, "Access-Control-Allow-Origin", "https://app.example"));
    answer_release(&answer);
    question.header[0] = "Origin: https://other.example";
    answer = ask(question);
    assert_int_equal(answer.status, 200);
    assert_false(answer_header(&answer, "Access-Control-Allow-Origin", value));
    answer_release(&answer);
}

static void cors__counts_preflights_by_their_status(void **state)
{
    static const char *const flags[] = {"--cors-origin", "*", NULL};
    static const char line[] = "\nlossd_http_requests_total{method=\"OPTIONS\","
                               "route=\"/v1/loss\",code=\"204\"} 1\n";

    (void)state;
    open_service(flags);
    assert_int_equal(
        status_of((struct question){.method = "OPTIONS",
                                    .target = "/v1/loss",
                                    .header = {"Origin: https://app.example",
                                               "Access-Control-Request-Method: POST"}}),
        204);
    /* on the same connection: the other request has ended */
    struct answer answer = ask((struct question){.method = "GET", .target = "/metrics"});
    assert_non_null(strstr(answer.body, line));
    answer_release(&answer);
}

/* An answer in the middle of a body is written by hand, and must have them too. */
static void cors__lets_a_page_read_a_refusal_in_the_middle_of_its_body(void **state)
{
    static const char *const flags[] = {"--cors-origin", "*", NULL};
    struct wire wire;
    struct answer answer;

    (void)state;
    open_service(flags);
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                 "Origin: https://app.example\r\n"
                                 "Content-Length: 20971520\r\n\r\n{x"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 400);
    assert_true(has(&answer, "Access-Control-Allow-Origin", "*"));
    assert_true(has(&answer, "Vary", "Origin"));
    answer_release(&answer);
    wire_close(&wire);
}

/* Nobody has read then from which page it comes. */
static void cors__lets_a_page_read_that_there_was_no_place(void **state)
{
    static const char *const flags[] = {"--cors-origin", "https://app.example",
                                        "--max-connections", "1", NULL};
    struct wire first, second;
    struct answer answer;

    (void)state;
    open_service(flags);
    assert_true(wire_open(&first, service.port));
    assert_true(wire_text(&first, "POST /v1/loss HTTP/1.1\r\n"));
    assert_true(wire_open(&second, service.port));
    assert_true(wire_answer(&second, false, &answer));
    assert_int_equal(answer.status, 503);
    assert_true(has(&answer, "Access-Control-Allow-Origin", "https://app.example"));
    answer_release(&answer);
    wire_close(&second);
    wire_close(&first);
}

/* So is one that the reaper writes. */
static void cors__lets_a_page_read_that_its_body_came_too_slowly(void **state)
{
    static const char *const flags[] = {"--cors-origin", "https://app.example",
                                        "--body-timeout", "300ms", NULL};
    static const char *const origins[] = {"https://app.example", "https://other.example"};
    struct answer answer;

    (void)state;
    open_service(flags);
    for (int i = 0; i < 2; i++) {
        struct wire wire;
        char value[300];
        assert_true(wire_open(&wire, service.port));
        assert_true(wire_text(&wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\nOrigin: "));
        assert_true(wire_text(&wire, origins[i]));
        assert_true(wire_text(&wire, "\r\nContent-Length: 100\r\n\r\n{"));
        assert_true(wire_answer(&wire, false, &answer));
        assert_int_equal(answer.status, 408);
        assert_true(has(&answer, "Vary", "Origin"));
        assert_int_equal(answer_header(&answer, "Access-Control-Allow-Origin", value),
                         i == 0);
        answer_release(&answer);
        wire_close(&wire);
    }
}

static void cors__starts_with_no_origin_that_browsers_do_not_send(void **state)
{
    (void)state;
    run("--cors-origin", "https://app.example/", NULL);
    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.err, "--cors-origin is \"https://app.example/\""));
}

/* ---- floods ------------------------------------------------------------------------- */

static void log__counts_every_line_that_it_leaves_out(void **state)
{
    static const char *const flags[] = {"--log-rate", "1", NULL};
    static char text[1 << 20];
    enum { REQUESTS = 200 };
    size_t lines = 0, left_out = 0;

    (void)state;
    open_service(flags);
    int log = dup(service.log);
    for (int i = 0; i < REQUESTS; i++)
        assert_int_equal(status_with(NULL), 200);
    close_service(NULL);
    ssize_t len = pread(log, text, sizeof text - 1, 0);
    assert_true(len > 0);
    close(log);
    for (const char *at = text; (at = strstr(at, "\"msg\":\"request\"")); at++)
        lines++;
    static const char words[] = "log lines left out: ";
    for (const char *at = text; (at = strstr(at, words)); at++)
        left_out += strtoul(at + strlen(words), NULL, 10);
    assert_true(left_out > 0);
    assert_int_equal(lines + left_out, REQUESTS);
    assert_non_null(strstr(text, "\"stopped\""));
}

#define ON_A_SERVICE(test) cmocka_unit_test_teardown(test, close_service)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_SERVICE(access__is_everybody_s_without_keys),
        ON_A_SERVICE(access__tells_health_without_a_key_and_all_else_with_one),
        ON_A_SERVICE(access__scores_for_those_with_a_key),
        ON_A_SERVICE(access__refuses_a_large_upload_before_any_of_it_is_sent),
        ON_A_SERVICE(access__lets_one_read_the_refusal_who_sends_it_all_the_same),
        ON_A_SERVICE(access__goes_on_with_the_connection_after_a_small_one),
        ON_A_SERVICE(
            access__takes_new_keys_at_a_hangup_and_keeps_the_old_if_they_are_bad),
        ON_A_SERVICE(access__leaves_no_key_in_the_log),
        cmocka_unit_test(access__starts_with_no_file_that_has_a_bad_key_or_none),
        cmocka_unit_test(access__prints_the_name_of_the_file_among_the_settings),
        ON_A_SERVICE(cors__lets_a_page_ask_and_read),
        ON_A_SERVICE(cors__counts_preflights_by_their_status),
        ON_A_SERVICE(cors__lets_a_page_read_a_refusal_in_the_middle_of_its_body),
        ON_A_SERVICE(cors__lets_a_page_read_that_there_was_no_place),
        ON_A_SERVICE(cors__lets_a_page_read_that_its_body_came_too_slowly),
        cmocka_unit_test(cors__starts_with_no_origin_that_browsers_do_not_send),
        ON_A_SERVICE(log__counts_every_line_that_it_leaves_out),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
