/* What was measured, and the limit beside it, a line each. */
#ifndef LOSSD_STORM_VERDICT_H
#define LOSSD_STORM_VERDICT_H

#include <stdbool.h>
#include <stdio.h>

struct verdict {
    unsigned missed; /* limits that were */
};

static inline void verdict_line(struct verdict *verdict, bool good, const char *what,
                                double measured, const char *unit, const char *limit)
{
    printf("%-7s %-52s %10.6g %-6s (%s)\n", good ? "ok" : "MISSED", what, measured, unit,
           limit);
    fflush(stdout);
    verdict->missed += !good;
}

static inline void verdict_at_most(struct verdict *verdict, const char *what,
                                   double measured, const char *unit, double most)
{
    char limit[40];

    snprintf(limit, sizeof limit, "at most %g", most);
    verdict_line(verdict, measured <= most, what, measured, unit, limit);
}

static inline void verdict_exactly(struct verdict *verdict, const char *what,
                                   double measured, double wanted)
{
    char limit[40];

    snprintf(limit, sizeof limit, "%g is wanted", wanted);
    verdict_line(verdict, measured == wanted, what, measured, "", limit);
}

/* For whom it may concern. */
static inline void verdict_note(const char *what, double measured, const char *unit)
{
    printf("%-7s %-52s %10.6g %s\n", "", what, measured, unit);
    fflush(stdout);
}

/* The exit status. */
static inline int verdict_end(const struct verdict *verdict)
{
    return verdict->missed > 0 ? 1 : 0;
}

#endif
