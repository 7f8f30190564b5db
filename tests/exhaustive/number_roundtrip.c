/* Every float there is, and very many doubles, written and read back.
 *
 *   number_roundtrip [FLOATS [DOUBLES [THREADS]]]
 *
 * FLOATS bit patterns, evenly spread over all 2^32 (that many by default, NaN
 * left out): what number_write_float() writes must be read back with the same
 * bits by number_read_float(), and by number_scan_floats() unless it declines.
 * Then DOUBLES random doubles (10^8 by default), held to strtod() as well.
 * The exit status is 0 when every one came back. */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lossd/base/number.h"
#include "lossd/base/number_scan.h"

enum {
    THREADS_MAX = 64,
    REPORTED_MAX = 20,
    TEXT_SIZE = NUMBER_TEXT_MAX + NUMBER_SCAN_SLACK
};

/* The patterns first, first + step, ... below 2^32; and so many doubles. */
struct share {
    uint64_t first, step, doubles;
    uint64_t seen, scanned, wrong;
};

static void share_report(struct share *share, const char *text, double value)
{
    if (share->wrong++ < REPORTED_MAX)
        fprintf(stderr, "%a was written as %.*s\n", value, (int)strcspn(text, ","), text);
}

static void share_check_float(struct share *share, uint32_t bits)
{
    char text[TEXT_SIZE] = {0};
    float value, read, scanned;
    size_t count;
    memcpy(&value, &bits, sizeof(value));
    if (!isfinite(value))
        return;
    size_t length = number_write_float(text, value);
    text[length] = ',';
    read = number_read_float((struct span){text, length});
    const char *after =
        number_scan_floats(text, text + sizeof(text), &scanned, 1, &count);
    share->seen++;
    share->scanned += count;
    if (memcmp(&read, &value, sizeof(value)) != 0 ||
        (count && (after != text + length || memcmp(&scanned, &value, sizeof(value)))))
        share_report(share, text, (double)value);
}

static void share_check_double(struct share *share, uint64_t bits)
{
    char text[TEXT_SIZE] = {0};
    double value, judged, read, scanned;
    size_t count;
    memcpy(&value, &bits, sizeof(value));
    if (!isfinite(value))
        return;
    size_t length = number_write_double(text, value);
    text[length] = ',';
    judged = strtod(text, NULL);
    read = number_read_double((struct span){text, length});
    const char *after =
        number_scan_doubles(text, text + sizeof(text), &scanned, 1, &count);
    share->seen++;
    share->scanned += count;
    if (memcmp(&judged, &value, sizeof(value)) || memcmp(&read, &value, sizeof(value)) ||
        (count && (after != text + length || memcmp(&scanned, &value, sizeof(value)))))
        share_report(share, text, value);
}

static void *share_run_floats(void *argument)
{
    struct share *share = argument;
    for (uint64_t bits = share->first; bits <= UINT32_MAX; bits += share->step)
        share_check_float(share, (uint32_t)bits);
    return NULL;
}

static void *share_run_doubles(void *argument)
{
    struct share *share = argument;
    uint64_t state = 88172645463325252 + share->first;
    for (uint64_t i = 0; i < share->doubles; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        share_check_double(share, state * UINT64_C(2685821657736338717));
    }
    return NULL;
}

static uint64_t run(const char *what, void *(*part)(void *), struct share *shares,
                    uint64_t threads)
{
    pthread_t thread[THREADS_MAX];
    uint64_t seen = 0, scanned = 0, wrong = 0;
    for (uint64_t i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, part, &shares[i]) != 0)
            abort();
    for (uint64_t i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        seen += shares[i].seen;
        scanned += shares[i].scanned;
        wrong += shares[i].wrong;
    }
    printf("%s: %" PRIu64 " finite, %" PRIu64 " of them scanned, %" PRIu64 " wrong\n",
           what, seen, scanned, wrong);
    return wrong;
}

int main(int argc, char **argv)
{
    uint64_t floats = argc > 1 ? strtoull(argv[1], NULL, 10) : UINT64_C(1) << 32;
    uint64_t doubles = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000000;
    uint64_t threads = argc > 3 ? strtoull(argv[3], NULL, 10) : 2;
    if (threads < 1 || threads > THREADS_MAX)
        return 2;

    uint64_t wrong = 0;
    struct share shares[THREADS_MAX];
    uint64_t step = floats ? (UINT64_C(1) << 32) / floats : 0;
    for (uint64_t i = 0; i < threads; i++)
        shares[i] = (struct share){.first = i * step, .step = threads * step};
    if (step > 0)
        wrong += run("float32", share_run_floats, shares, threads);
    for (uint64_t i = 0; i < threads; i++)
        shares[i] = (struct share){.first = i + 1, .doubles = doubles / threads};
    if (doubles > 0)
        wrong += run("float64", share_run_doubles, shares, threads);
    return wrong != 0;
}
