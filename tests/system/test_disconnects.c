/* Clients that leave, in each way and at each moment: nothing of them stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "batch_text.h"
#include "gauges.h"
#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { ROWS = 20000, HUGE_ROWS = 60000, HARD_ROWS = 300, HALF = 2 };

/* The sanitizers are slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { TRIES = 2 };
#else
enum { TRIES = 8 };
#endif

static struct service service;
static size_t descriptors;
/* Texts of batches: 400 KB; with an answer of 12 MB; and one that is long worked for. */
static char *large, *huge, *hard;

static int start(void **state)
{
    /* all that is not tiny goes to the one thread of the pool */
    static const char *const flags[] = {"--threads", "1", "--inline-cost", "5us", NULL};

    (void)state;
    large = batch_text(ROWS);
    huge = batch_text(HUGE_ROWS);
    hard = batch_text_hard(HARD_ROWS);
    if (!service_start(&service, flags))
        return -1;
    descriptors = service_descriptors(&service);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(large);
    free(huge);
    free(hard);
    return service_stop(&service);
}

/* ---- ways to leave ------------------------------------------------------------- */

static void leave_by_closing(struct wire *wire)
{
    wire_close(wire);
}

static void leave_by_reset(struct wire *wire)
{
    wire_reset(wire);
}

static void leave_by_half_closing(struct wire *wire)
{
    wire_half_close(wire);
    wire_rest(wire); /* whatever it is, it ends */
    wire_close(wire);
}

/* ---- moments to leave at --------------------------------------------------------- */

/* All clients of a test, in the same moment of their requests. */
struct clients {
    struct wire wires[TRIES], holder; /* of the pool's thread */
    size_t count;
};

static void assert_rises_to(const char *gauge, size_t count)
{
    char why[WHY_SIZE];

    if (!gauge_rises_to(service.port, gauge, (double)count, why))
        fail_msg("%s", why);
}

static void are_in_the_first_line(struct clients *clients)
{
    for (size_t i = 0; i < clients->count; i++)
        assert_true(wire_text(&clients->wires[i], "POST /v1/lo"));
    assert_rises_to(GAUGE_PHASE("head"), clients->count);
}

static void are_in_the_headers(struct clients *clients)
{
    for (size_t i = 0; i < clients->count; i++)
        assert_true(
            wire_text(&clients->wires[i], "POST /v1/loss HTTP/1.1\r\nHost: x\r\nConte"));
    assert_rises_to(GAUGE_IN_FLIGHT, clients->count);
    assert_rises_to(GAUGE_PHASE("head"), clients->count);
}

static void are_in_the_body(struct clients *clients)
{
    char head[200];

    snprintf(head, sizeof head,
             "POST /v1/softmax HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             strlen(large));
    for (size_t i = 0; i < clients->count; i++) {
        assert_true(wire_text(&clients->wires[i], head));
        assert_true(wire_send(&clients->wires[i], large, strlen(large) / HALF));
    }
    assert_rises_to(GAUGE_PHASE("body"), clients->count);
}

/* False: before the gauge rose to that, the thread was done with what it was given. */
static bool rises_in_time(const struct wire *busy, const char *gauge, size_t count)
{
    char byte, why[WHY_SIZE];
    bool risen = false;

    while (!risen && recv(busy->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
        struct scrape scrape;
        if (!scrape_service(&scrape, service.port, false, why))
            fail_msg("%s", why);
        risen = scrape_value(&scrape, gauge) >= (double)count;
        scrape_release(&scrape);
    }
    return risen;
}

static void are_queued(struct clients *clients)
{
    struct wire *holder = &clients->holder;
    bool queued = false;

    for (int tries = 0; !queued; tries++) {
        assert_in_range(tries, 0, 50);
        wire_close(holder);
        assert_true(wire_open(holder, service.port));
        assert_true(wire_post(holder, "/v1/loss", hard, true));
        if (!rises_in_time(holder, "lossd_workers_busy", 1))
            continue;
        for (size_t i = 0; i < clients->count; i++) {
            wire_close(&clients->wires[i]);
            assert_true(wire_open(&clients->wires[i], service.port));
            assert_true(wire_post(&clients->wires[i], "/v1/softmax", large, false));
        }
        queued = rises_in_time(holder, "lossd_queue_depth", clients->count);
    }
}

/* One, for there is one thread. */
static void are_computed(struct clients *clients)
{
    struct wire *wire = &clients->wires[0];

    while (clients->count > 1)
        wire_close(&clients->wires[--clients->count]);
    for (int tries = 0;; tries++) {
        assert_in_range(tries, 0, 50);
        assert_true(wire_post(wire, "/v1/loss", hard, false));
        if (rises_in_time(wire, "lossd_workers_busy", 1))
            return;
        wire_close(wire);
        assert_true(wire_open(wire, service.port));
    }
}

/* More than the sockets hold. */
static void are_written_to(struct clients *clients)
{
    for (size_t i = 0; i < clients->count; i++) {
        char byte;
        assert_true(wire_post(&clients->wires[i], "/v1/softmax", huge, false));
        assert_int_equal(recv(clients->wires[i].fd, &byte, 1, MSG_PEEK), 1);
    }
    assert_rises_to(GAUGE_PHASE("writing"), clients->count);
}

static void are_between_requests(struct clients *clients)
{
    for (size_t i = 0; i < clients->count; i++) {
        struct answer answer;
        assert_true(wire_post(&clients->wires[i], "/v1/loss", EXAMPLE, false));
        assert_true(wire_answer(&clients->wires[i], false, &answer));
        answer_release(&answer);
    }
    assert_rises_to(GAUGE_PHASE("idle"), clients->count);
}

/* ---- all of them ----------------------------------------------------------------- */

static void assert_nothing_is_left(const char *of)
{
    char why[WHY_SIZE];

    if (!gauges_fall_to_rest(service.port, why))
        fail_msg("%s: %s", of, why);
    if (!service_descriptors_fall_to(&service, descriptors))
        fail_msg("%s: descriptors are left", of);
}

static void leave_at(void (*moment)(struct clients *), void (*way)(struct wire *))
{
    struct clients clients = {.count = TRIES, .holder = {.fd = -1}};

    for (size_t i = 0; i < TRIES; i++)
        assert_true(wire_open(&clients.wires[i], service.port));
    moment(&clients);
    for (size_t i = 0; i < clients.count; i++)
        way(&clients.wires[i]);
    wire_close(&clients.holder);
}

static void disconnects__leave_nothing_behind(void **state)
{
    static const struct {
        const char *name;
        void (*leave)(struct wire *);
    } ways[] = {{"closed", leave_by_closing},
                {"reset", leave_by_reset},
                {"half closed", leave_by_half_closing}};
    static const struct {
        const char *name;
        void (*arrive)(struct clients *);
    } moments[] = {{"in the first line", are_in_the_first_line},
                   {"in the headers", are_in_the_headers},
                   {"in the body", are_in_the_body},
                   {"while queued", are_queued},
                   {"while computed", are_computed},
                   {"while written to", are_written_to},
                   {"between requests", are_between_requests}};
    char name[100];

    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (size_t m = 0; m < sizeof moments / sizeof *moments; m++) {
            snprintf(name, sizeof name, "%s %s", ways[w].name, moments[m].name);
            leave_at(moments[m].arrive, ways[w].leave);
            assert_nothing_is_left(name);
        }
}

/* Was a whole request given up, and nothing of it worked out, not even its rows? */
static bool work_was_saved(void)
{
    char *log = service_log(&service), given_up[120], *rest = log;
    bool saved = false;

    snprintf(given_up, sizeof given_up,
             "\"http.response.status_code\":499,\"http.request.body.size\":%zu,",
             strlen(large));
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        saved = saved || (strstr(line, given_up) && !strstr(line, "\"rows\""));
    free(log);
    return saved;
}

static void disconnects__of_those_in_the_queue_save_their_work(void **state)
{
    bool saved = false;

    (void)state;
    /* until one has left while another one was being worked for */
    for (int i = 0; i < 300 && !saved; i++) {
        struct wire first, second;
        assert_true(wire_open(&first, service.port));
        assert_true(wire_open(&second, service.port));
        assert_true(wire_post(&first, "/v1/softmax", large, true));
        assert_true(wire_post(&second, "/v1/softmax", large, true));
        wire_close(&second);
        wire_rest(&first);
        wire_close(&first);
        assert_true(service_descriptors_fall_to(&service, descriptors));
        saved = work_was_saved();
    }
    assert_true(saved);
}

/* As nc -N does: all of a request, and no more. */
static unsigned status_after_half_closing(const struct service *asked)
{
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, asked->port));
    assert_true(wire_post(&wire, "/v1/softmax?return=predictions", large, false));
    wire_half_close(&wire);
    unsigned status = wire_answer(&wire, false, &answer) ? answer.status : 0;
    answer_release(&answer);
    wire_close(&wire);
    return status;
}

static void disconnects__of_one_side_are_none_where_that_is_asked_for(void **state)
{
    static const char *const flags[] = {"--answer-half-closed", "yes", NULL};
    struct service patient;
    bool given_up = false;

    (void)state;
    assert_true(service_start(&patient, flags));
    assert_int_equal(status_after_half_closing(&patient), 200);
    assert_int_equal(service_stop(&patient), 0);
    /* until it was seen before all was worked out */
    for (int i = 0; i < 300 && !given_up; i++)
        given_up = status_after_half_closing(&service) == 0;
    assert_true(given_up);
}

static void disconnects__by_the_thousand_leave_nothing_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct wire wire;
        assert_true(wire_open(&wire, service.port));
        wire_post(&wire, "/v1/loss", EXAMPLE, i % 2);
        wire_close(&wire);
    }
    assert_nothing_is_left("after the request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disconnects__leave_nothing_behind),
        cmocka_unit_test(disconnects__of_those_in_the_queue_save_their_work),
        cmocka_unit_test(disconnects__of_one_side_are_none_where_that_is_asked_for),
        cmocka_unit_test(disconnects__by_the_thousand_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
