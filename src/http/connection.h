/* A socket from its start to its end: what it is doing, and the list it is in.
 *
 * The network thread that owns the socket moves the connection from phase to
 * phase; the reaper looks at it from its own thread, under the registry's lock,
 * and may expire it.  Once expired a connection stays so: connection_enter()
 * refuses, and then nothing may be written to the socket any more. */
#ifndef LOSSD_HTTP_CONNECTION_H
#define LOSSD_HTTP_CONNECTION_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/phase.h"
#include "http/talk.h"
#include "http/watch.h"

struct connection {
    struct connection *next;
    struct connection **link; /* what points here */
    struct net *net;
    int fd;
    _Atomic enum connection_phase phase;
    _Atomic int64_t since_ns;      /* when that phase began */
    _Atomic uint64_t turn;         /* requests begun */
    _Atomic uint64_t taken;        /* bytes of bodies taken from it */
    _Atomic uint64_t read_at_rest; /* bytes that had been read when it became idle */
    struct watch watch;            /* the reaper's */
    char client[INET6_ADDRSTRLEN]; /* its address as text, "" if it has none */
    struct talk talk;
};

/* The connections of one network thread. */
struct registry {
    pthread_mutex_t lock; /* of the list; a connection is in it while its fd is open */
    struct connection *first;
    _Atomic size_t count;
};

void registry_init(struct registry *registry);
void registry_release(struct registry *registry);

/* Those that have asked, and have not been answered. */
size_t registry_count_asking(struct registry *registry);

/* A connection for the socket, in the registry.  NULL: no memory. */
struct connection *connection_new(struct registry *registry, struct net *net, int fd,
                                  const struct sockaddr *address);

/* Leaves the registry and is gone. */
void connection_free(struct registry *registry, struct connection *connection);

/* Adds to a counter that no other thread writes. */
static inline void connection_count(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

/* Goes on to a phase.  False when the connection has expired. */
bool connection_enter(struct connection *connection, enum connection_phase phase);

/* Is idle since then, to the nanosecond: those that are idle are compared with each
 * other.  On the thread that reads from it. */
void connection_rest(struct connection *connection, int64_t since_ns);

/* Has a part of the next request come?  Of one that is idle. */
bool connection_is_asked(const struct connection *connection);

/* Expires a connection that is still in phase `from`; `to` is how.  Under the
 * registry's lock. */
bool connection_expire(struct connection *connection, enum connection_phase from,
                       enum connection_phase to);

/* Ends both directions; the network thread will notice and close.  Under the
 * registry's lock, or on the connection's own thread. */
void connection_cut(const struct connection *connection);

#endif
