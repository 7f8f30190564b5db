/* The server: sockets on one side, the API on the other.
 *
 * Its threads are all its own: one acceptor, some network threads, one that
 * ends slow and lost connections.  Requests that cost more than a moment are
 * answered on the pool. */
#ifndef LOSSD_HTTP_SERVER_H
#define LOSSD_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/api/api.h"
#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/pool.h"
#include "lossd/obs/log.h"
#include "lossd/obs/metrics.h"

struct server_settings {
    const char *host;   /* address to listen on, "127.0.0.1", "::" */
    unsigned port;      /* 0: any free one */
    size_t net_threads; /* threads that move bytes, >= 1 */
    size_t max_connections;
    size_t connection_memory;     /* bytes of buffer for each connection */
    int64_t header_timeout_ns;    /* from connect to complete headers */
    int64_t body_timeout_ns;      /* without any progress of a body */
    int64_t write_timeout_ns;     /* without any progress of an answer */
    int64_t keepalive_timeout_ns; /* idle between requests */
    size_t queue_kept;            /* places of the queue for small requests only */
    int64_t request_timeout_ns;   /* in the queue, of requests that do not say */
    int64_t inline_cost_ns;       /* cheaper answers skip the pool */
};

struct server;

/* Fills in the values of the labels that this layer knows: methods, statuses, phases
 * of connections, reasons to refuse and to end them. */
void server_labels(struct metric_labels *labels);

/* Starts serving.  The api, pool (may be NULL), budget, log and meter (may be NULL)
 * must outlive the server; the meter asks the server for gauges, and may not be read
 * any more when that is gone.  NULL with `err` filled, naming address and reason, when it cannot. */
struct server *server_new(const struct server_settings *settings, struct api *api,
                          struct pool *pool, struct budget *budget, const struct log *log,
                          struct meter *meter, struct err *err);

/* The port it listens on. */
unsigned server_port(const struct server *server);

/* Takes no new connections, closes idle ones, tells the others to close. */
void server_drain(struct server *server);

/* Requests and connections that are still there. */
size_t server_busy(const struct server *server);

/* Ends every connection and thread.  NULL is allowed. */
void server_free(struct server *server);

/* Name and version of the HTTP library: "libmicrohttpd 0.9.75". */
const char *server_library(void);

#endif
