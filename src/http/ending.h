/* How a request ended: for the log, and for those who count. */
#ifndef LOSSD_HTTP_ENDING_H
#define LOSSD_HTTP_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "http/admission.h"
#include "lossd/base/err.h"

struct connection;

struct ending {
    unsigned status;
    enum shedding shed; /* why, of ERR_OVERLOADED */
    enum err_kind kind; /* of the problem it was answered with, ERR_NONE for none */
    uint64_t sent;      /* bytes of the answer's body */
    int64_t duration_ns;
    bool complete; /* the client took the whole answer */
    bool gone;     /* it did not, because it left */
};

/* Of the request that is ending on the connection; `complete` as the library saw it. */
struct ending ending_of(const struct connection *connection, bool complete);

/* Its line in the log; probes have none. */
void ending_log(const struct ending *ending, const struct connection *connection);

#endif
