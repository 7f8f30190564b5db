/* The thread that takes new connections. */
#ifndef LOSSD_HTTP_ACCEPTOR_H
#define LOSSD_HTTP_ACCEPTOR_H

#include <stddef.h>

#include "http/listener.h"
#include "lossd/base/err.h"

struct acceptor;
struct net;
struct server;

/* Where connections come in, and who takes them. */
struct entrance {
    const char *addresses;  /* commas between */
    size_t inherited;       /* descriptors to listen on instead, from 3 on */
    size_t max_connections; /* of all its network threads together */
    size_t max_leaving;     /* beyond these, evicted for a new one and not closed yet */
    const char *flag;       /* what raises that; NULL: nothing does */
    struct net *net;        /* they are the server's, and next to each other */
    size_t nets;
};

/* Listens and begins to take connections.  `entrance` is copied, its texts must stay.
 * NULL with `err` filled, naming address and reason. */
struct acceptor *acceptor_new(struct server *server, const struct entrance *entrance,
                              struct err *err);

const struct listeners *acceptor_listeners(const struct acceptor *acceptor);

/* Takes what has already arrived, then listens no more.  May be called twice. */
void acceptor_stop(struct acceptor *acceptor);

/* Stops and is gone.  NULL is allowed. */
void acceptor_free(struct acceptor *acceptor);

#endif
