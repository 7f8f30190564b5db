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
#include "http/net_load.h"
#include "http/refusal_bare.h"
#include "lossd/base/clock.h"

enum {
    TAKEN_AT_ONCE = 64, /* then the other listeners have their turn */
    PAUSE_MS = 10,      /* when the kernel has no memory for another socket */
    WHY_SIZE = 128
};

struct acceptor {
    struct server *server;
    struct entrance entrance;
    struct listeners listeners;
    int wake, spare;
    bool running;
    pthread_t thread;
    /* has told of it that there is no descriptor, or no place */
    int64_t descriptors_told_ns, cap_told_ns;
};

static const int64_t TELL_EVERY_NS = INT64_C(60000000000);

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

static struct net *least_loaded(const struct entrance *entrance, size_t *total)
{
    struct net *best = &entrance->net[0];
    size_t least = SIZE_MAX;

    *total = 0;
    for (size_t i = 0; i < entrance->nets; i++) {
        size_t load = net_load(&entrance->net[i]);
        *total += load;
        if (load < least) {
            least = load;
            best = &entrance->net[i];
        }
    }
    return best;
}

/* Clients can make it happen as often as they like: is it time to tell of it again? */
static bool is_to_tell(int64_t *told_ns)
{
    int64_t now = clock_ns();

    if (*told_ns > 0 && now - *told_ns < TELL_EVERY_NS)
        return false;
    *told_ns = now;
    return true;
}

static void refuse_at_the_cap(struct acceptor *acceptor, int fd)
{
    struct server *server = acceptor->server;
    const char *flag = acceptor->entrance.flag;
    char why[WHY_SIZE];

    tally_refusal(server, REFUSAL_CAP);
    snprintf(why, sizeof why, "there are as many connections as may be%s%s%s",
             flag ? " (" : "", flag ? flag : "", flag ? " raises that)" : "");
    if (is_to_tell(&acceptor->cap_told_ns))
        log_note(server->log, LOG_WARNING, "connections are refused: %s", why);
    refusal_bare(server, fd, false, ERR_OVERLOADED, NULL, why, NULL);
    refuser_adopt(server->refuser, fd);
}

/* True when there is a place, or will be.  Threads that are slow to close what has been
 * evicted must not cost a descriptor for each that comes. */
static bool has_place(const struct acceptor *acceptor, size_t total)
{
    const struct entrance *entrance = &acceptor->entrance;

    return total < entrance->max_connections ||
           (total - entrance->max_connections < entrance->max_leaving &&
            reaper_evict(acceptor->server, entrance->net, entrance->nets));
}

static void take(struct acceptor *acceptor, int fd, const struct sockaddr *address,
                 socklen_t address_size)
{
    struct server *server = acceptor->server;
    size_t total;
    struct net *net = least_loaded(&acceptor->entrance, &total);

    if (!has_place(acceptor, total)) {
        refuse_at_the_cap(acceptor, fd);
        return;
    }
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    atomic_fetch_add(&net->arriving, 1);
    if (MHD_add_connection(net->daemon, fd, address, address_size) != MHD_YES) {
        atomic_fetch_sub(&net->arriving, 1); /* and it has closed the socket */
        tally_refusal(server, REFUSAL_MEMORY);
    }
}

static void tell_of_descriptors(struct acceptor *acceptor)
{
    if (is_to_tell(&acceptor->descriptors_told_ns))
        log_note(acceptor->server->log, LOG_WARNING,
                 "connections are refused: this process has no descriptor left (ulimit "
                 "-n raises how many it may have)");
}

/* False: there was none.  (accept() looks for a descriptor before it looks for a
 * connection, so it cannot be asked.) */
static bool refuse_without_descriptors(struct acceptor *acceptor, int listener)
{
    close(acceptor->spare);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        tally_refusal(acceptor->server, REFUSAL_DESCRIPTORS);
        refusal_bare(acceptor->server, fd, false, ERR_OVERLOADED, NULL,
                     "this process has no descriptor left", NULL);
        close(fd);
        tell_of_descriptors(acceptor);
    } else if (errno == EMFILE || errno == ENFILE) {
        poll(NULL, 0, PAUSE_MS); /* not even the spare one's place */
    }
    acceptor->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && acceptor->spare >= 0;
}

/* Takes one connection, or finds that one has failed.  False: there is none. */
static bool accept_one(struct acceptor *acceptor, int listener)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept4(listener, (struct sockaddr *)&address, &size,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        take(acceptor, fd, (struct sockaddr *)&address, size);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        return refuse_without_descriptors(acceptor, listener);
    case ENOBUFS:
    case ENOMEM:
        poll(NULL, 0, PAUSE_MS);
        return false;
    default: /* a connection that ended before it was taken, a signal */
        return true;
    }
}

/* Takes up to `most`: where they come faster than they are taken there is no end to
 * them. */
static void accept_some(struct acceptor *acceptor, int listener, int most)
{
    while (most > 0 && accept_one(acceptor, listener))
        most--;
}

static void *acceptor_main(void *arg)
{
    struct acceptor *acceptor = arg;
    const struct listeners *listeners = &acceptor->listeners;
    struct pollfd ready[LISTENERS_MAX + 1];
    nfds_t last = listeners->count;

    for (size_t i = 0; i < listeners->count; i++)
        ready[i] = (struct pollfd){.fd = listeners->at[i].fd, .events = POLLIN};
    ready[last] = (struct pollfd){.fd = acceptor->wake, .events = POLLIN};
    while (ready[last].revents == 0) {
        if (poll(ready, last + 1, -1) < 0)
            continue;
        bool ending = ready[last].revents != 0; /* takes what has arrived by now */
        for (size_t i = 0; i < listeners->count; i++)
            accept_some(acceptor, ready[i].fd, ending ? LISTENER_BACKLOG : TAKEN_AT_ONCE);
    }
    return NULL;
}

static bool begin(struct acceptor *acceptor, struct err *err)
{
    acceptor->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    acceptor->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (acceptor->wake < 0 || acceptor->spare < 0)
        return fail(err, ERR_INTERNAL, NULL, "cannot listen: %s", strerror(errno));
    int trouble = pthread_create(&acceptor->thread, NULL, acceptor_main, acceptor);
    if (trouble != 0)
        return fail(err, ERR_INTERNAL, NULL, "cannot listen: %s", strerror(trouble));
    acceptor->running = true;
    pthread_setname_np(acceptor->thread, "lossd-accept");
    return true;
}

static bool listen_everywhere(const struct entrance *entrance,
                              struct listeners *listeners, struct err *err)
{
    return entrance->inherited > 0
               ? listeners_inherit(listeners, entrance->inherited, err)
               : listeners_open(listeners, entrance->addresses, err);
}

struct acceptor *acceptor_new(struct server *server, const struct entrance *entrance,
                              struct err *err)
{
    struct acceptor *acceptor = malloc(sizeof *acceptor);

    if (!acceptor) {
        fail(err, ERR_INTERNAL, NULL, "cannot listen: %s", strerror(ENOMEM));
        return NULL;
    }
    *acceptor = (struct acceptor){
        .server = server, .entrance = *entrance, .wake = -1, .spare = -1};
    if (!listen_everywhere(entrance, &acceptor->listeners, err) ||
        !begin(acceptor, err)) {
        acceptor_free(acceptor);
        return NULL;
    }
    return acceptor;
}

const struct listeners *acceptor_listeners(const struct acceptor *acceptor)
{
    return &acceptor->listeners;
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
    listeners_close(&acceptor->listeners);
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
