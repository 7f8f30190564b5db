/* The server's threads.
 *
 *     acceptor ── least loaded ──▶ network threads ── turns ───▶ pool
 *                                   ▲                             │ resumed
 *        reaper (slow, lost) ───────┤◀────────────────────────────┘
 *        refuser (early answers) ◀──┘
 *
 * Each network thread is a daemon of the HTTP library: net.c. */
#include "lossd/http/server.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/descriptors.h"
#include "http/epoll_sets.h"
#include "http/incoming.h"
#include "http/inside.h"
#include "http/net.h"
#include "http/net_load.h"
#include "http/unread.h"
#include "lossd/base/clock.h"
#include "lossd/base/pool.h"

enum { LEAVING_LOOK_NS = 5000000 };

static const int64_t LEAVING_NS = INT64_C(1000000000);
static const int64_t WITHOUT_END_NS = INT64_C(1000000000) * 86400 * 365;

static char library[32];

static void name_library(void)
{
    snprintf(library, sizeof library, "libmicrohttpd %.16s", MHD_get_version());
}

const char *server_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, name_library);
    return library;
}

/* Whoever is still to be answered, with a refusal mostly, gets a moment for it. */
static void await_answers(struct server *server)
{
    const struct timespec pause = {0, LEAVING_LOOK_NS};
    int64_t end = clock_ns() + LEAVING_NS;
    size_t asking = 1;

    while (asking > 0 && clock_ns() < end) {
        asking = 0;
        for (size_t i = 0; i < server->nets; i++)
            asking += registry_count_asking(&server->net[i].registry);
        if (asking > 0)
            nanosleep(&pause, NULL);
    }
}

static void on_panic(void *cls, const char *file, unsigned line, const char *reason)
{
    log_note(cls, LOG_ERROR, "libmicrohttpd gave up at %s:%u: %s", file, line, reason);
    abort();
}

static bool start_net(struct server *server, struct net *net)
{
    net->server = server;
    net->is_admin = server->nets == server->settings.net_threads;
    registry_init(&net->registry);
    if (!net_open(net, MHD_USE_INTERNAL_POLLING_THREAD)) {
        registry_release(&net->registry);
        return false;
    }
    server->nets++;
    return true;
}

static bool has_admin(const struct server *server)
{
    return *server->settings.admin_addresses != '\0';
}

static struct descriptors shares_of(const struct server_settings *settings)
{
    return descriptors_share(settings->descriptors, settings->net_threads,
                             settings->max_connections);
}

size_t server_connections(size_t wanted, size_t descriptors, size_t net_threads)
{
    return descriptors_share(descriptors, net_threads, wanted).connections;
}

/* Last: from here on there are clients. */
static bool open_entrances(struct server *server, struct err *err)
{
    const struct server_settings *settings = &server->settings;
    struct descriptors shares = shares_of(settings);
    struct entrance everybody = {.addresses = settings->addresses,
                                 .inherited = settings->inherited,
                                 .max_connections = shares.connections,
                                 .max_leaving = shares.leaving,
                                 .flag = settings->connections_flag,
                                 .net = server->net,
                                 .nets = settings->net_threads};
    struct entrance admin = {.addresses = settings->admin_addresses,
                             .max_connections = ADMIN_CONNECTIONS,
                             .max_leaving = ADMIN_CONNECTIONS,
                             .net = server->net + settings->net_threads,
                             .nets = 1};

    server->acceptor = acceptor_new(server, &everybody, err);
    if (server->acceptor && has_admin(server))
        server->admin_acceptor = acceptor_new(server, &admin, err);
    return server->acceptor && (server->admin_acceptor || !has_admin(server));
}

static bool start(struct server *server, struct err *err)
{
    MHD_set_panic_func(on_panic, (void *)(uintptr_t)server->log);
    server->refuser = refuser_new(shares_of(&server->settings).lingering);
    bool good = server->refuser != NULL;
    size_t nets = server->settings.net_threads + has_admin(server);
    while (good && server->nets < nets)
        good = start_net(server, &server->net[server->nets]);
    good = good && (server->reaper = reaper_new(server)) != NULL;
    if (!good)
        return fail(err, ERR_INTERNAL, NULL, "cannot start the network threads: %s",
                    strerror(errno));
    meter_ask(server->meter, tally_gauge, server);
    return open_entrances(server, err);
}

struct server *server_new(const struct server_settings *settings, struct api *api,
                          struct pool *pool, struct budget *budget, const struct log *log,
                          struct meter *meter, struct err *err)
{
    struct server *server =
        calloc(1, sizeof *server + (settings->net_threads + 1) * sizeof *server->net);

    if (!server) {
        fail(err, ERR_INTERNAL, NULL, "cannot start the server: %s", strerror(errno));
        return NULL;
    }
    epoll_sets_take_over();
    unread_take_over();
    incoming_take_over();
    server->settings = *settings;
    server->api = api;
    server->pool = pool;
    server->budget = budget;
    server->admission =
        admission_of(pool_threads(pool), settings->queue_size, settings->queue_kept,
                     settings->queue_work_ns, settings->queue_elements);
    server->log = log;
    server->meter = meter;
    suspended_init(&server->suspended);
    if (!start(server, err)) {
        server_free(server);
        return NULL;
    }
    return server;
}

static size_t list(const struct acceptor *acceptor, const char *suffix, char *out,
                   size_t len)
{
    const struct listeners *listeners = acceptor_listeners(acceptor);

    for (size_t i = 0; i < listeners->count && len < SERVER_ADDRESSES_SIZE; i++)
        len += (size_t)snprintf(out + len, SERVER_ADDRESSES_SIZE - len, "%s%s%s",
                                len ? ", " : "", listeners->at[i].name, suffix);
    return len;
}

void server_addresses(const struct server *server, char out[SERVER_ADDRESSES_SIZE])
{
    size_t len = list(server->acceptor, "", out, 0);

    if (server->admin_acceptor)
        list(server->admin_acceptor, " (admin)", out, len);
}

bool server_check_addresses(const char *addresses, struct err *err)
{
    struct span rest = span_of(addresses), text;
    struct address address;
    size_t count = 0;

    do {
        address_next(&rest, &text); /* of a list without any the first is "" */
        if (!address_read(text, &address, err))
            return false;
        if (++count > LISTENERS_MAX)
            return fail(err, ERR_INVALID_OPTION, NULL,
                        "there are more than %d addresses to listen on", LISTENERS_MAX);
        rest = span_trim(rest, ",");
    } while (rest.len > 0);
    return true;
}

void server_part(struct server *server)
{
    atomic_store(&server->parting, true);
}

void server_drain(struct server *server)
{
    server_part(server);
    atomic_store(&server->draining, true);
    acceptor_stop(server->acceptor);
}

size_t server_busy(const struct server *server)
{
    size_t busy = refuser_count(server->refuser);

    for (size_t i = 0; i < server->settings.net_threads; i++)
        busy += net_load(&server->net[i]);
    return busy;
}

/* Whoever waits for a thread that is not to be had is refused on this one. */
size_t server_finish(struct server *server, int64_t longest_ns)
{
    suspended_forbid(&server->suspended);
    while (pool_help(server->pool))
        continue;
    size_t left = suspended_finish(&server->suspended, longest_ns);
    if (left > 0) {
        await_answers(server);
        if (server->admin_acceptor)
            acceptor_stop(server->admin_acceptor);
    }
    return left;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    acceptor_free(server->acceptor);
    server_finish(server, WITHOUT_END_NS);
    acceptor_free(server->admin_acceptor);
    await_answers(server);
    reaper_free(server->reaper);
    for (size_t i = 0; i < server->nets; i++)
        MHD_stop_daemon(server->net[i].daemon);
    /* until the last of them any may count the connections of all: GET /metrics */
    for (size_t i = 0; i < server->nets; i++) {
        registry_release(&server->net[i].registry);
        shelf_release(&server->net[i].shelf);
    }
    refuser_free(server->refuser);
    suspended_release(&server->suspended);
    free(server);
}
