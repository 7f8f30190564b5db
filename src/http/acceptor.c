/* The HTTP library's own accept spreads connections badly and, at its limit,
 * lets clients wait without an answer or locks itself up.  So we accept: each
 * connection goes to the network thread that has fewest, and one too many is
 * told so at once.
 *
 * When the process has no descriptor left, a connection could neither be taken
 * nor refused, and the listening socket would stay readable and spin.  For that
 * case there is a spare descriptor: it is closed, the connection accepted,
 * answered and closed, and the spare opened again. */
#include "http/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/inside.h"

enum {
    BACKLOG = 4096,
    /* What the kernel may hold of a body that we are slow to read; without it a
     * window grows to many megabytes for each connection. */
    RECEIVE_BUFFER = 1 << 20,
    PAUSE_MS = 10 /* when the kernel has no memory for another socket */
};

struct acceptor {
    struct server *server;
    int listener, wake, spare;
    unsigned port;
    bool running;
    pthread_t thread;
};

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

static struct net *least_loaded(struct server *server, size_t *total)
{
    struct net *best = &server->net[0];
    size_t least = SIZE_MAX;

    *total = 0;
    for (size_t i = 0; i < server->nets; i++) {
        size_t load = net_load(&server->net[i]);
        *total += load;
        if (load < least) {
            least = load;
            best = &server->net[i];
        }
    }
    return best;
}

static void take(struct server *server, int fd, const struct sockaddr *address,
                 socklen_t address_size)
{
    size_t total;
    struct net *net = least_loaded(server, &total);

    if (total >= server->settings.max_connections && !reaper_evict(server)) {
        tally_refusal(server, REFUSAL_CAP);
        server_refuse(server, fd, ERR_OVERLOADED, NULL,
                      "there are as many connections as may be "
                      "(--max-connections raises that)");
        refuser_adopt(server->refuser, fd);
        return;
    }
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    atomic_fetch_add(&net->arriving, 1);
    if (MHD_add_connection(net->daemon, fd, address, address_size) != MHD_YES) {
        atomic_fetch_sub(&net->arriving, 1); /* and it has closed the socket */
        tally_refusal(server, REFUSAL_MEMORY);
    }
}

/* False: there was none.  (accept() looks for a descriptor before it looks for a
 * connection, so it cannot be asked.) */
static bool refuse_without_descriptors(struct acceptor *acceptor)
{
    close(acceptor->spare);
    int fd = accept4(acceptor->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        tally_refusal(acceptor->server, REFUSAL_DESCRIPTORS);
        server_refuse(acceptor->server, fd, ERR_OVERLOADED, NULL,
                      "this process has no descriptor left");
        close(fd);
    }
    acceptor->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && acceptor->spare >= 0;
}

/* Takes one connection.  False: there is none. */
static bool accept_one(struct acceptor *acceptor)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept4(acceptor->listener, (struct sockaddr *)&address, &size,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        take(acceptor->server, fd, (struct sockaddr *)&address, size);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        return refuse_without_descriptors(acceptor);
    case ENOBUFS:
    case ENOMEM:
        poll(NULL, 0, PAUSE_MS);
        return false;
    default: /* a connection that ended before it was taken, a signal */
        return true;
    }
}

static void *acceptor_main(void *arg)
{
    struct acceptor *acceptor = arg;
    struct pollfd ready[] = {{.fd = acceptor->listener, .events = POLLIN},
                             {.fd = acceptor->wake, .events = POLLIN}};

    while (ready[1].revents == 0) {
        if (poll(ready, 2, -1) < 0)
            continue;
        while (accept_one(acceptor))
            ;
    }
    return NULL;
}

static bool fail_listen(struct err *err, const struct server_settings *settings,
                        const char *why)
{
    bool v6 = strchr(settings->host, ':') != NULL;

    return fail(err, ERR_INTERNAL, NULL, "cannot listen on %s%s%s:%u: %s", v6 ? "[" : "",
                settings->host, v6 ? "]" : "", settings->port, why);
}

/* A socket that listens on the address, -1 with errno when it cannot. */
static int listen_on(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER); /* inherited by its connections */
    if (address->ai_family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
        getnameinfo((struct sockaddr *)&address, size, NULL, 0, port, sizeof port,
                    NI_NUMERICSERV) != 0)
        return 0;
    return (unsigned)strtoul(port, NULL, 10);
}

static bool listen_anywhere(struct acceptor *acceptor, struct err *err)
{
    const struct server_settings *settings = &acceptor->server->settings;
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char port[16];

    snprintf(port, sizeof port, "%u", settings->port);
    int trouble = getaddrinfo(settings->host, port, &hints, &found);
    if (trouble != 0)
        return fail_listen(err, settings, gai_strerror(trouble));
    for (struct addrinfo *at = found; at && acceptor->listener < 0; at = at->ai_next)
        acceptor->listener = listen_on(at);
    int why = errno;
    freeaddrinfo(found);
    if (acceptor->listener < 0)
        return fail_listen(err, settings, strerror(why));
    acceptor->port = port_of(acceptor->listener);
    return true;
}

static bool begin(struct acceptor *acceptor, struct err *err)
{
    const struct server_settings *settings = &acceptor->server->settings;

    acceptor->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    acceptor->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (acceptor->wake < 0 || acceptor->spare < 0)
        return fail_listen(err, settings, strerror(errno));
    if (!listen_anywhere(acceptor, err))
        return false;
    int trouble = pthread_create(&acceptor->thread, NULL, acceptor_main, acceptor);
    if (trouble != 0)
        return fail_listen(err, settings, strerror(trouble));
    acceptor->running = true;
    pthread_setname_np(acceptor->thread, "lossd-accept");
    return true;
}

struct acceptor *acceptor_new(struct server *server, struct err *err)
{
    struct acceptor *acceptor = malloc(sizeof *acceptor);

    if (!acceptor) {
        fail_listen(err, &server->settings, strerror(ENOMEM));
        return NULL;
    }
    *acceptor =
        (struct acceptor){.server = server, .listener = -1, .wake = -1, .spare = -1};
    if (!begin(acceptor, err)) {
        acceptor_free(acceptor);
        return NULL;
    }
    return acceptor;
}

unsigned acceptor_port(const struct acceptor *acceptor)
{
    return acceptor->port;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void acceptor_stop(struct acceptor *acceptor)
{
    if (acceptor->running) {
        eventfd_write(acceptor->wake, 1);
        pthread_join(acceptor->thread, NULL);
        acceptor->running = false;
    }
    close_one(&acceptor->listener);
}

void acceptor_free(struct acceptor *acceptor)
{
    if (!acceptor)
        return;
    acceptor_stop(acceptor);
    close_one(&acceptor->wake);
    close_one(&acceptor->spare);
    free(acceptor);
}
