/* Start everything, wait for a signal, stop everything.
 *
 * The first SIGTERM or SIGINT drains: readiness says no, and after the delay
 * that balancers need to notice, no new connections are taken and those that
 * are there are finished.  A second one hastens whichever wait is on.  SIGHUP reads
 * the keys again; where there are none, and no service manager, it is one of those. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "build.inc"
#include "config_load.h"
#include "config_settle.h"
#include "listening.h"
#include "lossd/api/api.h"
#include "lossd/api/keyring.h"
#include "lossd/base/arena.h"
#include "lossd/base/clock.h"
#include "lossd/base/pool.h"
#include "lossd/base/standard_streams.h"
#include "lossd/engine/score.h"
#include "lossd/http/server.h"
#include "lossd/obs/log.h"
#include "lossd/obs/metrics.h"
#include "lossd/obs/process.h"
#include "machine.h"
#include "notify.h"

#ifdef __clang__
#define COMPILER ("clang " __clang_version__)
#else
#define COMPILER ("gcc " __VERSION__)
#endif

enum {
    BIG_BLOCK = 128 << 10, /* arrays of this size go back to the system when freed */
    POLL_NS = 10000000,
    GRACE_S = 3 /* to end after all that drains */
};

static const int64_t SECOND = INT64_C(1000000000), DAY = INT64_C(86400000000000);
static const int64_t FINISH_NS = INT64_C(1500000000); /* half of the grace */

/* Everything there is. */
struct service {
    struct config config;
    size_t wanted; /* of connections; the config has how many there may be */
    struct log log;
    struct log_gate gate;
    struct log_flow flow;
    struct notify notify;
    struct listening listening;
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
    meter_set(meter, METRIC_lossd_queue_capacity, 0, service->config.queue_size);
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
                   .max_line = config->max_line,
                   .max_text = config->max_text},
        .max_body = config->max_body,
        .max_dataset = config->max_dataset,
        .max_ratio = config->max_ratio,
        .max_request_memory = config->max_request_memory,
        .memory_flag = config_memory_flag(config),
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
        .addresses = service->listening.addresses,
        .inherited = service->listening.inherited,
        .admin_addresses = service->listening.admin_addresses,
        .net_threads = config->net_threads,
        .max_connections = config->max_connections,
        .connections_flag = config_connections_flag(config),
        .descriptors = machine_descriptors(),
        .connection_memory = config->connection_memory,
        .header_timeout_ns = config->header_timeout,
        .body_timeout_ns = config->body_timeout,
        .min_rate = config->min_rate,
        .answer_half_closed = config->answer_half_closed,
        .write_timeout_ns = config->write_timeout,
        .keepalive_timeout_ns = config->keepalive_timeout,
        .queue_size = config->queue_size,
        .queue_kept = config_kept(config, config->queue_size),
        .queue_work_ns = config->queue_work,
        .queue_elements = config->queue_elements,
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

/* What the table of settings cannot say of them; opens the keys. */
static bool settings_are_sound(struct service *service)
{
    const struct config *config = &service->config;
    struct err err = {0};

    listening_init(&service->listening, config);
    if (!api_check_origin(config->cors_origin, &err) ||
        !listening_check(&service->listening, &err))
        return complain(&err);
    if (*config->api_key_file)
        service->keys = keyring_new(config->api_key_file, &err);
    return service->keys || !*config->api_key_file || complain(&err);
}

static void warn_of_descriptors(const struct service *service)
{
    if (service->config.max_connections < service->wanted)
        log_note(
            &service->log, LOG_WARNING,
            "--max-connections is %zu, but the %zu descriptors that this process may "
            "have open suffice for %zu (ulimit -n, or LimitNOFILE= of systemd, raises "
            "that)",
            service->wanted, machine_descriptors(), service->config.max_connections);
}

static bool start(struct service *service)
{
    const struct config *config = &service->config;
    struct err err = {0};

    service->log =
        (struct log){STDOUT_FILENO, (enum log_format)config->log_format,
                     (enum log_level)config->log_level, &service->gate, &service->flow};
    service->gate.per_second = config->log_rate;
    service->budget.limit = config->memory_budget;
    service->budget.kept = config_kept(config, config->memory_budget);
    service->meter = make_meter(service);
    service->pool = pool_new(config->threads, (unsigned)config->compute_nice);
    service->api = make_api(service);
    if (!service->meter || !service->pool || !service->api)
        fail(&err, ERR_INTERNAL, NULL, "cannot start: no memory or no thread");
    else
        service->server = make_server(service, &err);
    if (!service->server)
        return complain(&err);
    listening_warn(&service->listening, config, &service->log);
    warn_of_descriptors(service);
    char addresses[SERVER_ADDRESSES_SIZE];
    server_addresses(service->server, addresses);
    log_note(&service->log, LOG_INFO, "listening on %s", addresses);
    notify_say(&service->notify, "READY=1\nSTATUS=serving");
    return true;
}

static void stop(struct service *service)
{
    server_free(service->server);
    pool_free(service->pool);
    api_free(service->api);
    meter_free(service->meter);
    keyring_free(service->keys);
    notify_close(&service->notify);
}

/* Whoever waits for signals is alive, but who answers is not while the log is not taken. */
static int64_t feed(struct service *service)
{
    int64_t stuck_ns = log_flow_stuck_ns(&service->flow, clock_ns());

    return notify_feed(&service->notify, stuck_ns < service->notify.watchdog_ns);
}

/* The next of the signals, 0 when none comes within `ns`. */
static int next_signal(struct service *service, const sigset_t *signals, int64_t ns)
{
    int64_t deadline = clock_ns() + ns;

    for (int64_t left = ns; left > 0; left = deadline - clock_ns()) {
        int64_t unfed = feed(service), nap = unfed < left ? unfed : left;
        struct timespec time = {nap / SECOND, nap % SECOND};
        int which = sigtimedwait(signals, NULL, &time);
        if (which > 0)
            return which;
    }
    return 0;
}

static void give_up(int which)
{
    (void)which;
    _exit(1);
}

/* A log that nobody takes holds up whoever writes it, and with it the end. */
static void end_in_any_case(int64_t ns)
{
    signal(SIGALRM, give_up);
    alarm((unsigned)(ns / SECOND) + GRACE_S);
}

/* Threads that work something out cannot be told to stop. */
static void end_without(struct service *service, size_t unfinished)
{
    log_note(&service->log, LOG_WARNING,
             "what is worked out for %zu request%s takes longer: cut off", unfinished,
             unfinished == 1 ? "" : "s");
    log_end(&service->log);
    log_note(&service->log, LOG_INFO, "stopped");
    _exit(0);
}

static void say_what_follows(struct service *service)
{
    char text[100] = "finishing what has begun", state[sizeof text + 20];

    if (service->config.drain_delay > 0)
        snprintf(text, sizeof text,
                 "serving on for %.6g s (--drain-delay), then finishing what has begun",
                 (double)service->config.drain_delay / (double)SECOND);
    log_note(&service->log, LOG_INFO, "stopping: %s", text);
    snprintf(state, sizeof state, "STOPPING=1\nSTATUS=%s", text);
    notify_say(&service->notify, state);
}

static void drain(struct service *service, const sigset_t *ends)
{
    const struct config *config = &service->config;

    end_in_any_case(config->drain_delay + config->drain_timeout);
    say_what_follows(service);
    api_set_draining(service->api, true);
    server_part(service->server);
    next_signal(service, ends, config->drain_delay);
    server_drain(service->server);
    int64_t deadline = clock_ns() + config->drain_timeout;
    size_t busy;
    bool hastened = false;
    while ((busy = server_busy(service->server)) > 0 && clock_ns() < deadline &&
           !hastened)
        hastened = next_signal(service, ends, POLL_NS) > 0;
    if (busy > 0)
        log_note(&service->log, LOG_WARNING,
                 "%zu connection%s not finished: cut off, or answered shortly%s", busy,
                 busy == 1 ? " is" : "s are",
                 hastened ? "" : " (--drain-timeout gives them longer)");
    end_in_any_case(0);
    size_t unfinished = server_finish(service->server, FINISH_NS);
    if (unfinished > 0)
        end_without(service, unfinished);
}

static void reload_keys(struct service *service)
{
    struct err err = {0};

    if (!service->keys)
        log_note(&service->log, LOG_INFO, "there are no keys to be read again");
    else if (keyring_reload(service->keys, &err))
        log_note(&service->log, LOG_INFO, "the keys have been read again: %zu",
                 keyring_count(service->keys));
    else
        log_note(&service->log, LOG_ERROR, "the keys stay as they were: %s", err.detail);
}

/* What a service manager hangs up on is to be told something, and not to end. */
static bool reloads(const struct service *service)
{
    return service->keys || service->notify.fd >= 0;
}

/* Waits for a signal that ends the service. */
static void await_end(struct service *service, const sigset_t *ends)
{
    sigset_t all = *ends;
    int which;

    if (reloads(service))
        sigaddset(&all, SIGHUP);
    while ((which = next_signal(service, &all, DAY)) == 0 || !sigismember(ends, which))
        if (which == SIGHUP)
            reload_keys(service);
}

/* Under nohup, say, and then it is to stay so. */
static bool is_ignored(int which)
{
    struct sigaction action;

    return sigaction(which, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Blocks in this thread, and so in all that it makes, what it will wait for.  Returns
 * those that end the service. */
static sigset_t block_signals(const struct service *service)
{
    sigset_t ends, all;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    if (!reloads(service) && !is_ignored(SIGHUP))
        sigaddset(&ends, SIGHUP); /* as when a terminal closes */
    all = ends;
    if (reloads(service))
        sigaddset(&all, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log that may not grow any more refuses lines */
    signal(SIGUSR1, SIG_IGN); /* with which other servers open their logs again */
    signal(SIGUSR2, SIG_IGN);
    return ends;
}

static int serve(struct service *service)
{
    service->notify = notify_open();
    sigset_t ends = block_signals(service);
    bool started = start(service);

    if (started) {
        await_end(service, &ends);
        drain(service, &ends);
    }
    stop(service);
    log_end(&service->log);
    if (started)
        log_note(&service->log, LOG_INFO, "stopped");
    return started ? 0 : 1;
}

/* What was asked for has been printed, or has not. */
static int end_printing(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    perror("lossd: standard output");
    return 1;
}

int main(int argc, char *argv[])
{
    struct service service = {0};
    struct config_build build = {LOSSD_VERSION, LOSSD_COMMIT, COMPILER, server_library()};

    standard_streams_hold();
    enum config_outcome outcome =
        config_load(&service.config, argc, argv, environ, &build, stdout, stderr);
    if (outcome == CONFIG_DONE)
        return end_printing();
    if (outcome == CONFIG_BAD || !settings_are_sound(&service))
        return 2;
    if (outcome == CONFIG_CHECK) {
        puts("the settings are sound");
        keyring_free(service.keys);
        return end_printing();
    }
    mallopt(M_MMAP_THRESHOLD, BIG_BLOCK);
    service.wanted = service.config.max_connections;
    config_settle(&service.config, STDOUT_FILENO);
    return serve(&service);
}
