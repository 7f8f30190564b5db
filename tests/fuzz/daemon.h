/* The server of this process, which is handed its connections one at a time.
 *
 * Its network threads are none: the test's own thread runs the library's daemons, as
 * often as there is something to do, and looks for lost connections as the reaper does.
 * So nothing waits for a thread or for a time, but for the pool, whose turns are taken
 * while the test sleeps. */
#ifndef LOSSD_TESTS_DAEMON_H
#define LOSSD_TESTS_DAEMON_H

#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/inside.h"
#include "http/net.h"
#include "http/net_load.h"
#include "lossd/base/clock.h"
#include "narrow.h"

#define DAEMON_KEY "0123456789abcdef"

/* So that both the limit of a request and what is kept for small ones are met. */
enum {
    DAEMON_REQUEST_MEMORY = 544 << 10,
    DAEMON_BUDGET = 576 << 10,
    DAEMON_KEPT = 64 << 10
};

enum { DAEMON_SOCKET = 32 << 20 }; /* bytes of answers that may wait in it */

/* The library sets TCP's options, and has three lines to say when the socket has none:
 * one of our pairs takes them as well. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    return level == IPPROTO_TCP
               ? 0
               : (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}

/* Longer than anything here takes, on any machine. */
static const int64_t DAEMON_PATIENCE_NS = INT64_C(60000000000);

/* Who is knocked at. */
enum entrance_kind { ENTRANCE_OPEN, ENTRANCE_ADMIN, ENTRANCE_KEYED, ENTRANCES };

struct daemon {
    struct budget budget;
    struct log log;
    struct meter *meter;
    struct pool *pool;
    struct keyring *keys;
    struct api *open, *keyed;
    struct server *server;
    struct net *net; /* the last connection's */
};

static inline struct keyring *daemon_keys(void)
{
    static const char text[] = DAEMON_KEY "\n";
    char path[64];
    int fd = memfd_create("keys", MFD_CLOEXEC);
    struct err err = {0};

    require(write(fd, text, sizeof text - 1) == sizeof text - 1,
            "there is a file of keys");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct keyring *keys = keyring_new(path, &err);
    close(fd);
    return keys;
}

/* Listens where nobody comes. */
static inline struct server *daemon_server(struct daemon *daemon)
{
    char address[64], admin[64];
    struct server_settings settings = {
        .addresses = address,
        .admin_addresses = admin,
        .net_threads = 1,
        .max_connections = 8,
        .connection_memory = 8 << 10,
        .header_timeout_ns = DAEMON_PATIENCE_NS,
        .body_timeout_ns = DAEMON_PATIENCE_NS,
        .min_rate = 1024,
        .write_timeout_ns = DAEMON_PATIENCE_NS,
        .keepalive_timeout_ns = DAEMON_PATIENCE_NS,
        .queue_kept = 1,
        .queue_work_ns = INT64_C(60000000000),
        .queue_elements = 1 << 20,
        .request_timeout_ns = DAEMON_PATIENCE_NS,
        .inline_cost_ns = 5000,
    };
    struct err err = {0};

    snprintf(address, sizeof address, "unix:@lossd-fuzz-%d", (int)getpid());
    snprintf(admin, sizeof admin, "unix:@lossd-fuzz-%d-admin", (int)getpid());
    struct server *server =
        server_new(&settings, daemon->open, daemon->pool, &daemon->budget, &daemon->log,
                   daemon->meter, &err);
    require(server != NULL, err.detail);
    return server;
}

/* Takes the daemons' threads away. */
static inline void daemon_tame(struct server *server)
{
    for (size_t i = 0; i < server->nets; i++) {
        MHD_stop_daemon(server->net[i].daemon);
        require(net_open(&server->net[i], MHD_NO_FLAG), "a daemon needs no thread");
    }
}

static inline void daemon_start(struct daemon *daemon)
{
    daemon->log = (struct log){
        .fd = memfd_create("log", MFD_CLOEXEC), .format = LOG_JSON, .lowest = LOG_DEBUG};
    daemon->budget = (struct budget){.limit = DAEMON_BUDGET, .kept = DAEMON_KEPT};
    daemon->meter = narrow_meter();
    daemon->pool = pool_new(1, 0);
    daemon->keys = daemon_keys();
    require(daemon->pool && daemon->keys, "there is memory");
    daemon->open = narrow_api(DAEMON_REQUEST_MEMORY, daemon->meter, NULL);
    daemon->keyed = narrow_api(DAEMON_REQUEST_MEMORY, daemon->meter, daemon->keys);
    daemon->server = daemon_server(daemon);
    daemon_tame(daemon->server);
}

static inline void daemon_stop(struct daemon *daemon)
{
    server_free(daemon->server);
    pool_free(daemon->pool);
    api_free(daemon->open);
    api_free(daemon->keyed);
    meter_free(daemon->meter);
    keyring_free(daemon->keys);
    close(daemon->log.fd);
    *daemon = (struct daemon){.server = NULL};
}

/* The other end of a connection that the daemon now has, as it has those that it
 * accepts.  None may be there already. */
static inline int daemon_connect(struct daemon *daemon, enum entrance_kind kind)
{
    struct server *server = daemon->server;
    const struct sockaddr_un nobody = {.sun_family = AF_UNIX};
    int pair[2], room = DAEMON_SOCKET;

    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0,
            "there is a pair of sockets");
    /* what is written past the library does not wait until answers before it are read;
     * without the right to it, it is as large as usual */
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    server->api = kind == ENTRANCE_KEYED ? daemon->keyed : daemon->open;
    daemon->net = &server->net[kind == ENTRANCE_ADMIN ? 1 : 0];
    atomic_fetch_add(&daemon->net->arriving, 1);
    require(MHD_add_connection(daemon->net->daemon, pair[0],
                               (const struct sockaddr *)&nobody,
                               sizeof nobody.sun_family) == MHD_YES,
            "the connection is taken");
    return pair[1];
}

/* True when there was a job; then it has been done. */
static inline bool daemon_await_jobs(struct server *server)
{
    pthread_mutex_lock(&server->suspended.lock);
    bool any = server->suspended.count > 0;
    while (server->suspended.count > 0)
        pthread_cond_wait(&server->suspended.none, &server->suspended.lock);
    pthread_mutex_unlock(&server->suspended.lock);
    return any;
}

/* Until nothing is left to be done with what has come. */
static inline void daemon_run(struct daemon *daemon)
{
    struct MHD_Daemon *library = daemon->net->daemon;
    MHD_UNSIGNED_LONG_LONG wait_ms;
    bool more;

    do {
        require(MHD_run(library) == MHD_YES, "the daemon runs");
        more = daemon_await_jobs(daemon->server) ||
               (MHD_get_timeout(library, &wait_ms) == MHD_YES && wait_ms == 0);
    } while (more);
}

/* Ends a connection whose end the library has not seen. */
static inline void daemon_reap(struct daemon *daemon)
{
    reaper_look(daemon->server->reaper);
    daemon_run(daemon);
}

/* Every connection has ended, or does so now, and with it all that it held. */
static inline void daemon_require_rest(struct daemon *daemon)
{
    struct server *server = daemon->server;
    int64_t deadline = clock_ns() + DAEMON_PATIENCE_NS;

    while (server_busy(server) + net_load(&server->net[1]) > 0) {
        require(clock_ns() < deadline, "every connection ends");
        sched_yield(); /* the refuser's thread */
        daemon_run(daemon);
    }
    require(atomic_load(&daemon->budget.used) == 0, "all memory is given back");
    require(atomic_load(&server->admission.under_way) == 0, "nothing is under way");
    require(atomic_load(&server->admission.work_ns) == 0, "no work is left");
    require(pool_queued(daemon->pool) == 0, "nothing is queued");
}

/* What has been logged since the last time, terminated; it is then forgotten. */
static inline const char *daemon_log(struct daemon *daemon)
{
    static char text[1 << 20];
    ssize_t len = pread(daemon->log.fd, text, sizeof text - 1, 0);

    require(len >= 0 && (size_t)len < sizeof text - 1, "the log can be read");
    text[len] = '\0';
    require(ftruncate(daemon->log.fd, 0) == 0 && lseek(daemon->log.fd, 0, SEEK_SET) == 0,
            "the log begins anew");
    return text;
}

#endif
