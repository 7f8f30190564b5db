/* The server's threads, and the HTTP library's callbacks.
 *
 *     acceptor ── least loaded ──▶ network threads ── turns ───▶ pool
 *                                   ▲                             │ resumed
 *        reaper (slow, lost) ───────┤◀────────────────────────────┘
 *        refuser (early answers) ◀──┘
 *
 * Each network thread is a daemon of the library with its own epoll and without
 * a listening socket.  The library's own limit on connections is out of reach:
 * at it, handing over one more would lock it up.  Its timeout is a second net
 * behind the reaper's. */
#include "lossd/http/server.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/descriptors.h"
#include "http/inside.h"
#include "lossd/base/clock.h"
#include "lossd/base/thread.h"

enum {
    LIBRARY_CONNECTIONS = 1000000, /* never reached */
    LEAVING_LOOK_NS = 5000000, /* a second in all: */
    LEAVING_LOOKS = 200,
    LIBRARY_LINE = 512
};

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

/* ---- the library's callbacks --------------------------------------------------- */

/* What the library has to say is about single connections, and clients can make
 * it say much: for those who look for it. */
__attribute__((format(printf, 2, 0))) static void
on_library_line(void *cls, const char *format, va_list args)
{
    const struct net *net = cls;
    const struct server *server = net->server;
    char line[LIBRARY_LINE];

    if (server->log->lowest > LOG_DEBUG)
        return;
    vsnprintf(line, sizeof line, format, args);
    log_note(server->log, LOG_DEBUG, "libmicrohttpd: %.*s", (int)strcspn(line, "\n"),
             line);
}

static void on_panic(void *cls, const char *file, unsigned line, const char *reason)
{
    log_note(cls, LOG_ERROR, "libmicrohttpd gave up at %s:%u: %s", file, line, reason);
    abort();
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct net *net = cls;

    if (!net->is_prompt) /* the library tells of its threads' start in no other way */
        thread_be_prompt();
    net->is_prompt = true;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context) {
            /* should the library not have told of the end of a request */
            conversation_end(*context, MHD_REQUEST_TERMINATED_CLIENT_ABORT);
            connection_free(&net->registry, *context);
        }
        *context = NULL;
        return;
    }
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    *context = connection_new(&net->registry, net, fd, address);
    if (!*context) { /* no memory: it ends before it has begun */
        tally_refusal(net->server, REFUSAL_MEMORY);
        shutdown(fd, SHUT_RDWR);
    }
    /* counted in the registry now; the other way round it would be missing from
     * both for a moment */
    long arriving = atomic_fetch_sub(&net->arriving, 1) - 1;
    if (arriving < atomic_load(&net->arriving_least))
        atomic_store(&net->arriving_least, arriving);
}

static void *on_first_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

    (void)cls;
    if (connection)
        conversation_begin(connection, mhd, uri);
    return connection;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version,
                                  const char *piece, size_t *size, void **context)
{
    (void)cls, (void)mhd, (void)url;
    if (!*context)
        return MHD_NO;
    return conversation_go_on(*context, method, version, piece, size);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)mhd;
    if (*context)
        conversation_end(*context, code);
}

/* ---- jobs ------------------------------------------------------------------------ */

bool server_begin_job(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    bool may = !server->ending;
    server->jobs += may;
    pthread_mutex_unlock(&server->lock);
    return may;
}

void server_end_job(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    if (--server->jobs == 0)
        pthread_cond_signal(&server->no_jobs);
    pthread_mutex_unlock(&server->lock);
}

bool server_ending(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    bool ending = server->ending;
    pthread_mutex_unlock(&server->lock);
    return ending;
}

/* Stopping a daemon that has a suspended connection would end the process. */
static void await_jobs(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    server->ending = true;
    while (server->jobs > 0)
        pthread_cond_wait(&server->no_jobs, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

static size_t count_asking(struct registry *registry)
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

/* Whoever is still to be answered, with a refusal mostly, gets a moment for it. */
static void await_answers(struct server *server)
{
    const struct timespec pause = {0, LEAVING_LOOK_NS};
    size_t asking = 1;

    for (int look = 0; look < LEAVING_LOOKS && asking > 0; look++) {
        asking = 0;
        for (size_t i = 0; i < server->nets; i++)
            asking += count_asking(&server->net[i].registry);
        if (asking > 0)
            nanosleep(&pause, NULL);
    }
}

/* ---- refusals without a request -------------------------------------------------- */

void server_refuse(struct server *server, int fd, bool to_head, enum err_kind kind,
                   const char *request_id, const char *why)
{
    struct exchange exchange;
    struct response response;

    exchange_init(&exchange, server->api, NULL);
    exchange.head.request_id = span_of(request_id);
    exchange.retry_after_s = admission_retry_after_s(&server->admission);
    fail(&exchange.err, kind, NULL, "%s", why);
    api_route(&exchange); /* finds no route, but a request id */
    api_refuse(&exchange, &response);
    refuse_by_hand(fd, to_head, &response);
    exchange_release(&exchange);
}

/* ---- start and stop -------------------------------------------------------------- */

size_t net_load(const struct net *net)
{
    long arriving = atomic_load(&net->arriving);

    return atomic_load(&net->registry.count) + (arriving > 0 ? (size_t)arriving : 0);
}

bool net_has_one(const struct net *net)
{
    return net_load(net) == 1;
}

bool net_writes_alone(const struct net *net)
{
    enum { HELP_FROM = 4 }; /* with two threads the handing over takes what they gain */

    return net_has_one(net) && pool_threads(net->server->pool) < HELP_FROM;
}

/* Seconds of the library's own timeout: longer than any of the reaper's. */
static unsigned library_timeout(const struct server_settings *settings)
{
    int64_t longest = settings->header_timeout_ns;
    const int64_t others[] = {settings->body_timeout_ns, settings->write_timeout_ns,
                              settings->keepalive_timeout_ns};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] > longest)
            longest = others[i];
    int64_t seconds = longest / 500000000 + 2;
    return seconds < UINT_MAX / 2 ? (unsigned)seconds : UINT_MAX / 2;
}

bool net_open(struct net *net, enum MHD_FLAG thread)
{
    struct server *server = net->server;
    const struct server_settings *settings = &server->settings;

    net->daemon = MHD_start_daemon(
        thread | MHD_USE_EPOLL | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET |
            MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, net,
        /* the logger first, or what the others have to say goes to stderr */
        MHD_OPTION_EXTERNAL_LOGGER, on_library_line, net, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)LIBRARY_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        settings->connection_memory, MHD_OPTION_CONNECTION_TIMEOUT,
        library_timeout(settings), MHD_OPTION_NOTIFY_CONNECTION, on_connection, net,
        MHD_OPTION_URI_LOG_CALLBACK, on_first_line, net, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, net, MHD_OPTION_END);
    return net->daemon != NULL;
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
    server->settings = *settings;
    server->api = api;
    server->pool = pool;
    server->budget = budget;
    server->admission =
        admission_of(pool_threads(pool), settings->queue_size, settings->queue_kept);
    server->log = log;
    server->meter = meter;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->no_jobs, NULL);
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

void server_free(struct server *server)
{
    if (!server)
        return;
    acceptor_free(server->acceptor);
    acceptor_free(server->admin_acceptor);
    await_jobs(server);
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
    pthread_cond_destroy(&server->no_jobs);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
