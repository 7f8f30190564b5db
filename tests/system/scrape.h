/* GET /metrics, read as strictly as the two formats can be. */
#ifndef LOSSD_TESTS_SCRAPE_H
#define LOSSD_TESTS_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>

enum { WHY_SIZE = 400 };

struct sample {
    char *series; /* name and labels as they stand: a_total{code="200",route="/"} */
    double value;
};

struct scrape {
    struct sample *samples;
    size_t count;
};

/* Reads a text: Prometheus 0.0.4, or OpenMetrics 1.0.0.  False, and `why`, when a line
 * is not of the format, a family or a series is there twice, a sample is not of the
 * family above it, or a histogram does not add up.  To be released in both cases. */
bool scrape_read(struct scrape *scrape, const char *text, bool openmetrics,
                 char why[WHY_SIZE]);
void scrape_release(struct scrape *scrape);

/* The value of a series, NAN when it is not there. */
double scrape_value(const struct scrape *scrape, const char *series);

/* The sum over all series that begin with `start`. */
double scrape_sum(const struct scrape *scrape, const char *start);

/* Asks the service at that port, on a connection of its own. */
bool scrape_service(struct scrape *scrape, unsigned port, bool openmetrics,
                    char why[WHY_SIZE]);

/* Asks again and again until the series has that value; what is counted is so at the
 * end of a request, and a client may see its answer before that.  False, and `why`,
 * when it does not come true within half a minute.  To be released as above. */
bool scrape_comes_to(struct scrape *scrape, unsigned port, const char *series,
                     double value, char why[WHY_SIZE]);

#endif
