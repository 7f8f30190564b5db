#include "http/connection.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "http/incoming.h"
#include "lossd/base/clock.h"

void registry_init(struct registry *registry)
{
    pthread_mutex_init(&registry->lock, NULL);
    registry->first = NULL;
    atomic_init(&registry->count, 0);
}

void registry_release(struct registry *registry)
{
    pthread_mutex_destroy(&registry->lock);
}

/* IPv4 in IPv6 is shown as the IPv4 that it is. */
static void write_address(const struct sockaddr *address, char out[INET6_ADDRSTRLEN])
{
    out[0] = '\0';
    if (!address)
        return;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, out, INET6_ADDRSTRLEN);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, &v6.sin6_addr, out, INET6_ADDRSTRLEN);
    }
}

struct connection *connection_new(struct registry *registry, struct net *net, int fd,
                                  const struct sockaddr *address)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return NULL;
    connection->net = net;
    connection->fd = fd;
    incoming_begin(fd);
    atomic_init(&connection->since_ns, clock_ns());
    write_address(address, connection->client);
    pthread_mutex_lock(&registry->lock);
    connection->next = registry->first;
    connection->link = &registry->first;
    if (connection->next)
        connection->next->link = &connection->next;
    registry->first = connection;
    atomic_fetch_add(&registry->count, 1);
    pthread_mutex_unlock(&registry->lock);
    return connection;
}

void connection_free(struct registry *registry, struct connection *connection)
{
    pthread_mutex_lock(&registry->lock);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    atomic_fetch_sub(&registry->count, 1);
    pthread_mutex_unlock(&registry->lock);
    free(connection);
}

static bool enter(struct connection *connection, enum connection_phase phase,
                  int64_t since_ns)
{
    enum connection_phase now = atomic_load(&connection->phase);

    /* the time first: who reads the new phase then never sees the old time */
    atomic_store_explicit(&connection->since_ns, since_ns, memory_order_relaxed);
    do {
        if (now >= CONNECTION_EXPIRED)
            return false;
    } while (!atomic_compare_exchange_weak(&connection->phase, &now, phase));
    return true;
}

bool connection_enter(struct connection *connection, enum connection_phase phase)
{
    return enter(connection, phase, clock_coarse_ns());
}

void connection_rest(struct connection *connection, int64_t since_ns)
{
    atomic_store_explicit(&connection->read_at_rest, incoming_read(connection->fd),
                          memory_order_relaxed);
    enter(connection, CONNECTION_IDLE, since_ns);
}

bool connection_is_asked(const struct connection *connection)
{
    return incoming_read(connection->fd) > atomic_load(&connection->read_at_rest);
}

bool connection_expire(struct connection *connection, enum connection_phase from,
                       enum connection_phase to)
{
    if (!atomic_compare_exchange_strong(&connection->phase, &from, to))
        return false;
    atomic_store(&connection->since_ns, clock_ns());
    return true;
}

void connection_cut(const struct connection *connection)
{
    shutdown(connection->fd, SHUT_RDWR);
}

size_t registry_count_asking(struct registry *registry)
{
    size_t count = 0;

    pthread_mutex_lock(&registry->lock);
    for (struct connection *at = registry->first; at; at = at->next) {
        enum connection_phase phase = atomic_load(&at->phase);
        count += phase == CONNECTION_BODY || phase == CONNECTION_BUSY ||
                 phase == CONNECTION_WRITING;
    }
    pthread_mutex_unlock(&registry->lock);
    return count;
}
