#include "http/tally.h"

#include "http/inside.h"

/* The last stands for all others. */
static const char *const methods[] = {"GET",     "POST",  "HEAD",  "PUT", "DELETE",
                                      "OPTIONS", "PATCH", "other", NULL};

/* What the API answers, the library, and this server in their place. */
#define STATUS(number)    \
    {                     \
        (number), #number \
    }
static const struct {
    unsigned status;
    const char *text;
} statuses[] = {STATUS(200), STATUS(400), STATUS(422), STATUS(503), STATUS(404),
                STATUS(405), STATUS(408), STATUS(413), STATUS(414), STATUS(415),
                STATUS(417), STATUS(431), STATUS(499), STATUS(500), STATUS(501),
                STATUS(505), STATUS(204), STATUS(401), STATUS(406), STATUS(304)};
#undef STATUS

enum { STATUSES = sizeof statuses / sizeof *statuses };

static const char *status_texts[STATUSES + 2];

static const char *const refusals[REFUSALS + 1] = {
    [REFUSAL_CAP] = "cap",
    [REFUSAL_DESCRIPTORS] = "descriptors",
    [REFUSAL_MEMORY] = "memory",
};

static const char *const sheddings[SHEDDINGS + 1] = {
    [SHED_QUEUE] = "queue",
    [SHED_WAIT] = "wait",
    [SHED_LATE] = "late",
    [SHED_MEMORY] = "memory",
};

static const char *const reapings[REAPINGS + 1] = {
    [REAPED_HEADER] = "header",
    [REAPED_BODY] = "body",
    [REAPED_WRITE] = "write",
    [REAPED_IDLE] = "idle",
    [REAPED_HALF_CLOSED] = "half_closed",
    [REAPED_EVICTED] = "evicted",
};

/* By enum connection_phase; what is expired is closing, and what has been refused
 * lingers, so that the client gets to read why. */
enum { PHASE_CLOSING = CONNECTION_EXPIRED, PHASE_LINGERING, PHASES };
static const char *const phases[PHASES + 1] = {
    [CONNECTION_HEAD] = "head",      [CONNECTION_BODY] = "body",
    [CONNECTION_BUSY] = "busy",      [CONNECTION_WRITING] = "writing",
    [CONNECTION_IDLE] = "idle",      [PHASE_CLOSING] = "closing",
    [PHASE_LINGERING] = "lingering",
};

static void list_statuses(void)
{
    for (size_t i = 0; i < STATUSES; i++)
        status_texts[i] = statuses[i].text;
    status_texts[STATUSES] = "other";
}

void server_labels(struct metric_labels *labels)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, list_statuses);
    labels->values[LABEL_method] = methods;
    labels->values[LABEL_status] = status_texts;
    labels->values[LABEL_phase] = phases;
    labels->values[LABEL_refusal] = refusals;
    labels->values[LABEL_shedding] = sheddings;
    labels->values[LABEL_reaping] = reapings;
}

static size_t method_index(struct span method)
{
    size_t i = 0;

    while (methods[i + 1] && !span_is(method, methods[i]))
        i++;
    return i;
}

static size_t status_index(unsigned status)
{
    size_t i = 0;

    while (i < STATUSES && statuses[i].status != status)
        i++;
    return i;
}

void tally_request(const struct server *server, const struct exchange *exchange,
                   const struct ending *ending)
{
    struct meter *meter = server->meter;
    size_t route = route_index(exchange->route);

    if (!meter)
        return;
    size_t series = meter_series(meter, METRIC_lossd_http_requests,
                                 (size_t[]){method_index(exchange->head.method), route,
                                            status_index(ending->status)});
    meter_add(meter, METRIC_lossd_http_requests, series, 1);
    meter_observe(meter, METRIC_lossd_http_request_duration_seconds, route,
                  ending->duration_ns);
    if (exchange->body_bytes > 0)
        meter_add(meter, METRIC_lossd_http_request_body_bytes, route,
                  exchange->body_bytes);
    meter_add(meter, METRIC_lossd_http_response_body_bytes, route, ending->sent);
    if (ending->kind != ERR_NONE)
        meter_add(meter, METRIC_lossd_errors, problem_index(ending->kind), 1);
    if (ending->kind == ERR_OVERLOADED)
        meter_add(meter, METRIC_lossd_rejected_requests, ending->shed, 1);
    if (ending->gone)
        meter_add(meter, METRIC_lossd_clients_gone, 0, 1);
}

void tally_refusal(const struct server *server, enum refusal refusal)
{
    meter_add(server->meter, METRIC_lossd_refused_connections, refusal, 1);
}

void tally_reaping(const struct server *server, enum reaping reaping)
{
    meter_add(server->meter, METRIC_lossd_reaped_connections, reaping, 1);
}

static void look_at_all(struct registry *registry, size_t doing[PHASES], size_t *requests)
{
    pthread_mutex_lock(&registry->lock);
    for (struct connection *at = registry->first; at; at = at->next) {
        enum connection_phase phase = atomic_load(&at->phase);
        doing[phase < CONNECTION_EXPIRED ? (size_t)phase : PHASE_CLOSING]++;
        *requests += at->talk.state != TALK_OVER;
    }
    pthread_mutex_unlock(&registry->lock);
}

void tally_gauge(void *ctx, struct meter *meter)
{
    struct server *server = ctx;
    size_t doing[PHASES] = {0}, requests = 0;

    for (size_t i = 0; i < server->nets; i++)
        look_at_all(&server->net[i].registry, doing, &requests);
    doing[PHASE_LINGERING] = refuser_count(server->refuser);
    for (size_t i = 0; i < PHASES; i++)
        meter_set(meter, METRIC_lossd_http_connections, i, doing[i]);
    /* without the request that wants to know */
    meter_set(meter, METRIC_lossd_http_requests_in_flight, 0, requests - (requests > 0));
}
