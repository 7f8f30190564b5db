#include "gauges.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

enum { PATIENCE_MS = 30000, STEP_MS = 2 };

static const struct {
    const char *series;
    double value;
} at_rest[] = {
    {GAUGE_IN_FLIGHT, 0},
    {GAUGE_PHASE("head"), 0},
    {GAUGE_PHASE("body"), 0},
    {GAUGE_PHASE("busy"), 1}, /* who asks */
    {GAUGE_PHASE("writing"), 0},
    {GAUGE_PHASE("idle"), 0},
    {GAUGE_PHASE("closing"), 0},
    {GAUGE_PHASE("lingering"), 0},
    {"lossd_queue_depth", 0},
    {"lossd_workers_busy", 0},
    {"lossd_memory_budget_used_bytes", 0},
};

static bool is_at_rest(const struct scrape *scrape, char why[WHY_SIZE])
{
    for (size_t i = 0; i < sizeof at_rest / sizeof *at_rest; i++) {
        double value = scrape_value(scrape, at_rest[i].series);
        if (value != at_rest[i].value) {
            snprintf(why, WHY_SIZE, "%s is %g, not %g", at_rest[i].series, value,
                     at_rest[i].value);
            return false;
        }
    }
    return true;
}

static void pause_shortly(void)
{
    nanosleep(&(struct timespec){0, STEP_MS * 1000000}, NULL);
}

bool gauges_fall_to_rest(unsigned port, char why[WHY_SIZE])
{
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        struct scrape scrape;
        bool rests =
            scrape_service(&scrape, port, false, why) && is_at_rest(&scrape, why);
        scrape_release(&scrape);
        if (rests)
            return true;
        pause_shortly();
    }
    return false;
}

bool gauge_rises_to(unsigned port, const char *series, double value, char why[WHY_SIZE])
{
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        struct scrape scrape;
        bool scraped = scrape_service(&scrape, port, false, why);
        double now = scrape_value(&scrape, series);
        scrape_release(&scrape);
        if (now >= value)
            return true;
        if (scraped)
            snprintf(why, WHY_SIZE, "%s is %g, not %g yet", series, now, value);
        pause_shortly();
    }
    return false;
}
