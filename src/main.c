/* Start everything, wait for a signal, stop everything.
 *
 * The first SIGTERM or SIGINT drains: readiness says no, and after the delay
 * that balancers need to notice, no new connections are taken and those that
 * are there are finished.  A second one hastens whichever wait is on.  SIGHUP reads
 * the keys again. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "build.inc"
#include "config.h"
#include "lossd/api/api.h"
#include "lossd/api/keyring.h"
#include "lossd/base/arena.h"
#include "lossd/base/clock.h"
#include "lossd/base/pool.h"
#include "lossd/engine/score.h"
#include "lossd/http/server.h"
#include "lossd/obs/log.h"
#include "lossd/obs/metrics.h"
#include "lossd/obs/process.h"

#ifdef __clang__
#define COMPILER ("clang " __clang_version__)
#else
#define COMPILER ("gcc " __VERSION__)
#endif

enum {
    BIG_BLOCK = 128 << 10, /* arrays of this size go back to the system when freed */
    POLL_MS = 10
};

/* Everything there is. */
struct service {
    struct config config;
    struct log log;
    struct log_gate gate;
    struct budget budget;
    struct config_ceilings ceilings;
    const char *facts[5][2]; /* what build_info says, each followed by NULL */
    struct meter *meter;
    struct keyring *keys;
    struct pool *pool;
    struct api *api;
    struct server *server;
};

/* For whoever reads the meter: what only this file knows all of. */
static void gauge(void *ctx, struct meter *meter)
{
    struct service *service = ctx;

    meter_set(meter, METRIC_lossd_queue_depth, 0, pool_queued(service->pool));
    meter_set(meter, METRIC_lossd_queue_capacity, 0, pool_queue_capacity(service->pool));
    meter_set(meter, METRIC_lossd_workers, 0, pool_threads(service->pool));
    meter_set(meter, METRIC_lossd_workers_busy, 0, pool_busy(service->pool));
    meter_set(meter, METRIC_lossd_memory_budget_bytes, 0, service->budget.limit);
    meter_set(meter, METRIC_lossd_memory_budget_used_bytes, 0,
              atomic_load(&service->budget.used));
}

static struct meter *make_meter(struct service *service)
{
    const char *const facts[] = {LOSSD_VERSION, LOSSD_COMMIT, COMPILER, score_vectors(),
                                 server_library()};
    struct metric_labels labels = {0};

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        service->facts[i][0] = facts[i];
        labels.values[LABEL_version + i] = service->facts[i];
    }
    api_labels(&labels);
    server_labels(&labels);
    struct meter *meter = meter_new(&labels);
    meter_ask(meter, process_gauge, NULL);
    meter_ask(meter, gauge, service);
    return meter;
}

static struct api *make_api(struct service *service)
{
    const struct config *config = &service->config;

    config_ceilings(config, &service->ceilings);
    struct api_settings settings = {
        .limits = {.max_elements = config->max_elements,
                   .max_classes = config->max_classes,
                   .max_confusion = config->max_confusion,
                   .max_depth = config->max_depth,
                   .max_text = config->max_text},
        .max_body = config->max_body,
        .max_request_memory = config->max_request_memory,
        .small_body = config->small_body,
        .server_timing = config->server_timing,
        .keys = service->keys,
        .cors_origin = config->cors_origin,
        .shown = service->ceilings.limits,
        .shown_count = service->ceilings.count,
        .version = LOSSD_VERSION,
        .commit = LOSSD_COMMIT,
        .compiler = COMPILER,
        .http_library = server_library(),
        .meter = service->meter,
    };

    return api_new(&settings);
}

static struct server *make_server(struct service *service, struct err *err)
{
    const struct config *config = &service->config;
    struct server_settings settings = {
        .host = config->host,
        .port = (unsigned)config->port,
        .net_threads = config->net_threads,
        .max_connections = config->max_connections,
        .connection_memory = config->connection_memory,
        .header_timeout_ns = config->header_timeout,
        .body_timeout_ns = config->body_timeout,
        .write_timeout_ns = config->write_timeout,
        .keepalive_timeout_ns = config->keepalive_timeout,
        .queue_kept = config->small_body > 0 ? config->queue_size / 4 : 0,
        .request_timeout_ns = config->request_timeout,
        .inline_cost_ns = config->inline_cost,
    };

    return server_new(&settings, service->api, service->pool, &service->budget,
                      &service->log, service->meter, err);
}

static bool complain(const struct err *err)
{
    fprintf(stderr, "lossd: %s\n", err->detail);
    return false;
}

/* Who may ask, as the settings say. */
static bool read_access(struct service *service)
{
    const struct config *config = &service->config;
    struct err err = {0};

    if (!api_check_origin(config->cors_origin, &err))
        return complain(&err);
    if (*config->api_key_file &&
        !(service->keys = keyring_new(config->api_key_file, &err)))
        return complain(&err);
    return true;
}

static bool start(struct service *service)
{
    const struct config *config = &service->config;
    struct err err = {0};

    if (!read_access(service))
        return false;
    service->log = (struct log){STDOUT_FILENO, (enum log_format)config->log_format,
                                (enum log_level)config->log_level, &service->gate};
    service->gate.per_second = config->log_rate;
    service->budget.limit = config->memory_budget;
    service->budget.kept = config_memory_kept(config);
    service->meter = make_meter(service);
    service->pool = pool_new(config->threads, config->queue_size);
    service->api = make_api(service);
    if (!service->meter || !service->pool || !service->api)
        fail(&err, ERR_INTERNAL, NULL, "cannot start: no memory or no thread");
    else
        service->server = make_server(service, &err);
    if (!service->server)
        return complain(&err);
    bool v6 = strchr(config->host, ':') != NULL;
    log_note(&service->log, LOG_INFO, "listening on http://%s%s%s:%u", v6 ? "[" : "",
             config->host, v6 ? "]" : "", server_port(service->server));
    return true;
}

static void stop(struct service *service)
{
    server_free(service->server);
    pool_free(service->pool);
    api_free(service->api);
    meter_free(service->meter);
    keyring_free(service->keys);
}

/* Waits for a signal that ends the service.  False: none came in that time. */
static bool signal_within(const sigset_t *ends, int64_t ns)
{
    struct timespec time = {ns / 1000000000, ns % 1000000000};

    return sigtimedwait(ends, NULL, &time) > 0;
}

static void drain(struct service *service, const sigset_t *ends)
{
    const struct config *config = &service->config;

    log_note(&service->log, LOG_INFO, "stopping: finishing what has begun");
    api_set_draining(service->api, true);
    if (config->drain_delay > 0)
        signal_within(ends, config->drain_delay);
    server_drain(service->server);
    int64_t deadline = clock_ns() + config->drain_timeout;
    size_t busy;
    bool hastened = false;
    while ((busy = server_busy(service->server)) > 0 && clock_ns() < deadline &&
           !hastened)
        hastened = signal_within(ends, POLL_MS * INT64_C(1000000));
    if (busy > 0)
        log_note(&service->log, LOG_WARNING, "%zu connections are cut off%s", busy,
                 hastened ? "" : " (--drain-timeout gives them longer)");
}

static void reload_keys(struct service *service)
{
    struct err err = {0};

    if (keyring_reload(service->keys, &err))
        log_note(&service->log, LOG_INFO, "the keys have been read again: %zu",
                 keyring_count(service->keys));
    else
        log_note(&service->log, LOG_ERROR, "the keys stay as they were: %s", err.detail);
}

/* Waits for a signal that ends the service.  Without keys SIGHUP is one, as it is when
 * a terminal closes; it is blocked only where it means to read them again. */
static void await_end(struct service *service, const sigset_t *ends)
{
    sigset_t all = *ends;
    int which = 0;

    if (service->keys)
        sigaddset(&all, SIGHUP);
    while (sigwait(&all, &which) == 0 && which == SIGHUP)
        reload_keys(service);
}

/* Blocks in this thread, and so in all that it makes, what it will wait for.  Returns
 * those that end the service. */
static sigset_t block_signals(const struct config *config)
{
    sigset_t ends, all;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    all = ends;
    if (*config->api_key_file)
        sigaddset(&all, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    return ends;
}

int main(int argc, char *argv[])
{
    struct service service = {0};
    char version[256];

    snprintf(version, sizeof version, "lossd %s (%s, %s, %s)", LOSSD_VERSION,
             LOSSD_COMMIT, COMPILER, server_library());
    switch (config_load(&service.config, argc, argv, environ, version, stdout, stderr)) {
    case CONFIG_DONE:
        return 0;
    case CONFIG_BAD:
        return 2;
    case CONFIG_RUN:
        break;
    }
    mallopt(M_MMAP_THRESHOLD, BIG_BLOCK);
    config_settle(&service.config, STDOUT_FILENO);
    sigset_t ends = block_signals(&service.config);
    bool started = start(&service);
    if (started) {
        await_end(&service, &ends);
        drain(&service, &ends);
    }
    stop(&service);
    log_end(&service.log);
    if (started)
        log_note(&service.log, LOG_INFO, "stopped");
    return started ? 0 : 1;
}
