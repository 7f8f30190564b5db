/* The thread that takes new connections. */
#ifndef LOSSD_HTTP_ACCEPTOR_H
#define LOSSD_HTTP_ACCEPTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/err.h"

struct acceptor;
struct server;

/* Listens on the server's host and port and begins to take connections.  NULL
 * with `err` filled, naming address and reason. */
struct acceptor *acceptor_new(struct server *server, struct err *err);

unsigned acceptor_port(const struct acceptor *acceptor);

/* Takes what has already arrived, then listens no more.  May be called twice. */
void acceptor_stop(struct acceptor *acceptor);

/* Stops and is gone.  NULL is allowed. */
void acceptor_free(struct acceptor *acceptor);

#endif
