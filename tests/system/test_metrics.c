/* GET /metrics of the real program: every line of it, and that the counts are those of
 * what the clients here have done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "batch_text.h"
#include "client.h"
#include "gauges.h"
#include "scrape.h"
#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"
#define REQUESTS "lossd_http_requests_total"
#define REAPED(reason) "lossd_reaped_connections_total{reason=\"" reason "\"}"
#define REFUSED(reason) "lossd_refused_connections_total{reason=\"" reason "\"}"

static struct service service;

static void start(const char *const *flags)
{
    assert_true(service_start(&service, flags));
}

static void stop(void)
{
    assert_int_equal(service_stop(&service), 0);
}

static struct scrape scraped(void)
{
    struct scrape scrape;
    char why[WHY_SIZE];

    if (!scrape_service(&scrape, service.port, false, why))
        fail_msg("%s", why);
    return scrape;
}

static struct scrape scraped_at(const char *series, double value)
{
    struct scrape scrape;
    char why[WHY_SIZE];

    if (!scrape_comes_to(&scrape, service.port, series, value, why))
        fail_msg("%s", why);
    return scrape;
}

static void assert_value(const struct scrape *scrape, const char *series, double value)
{
    if (scrape_value(scrape, series) != value)
        fail_msg("%s is %g, not %g", series, scrape_value(scrape, series), value);
}

static void assert_comes_to(const char *series, double value)
{
    struct scrape scrape = scraped_at(series, value);

    scrape_release(&scrape);
}

/* ---- what a text has to be -------------------------------------------------------- */

#define HEAD_OF_A "# HELP a_total x\n# TYPE a_total counter\n"
#define HEAD_OF_H "# HELP h x\n# TYPE h histogram\n"
#define BUCKETS_OF_H "h_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"

static void a_scrape__refuses_what_is_not_of_the_format(void **state)
{
    static const struct {
        bool good, openmetrics;
        const char *text;
    } cases[] = {
        {true, false, HEAD_OF_A "a_total 1\n"},
        {true, false, HEAD_OF_A "a_total{b=\"c\\\\\\\"\\n,}\",d=\"\"} 1.5\n"},
        {true, false, HEAD_OF_H BUCKETS_OF_H "h_sum 0.3\nh_count 2\n"},
        {true, true, "# HELP a x\n# TYPE a counter\na_total 1\n# EOF\n"},
        {true, true, "# HELP a x\n# TYPE a info\na_info{b=\"c\"} 1\n# EOF\n"},
        {false, false, ""},
        {false, false, HEAD_OF_A "a_total 1"},
        {false, false, HEAD_OF_A "\na_total 1\n"},
        {false, false, HEAD_OF_A "a_total 1\r\n"},
        {false, false, HEAD_OF_A "a_total 1 \n"},
        {false, false, HEAD_OF_A "a_total -1\n"},
        {false, false, HEAD_OF_A "a_total NaN\n"},
        {false, false, HEAD_OF_A "a_total\n"},
        {false, false, HEAD_OF_A "a_total{} 1\n"},
        {false, false, HEAD_OF_A "a_total{b=\"c\\d\"} 1\n"},
        {false, false, HEAD_OF_A "a_total{b=\"c\"d\"} 1\n"},
        {false, false, HEAD_OF_A "a_total{b=\"c\",} 1\n"},
        {false, false, HEAD_OF_A "a_total 1\na_total 1\n"},
        {false, false, HEAD_OF_A "b_total 1\n"},
        {false, false, HEAD_OF_A HEAD_OF_A "a_total 1\n"},
        {false, false, HEAD_OF_A "# EOF\n"},
        {false, false, HEAD_OF_A "# UNIT a_total seconds\n"},
        {false, false, "# HELP a x\n# TYPE a counter\na 1\n"},
        {false, false, "# TYPE a_total counter\na_total 1\n"},
        {false, false, HEAD_OF_H BUCKETS_OF_H "h_sum 0.3\nh_count 3\n"},
        {false, false, HEAD_OF_H BUCKETS_OF_H "h_sum 0.3\n"},
        {false, false, HEAD_OF_H BUCKETS_OF_H "h_count 2\n"},
        {false, false, HEAD_OF_H "h_bucket{le=\"+Inf\"} 2\n" BUCKETS_OF_H},
        {false, false, HEAD_OF_H "h_bucket{le=\"0.1\"} 2\nh_sum 0.3\nh_count 2\n"},
        {false, false,
         HEAD_OF_H
         "h_bucket{le=\"0.1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n"},
        {false, true, "# HELP a x\n# TYPE a counter\na_total 1\n"},
        {false, true, "# HELP a x\n# TYPE a counter\na 1\n# EOF\n"},
        {false, true, "# HELP a x\n# TYPE a counter\na_total 1\n# EOF\n\n"},
        {false, true, "# HELP a x\n# TYPE a counter\n# UNIT a seconds\n# EOF\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scrape scrape;
        char why[WHY_SIZE];
        bool good = scrape_read(&scrape, cases[i].text, cases[i].openmetrics, why);
        scrape_release(&scrape);
        if (good != cases[i].good)
            fail_msg("%s: %s", cases[i].text, good ? "taken" : why);
    }
}

/* ---- requests --------------------------------------------------------------------- */

/* What has been sent and received, by route. */
struct traffic {
    double sent, received;
};

static void ask(struct client *client, const struct question *question, unsigned status,
                struct traffic *traffic)
{
    struct answer answer;
    char why[200];

    if (!client_ask(client, question, &answer, why))
        fail_msg("%s", why);
    assert_int_equal(answer.status, status);
    traffic->sent += (double)question->body_length;
    traffic->received += (double)answer.body_length;
    answer_release(&answer);
}

static void post(struct client *client, const char *target, const char *body,
                 unsigned status, struct traffic *traffic)
{
    struct question question = {
        .method = "POST", .target = target, .body = body, .body_length = strlen(body)};

    ask(client, &question, status, traffic);
}

static void get(struct client *client, const char *method, const char *target,
                unsigned status, struct traffic *traffic)
{
    ask(client, &(struct question){.method = method, .target = target}, status, traffic);
}

/* Refused by its length before anything of it has come. */
static void announce_too_much(struct traffic *traffic)
{
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                 "Expect: 100-continue\r\n"
                                 "Content-Length: 2000000\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 413);
    traffic->received += (double)answer.body_length;
    answer_release(&answer);
    wire_close(&wire);
}

/* Refused in the middle of a body whose end nobody knows: by hand. */
static void send_too_much(void)
{
    static char spaces[0x8000 + 1];
    struct wire wire;
    struct answer answer;

    memset(spaces, ' ', sizeof spaces - 1);
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i <= 0x100000 / 0x8000; i++) {
        wire_text(&wire, "8000\r\n");
        wire_text(&wire, spaces);
        wire_text(&wire, "\r\n");
    }
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 413);
    answer_release(&answer);
    wire_close(&wire);
}

/* More than the HTTP library can read. */
static void send_long_headers(struct traffic *traffic)
{
    static char header[100001];
    struct wire wire;
    struct answer answer;

    memset(header, 'x', sizeof header - 1);
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "GET /livez HTTP/1.1\r\nHost: x\r\nLong: "));
    wire_text(&wire, header);
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 431);
    traffic->received += (double)answer.body_length;
    answer_release(&answer);
    wire_close(&wire);
}

static void leave_in_the_body(void)
{
    struct wire wire;

    assert_true(wire_open(&wire, service.port));
    assert_true(wire_text(&wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 1000\r\n\r\n{\"logits\""));
    wire_close(&wire);
}

/* Of all series of the family whose labels have this one. */
static double sum_with(const struct scrape *scrape, const char *family, const char *label)
{
    double sum = 0;

    for (size_t i = 0; i < scrape->count; i++)
        if (strncmp(scrape->samples[i].series, family, strlen(family)) == 0 &&
            strstr(scrape->samples[i].series, label))
            sum += scrape->samples[i].value;
    return sum;
}

static void assert_durations_are_of_all_requests(const struct scrape *scrape)
{
    static const char *const routes[] = {"/v1/loss", "/v1/softmax", "/livez", "(none)"};
    char label[100];

    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        snprintf(label, sizeof label, "route=\"%s\"", routes[i]);
        double requests = sum_with(scrape, REQUESTS, label);
        assert_true(requests > 0);
        assert_true(sum_with(scrape, "lossd_http_request_duration_seconds_count",
                             label) == requests);
        assert_true(sum_with(scrape, "lossd_http_request_duration_seconds_sum", label) >
                    0);
    }
}

static void metrics__count_every_request_once(void **state)
{
    static const char *const flags[] = {"--max-body", "1MiB", NULL};
    static const char xml[] = "Content-Type: application/xml",
                      png[] = "Accept: image/png";
    static const struct {
        const char *series;
        double value;
    } expected[] = {
        {REQUESTS "{method=\"POST\",route=\"/v1/loss\",code=\"200\"}", 4},
        {REQUESTS "{method=\"POST\",route=\"/v1/loss\",code=\"422\"}", 2},
        {REQUESTS "{method=\"POST\",route=\"/v1/loss\",code=\"400\"}", 1},
        {REQUESTS "{method=\"POST\",route=\"/v1/loss\",code=\"406\"}", 1},
        {REQUESTS "{method=\"POST\",route=\"/v1/loss\",code=\"413\"}", 1},
        {REQUESTS "{method=\"POST\",route=\"/v1/loss\",code=\"415\"}", 1},
        {REQUESTS "{method=\"POST\",route=\"/v1/loss\",code=\"499\"}", 1},
        {REQUESTS "{method=\"POST\",route=\"/v1/softmax\",code=\"200\"}", 1},
        {REQUESTS "{method=\"POST\",route=\"/v1/softmax\",code=\"413\"}", 1},
        {REQUESTS "{method=\"GET\",route=\"/livez\",code=\"200\"}", 1},
        {REQUESTS "{method=\"HEAD\",route=\"/livez\",code=\"200\"}", 1},
        {REQUESTS "{method=\"GET\",route=\"(none)\",code=\"404\"}", 2},
        {REQUESTS "{method=\"GET\",route=\"/v1/loss\",code=\"405\"}", 1},
        {REQUESTS "{method=\"other\",route=\"/v1/loss\",code=\"405\"}", 1},
        {REQUESTS "{method=\"other\",route=\"/livez\",code=\"431\"}", 1},
        {"lossd_errors_total{code=\"label_out_of_range\"}", 2},
        {"lossd_errors_total{code=\"invalid_json\"}", 1},
        {"lossd_errors_total{code=\"too_large\"}", 2},
        {"lossd_errors_total{code=\"unsupported_media_type\"}", 1},
        {"lossd_errors_total{code=\"not_acceptable\"}", 1},
        {"lossd_errors_total{code=\"unknown_route\"}", 2},
        {"lossd_errors_total{code=\"method_not_allowed\"}", 2},
        {"lossd_errors_total{code=\"headers_too_large\"}", 1},
        {"lossd_errors_total{code=\"internal\"}", 0},
        {"lossd_clients_gone_total", 1},
        {"lossd_rows_total{loss=\"cross_entropy\"}", 3 * 2},
        {"lossd_logits_total{loss=\"cross_entropy\"}", 3 * 6},
        {"lossd_rows_total{loss=\"hinge\"}", 2},
        {"lossd_logits_total{loss=\"hinge\"}", 6},
        {"lossd_rows_total{loss=\"nll\"}", 0},
        {"lossd_rows_total{loss=\"none\"}", 4},
        {"lossd_logits_total{loss=\"none\"}", 8},
        {"lossd_stage_duration_seconds_count{stage=\"compute\"}", 5},
        {"lossd_stage_duration_seconds_count{stage=\"encode\"}", 5},
        {REFUSED("cap"), 0},
        {REAPED("body"), 0},
    };
    struct traffic loss = {0}, softmax = {0}, livez = {0}, none = {0};

    (void)state;
    start(flags);
    struct client *client = client_new(service.port);
    for (int i = 0; i < 3; i++)
        post(client, "/v1/loss", EXAMPLE, 200, &loss);
    post(client, "/v1/loss?loss=hinge", EXAMPLE, 200, &loss);
    for (int i = 0; i < 2; i++)
        post(client, "/v1/loss", "{\"logits\":[[1,2]],\"labels\":[7]}", 422, &loss);
    post(client, "/v1/loss", "{", 400, &loss);
    ask(client,
        &(struct question){.method = "POST", .target = "/v1/loss", .header = {xml}}, 415,
        &loss);
    ask(client,
        &(struct question){.method = "POST", .target = "/v1/loss", .header = {png}}, 406,
        &loss);
    announce_too_much(&loss);
    leave_in_the_body();
    loss.sent += (double)strlen("{\"logits\"");
    post(client, "/v1/softmax", "{\"logits\":[[1,2],[3,4],[5,6],[7,8]]}", 200, &softmax);
    send_too_much();
    get(client, "GET", "/livez", 200, &livez);
    get(client, "HEAD", "/livez", 200, &livez);
    get(client, "GET", "/nowhere", 404, &none);
    get(client, "GET", "/nowhere/%22else%22", 404, &none);
    get(client, "GET", "/v1/loss", 405, &loss);
    get(client, "BREW", "/v1/loss", 405, &loss);
    send_long_headers(&livez);
    client_free(client);

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_comes_to(expected[i].series, expected[i].value);
    struct scrape scrape = scraped(), open;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_value(&scrape, expected[i].series, expected[i].value);
    double requests = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (strncmp(expected[i].series, REQUESTS, strlen(REQUESTS)) == 0)
            requests += expected[i].value;
    assert_true(scrape_sum(&scrape, REQUESTS) ==
                requests + sum_with(&scrape, REQUESTS, "route=\"/metrics\""));
    assert_true(scrape_sum(&scrape, "lossd_errors_total") == 12);
    assert_value(&scrape, "lossd_http_request_body_bytes_total{route=\"/v1/loss\"}",
                 loss.sent);
    assert_value(&scrape, "lossd_http_response_body_bytes_total{route=\"/v1/loss\"}",
                 loss.received);
    assert_value(&scrape, "lossd_http_request_body_bytes_total{route=\"/livez\"}", 0);
    assert_value(&scrape, "lossd_http_response_body_bytes_total{route=\"/livez\"}",
                 livez.received);
    assert_value(&scrape, "lossd_http_response_body_bytes_total{route=\"(none)\"}",
                 none.received);
    assert_durations_are_of_all_requests(&scrape);

    char why[WHY_SIZE];
    if (!scrape_service(&open, service.port, true, why))
        fail_msg("%s", why);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_value(&open, expected[i].series, expected[i].value);
    assert_true(open.count == scrape.count);
    scrape_release(&open);
    scrape_release(&scrape);
    stop();
}

/* Whose rows are scored on the way, and gone when it is answered. */
static void metrics__count_the_rows_of_a_dataset(void **state)
{
    static const char body[] = "{\"logits\":[1,2,3],\"label\":0}\n"
                               "{\"logits\":[[1,2,3],[4,5,6]],\"labels\":[1,-100]}\n";
    struct traffic loss = {0};

    (void)state;
    start(NULL);
    struct client *client = client_new(service.port);
    ask(client,
        &(struct question){.method = "POST",
                           .target = "/v1/loss?loss=hinge",
                           .header = {"Content-Type: application/x-ndjson"},
                           .body = body,
                           .body_length = sizeof body - 1},
        200, &loss);
    client_free(client);
    assert_comes_to("lossd_rows_total{loss=\"hinge\"}", 3);
    assert_comes_to("lossd_logits_total{loss=\"hinge\"}", 9);
    stop();
}

static void metrics__describe_the_build_and_the_process(void **state)
{
    static const char *const flags[] = {
        "--threads", "3", "--queue-size", "7", "--memory-budget", "99MiB", NULL};

    (void)state;
    start(flags);
    struct scrape scrape = scraped();
    assert_true(scrape_sum(&scrape, "lossd_build_info{version=\"1.0.0\",commit=\"") == 1);
    assert_value(&scrape, "lossd_workers", 3);
    assert_value(&scrape, "lossd_queue_capacity", 7);
    assert_value(&scrape, "lossd_memory_budget_bytes", 99 << 20);
    assert_true(scrape_value(&scrape, "process_threads") >= 3 + 4);
    /* the one over which it is asked is open meanwhile, or two still are */
    double descriptors = scrape_value(&scrape, "process_open_fds");
    assert_in_range((uintmax_t)descriptors, service_descriptors(&service),
                    service_descriptors(&service) + 2);
    assert_true(scrape_value(&scrape, "process_resident_memory_bytes") > 1 << 20);
    assert_true(scrape_value(&scrape, "process_cpu_seconds_total") > 0);
    assert_true(scrape_value(&scrape, "process_start_time_seconds") > 1e9);
    scrape_release(&scrape);
    stop();
}

/* ---- connections ------------------------------------------------------------------ */

static void finish(struct wire *wire)
{
    wire_rest(wire);
    wire_close(wire);
}

static void metrics__tell_why_connections_were_ended(void **state)
{
    enum { HALF_CLOSED = 40 };
    static const char *const flags[] = {"--header-timeout",
                                        "300ms",
                                        "--body-timeout",
                                        "300ms",
                                        "--write-timeout",
                                        "300ms",
                                        NULL};
    static const char *const once[] = {REAPED("header"), REAPED("body"), REAPED("write"),
                                       REAPED("idle")};
    struct wire header, body, write, idle, half[HALF_CLOSED];
    char *large = batch_text(60000);

    (void)state;
    start(flags);
    assert_true(wire_open(&header, service.port));
    assert_true(wire_text(&header, "GET /livez HTTP/1.1\r\n"));
    assert_true(wire_open(&body, service.port));
    assert_true(wire_text(&body, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 1000\r\n\r\n{"));
    assert_true(wire_open(&idle, service.port));
    assert_true(wire_open(&write, service.port));
    assert_true(wire_post(&write, "/v1/softmax", large, false));
    for (int i = 0; i < HALF_CLOSED; i++) {
        assert_true(wire_open(&half[i], service.port));
        assert_true(wire_post(&half[i], "/v1/loss", EXAMPLE, false));
        wire_half_close(&half[i]);
    }
    finish(&header);
    finish(&body);
    finish(&idle);
    for (int i = 0; i < HALF_CLOSED; i++)
        finish(&half[i]);
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        assert_comes_to(once[i], 1);
    struct scrape scrape = scraped_at(GAUGE_IN_FLIGHT, 0);
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        assert_value(&scrape, once[i], 1);
    /* of the others the library has noticed itself */
    double half_closed = scrape_value(&scrape, REAPED("half_closed"));
    assert_true(half_closed >= 1 && half_closed <= HALF_CLOSED);
    assert_value(&scrape, REAPED("evicted"), 0);
    assert_value(&scrape, "lossd_errors_total{code=\"upload_timeout\"}", 1);
    /* a head that took too long is not told so */
    assert_true(sum_with(&scrape, REQUESTS, "code=\"408\"") == 2);
    assert_value(&scrape, "lossd_clients_gone_total", 0); /* it was us who left */
    scrape_release(&scrape);
    wire_close(&write);
    free(large);
    stop();
}

static unsigned asked_once(struct wire *wire)
{
    struct answer answer;

    wire_post(wire, "/v1/loss", EXAMPLE, false); /* who is refused may not get to send */
    assert_true(wire_answer(wire, false, &answer));
    unsigned status = answer.status;
    answer_release(&answer);
    return status;
}

static void ask_once(struct wire *wire, unsigned status)
{
    assert_int_equal(asked_once(wire), status);
}

static void metrics__count_idle_connections_that_were_ended(void **state)
{
    static const char *const flags[] = {"--keepalive-timeout", "100ms", NULL};
    struct wire wire;

    (void)state;
    start(flags);
    assert_true(wire_open(&wire, service.port));
    ask_once(&wire, 200);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
    assert_comes_to(REAPED("idle"), 1);
    stop();
}

static void metrics__count_connections_refused_at_the_cap_and_evicted(void **state)
{
    enum { CAP = 3 };
    static const char *const flags[] = {"--max-connections", "3", NULL};
    struct wire wires[CAP], more;
    struct answer answer;
    double refused = 0;
    unsigned status;

    (void)state;
    start(flags);
    size_t descriptors = service_descriptors(&service);
    for (int i = 0; i < CAP; i++) {
        assert_true(wire_open(&wires[i], service.port));
        ask_once(&wires[i], 200);
    }
    do { /* until one has been idle for long enough to make room */
        assert_true(wire_open(&more, service.port));
        wire_post(&more, "/v1/loss", EXAMPLE, true);
        assert_true(wire_answer(&more, false, &answer));
        status = answer.status;
        refused += status == 503;
        answer_release(&answer);
        wire_close(&more);
    } while (status != 200);
    assert_true(refused > 0);
    for (int i = 0; i < CAP; i++)
        wire_close(&wires[i]);
    assert_true(service_descriptors_fall_to(&service, descriptors));
    struct scrape scrape = scraped();
    assert_value(&scrape, REFUSED("cap"), refused);
    assert_value(&scrape, REAPED("evicted"), 1);
    assert_value(&scrape, "lossd_errors_total{code=\"overloaded\"}", 0);
    scrape_release(&scrape);
    stop();
}

/* Is the next connection refused? */
static bool is_refused(struct wire *wire)
{
    assert_true(wire_open(wire, service.port));
    unsigned status = asked_once(wire);
    assert_true(status == 200 || status == 503);
    return status == 503;
}

static void metrics__count_connections_refused_for_want_of_descriptors(void **state)
{
    enum { CLIENTS = 20, ROOM = 4 };
    struct wire wires[CLIENTS], last;
    struct rlimit before, tight;
    double refused = 0;

    (void)state;
    start(NULL);
    size_t descriptors = service_descriptors(&service);
    assert_int_equal(prlimit(service.pid, RLIMIT_NOFILE, NULL, &before), 0);
    tight = (struct rlimit){descriptors + ROOM, before.rlim_max};
    assert_int_equal(prlimit(service.pid, RLIMIT_NOFILE, &tight, NULL), 0);
    for (int i = 0; i < CLIENTS; i++)
        refused += is_refused(&wires[i]);
    assert_true(refused > 0);
    assert_int_equal(prlimit(service.pid, RLIMIT_NOFILE, &before, NULL), 0);
    /* whoever is first now may still meet with the old limit */
    refused += is_refused(&last);
    wire_close(&last);
    for (int i = 0; i < CLIENTS; i++)
        wire_close(&wires[i]);
    assert_comes_to(REFUSED("descriptors"), refused);
    stop();
}

/* ---- gauges ----------------------------------------------------------------------- */

static bool all_is_busy(const struct scrape *scrape)
{
    return scrape_value(scrape, "lossd_workers_busy") == 2 &&
           scrape_value(scrape, "lossd_queue_depth") >= 1 &&
           scrape_value(scrape, GAUGE_IN_FLIGHT) >= 3 &&
           scrape_value(scrape, GAUGE_PHASE("busy")) >= 4 &&
           scrape_value(scrape, "lossd_memory_budget_used_bytes") > 1 << 20;
}

static void assert_nothing_is_left(void)
{
    char why[WHY_SIZE];

    if (!gauges_fall_to_rest(service.port, why))
        fail_msg("%s", why);
}

static void metrics__answer_while_all_threads_compute(void **state)
{
    enum { CLIENTS = 6, ROUNDS = 50 };
    static const char *const flags[] = {"--threads", "2", NULL};
    struct wire wires[CLIENTS];
    struct answer answer;
    char *work = batch_text_hard(400);
    bool seen = false;
    double asked = 0;

    (void)state;
    start(flags);
    for (int i = 0; i < CLIENTS; i++)
        assert_true(wire_open(&wires[i], service.port));
    for (int round = 0; round < ROUNDS && !seen; round++) {
        char byte;
        for (int i = 0; i < CLIENTS; i++, asked++)
            assert_true(wire_post(&wires[i], "/v1/loss", work, false));
        while (!seen &&
               recv(wires[CLIENTS - 1].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
            struct scrape scrape = scraped();
            seen = all_is_busy(&scrape);
            scrape_release(&scrape);
        }
        for (int i = 0; i < CLIENTS; i++) {
            assert_true(wire_answer(&wires[i], false, &answer));
            if (answer.status != 200)
                fail_msg("%s", answer.body);
            answer_release(&answer);
        }
    }
    assert_true(seen);
    for (int i = 0; i < CLIENTS; i++)
        wire_close(&wires[i]);
    free(work);
    assert_nothing_is_left();
    assert_comes_to("lossd_stage_duration_seconds_count{stage=\"queue\"}", asked);
    stop();
}

static void metrics__fall_back_to_zero_when_clients_leave(void **state)
{
    enum { TRIES = 6 };
    static const char *const flags[] = {"--threads", "1", "--inline-cost", "5us", NULL};
    void (*const ways[])(struct wire *) = {wire_close, wire_reset};
    char *large = batch_text(20000), byte;

    (void)state;
    start(flags);
    for (int i = 0; i < TRIES; i++)
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            struct wire head, body, queued, writing;
            assert_true(wire_open(&head, service.port));
            assert_true(wire_text(&head, "POST /v1/loss HTT"));
            assert_true(wire_open(&body, service.port));
            assert_true(wire_text(&body, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                         "Content-Length: 1000\r\n\r\n{\"logits\":[1,"));
            assert_true(wire_open(&queued, service.port));
            assert_true(wire_post(&queued, "/v1/softmax", large, false));
            assert_true(wire_open(&writing, service.port));
            assert_true(wire_post(&writing, "/v1/softmax", large, false));
            assert_int_equal(recv(writing.fd, &byte, 1, MSG_PEEK), 1);
            ways[w](&head);
            ways[w](&body);
            ways[w](&queued);
            ways[w](&writing);
        }
    free(large);
    assert_nothing_is_left();
    struct scrape scrape = scraped();
    double gone = scrape_value(&scrape, "lossd_clients_gone_total");
    assert_true(gone >= 2 * TRIES);     /* those in the body, at least */
    assert_true(gone <= 2 * TRIES * 3); /* heads that never ended are no requests */
    scrape_release(&scrape);
    stop();
}

static void metrics__answer_when_the_memory_budget_is_spent(void **state)
{
    static const char *const flags[] = {"--memory-budget", "64MiB", "--small-body", "0",
                                        NULL};
    struct wire holder, other;
    struct answer answer;

    (void)state;
    start(flags);
    assert_true(wire_open(&holder, service.port));
    /* three quarters of that and 64 KiB are all there is */
    assert_int_equal(wire_announce(&holder, "/v1/softmax", 89391104), 100);
    assert_true(wire_open(&other, service.port));
    ask_once(&other, 503);
    assert_true(wire_text(&other, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&other, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    assert_comes_to("lossd_errors_total{code=\"overloaded\"}", 1);
    assert_comes_to("lossd_rejected_requests_total{reason=\"memory\"}", 1);
    /* the scrapes before, and their connections, may be there a little longer */
    assert_comes_to("lossd_memory_budget_used_bytes", 64 << 20);
    assert_comes_to(GAUGE_PHASE("idle"), 1);
    assert_comes_to(GAUGE_IN_FLIGHT, 1);
    assert_comes_to(GAUGE_PHASE("body"), 1);
    wire_close(&holder);
    wire_close(&other);
    assert_nothing_is_left();
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scrape__refuses_what_is_not_of_the_format),
        cmocka_unit_test(metrics__count_every_request_once),
        cmocka_unit_test(metrics__count_the_rows_of_a_dataset),
        cmocka_unit_test(metrics__describe_the_build_and_the_process),
        cmocka_unit_test(metrics__tell_why_connections_were_ended),
        cmocka_unit_test(metrics__count_idle_connections_that_were_ended),
        cmocka_unit_test(metrics__count_connections_refused_at_the_cap_and_evicted),
        cmocka_unit_test(metrics__count_connections_refused_for_want_of_descriptors),
        cmocka_unit_test(metrics__answer_while_all_threads_compute),
        cmocka_unit_test(metrics__fall_back_to_zero_when_clients_leave),
        cmocka_unit_test(metrics__answer_when_the_memory_budget_is_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
