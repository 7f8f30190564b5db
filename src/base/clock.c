#include "lossd/base/clock.h"

#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_coarse_ns(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int64_t clock_calendar_ms(void)
{
    return read_clock(CLOCK_REALTIME_COARSE) / 1000000;
}

/* The calendar was a sixth of a log line's work, and many lines have the same second. */
void clock_text(char out[CLOCK_TEXT_SIZE])
{
    static _Thread_local struct {
        time_t second;
        size_t len; /* 0: none yet */
        char text[CLOCK_TEXT_SIZE];
    } last;
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    if (last.len == 0 || last.second != now.tv_sec) {
        gmtime_r(&now.tv_sec, &utc);
        last.second = now.tv_sec;
        last.len = strftime(last.text, sizeof last.text, "%Y-%m-%dT%H:%M:%S", &utc);
    }
    memcpy(out, last.text, last.len);
    unsigned ms = (unsigned)(now.tv_nsec / 1000000);
    const char part[] = {'.',
                         (char)('0' + ms / 100),
                         (char)('0' + ms / 10 % 10),
                         (char)('0' + ms % 10),
                         'Z',
                         '\0'};
    memcpy(out + last.len, part, sizeof part);
}

void clock_date(char out[CLOCK_TEXT_SIZE])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm utc;

    /* the names are English in every locale */
    gmtime_r(&now, &utc);
    memcpy(out, days[utc.tm_wday], 3);
    strftime(out + 3, CLOCK_TEXT_SIZE - 3, ", %d ... %Y %H:%M:%S GMT", &utc);
    memcpy(out + 8, months[utc.tm_mon], 3);
}
