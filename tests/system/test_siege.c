/* Three times as many slow clients as there may be connections: one in three holds a
 * place, until its time is up, and nobody else notices but by being refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "service.h"
#include "siege.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { CAP = 16, BESIEGERS = 3 * CAP, DRIPS_MAX = 10000 };

static struct service service;
static unsigned admin;
static size_t descriptors;

static int start(void **state)
{
    static const char *const flags[] = {"--max-connections",
                                        "16",
                                        "--admin-listen",
                                        "127.0.0.1:0",
                                        "--header-timeout",
                                        "1s",
                                        "--body-timeout",
                                        "1s",
                                        "--write-timeout",
                                        "1s",
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

/* Until all are gone, though none of them has closed anything. */
static void assert_withstands(const struct slowness *slowness)
{
    static struct siege siege;
    unsigned refused = 0;
    double before = siege_reaped(slowness, admin);

    assert_true(siege_begin(&siege, slowness, service.port, BESIEGERS));
    do {
        assert_in_range(siege.drips, 0, DRIPS_MAX);
        siege_go_on(&siege);
        probe_health();
        unsigned status = probe(service.port);
        assert_true(status == 200 || status == 503);
        refused += status == 503;
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    } while (service_descriptors(&service) > descriptors);
    assert_true(refused > 0);
    assert_true(siege_reaped(slowness, admin) - before == CAP);
    assert_int_equal(probe(service.port), 200);
    siege_end(&siege);
}

static void siege__by_slow_headers_is_withstood(void **state)
{
    (void)state;
    assert_withstands(&slow_headers);
}

static void siege__by_slow_bodies_is_withstood(void **state)
{
    (void)state;
    assert_withstands(&slow_bodies);
}

static void siege__by_slow_readers_is_withstood(void **state)
{
    (void)state;
    assert_withstands(&slow_readers);
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
