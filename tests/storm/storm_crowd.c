/* Crowds, and clients that talk in crumbs: 10 times as many connections at once as there
 * may be, 10 000 that ask and leave, bodies in pieces of one byte, 500 questions before
 * the first answer is read, and headers that drip in after an honest question. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "batch_text.h"
#include "service.h"
#include "verdict.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum {
    CAP = 1024, /* the default */
    BURST = 10 * CAP,
    LEAVERS = 10000,
    PIPELINED = 500,
    ROWS = 4000,              /* of the body in crumbs: 84 KB */
    REFUSED_WITHIN_MS = 1000, /* the last stands behind 9215 others */
    PATIENCE_MS = 30000
};

static struct verdict verdict;
static struct service service;
static size_t descriptors;

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static unsigned status_of_answer(struct wire *wire)
{
    struct answer answer;
    unsigned status = wire_answer(wire, false, &answer) ? answer.status : 0;

    answer_release(&answer);
    return status;
}

/* ---- a burst ------------------------------------------------------------------- */

struct burst {
    int epoll;
    size_t count;
    struct wire wires[BURST];
    double began_ms[BURST], refusal_ms[BURST];
    size_t answered, refused, silent;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void ask(struct burst *burst, size_t i)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};

    if (!wire_open(&burst->wires[i], service.port))
        give_up("a connection could not be made");
    burst->began_ms[i] = now_ms();
    wire_post(&burst->wires[i], "/v1/loss", EXAMPLE, true);
    if (epoll_ctl(burst->epoll, EPOLL_CTL_ADD, burst->wires[i].fd, &event) != 0)
        give_up("no epoll");
}

static void take_answer(struct burst *burst, size_t i)
{
    double took = now_ms() - burst->began_ms[i];
    unsigned status = status_of_answer(&burst->wires[i]);

    if (status == 503)
        burst->refusal_ms[burst->refused++] = took;
    burst->answered += status == 200;
    burst->silent += status != 200 && status != 503;
    wire_close(&burst->wires[i]);
}

/* Beside the thread that asks: a connection that takes long to be made must not make the
 * answers of others look late. */
static void *take_answers(void *arg)
{
    struct burst *burst = arg;
    struct epoll_event events[64];
    int n;

    for (size_t got = 0; got < burst->count; got += (size_t)n) {
        n = epoll_wait(burst->epoll, events, 64, PATIENCE_MS);
        if (n <= 0)
            break;
        for (int i = 0; i < n; i++)
            take_answer(burst, events[i].data.u64);
    }
    return NULL;
}

/* So many at once. */
static void run(struct burst *burst, size_t count)
{
    pthread_t taker;

    *burst = (struct burst){.epoll = epoll_create1(EPOLL_CLOEXEC), .count = count};
    if (pthread_create(&taker, NULL, take_answers, burst) != 0)
        give_up("no thread");
    for (size_t i = 0; i < count; i++)
        ask(burst, i);
    pthread_join(taker, NULL);
    close(burst->epoll);
    qsort(burst->refusal_ms, burst->refused, sizeof *burst->refusal_ms, compare);
}

static void judge_a_burst(void)
{
    static struct burst burst;
    double began = now_ms();

    run(&burst, BURST);
    verdict_exactly(&verdict, "of 10 times the cap at once, answered 200 or 503",
                    (double)(burst.answered + burst.refused), BURST);
    verdict_note("of them 200", (double)burst.answered, "");
    verdict_note("all of it took", now_ms() - began, "ms");
}

/* Connections that ask nothing hold all places. */
static void judge_a_full_house(void)
{
    static struct burst burst;
    static struct wire holders[CAP];

    for (size_t i = 0; i < CAP; i++)
        if (!wire_open(&holders[i], service.port))
            give_up("a connection could not be made");
    double cpu = service_cpu_seconds(&service);
    run(&burst, BURST - CAP);
    cpu = service_cpu_seconds(&service) - cpu;
    for (size_t i = 0; i < CAP; i++)
        wire_close(&holders[i]);
    verdict_exactly(&verdict, "with all places taken, answered 503",
                    (double)burst.refused, BURST - CAP);
    if (burst.refused == 0)
        return;
    verdict_note("of the service's time, each", cpu / (BURST - CAP) * 1e6, "us");
    verdict_note("half of them within", burst.refusal_ms[burst.refused / 2], "ms");
    verdict_at_most(&verdict, "99 of 100 of them within",
                    burst.refusal_ms[burst.refused * 99 / 100], "ms", REFUSED_WITHIN_MS);
}

/* ---- those that leave ------------------------------------------------------------ */

static void judge_leavers(void)
{
    double began = now_ms();

    for (int i = 0; i < LEAVERS; i++) {
        struct wire wire;
        if (!wire_open(&wire, service.port))
            give_up("a connection could not be made");
        wire_post(&wire, "/v1/loss", EXAMPLE, i % 2);
        wire_close(&wire);
    }
    double left = now_ms();
    service_descriptors_fall_to(&service, descriptors);
    verdict_note("10 000 clients asked and left, which took", (left - began) / 1e3, "s");
    verdict_at_most(&verdict, "descriptors were back to base after",
                    (now_ms() - left) / 1e3, "s", 2);
}

/* ---- crumbs ---------------------------------------------------------------------- */

static void judge_crumbs(bool chunks)
{
    char *body = batch_text(ROWS), head[200], chunk[] = "1\r\n?\r\n";
    struct wire wire;
    double began = now_ms();
    bool good = wire_open(&wire, service.port);

    snprintf(head, sizeof head, "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n%s: ",
             chunks ? "Transfer-Encoding" : "Content-Length");
    snprintf(head + strlen(head), 40, chunks ? "chunked\r\n\r\n" : "%zu\r\n\r\n",
             strlen(body));
    good = good && wire_text(&wire, head);
    for (const char *at = body; *at && good; at++) {
        chunk[3] = *at;
        good = chunks ? wire_text(&wire, chunk) : wire_send(&wire, at, 1);
    }
    good = good && (!chunks || wire_text(&wire, "0\r\n\r\n"));
    verdict_exactly(&verdict,
                    chunks ? "84 KB in chunks of 1 byte: answered"
                           : "84 KB in segments of 1 byte: answered",
                    good ? status_of_answer(&wire) : 0, 200);
    verdict_note("that took", now_ms() - began, "ms");
    wire_close(&wire);
    free(body);
}

static void judge_pipelining(void)
{
    struct wire wire;
    double answered = 0, began = now_ms();
    bool good = wire_open(&wire, service.port);

    for (int i = 0; i < PIPELINED && good; i++)
        good = wire_post(&wire, "/v1/loss", EXAMPLE, i == PIPELINED - 1);
    for (int i = 0; i < PIPELINED && good; i++)
        answered += status_of_answer(&wire) == 200;
    verdict_exactly(&verdict, "of 500 pipelined questions, answered", answered,
                    PIPELINED);
    verdict_note("that took", now_ms() - began, "ms");
    wire_close(&wire);
}

/* ---- a drip ---------------------------------------------------------------------- */

static void judge_a_drip(void)
{
    struct wire wire;
    char byte;
    bool good = wire_open(&wire, service.port) &&
                wire_post(&wire, "/v1/loss", EXAMPLE, false) &&
                status_of_answer(&wire) == 200;
    double began = now_ms();

    while (good && now_ms() - began < 60000 && wire_send(&wire, "G", 1) &&
           recv(wire.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
        nanosleep(&(struct timespec){0, 100000000}, NULL);
    /* ten seconds are --header-timeout's default */
    verdict_at_most(&verdict, "headers that drip after a question end after",
                    good ? (now_ms() - began) / 1e3 : -1, "s", 12);
    wire_close(&wire);
}

int main(void)
{
    static const char *const flags[] = {"--log-rate", "10", NULL};
    struct rlimit room;

    /* a burst has its connections open at once, and so has the service */
    if (getrlimit(RLIMIT_NOFILE, &room) == 0 && room.rlim_cur < room.rlim_max) {
        room.rlim_cur = room.rlim_max;
        setrlimit(RLIMIT_NOFILE, &room);
    }
    if (!service_start(&service, flags))
        return 1;
    descriptors = service_descriptors(&service);
    if (room.rlim_cur > BURST + 100)
        judge_a_burst();
    else
        printf("skipped: a burst: %d descriptors are wanted, there are %lu\n",
               BURST + 100, (unsigned long)room.rlim_cur);
    judge_a_full_house();
    judge_leavers();
    judge_crumbs(true);
    judge_crumbs(false);
    judge_pipelining();
    judge_a_drip();
    service_descriptors_fall_to(&service, descriptors);
    verdict_exactly(&verdict, "descriptors left",
                    (double)service_descriptors(&service) - (double)descriptors, 0);
    verdict_exactly(&verdict, "exit status", service_stop(&service), 0);
    return verdict_end(&verdict);
}
