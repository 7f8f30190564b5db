/* A client that asks one thing every few milliseconds, each time on a new connection,
 * and keeps how long it took. */
#ifndef LOSSD_STORM_PROBER_H
#define LOSSD_STORM_PROBER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "wire.h"

enum { PROBES_MAX = 100000, PROBE_PAUSE_US = 5000 };

struct prober {
    pthread_t thread;
    unsigned port;
    const char *request; /* with Connection: close */
    atomic_bool ending;
    size_t count, answered, refused, silent; /* 200, 503, and no answer */
    double took_ms[PROBES_MAX];
};

static inline double prober_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline void prober_ask(struct prober *prober)
{
    double began = prober_now_ms();
    struct wire wire;
    struct answer answer = {0};
    bool answered = wire_open(&wire, prober->port);

    if (answered) {
        wire_text(&wire, prober->request); /* may fail when it is refused already */
        answered = wire_answer(&wire, false, &answer);
    }
    wire_close(&wire);
    prober->answered += answered && answer.status == 200;
    prober->refused += answered && answer.status == 503;
    prober->silent += !answered;
    prober->took_ms[prober->count++] = prober_now_ms() - began;
    answer_release(&answer);
}

static inline void *prober_run(void *arg)
{
    struct prober *prober = arg;

    while (!atomic_load(&prober->ending) && prober->count < PROBES_MAX) {
        prober_ask(prober);
        nanosleep(&(struct timespec){0, PROBE_PAUSE_US * 1000}, NULL);
    }
    return NULL;
}

static inline void prober_start(struct prober *prober, unsigned port, const char *request)
{
    prober->port = port;
    prober->request = request;
    prober->count = prober->answered = prober->refused = prober->silent = 0;
    atomic_store(&prober->ending, false);
    if (pthread_create(&prober->thread, NULL, prober_run, prober) != 0)
        abort();
}

static inline int prober_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static inline void prober_stop(struct prober *prober)
{
    atomic_store(&prober->ending, true);
    pthread_join(prober->thread, NULL);
    qsort(prober->took_ms, prober->count, sizeof *prober->took_ms, prober_compare);
}

/* Of all that were asked, after the end. */
static inline double prober_share_ms(const struct prober *prober, double share)
{
    size_t at = (size_t)(share * (double)prober->count);

    return prober->count ? prober->took_ms[at < prober->count ? at : prober->count - 1]
                         : -1;
}

#endif
