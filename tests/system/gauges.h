/* What the service says of itself at this moment: GET /metrics, its gauges. */
#ifndef LOSSD_TESTS_GAUGES_H
#define LOSSD_TESTS_GAUGES_H

#include <stdbool.h>

#include "scrape.h"

#define GAUGE_PHASE(phase) "lossd_http_connections{phase=\"" phase "\"}"
#define GAUGE_IN_FLIGHT "lossd_http_requests_in_flight"

/* Asks again and again until nobody is being served but who asks: no connection in any
 * phase, no request, no job, no byte of the memory budget.  False, and `why`, when that
 * does not come true within half a minute. */
bool gauges_fall_to_rest(unsigned port, char why[WHY_SIZE]);

/* Asks again and again until the gauge is at least that.  False, and `why`, as above. */
bool gauge_rises_to(unsigned port, const char *series, double value, char why[WHY_SIZE]);

#endif
