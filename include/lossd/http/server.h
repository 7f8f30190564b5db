/* The server: sockets on one side, the API on the other.
 *
 * Its threads are all its own: an acceptor for each entrance, some network threads, one
 * that ends slow and lost connections, one that sees to it that the refused are told.
 * Requests that cost more than a moment are answered on the pool.
 *
 * A server belongs to the thread that made it: no two of these functions may be called on
 * it at once. */
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
    /* Where to listen, commas between: "8080", "0.0.0.0:8080", "[::1]:8080",
     * "unix:/path", "unix:@name"; port 0 is any free one, and a host's name the first of
     * its addresses where that is possible.  Must outlive the server. */
    const char *addresses;
    size_t inherited; /* descriptors to listen on instead, from 3 on */
    /* Where only health and metrics are told; "" for none.  Must outlive the server. */
    const char *admin_addresses;
    size_t net_threads; /* threads that move bytes, >= 1 */
    size_t max_connections;
    const char *connections_flag; /* what raises that; must outlive the server, too */
    size_t descriptors;           /* that the process may have open; 0: any number */
    size_t connection_memory;     /* bytes of buffer for each connection */
    int64_t header_timeout_ns;    /* from connect to complete headers */
    int64_t body_timeout_ns;      /* in which a body comes on, */
    int64_t write_timeout_ns;     /* and an answer is taken, */
    size_t min_rate;              /* by so many bytes a second */
    int64_t keepalive_timeout_ns; /* idle between requests */
    bool answer_half_closed;      /* who has closed its own side is not gone */
    size_t queue_size;            /* requests under way on the pool, unless it idles, */
    size_t queue_kept;            /* and those of them, no more, for small ones only, */
    int64_t queue_work_ns;        /* for how long they may keep the pool busy, */
    size_t queue_elements;        /* and how many numbers they may have */
    int64_t request_timeout_ns;   /* in the queue, of requests that do not say */
    int64_t inline_cost_ns;       /* cheaper answers skip the pool */
};

struct server;

/* Fills in the values of the labels that this layer knows: methods, statuses, phases
 * of connections, reasons to refuse and to end them. */
void server_labels(struct metric_labels *labels);

/* As many connections as are `wanted`, or as a process can bear that may have so many
 * descriptors open (0: any number): listeners, the administrator and those who have to
 * be refused need some, too. */
size_t server_connections(size_t wanted, size_t descriptors, size_t net_threads);

/* Starts serving.  The api, pool (may be NULL), budget, log and meter (may be NULL)
 * must outlive the server; the meter asks the server for gauges, and may not be read
 * any more when that is gone.  NULL with `err` filled, naming address and reason, when
 * it cannot. */
struct server *server_new(const struct server_settings *settings, struct api *api,
                          struct pool *pool, struct budget *budget, const struct log *log,
                          struct meter *meter, struct err *err);

/* Where it listens: "http://127.0.0.1:8080, unix:/run/lossd.sock". */
enum { SERVER_ADDRESSES_SIZE = 4096 };
void server_addresses(const struct server *server, char out[SERVER_ADDRESSES_SIZE]);

/* False with ERR_INVALID_OPTION, naming an address that is none; also for no address, and
 * for more than a server listens on (16). */
bool server_check_addresses(const char *addresses, struct err *err);

/* The next two may be called again.
 *
 * Each answer says from now on that the connection ends with it: clients that keep theirs
 * go elsewhere, while new ones are still taken. */
void server_part(struct server *server);

/* Takes no new connections, closes idle ones, and parts from the others.  The
 * administrator goes on being told how it is. */
void server_drain(struct server *server);

/* Requests and connections that are still there. */
size_t server_busy(const struct server *server);

/* Refuses who waits for a thread, on the caller's, and waits for what is being worked out,
 * though not for longer than so many nanoseconds.  Returns for how many requests it still
 * is.  Where there are any, the answers of the others have had up to another second, and
 * the administrator is told nothing more: the process is to end. */
size_t server_finish(struct server *server, int64_t longest_ns);

/* Ends every connection and thread, drained or not, when what is being worked out has been
 * and who waits has been refused, which may take a second.  NULL is allowed. */
void server_free(struct server *server);

/* Name and version of the HTTP library: "libmicrohttpd 0.9.75". */
const char *server_library(void);

#endif
