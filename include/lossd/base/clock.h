/* Time: a monotonic clock for intervals, a calendar for log lines. */
#ifndef LOSSD_BASE_CLOCK_H
#define LOSSD_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

/* Nanoseconds since some fixed point; never goes back. */
int64_t clock_ns(void);

/* The same some milliseconds ago at most, for a fraction of the price. */
int64_t clock_coarse_ns(void);

/* A condition whose waits end by clock_ns(): pthread_cond_timedwait() takes its time. */
void clock_condition_init(pthread_cond_t *condition);

/* Milliseconds since 1970, a few of them late at most; they may go back. */
int64_t clock_calendar_ms(void);

enum { CLOCK_TEXT_SIZE = 32 };

/* The present moment as RFC 3339 with milliseconds, in UTC, terminated:
 * "2031-05-06T07:08:09.123Z". */
void clock_text(char out[CLOCK_TEXT_SIZE]);

/* The present moment as HTTP writes it (RFC 9110, 5.6.7), terminated:
 * "Tue, 06 May 2031 07:08:09 GMT". */
void clock_date(char out[CLOCK_TEXT_SIZE]);

#endif
