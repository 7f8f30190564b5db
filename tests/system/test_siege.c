/* Three times as many slow clients as there may be connections: one in three holds a
 * place, until its time is up, and nobody else notices but by being refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "scrape.h"
#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { CAP = 40, BESIEGERS = 3 * CAP, LOOKS_MAX = 3000 };

/* How they are slow. */
struct siege {
    const char *opening;
    unsigned openings;  /* how often that is sent */
    const char *drip;   /* what follows, byte by byte; NULL: they read a byte instead */
    const char *reaped; /* why they are ended */
};

static struct service service;
static unsigned admin;
static size_t descriptors;

static int start(void **state)
{
    static const char *const flags[] = {"--max-connections",
                                        "40",
                                        "--admin-listen",
                                        "127.0.0.1:0",
                                        "--header-timeout",
                                        "500ms",
                                        "--body-timeout",
                                        "500ms",
                                        "--write-timeout",
                                        "500ms",
                                        NULL};

    (void)state;
    if (!service_start(&service, flags))
        return -1;
    admin = service_admin_port(&service);
    descriptors = service_descriptors(&service);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

/* The status of the answer. */
static unsigned probe(unsigned port)
{
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, port));
    wire_post(&wire, "/v1/loss", EXAMPLE, true);
    if (!wire_answer(&wire, false, &answer))
        fail_msg("no answer");
    unsigned status = answer.status;
    answer_release(&answer);
    wire_close(&wire);
    return status;
}

static void probe_health(void)
{
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, admin));
    assert_true(wire_text(&wire, "GET /readyz HTTP/1.0\r\n\r\n"));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    wire_close(&wire);
}

/* Never waits: what cannot be sent now is not. */
static void send_now(struct wire *wire, const char *text)
{
    send(wire->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void besiege(struct wire *wires, const struct siege *siege)
{
    for (int i = 0; i < BESIEGERS; i++) {
        assert_true(wire_open(&wires[i], service.port));
        for (unsigned n = 0; n < siege->openings; n++)
            send_now(&wires[i], siege->opening);
    }
}

/* To those that have not been told to stop. */
static void drip(struct wire *wires, char next)
{
    char byte;

    for (int i = 0; i < BESIEGERS; i++)
        if (recv(wires[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
            send(wires[i].fd, &next, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void read_a_byte(struct wire *wires)
{
    char byte;

    for (int i = 0; i < BESIEGERS; i++)
        recv(wires[i].fd, &byte, 1, MSG_DONTWAIT);
}

static double reaped(const char *reason)
{
    char series[100], why[WHY_SIZE];
    struct scrape scrape;

    snprintf(series, sizeof series, "lossd_reaped_connections_total{reason=\"%s\"}",
             reason);
    if (!scrape_service(&scrape, admin, false, why))
        fail_msg("%s", why);
    double value = scrape_value(&scrape, series);
    scrape_release(&scrape);
    return value;
}

/* Until all are gone, though none of them has closed anything. */
static void assert_withstands(const struct siege *siege)
{
    static struct wire wires[BESIEGERS];
    unsigned refused = 0, looks = 0;
    double before = reaped(siege->reaped);

    besiege(wires, siege);
    do {
        assert_in_range(looks, 0, LOOKS_MAX);
        if (siege->drip)
            drip(wires, siege->drip[looks % strlen(siege->drip)]);
        else
            read_a_byte(wires);
        looks++;
        probe_health();
        unsigned status = probe(service.port);
        assert_true(status == 200 || status == 503);
        refused += status == 503;
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    } while (service_descriptors(&service) > descriptors);
    assert_true(refused > 0);
    assert_true(reaped(siege->reaped) - before == CAP);
    assert_int_equal(probe(service.port), 200);
    for (int i = 0; i < BESIEGERS; i++)
        wire_close(&wires[i]);
}

static void siege__by_slow_headers_is_withstood(void **state)
{
    (void)state;
    assert_withstands(
        &(struct siege){"GET /livez HTTP/1.1\r\n", 1, "A: b\r\n", "header"});
}

static void siege__by_slow_bodies_is_withstood(void **state)
{
    (void)state;
    assert_withstands(&(struct siege){"POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                      "Content-Length: 4096\r\n\r\n",
                                      1, " ", "body"});
}

/* They ask for more than the sockets hold, and read next to nothing of it. */
static void siege__by_slow_readers_is_withstood(void **state)
{
    (void)state;
    assert_withstands(&(struct siege){"GET /v1/losses HTTP/1.1\r\nHost: x\r\n\r\n", 2000,
                                      NULL, "write"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siege__by_slow_headers_is_withstood),
        cmocka_unit_test(siege__by_slow_bodies_is_withstood),
        cmocka_unit_test(siege__by_slow_readers_is_withstood),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
