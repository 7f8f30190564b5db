/* What the HTTP library does not see, or sees too late.
 *
 * Its timeout is restarted by every byte, so a client that sends one now and then
 * holds its connection for ever; and it loses the end of a connection that comes
 * together with data, which leaves a dead socket behind.  Four times a second we
 * look at every connection, by what the kernel knows of it (TCP_INFO), so that a
 * request costs nothing for it:
 *
 * - head: the headers have their time from the connection's start, or from the
 *   first byte after a request, and no more;
 * - body, answer: within each window of its timeout it must move on by at least
 *   some bytes a second;
 * - idle: until the keep-alive timeout; while draining, shortly;
 * - half closed by the client, with nothing left to read.
 *
 * While bytes wait that nobody has read, it is us who are slow.  And it takes two looks
 * in a row to end a connection: after a pause of the whole process the first may come
 * before the network thread has read what arrived.  The client's time does not begin
 * anew for that, or one that sends a byte now and then would gain by it.
 *
 * To end a connection is to shut its socket down: the network thread then sees
 * the end, and does what it does at the end.  A body that is too slow is told so
 * first (408), by hand.  The registry's lock makes sure that the descriptor is
 * still the connection's. */
#include "http/reaper.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "http/incoming.h"
#include "http/inside.h"
#include "http/refusal_bare.h"
#include "lossd/base/clock.h"

enum {
    CLOSE_WAIT = 8, /* of tcpi_state; the kernel's headers have no name for it */
    LOOKS_A_SECOND = 4
};

static const int64_t SECOND_NS = INT64_C(1000000000);
/* Long enough for a client that goes on at once to be told Connection: close. */
static const int64_t DRAIN_IDLE_NS = INT64_C(500000000);
static const int64_t EVICT_IDLE_NS = INT64_C(1000000000);
/* In which a client may read why its body was refused. */
static const int64_t LAST_WORD_NS = INT64_C(1000000000);
static const int64_t ARRIVAL_WINDOW_NS = INT64_C(10000000000);

struct reaper {
    struct server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending;
    int64_t arrivals_since_ns;
};

/* What the kernel knows. */
struct look {
    int64_t now_ns;
    bool half_closed;
    uint64_t acknowledged; /* bytes since the connection's start */
    bool unread, unsent;   /* bytes wait in our buffers */
};

/* Bytes in a buffer of the socket. */
static uint64_t waiting(int fd, unsigned long queue)
{
    int bytes = 0;

    return ioctl(fd, queue, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

/* A unix socket counts nothing, so we do. */
static void look_at_unix(const struct connection *connection, struct look *look)
{
    struct pollfd end = {.fd = connection->fd, .events = POLLRDHUP};
    uint64_t sent = atomic_load(&connection->talk.sent);
    uint64_t waits = waiting(connection->fd, SIOCOUTQ);

    look->half_closed = poll(&end, 1, 0) > 0;
    look->acknowledged = sent > waits ? sent - waits : 0;
}

static void look_at(const struct connection *connection, struct look *look)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
        look->half_closed = info.tcpi_state == CLOSE_WAIT;
        look->acknowledged = info.tcpi_bytes_acked;
    } else {
        look_at_unix(connection, look);
    }
    look->unread = waiting(connection->fd, SIOCINQ) > 0;
    look->unsent = waiting(connection->fd, SIOCOUTQ) > 0;
}

static void reap(struct connection *connection, enum connection_phase phase,
                 enum reaping why)
{
    bool left = why == REAPED_HALF_CLOSED;

    if (!connection_expire(connection, phase,
                           left ? CONNECTION_LEFT : CONNECTION_EXPIRED))
        return;
    tally_reaping(connection->net->server, why);
    connection_cut(connection);
}

static void refuse_slow_body(struct connection *connection)
{
    if (!connection_expire(connection, CONNECTION_BODY, CONNECTION_REFUSED))
        return;
    const struct server_settings *settings = &connection->net->server->settings;
    char why[160];
    snprintf(why, sizeof why,
             "the body came on by less than %zu bytes a second for %.3g s (--min-rate "
             "lowers, --body-timeout raises that)",
             settings->min_rate, (double)settings->body_timeout_ns / 1e9);
    tally_reaping(connection->net->server, REAPED_BODY);
    refusal_bare(connection->net->server, connection->fd, connection->talk.to_head,
                 ERR_UPLOAD_TIMEOUT, &connection->talk.exchange, why,
                 &connection->talk.sent);
}

static bool twice(unsigned *looks, bool found)
{
    *looks = found ? *looks + 1 : 0;
    return *looks >= 2;
}

static bool is_slow_head(const struct server *server, const struct watch *watch,
                         const struct look *look)
{
    return look->now_ns - watch->began_ns > server->settings.header_timeout_ns &&
           !look->unread;
}

/* In the kernel, or on the way from there, or read: in that order, as it comes. */
static bool has_request(const struct connection *connection)
{
    return waiting(connection->fd, SIOCINQ) > 0 ||
           incoming_is_being_read(connection->fd) || connection_is_asked(connection);
}

static void check_idle(struct connection *connection, const struct look *look)
{
    const struct server *server = connection->net->server;
    struct watch *watch = &connection->watch;
    int64_t idle = look->now_ns - atomic_load(&connection->since_ns);
    int64_t limit = server->settings.keepalive_timeout_ns;

    if (atomic_load(&server->draining) && limit > DRAIN_IDLE_NS)
        limit = DRAIN_IDLE_NS;
    watch_rest(watch, look->now_ns, connection_is_asked(connection));
    if (twice(&watch->overdue, is_slow_head(server, watch, look)))
        reap(connection, CONNECTION_IDLE, REAPED_HEADER);
    else if (!watch->head_begun && idle > limit && !has_request(connection))
        reap(connection, CONNECTION_IDLE, REAPED_IDLE);
}

static void check_head(struct connection *connection, const struct look *look)
{
    const struct server *server = connection->net->server;
    struct watch *watch = &connection->watch;
    int64_t elapsed = look->now_ns - atomic_load(&connection->since_ns);
    bool has_begun = look->unread || incoming_read(connection->fd) > 0;
    bool is_leaving = !has_begun && atomic_load(&server->draining);

    if (twice(&watch->overdue, is_slow_head(server, watch, look)) ||
        (is_leaving && elapsed > DRAIN_IDLE_NS))
        reap(connection, CONNECTION_HEAD, has_begun ? REAPED_HEADER : REAPED_IDLE);
}

static void check_body(struct connection *connection, const struct look *look,
                       uint64_t taken)
{
    const struct server_settings *settings = &connection->net->server->settings;
    const struct pace pace = {settings->body_timeout_ns, settings->min_rate};
    struct watch *watch = &connection->watch;

    if (twice(&watch->overdue,
              !look->unread && watch_stalled(watch, &pace, look->now_ns, taken, false)))
        refuse_slow_body(connection);
}

static void check_answer(struct connection *connection, const struct look *look)
{
    const struct server_settings *settings = &connection->net->server->settings;
    const struct pace pace = {settings->write_timeout_ns, settings->min_rate};

    if (watch_stalled(&connection->watch, &pace, look->now_ns, look->acknowledged,
                      !look->unsent))
        reap(connection, CONNECTION_WRITING, REAPED_WRITE);
}

static bool is_read_from(enum connection_phase phase)
{
    return phase == CONNECTION_HEAD || phase == CONNECTION_BODY ||
           phase == CONNECTION_IDLE;
}

static void check(struct connection *connection, int64_t now)
{
    enum connection_phase phase = atomic_load(&connection->phase);
    struct watch *watch = &connection->watch;
    struct look look = {.now_ns = now};

    if (phase == CONNECTION_BUSY) {
        watch_pause(watch);
        return;
    }
    look_at(connection, &look);
    uint64_t taken = atomic_load(&connection->taken);
    watch_keep(watch, phase, atomic_load(&connection->turn), now,
               phase == CONNECTION_BODY ? taken : look.acknowledged);
    if (twice(&watch->half_closed,
              is_read_from(phase) && look.half_closed && !look.unread)) {
        reap(connection, phase, REAPED_HALF_CLOSED);
        return;
    }
    switch (phase) {
    case CONNECTION_HEAD:
        check_head(connection, &look);
        break;
    case CONNECTION_BODY:
        check_body(connection, &look, taken);
        break;
    case CONNECTION_WRITING:
        check_answer(connection, &look);
        break;
    case CONNECTION_IDLE:
        check_idle(connection, &look);
        break;
    case CONNECTION_EXPIRED:
    case CONNECTION_REFUSED:
    case CONNECTION_LEFT:
        if (now - atomic_load(&connection->since_ns) > LAST_WORD_NS)
            connection_cut(connection);
        break;
    case CONNECTION_BUSY:
        break;
    }
}

/* A connection for which the library finds no memory is dropped without a word
 * to us, and would be counted as arriving for ever.  Each thread takes all that
 * have arrived whenever it wakes, so the count falls to zero again and again: the
 * least it fell to in ten seconds is the number of those that never came. */
static void forget_lost_arrivals(struct reaper *reaper, int64_t now)
{
    if (now - reaper->arrivals_since_ns < ARRIVAL_WINDOW_NS)
        return;
    reaper->arrivals_since_ns = now;
    for (size_t i = 0; i < reaper->server->nets; i++) {
        struct net *net = &reaper->server->net[i];
        long lost = atomic_exchange(&net->arriving_least, LONG_MAX);
        net_note_arriving(net, atomic_load(&net->arriving));
        if (lost > 0) {
            atomic_fetch_sub(&net->arriving, lost);
            atomic_fetch_sub(&net->arriving_least, lost);
        }
    }
}

/* Under the lock. */
static void look_around(struct reaper *reaper)
{
    struct server *server = reaper->server;
    int64_t now = clock_ns();

    for (size_t i = 0; i < server->nets; i++) {
        struct registry *registry = &server->net[i].registry;
        pthread_mutex_lock(&registry->lock);
        for (struct connection *at = registry->first; at; at = at->next)
            check(at, now);
        pthread_mutex_unlock(&registry->lock);
    }
    forget_lost_arrivals(reaper, now);
}

static void *reaper_main(void *arg)
{
    struct reaper *reaper = arg;
    struct timespec next;

    pthread_mutex_lock(&reaper->lock);
    while (!reaper->ending) {
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_nsec += SECOND_NS / LOOKS_A_SECOND;
        if (next.tv_nsec >= SECOND_NS) {
            next.tv_nsec -= SECOND_NS;
            next.tv_sec++;
        }
        if (pthread_cond_timedwait(&reaper->wake, &reaper->lock, &next) == ETIMEDOUT)
            look_around(reaper);
    }
    pthread_mutex_unlock(&reaper->lock);
    return NULL;
}

void reaper_look(struct reaper *reaper)
{
    pthread_mutex_lock(&reaper->lock);
    look_around(reaper);
    pthread_mutex_unlock(&reaper->lock);
}

struct reaper *reaper_new(struct server *server)
{
    struct reaper *reaper = calloc(1, sizeof *reaper);

    if (!reaper)
        return NULL;
    reaper->server = server;
    reaper->arrivals_since_ns = clock_ns();
    pthread_mutex_init(&reaper->lock, NULL);
    clock_condition_init(&reaper->wake);
    int trouble = pthread_create(&reaper->thread, NULL, reaper_main, reaper);
    if (trouble != 0) {
        pthread_cond_destroy(&reaper->wake);
        pthread_mutex_destroy(&reaper->lock);
        free(reaper);
        errno = trouble;
        return NULL;
    }
    pthread_setname_np(reaper->thread, "lossd-reap");
    return reaper;
}

void reaper_free(struct reaper *reaper)
{
    if (!reaper)
        return;
    pthread_mutex_lock(&reaper->lock);
    reaper->ending = true;
    pthread_cond_signal(&reaper->wake);
    pthread_mutex_unlock(&reaper->lock);
    pthread_join(reaper->thread, NULL);
    pthread_cond_destroy(&reaper->wake);
    pthread_mutex_destroy(&reaper->lock);
    free(reaper);
}

/* ---- room at the cap --------------------------------------------------------- */

static bool is_idle(const struct connection *connection, int64_t since)
{
    return atomic_load(&connection->phase) == CONNECTION_IDLE &&
           atomic_load(&connection->since_ns) <= since && !has_request(connection);
}

static struct net *net_with_oldest(struct net *net, size_t nets, int64_t *since)
{
    struct net *found = NULL;

    for (size_t i = 0; i < nets; i++) {
        struct registry *registry = &net[i].registry;
        pthread_mutex_lock(&registry->lock);
        for (struct connection *at = registry->first; at; at = at->next)
            if (is_idle(at, *since)) {
                *since = atomic_load(&at->since_ns);
                found = &net[i];
            }
        pthread_mutex_unlock(&registry->lock);
    }
    return found;
}

bool reaper_evict(struct server *server, struct net *nets, size_t count)
{
    int64_t since = clock_ns() - EVICT_IDLE_NS;
    struct net *net = net_with_oldest(nets, count, &since);
    bool evicted = false;

    if (!net)
        return false;
    pthread_mutex_lock(&net->registry.lock);
    for (struct connection *at = net->registry.first; at && !evicted; at = at->next)
        if (is_idle(at, since) &&
            connection_expire(at, CONNECTION_IDLE, CONNECTION_EXPIRED)) {
            tally_reaping(server, REAPED_EVICTED);
            connection_cut(at);
            evicted = true;
        }
    pthread_mutex_unlock(&net->registry.lock);
    return evicted;
}
