/* Contenders that run in turns, so that all of them see the same machine.
 *
 * Machines are noisy: a neighbour, a clock that steps down.  Two things measured one
 * after the other differ by what happened in between, so nothing here is measured
 * that way.  A race goes in rounds; in each, every contender runs once, and the one
 * that starts changes from round to round.  What is printed is the minimum, the time
 * that was least disturbed, and ratios of minima.
 *
 * A slow contender may run in every n-th round only.  More tries give a lower
 * minimum, so a ratio with it counts only the rounds in which both ran: that is
 * `shared`. */
#ifndef LOSSD_BENCH_TIMING_H
#define LOSSD_BENCH_TIMING_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lossd/base/clock.h"

enum { ROUNDS_MAX = 64 };

struct contender {
    const char *name;
    void (*run)(void *ctx);
    void *ctx;
    unsigned every; /* takes part in every n-th round; 0 is 1 */

    /* found by race(), in nanoseconds of one run */
    double least;
    double shared; /* least of the rounds in which all took part */
    double sample[ROUNDS_MAX];
    unsigned samples;
    unsigned repeats; /* runs in one sample */
};

/* A race ends after `seconds`, but not before `least` rounds nor after `most`. */
struct race {
    double seconds;
    unsigned least, most;
};

enum { SAMPLE_NS = 200000 }; /* shorter runs are repeated to last so long */

static inline double time_run(struct contender *c, unsigned repeats)
{
    int64_t start = clock_ns();

    for (unsigned i = 0; i < repeats; i++)
        c->run(c->ctx);
    return (double)(clock_ns() - start) / repeats;
}

/* One run to touch the memory; it also says how many runs a sample takes. */
static inline void warm_up(struct contender *c)
{
    double once = fmax(time_run(c, 1), 1);

    c->least = c->shared = INFINITY;
    c->samples = 0;
    c->repeats = once < SAMPLE_NS ? (unsigned)(SAMPLE_NS / once) + 1 : 1;
    if (c->every == 0)
        c->every = 1;
}

static inline void take_sample(struct contender *c, int all)
{
    double ns = time_run(c, c->repeats);

    c->sample[c->samples++] = ns;
    c->least = fmin(c->least, ns);
    if (all)
        c->shared = fmin(c->shared, ns);
}

/* Runs the contenders against each other; returns the number of rounds. */
static inline unsigned race(struct contender *contenders, size_t count,
                            struct race limits)
{
    unsigned period = 1, round = 0;

    for (size_t i = 0; i < count; i++) {
        warm_up(&contenders[i]);
        if (contenders[i].every > period)
            period = contenders[i].every; /* all others are 1 or the same */
    }
    int64_t end = clock_ns() + (int64_t)(limits.seconds * 1e9);
    while (round < ROUNDS_MAX && round < limits.most &&
           (round < limits.least || clock_ns() < end)) {
        for (size_t i = 0; i < count; i++) {
            struct contender *c = &contenders[(i + round) % count];
            if (round % c->every == 0)
                take_sample(c, round % period == 0);
        }
        round++;
    }
    return round;
}

static inline int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The value below which that share of the samples lies; sorts them. */
static inline double quantile(double *samples, size_t count, double share)
{
    if (count == 0)
        return (double)NAN;
    qsort(samples, count, sizeof *samples, compare_numbers);
    return samples[(size_t)(share * (double)(count - 1) + 0.5)];
}

static inline double median(struct contender *c)
{
    return quantile(c->sample, c->samples, 0.5);
}

#endif
