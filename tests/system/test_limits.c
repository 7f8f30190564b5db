/* More clients than there is room for: each is answered, or told so at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "batch_text.h"
#include "scrape.h"
#include "service.h"
#include "wire.h"

#include "lossd/base/clock.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { CAP = 8, BURST = 80, RETRY_MOST_S = 30 + 30 / 4 };

static const char *const capped[] = {"--max-connections", "8", NULL};

static void assert_retry_later(const struct answer *answer, const char *why)
{
    char value[300], *end;

    assert_int_equal(answer->status, 503);
    assert_true(answer_header(answer, "Retry-After", value));
    assert_in_range(strtol(value, &end, 10), 1, RETRY_MOST_S);
    assert_string_equal(end, "");
    assert_true(answer_header(answer, "X-Request-ID", value));
    assert_true(strlen(value) > 0);
    assert_true(answer_header(answer, "Content-Type", value));
    assert_string_equal(value, "application/problem+json");
    assert_non_null(strstr(answer->body, "\"code\":\"overloaded\""));
    assert_non_null(strstr(answer->body, why));
}

static void assert_told_once(const struct service *service, const char *text)
{
    assert_true(service_logs(service, text));
    char *log = service_log(service);
    assert_null(strstr(strstr(log, text) + 1, text));
    free(log);
}

static void limits__answer_as_many_connections_as_may_and_refuse_the_others(void **state)
{
    struct service service;
    struct wire wires[BURST];
    struct answer answer;
    int answered = 0;
    char byte;

    (void)state;
    assert_true(service_start(&service, capped));
    for (int i = 0; i < BURST; i++)
        assert_true(wire_open(&wires[i], service.port));
    /* the last has been seen, and so have all */
    assert_int_equal(recv(wires[BURST - 1].fd, &byte, 1, MSG_PEEK), 1);
    for (int i = 0; i < BURST; i++) {
        /* the refused have been closed on the other side: sending may fail, but
         * the answer is there */
        wire_post(&wires[i], "/v1/loss", EXAMPLE, true);
        assert_true(wire_answer(&wires[i], false, &answer));
        if (answer.status == 200)
            answered++;
        else
            assert_retry_later(&answer, "--max-connections");
        answer_release(&answer);
        assert_true(wire_ends(&wires[i]));
        wire_close(&wires[i]);
    }
    assert_int_equal(answered, CAP);
    /* and then there is room again */
    do {
        assert_true(wire_open(&wires[0], service.port));
        wire_post(&wires[0], "/v1/loss", EXAMPLE, true);
        assert_true(wire_answer(&wires[0], false, &answer));
        answered = answer.status == 200;
        answer_release(&answer);
        wire_close(&wires[0]);
    } while (!answered);
    assert_told_once(&service,
                     "connections are refused: there are as many connections as "
                     "may be (--max-connections raises that)");
    assert_int_equal(service_stop(&service), 0);
}

static void limits__give_the_place_of_an_idle_connection_to_a_new_one(void **state)
{
    struct service service;
    struct wire wires[CAP], new;
    struct answer answer;
    bool answered = false;

    (void)state;
    assert_true(service_start(&service, capped));
    for (int i = 0; i < CAP; i++) {
        assert_true(wire_open(&wires[i], service.port));
        assert_true(wire_post(&wires[i], "/v1/loss", EXAMPLE, false));
        assert_true(wire_answer(&wires[i], false, &answer));
        assert_int_equal(answer.status, 200);
        answer_release(&answer);
        /* a request is over a little later than its answer is here */
        assert_true(service_logs(&service, "/v1/loss"));
    }
    for (int asked = 0; !answered; asked++) { /* not before they were idle for a while */
        assert_true(asked < 100000);
        assert_true(wire_open(&new, service.port));
        wire_post(&new, "/v1/loss", EXAMPLE, true);
        assert_true(wire_answer(&new, false, &answer));
        answered = answer.status == 200;
        answer_release(&answer);
        wire_close(&new);
    }
    assert_true(wire_ends(&wires[0])); /* the one that was idle for longest */
    assert_true(wire_post(&wires[CAP - 1], "/v1/loss", EXAMPLE, false));
    assert_true(wire_answer(&wires[CAP - 1], false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    for (int i = 0; i < CAP; i++)
        wire_close(&wires[i]);
    assert_int_equal(service_stop(&service), 0);
}

/* The number that its next descriptor will have. */
static rlim_t next_descriptor(const struct service *service)
{
    char path[64];
    rlim_t number = 0;

    do
        snprintf(path, sizeof path, "/proc/%d/fd/%llu", (int)service->pid,
                 (unsigned long long)number++);
    while (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    return number - 1;
}

/* The service with so many descriptors at most ("-n 300"), as a shell gives them. */
static void start_with_descriptors(struct service *service, const char *limit,
                                   const char *const *flags)
{
    char path[] = "/tmp/lossd-ulimit-XXXXXX", before[200];
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    snprintf(before, sizeof before, "%s", service_program());
    dprintf(fd, "#!/bin/sh\nulimit %s && exec %s \"$@\"\n", limit, before);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    setenv("LOSSD", path, 1);
    bool started = service_start(service, flags);
    setenv("LOSSD", before, 1);
    unlink(path);
    assert_true(started);
}

static unsigned status_of(struct wire *wire, const char *target, bool last)
{
    struct answer answer;
    char head[100];

    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target,
             last ? "Connection: close\r\n" : "");
    wire_text(wire, head);
    assert_true(wire_answer(wire, false, &answer));
    unsigned status = answer.status;
    answer_release(&answer);
    return status;
}

/* On a connection of its own. */
static unsigned status_at(unsigned port, const char *target)
{
    struct wire wire;

    assert_true(wire_open(&wire, port));
    unsigned status = status_of(&wire, target, true);
    wire_close(&wire);
    return status;
}

static void limits__take_all_the_descriptors_that_may_be(void **state)
{
    struct service service;
    struct scrape scrape;
    struct rlimit limit;
    char why[WHY_SIZE];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    start_with_descriptors(&service, "-S -n 64", NULL);
    assert_true(scrape_service(&scrape, service.port, false, why));
    assert_true(scrape_value(&scrape, "process_max_fds") == (double)limit.rlim_max);
    scrape_release(&scrape);
    assert_int_equal(service_stop(&service), 0);
}

/* As at the cap: the idle make room, the others are told, the administrator is served,
 * and nobody meets the end of the table. */
static void limits__hold_connections_to_what_descriptors_leave(void **state)
{
    enum { CROWD = 400 };
    static const char *const flags[] = {"--admin-listen", "127.0.0.1:0", NULL};
    static struct wire crowd[CROWD];
    struct service service;
    struct scrape scrape;
    char why[WHY_SIZE];
    int served = 0;

    (void)state;
    start_with_descriptors(&service, "-n 400", flags);
    unsigned admin = service_admin_port(&service);
    assert_true(service_logs(&service, "--max-connections is 1024, but the 400 "
                                       "descriptors that this process may have open "
                                       "suffice for "));
    for (int i = 0; i < CROWD; i++) {
        assert_true(wire_open(&crowd[i], service.port));
        served += status_of(&crowd[i], "/livez", false) == 200;
        assert_int_equal(status_at(admin, "/readyz"), 200);
    }
    assert_in_range(served, 100, CROWD - 1);
    for (int asked = 0; status_at(service.port, "/livez") != 200; asked++)
        assert_true(asked < 100000); /* until they have been idle for a while */
    assert_true(scrape_service(&scrape, admin, false, why));
    assert_true(scrape_value(&scrape, "lossd_refused_connections_total{reason=\"cap\"}") >
                0);
    assert_true(scrape_value(&scrape,
                             "lossd_refused_connections_total{reason=\"descriptors\"}") ==
                0);
    scrape_release(&scrape);
    for (int i = 0; i < CROWD; i++)
        wire_close(&crowd[i]);
    assert_int_equal(service_stop(&service), 0);
}

static void limits__refuse_when_there_is_no_descriptor_left(void **state)
{
    enum { CLIENTS = 20, ROOM = 5 };
    struct service service;
    struct wire wires[CLIENTS];
    struct rlimit limit, before;
    struct answer answer;
    int refused = 0;

    (void)state;
    assert_true(service_start(&service, NULL));
    limit.rlim_cur = next_descriptor(&service) + ROOM;
    assert_int_equal(prlimit(service.pid, RLIMIT_NOFILE, NULL, &before), 0);
    limit.rlim_max = before.rlim_max;
    assert_int_equal(prlimit(service.pid, RLIMIT_NOFILE, &limit, NULL), 0);
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(wire_open(&wires[i], service.port));
        if (i >= ROOM) {
            assert_true(wire_answer(&wires[i], false, &answer));
            assert_retry_later(&answer, "no descriptor left");
            answer_release(&answer);
            refused++;
        }
    }
    assert_int_equal(refused, CLIENTS - ROOM);
    assert_told_once(&service, "this process has no descriptor left (ulimit -n");
    double runnable = service_runnable_seconds(&service);
    int64_t began = clock_ns();
    nanosleep(&(struct timespec){1, 0}, NULL);
    runnable = service_runnable_seconds(&service) - runnable;
    assert_true(runnable < 0.8 * (double)(clock_ns() - began) / 1e9); /* nobody spins */
    /* those that were there are served */
    for (int i = 0; i < ROOM; i++) {
        assert_true(wire_post(&wires[i], "/v1/loss", EXAMPLE, true));
        assert_true(wire_answer(&wires[i], false, &answer));
        assert_int_equal(answer.status, 200);
        answer_release(&answer);
    }
    for (int i = 0; i < CLIENTS; i++)
        wire_close(&wires[i]);
    assert_int_equal(prlimit(service.pid, RLIMIT_NOFILE, &before, NULL), 0);
    assert_int_equal(service_stop(&service), 0);
}

/* So many have been counted, for one of these reasons (the second may be NULL). */
static void assert_rejected(const struct service *service, const char *const reasons[2],
                            int count)
{
    struct scrape scrape;
    char series[100], why[WHY_SIZE];
    double sum = 0;

    if (!scrape_comes_to(&scrape, service->port,
                         "lossd_errors_total{code=\"overloaded\"}", count, why))
        fail_msg("%s", why);
    for (size_t i = 0; i < 2 && reasons[i]; i++) {
        snprintf(series, sizeof series, "lossd_rejected_requests_total{reason=\"%s\"}",
                 reasons[i]);
        sum += scrape_value(&scrape, series);
    }
    assert_true(sum == count);
    scrape_release(&scrape);
}

enum { HARD_ROWS = 1000 };

/* How many times it was refused before, for there was still somebody else. */
static int begin_hard_work(const struct service *service, struct wire *wire,
                           const char *work)
{
    static const char target[] = "/v1/loss?timeout=600";
    int refused = 0;
    unsigned status;

    assert_true(wire_open(wire, service->port));
    while ((status = wire_announce(wire, target, strlen(work))) == 503) {
        refused++;
        wire_close(wire);
        assert_true(wire_open(wire, service->port));
    }
    assert_int_equal(status, 100);
    assert_true(wire_text(wire, work));
    return refused;
}

static bool has_answer(const struct wire *wire)
{
    return poll(&(struct pollfd){.fd = wire->fd, .events = POLLIN}, 1, 0) > 0;
}

static void end_hard_work(struct wire *wire)
{
    struct answer answer;

    assert_true(wire_answer(wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    wire_close(wire);
}

static bool is_refused(const struct service *service, const char *target,
                       const char *body, const char *why)
{
    struct wire wire;
    struct answer answer;

    assert_true(wire_open(&wire, service->port));
    assert_true(wire_post(&wire, target, body, true));
    assert_true(wire_answer(&wire, false, &answer));
    bool refused = answer.status != 200;
    if (refused)
        assert_retry_later(&answer, why);
    answer_release(&answer);
    wire_close(&wire);
    return refused;
}

/* Somebody comes, again and again, while the only worker is at hard work of another,
 * until refused for that reason. */
static void assert_refused_in_the_queue(const char *const *flags, const char *target,
                                        const char *body, const char *why,
                                        const char *const reasons[2])
{
    char *work = batch_text_hard(HARD_ROWS);
    struct service service;
    bool refused = false;
    int before = 0;

    assert_true(service_start(&service, flags));
    for (int round = 0; !refused; round++) { /* the work may have been done before */
        struct wire holder;
        assert_true(round < 100);
        before += begin_hard_work(&service, &holder, work);
        do
            refused = is_refused(&service, target, body, why);
        while (!refused && !has_answer(&holder));
        end_hard_work(&holder);
    }
    free(work);
    assert_rejected(&service, reasons, before + 1);
    assert_int_equal(service_stop(&service), 0);
}

static void limits__refuse_when_the_queue_is_full(void **state)
{
    static const char *const flags[] = {
        "--threads", "1", "--queue-size", "1", "--inline-cost", "0s", NULL};

    (void)state;
    assert_refused_in_the_queue(flags, "/v1/loss", EXAMPLE,
                                "no more than 1 may be (--queue-size",
                                (const char *const[]){"queue", NULL});
}

static void limits__refuse_when_the_queue_has_too_much_work(void **state)
{
    static const char *const flags[] = {
        "--threads", "1", "--queue-work", "1ms", "--inline-cost", "0s", NULL};

    (void)state;
    assert_refused_in_the_queue(flags, "/v1/loss?timeout=600", EXAMPLE,
                                "no more than 0.001 s of work may be under way "
                                "(--queue-work raises that)",
                                (const char *const[]){"queue", NULL});
}

static void limits__refuse_when_the_queue_has_too_many_elements(void **state)
{
    static const char *const flags[] = {
        "--threads", "1", "--queue-elements", "1", "--inline-cost", "0s", NULL};

    (void)state;
    assert_refused_in_the_queue(flags, "/v1/loss?timeout=600", EXAMPLE,
                                "no more than 1 may wait (--queue-elements raises that)",
                                (const char *const[]){"queue", NULL});
}

/* Nobody sends for nothing, nor is anything read for nothing. */
static void limits__refuse_a_body_that_is_only_announced(void **state)
{
    static const char *const flags[] = {"--threads", "1", "--queue-size", "1", NULL};
    char *work = batch_text_hard(HARD_ROWS);
    struct service service;
    struct wire holder, other;
    unsigned status = 100;

    (void)state;
    assert_true(service_start(&service, flags));
    for (int round = 0; status == 100; round++) { /* the work may have been done before */
        assert_true(round < 100);
        begin_hard_work(&service, &holder, work);
        do {
            assert_true(wire_open(&other, service.port));
            status = wire_announce(&other, "/v1/softmax", 1000000);
            wire_close(&other);
        } while (status == 100 && !has_answer(&holder));
        end_hard_work(&holder);
    }
    assert_int_equal(status, 503);
    free(work);
    assert_int_equal(service_stop(&service), 0);
}

/* Either at once, because of what is there already, or when its turn comes. */
static void limits__refuse_who_would_wait_for_longer_than_it_says(void **state)
{
    static const char *const flags[] = {"--threads", "1", "--inline-cost", "0s", NULL};

    (void)state;
    assert_refused_in_the_queue(flags, "/v1/loss?timeout=0.001", EXAMPLE, "0.001 s",
                                (const char *const[]){"wait", "late"});
}

/* A body says so in microseconds, when it has been admitted already. */
static void limits__refuse_who_would_wait_for_longer_than_its_body_says(void **state)
{
    static const char *const flags[] = {"--threads", "1", "--inline-cost", "0s", NULL};
    static const char body[] =
        "{\"parameters\":{\"timeout\":1000},\"outputs\":[{\"name\":\"logsumexp\"}],"
        "\"inputs\":[{\"name\":\"logits\",\"datatype\":\"FP64\",\"shape\":[1,3],"
        "\"data\":[0,1,2]}]}";

    (void)state;
    assert_refused_in_the_queue(flags, "/v2/models/softmax/infer", body, "0.001 s",
                                (const char *const[]){"wait", "late"});
}

static void limits__refuse_who_would_wait_for_longer_than_the_setting(void **state)
{
    static const char *const flags[] = {
        "--threads", "1", "--inline-cost", "0s", "--request-timeout", "1ms", NULL};

    (void)state;
    assert_refused_in_the_queue(flags, "/v1/loss", EXAMPLE, "0.001 s",
                                (const char *const[]){"wait", "late"});
}

/* Large ones have reserved all the memory that they may, and wait for their bodies. */
static void limits__keep_memory_for_small_requests(void **state)
{
    static const char *const flags[] = {"--memory-budget", "64MiB", NULL};
    struct service service;
    struct wire holder, large, small;
    struct answer answer;

    (void)state;
    assert_true(service_start(&service, flags));
    /* three quarters of that and 64 KiB are 48 MiB, three quarters of all */
    assert_true(wire_open(&holder, service.port));
    assert_int_equal(wire_announce(&holder, "/v1/softmax", 67021480), 100);
    assert_true(wire_open(&large, service.port));
    assert_int_equal(wire_announce(&large, "/v1/softmax", 65537), 503);
    assert_true(wire_open(&small, service.port));
    assert_true(wire_post(&small, "/v1/loss", EXAMPLE, true));
    assert_true(wire_answer(&small, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    wire_close(&small);
    wire_close(&large);
    wire_close(&holder);
    assert_int_equal(service_stop(&service), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits__answer_as_many_connections_as_may_and_refuse_the_others),
        cmocka_unit_test(limits__give_the_place_of_an_idle_connection_to_a_new_one),
        cmocka_unit_test(limits__take_all_the_descriptors_that_may_be),
        cmocka_unit_test(limits__hold_connections_to_what_descriptors_leave),
        cmocka_unit_test(limits__refuse_when_there_is_no_descriptor_left),
        cmocka_unit_test(limits__refuse_when_the_queue_is_full),
        cmocka_unit_test(limits__refuse_when_the_queue_has_too_much_work),
        cmocka_unit_test(limits__refuse_when_the_queue_has_too_many_elements),
        cmocka_unit_test(limits__refuse_a_body_that_is_only_announced),
        cmocka_unit_test(limits__refuse_who_would_wait_for_longer_than_it_says),
        cmocka_unit_test(limits__refuse_who_would_wait_for_longer_than_its_body_says),
        cmocka_unit_test(limits__refuse_who_would_wait_for_longer_than_the_setting),
        cmocka_unit_test(limits__keep_memory_for_small_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
