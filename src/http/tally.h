/* What the server counts for monitoring: requests when they end, connections that
 * it refuses or ends, and, whenever somebody asks, what all connections are doing. */
#ifndef LOSSD_HTTP_TALLY_H
#define LOSSD_HTTP_TALLY_H

#include "http/ending.h"
#include "lossd/api/api.h"

struct server;

void tally_request(const struct server *server, const struct exchange *exchange,
                   const struct ending *ending);

/* Why a connection is closed before any request of its is read. */
enum refusal {
    REFUSAL_CAP,         /* there are as many as may be */
    REFUSAL_DESCRIPTORS, /* none is left */
    REFUSAL_MEMORY,
    REFUSALS
};

void tally_refusal(const struct server *server, enum refusal refusal);

/* Why a connection is ended from our side. */
enum reaping {
    REAPED_HEADER, /* its headers did not come in time, */
    REAPED_BODY,   /* its body made no progress, */
    REAPED_WRITE,  /* its client took nothing of an answer */
    REAPED_IDLE,   /* between requests for too long */
    REAPED_HALF_CLOSED,
    REAPED_EVICTED, /* idle, and its place was needed */
    REAPINGS
};

void tally_reaping(const struct server *server, enum reaping reaping);

/* For meter_ask(): what the connections of a server are doing. */
void tally_gauge(void *server, struct meter *meter);

#endif
