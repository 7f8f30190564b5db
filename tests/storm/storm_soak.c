/* A mixture of clients for SOAK_SECONDS=600: memory does not grow, and at the end nothing
 * of them is left.
 *
 * Memory is looked at every second.  The first quarter is for warming up: buffers, the
 * allocator's arenas, and what a sanitizer keeps.  Of the rest the slope is judged, and
 * its last third against its first. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gauges.h"
#include "mixture.h"
#include "service.h"
#include "verdict.h"

enum { SECONDS_MAX = 86400, PAUSE_MS = 10, POINTS = 11 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const double GROWTH_MAX_KB = 8 << 10;
#else
static const double GROWTH_MAX_KB = 1 << 10;
#endif

static double resident_kb[SECONDS_MAX];

static double mean_kb(size_t from, size_t to)
{
    double sum = 0;

    for (size_t i = from; i < to; i++)
        sum += resident_kb[i];
    return to > from ? sum / (double)(to - from) : NAN;
}

/* Least squares, kilobytes a second. */
static double slope_kb(size_t from, size_t to)
{
    double x0 = (double)(from + to - 1) / 2, y0 = mean_kb(from, to), xy = 0, xx = 0;

    for (size_t i = from; i < to; i++) {
        xy += ((double)i - x0) * (resident_kb[i] - y0);
        xx += ((double)i - x0) * ((double)i - x0);
    }
    return xx > 0 ? xy / xx : 0;
}

static void watch(const struct service *service, size_t seconds)
{
    for (size_t i = 0; i < seconds; i++) {
        nanosleep(&(struct timespec){1, 0}, NULL);
        resident_kb[i] = (double)service_resident_kb(service);
    }
}

static void judge_memory(struct verdict *verdict, size_t seconds)
{
    size_t warm = seconds / 4, third = (seconds - warm) / 3;
    double growth = mean_kb(seconds - third, seconds) - mean_kb(warm, warm + third);

    printf("        resident, KB:");
    for (size_t i = 0; i < POINTS; i++)
        printf(" %.0f", resident_kb[i * (seconds - 1) / (POINTS - 1)]);
    puts("");
    verdict_note("mean when warm", mean_kb(warm, warm + third), "KB");
    verdict_note("in the middle", mean_kb(warm + third, warm + 2 * third), "KB");
    verdict_note("at the end", mean_kb(seconds - third, seconds), "KB");
    verdict_note("slope since it is warm", slope_kb(warm, seconds) * 3600, "KB/h");
    verdict_at_most(verdict, "growth since it is warm", growth, "KB", GROWTH_MAX_KB);
}

static void judge_the_end(struct verdict *verdict, struct service *service,
                          size_t descriptors)
{
    char why[WHY_SIZE] = "";
    bool rests = gauges_fall_to_rest(service->port, why);

    verdict_line(verdict, rests, "gauges fall to 0", rests, "", rests ? "all" : why);
    service_descriptors_fall_to(service, descriptors);
    verdict_at_most(verdict, "descriptors left",
                    (double)service_descriptors(service) - (double)descriptors, "", 0);
    verdict_exactly(verdict, "exit status", service_stop(service), 0);
}

int main(void)
{
    static const char *const flags[] = {
        "--max-body", "1MiB", "--header-timeout", "3s", "--log-rate", "10", NULL};
    const char *wanted = getenv("SOAK_SECONDS");
    size_t seconds = wanted ? strtoul(wanted, NULL, 10) : 600;
    static struct mixture mixture;
    struct verdict verdict = {0};
    struct service service;

    if (seconds < 8 || seconds > SECONDS_MAX) {
        fprintf(stderr, "SOAK_SECONDS is %zu; 8 to %d are wanted\n", seconds,
                SECONDS_MAX);
        return 2;
    }
    /* what a sanitizer keeps of what is freed reaches its limit soon */
    setenv("ASAN_OPTIONS", "abort_on_error=1:quarantine_size_mb=8", 0);
    if (!service_start(&service, flags))
        return 1;
    size_t descriptors = service_descriptors(&service);
    bool started = mixture_start(&mixture, service.port, PAUSE_MS, 0);
    watch(&service, seconds);
    double cpu = service_cpu_seconds(&service);
    unsigned long acts = mixture_stop(&mixture);

    verdict_line(&verdict, started, "seconds of a mixture of clients", (double)seconds,
                 "s", "all kinds of them");
    verdict_note("what they did", (double)acts, "times");
    verdict_note("the service's load", cpu / (double)seconds, "cores");
    verdict_exactly(&verdict, "not answered as they must be",
                    (double)atomic_load(&mixture.wrong), 0);
    if (*mixture.complaint)
        printf("        the first: %s\n", mixture.complaint);
    judge_memory(&verdict, seconds);
    judge_the_end(&verdict, &service, descriptors);
    return verdict_end(&verdict);
}
