/* TABLE: who answers what. */
#include <pthread.h>
#include <stdio.h>

#include "api/assets.h"
#include "api/inference.h"
#include "api/monitor.h"
#include "api/openapi/openapi.h"
#include "api/path.h"
#include "api/route.h"
#include "api/statistics.h"
#include "lossd/base/excerpt.h"
#include "lossd/base/nearest_name.h"
#include "lossd/codec/inference.h"

/* Those asked for most come first: each request is held to them in this order. */
const struct route routes[] = {
    {.path = "/v1/loss",
     .method = "POST",
     .task = &task_loss,
     .media_types = "application/json, application/x-ndjson, application/x-npy",
     .for_links = true,
     .help = "logits and labels in; probabilities and averaged loss out"},
    {.path = "/v1/softmax",
     .method = "POST",
     .task = &task_softmax,
     .media_types = "application/json, application/x-npy",
     .for_links = true,
     .help = "logits in, probabilities out"},
    {.path = "/v1/merge",
     .method = "POST",
     .task = &task_merge,
     .for_links = true,
     .help = "states of shards in, the result of the whole dataset out"},
    {.path = "/v1/losses",
     .method = "GET",
     .describe = describe_losses,
     .answer = "#losses",
     .for_links = true,
     .help = "every loss, with its formula and its options"},
    {.path = "/v1/limits",
     .method = "GET",
     .describe = describe_limits,
     .answer = "#limits",
     .for_links = true,
     .help = "every ceiling in force, with the flag that raises it"},
    {.path = "/livez",
     .method = "GET",
     .describe = describe_live,
     .answer = "#status",
     .is_probe = true,
     .is_health = true,
     .for_links = true,
     .help = "alive"},
    {.path = "/readyz",
     .method = "GET",
     .describe = describe_ready,
     .answer = "#status",
     .is_probe = true,
     .is_health = true,
     .for_links = true,
     .help = "ready for traffic"},
    {.path = "/healthz",
     .method = "GET",
     .describe = describe_ready,
     .answer = "#status",
     .is_probe = true,
     .is_health = true,
     .help = "ready for traffic"},
    {.path = "/metrics",
     .method = "GET",
     .print = monitor_text,
     .by_accept = true,
     .media_types = "text/plain, application/openmetrics-text",
     .is_probe = true,
     .for_links = true,
     .help = "counts and gauges for Prometheus"},
    {.path = "/version",
     .method = "GET",
     .describe = describe_version,
     .answer = "#version",
     .for_links = true,
     .help = "build facts"},
    {.path = "/openapi.json",
     .method = "GET",
     .describe = describe_openapi,
     .page = openapi_page,
     .answer = "{",
     .for_links = true,
     .help = "this contract as OpenAPI 3.1"},
    {.path = "/docs",
     .method = "GET",
     .page = asset_docs,
     .media_types = "text/html",
     .for_links = true,
     .help = "the reference, for a browser"},
    {.path = "/",
     .method = "GET",
     .describe = describe_banner,
     .page = asset_playground,
     .by_accept = true,
     .answer = "#banner",
     .media_types = "application/json, text/html",
     .help = "the playground for a browser, links for others"},
    {.path = "/v2/models/{model}/infer",
     .method = "POST",
     .task = &task_loss,
     .codec = &codec_inference,
     .media_types = "application/json, application/octet-stream",
     .answer = "#inference_answer",
     .help = "tensors in, tensors out"},
    {.path = "/v2/models/{model}/versions/{version}/infer",
     .method = "POST",
     .task = &task_loss,
     .codec = &codec_inference,
     .media_types = "application/json, application/octet-stream",
     .answer = "#inference_answer",
     .help = "the same, of a version"},
    {.path = "/v2",
     .method = "GET",
     .describe = describe_server,
     .answer = "#server",
     .for_links = true,
     .help = "the Open Inference Protocol: which extensions there are"},
    {.path = "/v2/",
     .method = "GET",
     .describe = describe_server,
     .answer = "#server",
     .help = "the same"},
    {.path = "/v2/docs",
     .method = "GET",
     .page = asset_docs,
     .media_types = "text/html",
     .help = "the reference, as at /docs"},
    {.path = "/v2/health/live",
     .method = "GET",
     .describe = describe_live_server,
     .answer = "#server_health",
     .is_probe = true,
     .is_health = true,
     .help = "alive"},
    {.path = "/v2/health/ready",
     .method = "GET",
     .describe = describe_ready_server,
     .answer = "#server_health",
     .is_probe = true,
     .is_health = true,
     .help = "ready for traffic"},
    {.path = "/v2/models",
     .method = "GET",
     .describe = describe_models,
     .answer = "#models",
     .for_links = true,
     .help = "the names of the models: softmax, and each loss"},
    {.path = "/v2/models/stats", /* no model has this name */
     .method = "GET",
     .describe = describe_statistics,
     .answer = "#statistics",
     .help = "how many inferences there were, and where their time went"},
    {.path = "/v2/models/{model}",
     .method = "GET",
     .describe_model = describe_model,
     .answer = "#model",
     .help = "what a model takes and gives"},
    {.path = "/v2/models/{model}/versions/{version}",
     .method = "GET",
     .describe_model = describe_model,
     .answer = "#model",
     .help = "the same, of a version"},
    {.path = "/v2/models/{model}/ready",
     .method = "GET",
     .describe_model = describe_ready_model,
     .answer = "#model_ready",
     .help = "a model is ready for traffic"},
    {.path = "/v2/models/{model}/versions/{version}/ready",
     .method = "GET",
     .describe_model = describe_ready_model,
     .answer = "#model_ready",
     .help = "the same, of a version"},
    {.path = "/v2/models/{model}/config",
     .method = "GET",
     .describe_model = describe_config,
     .answer = "#model_config",
     .help = "a model as Triton configures one"},
    {.path = "/v2/models/{model}/versions/{version}/config",
     .method = "GET",
     .describe_model = describe_config,
     .answer = "#model_config",
     .help = "the same, of a version"},
    {.path = "/v2/models/{model}/stats",
     .method = "GET",
     .describe_model = describe_model_statistics,
     .answer = "#statistics",
     .help = "the inferences of a model"},
    {.path = "/v2/models/{model}/versions/{version}/stats",
     .method = "GET",
     .describe_model = describe_model_statistics,
     .answer = "#statistics",
     .help = "the same, of a version"},
    {.path = "/v2/repository/index",
     .method = "POST",
     .describe = describe_index,
     .answer = "[#model_state",
     .help = "the models and their states"},
    {.path = "/v2/repository/models/{model}/load",
     .method = "POST",
     .describe_model = describe_loaded_model,
     .answer = "#model_loaded",
     .help = "a model is there, as it always was"},
    {.path = "/v2/repository/models/{model}/unload",
     .method = "POST",
     .describe_model = refuse_unloading,
     .answer = "",
     .help = "refused: models are built in"},
};

const size_t route_count = sizeof routes / sizeof *routes;

void route_media_types(const struct route *route, char out[MEDIA_TYPES_SIZE])
{
    if (route->codec)
        codec_own_media_types(route->codec, out);
    else
        codec_media_types(route->task, out);
}

bool route_has(const struct route *route, struct span path)
{
    return path_matches(path, route->path);
}

static bool answers(const struct route *route, struct span method)
{
    return span_is(method, route->method) ||
           (span_is(method, "HEAD") && span_is(span_of("GET"), route->method));
}

/* From the last '/' on. */
static struct span last_segment(struct span path)
{
    const char *slash = path.len > 0 ? memrchr(path.at, '/', path.len) : NULL;

    return slash ? (struct span){slash, (size_t)(path.at + path.len - slash)} : path;
}

static bool goes_on_from(struct span path, struct span beginning)
{
    return path.len > beginning.len && path.at[beginning.len] == '/' &&
           span_equal((struct span){path.at, beginning.len}, beginning);
}

/* One that ends in the same way, or goes on from there, or else is spelt much the same. */
static const char *nearest_path(struct span path)
{
    const char *paths[sizeof routes / sizeof *routes + 1];

    while (path.len > 1 && path.at[path.len - 1] == '/')
        path.len--;
    for (size_t i = 0; i < route_count; i++)
        if (span_equal(last_segment(span_of(routes[i].path)), last_segment(path)))
            return routes[i].path;
    for (size_t i = 0; i < route_count; i++)
        if (goes_on_from(span_of(routes[i].path), path))
            return routes[i].path;
    for (size_t i = 0; i < route_count; i++)
        paths[i] = routes[i].path;
    paths[route_count] = NULL;
    return nearest_name(path, paths);
}

static void fail_route(struct span path, struct err *err)
{
    const char *near = nearest_path(path);

    fail(err, ERR_UNKNOWN_ROUTE, NULL, "there is no %s here%s%s%s", excerpt_of(path).text,
         near ? "; did you mean " : "; / has links to what is", near ? near : "",
         near ? "?" : "");
}

const struct route *route_find(struct span method, struct span path, struct err *err)
{
    char allowed[32];

    for (size_t i = 0; i < route_count; i++)
        if (route_has(&routes[i], path) && answers(&routes[i], method))
            return &routes[i];
    route_methods(path, allowed);
    if (*allowed)
        fail(err, ERR_METHOD_NOT_ALLOWED, NULL, "%s answers %s, not %s",
             excerpt_of(path).text, allowed, excerpt_of(method).text);
    else
        fail_route(path, err);
    return NULL;
}

const struct route *route_at(struct span path, struct err *err)
{
    for (size_t i = 0; i < route_count; i++)
        if (route_has(&routes[i], path))
            return &routes[i];
    fail_route(path, err);
    return NULL;
}

void route_methods(struct span path, char out[32])
{
    int len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < route_count && len < 24; i++)
        if (route_has(&routes[i], path) && !strstr(out, routes[i].method))
            len += snprintf(out + len, 32 - (size_t)len, "%s%s%s", len ? ", " : "",
                            routes[i].method,
                            span_is(span_of("GET"), routes[i].method) ? ", HEAD" : "");
}

const char *route_name(const struct route *route)
{
    return route ? route->path : "(none)";
}

size_t route_index(const struct route *route)
{
    return route ? (size_t)(route - routes) : route_count;
}

static const char *names[sizeof routes / sizeof *routes + 2];

static void list_names(void)
{
    for (size_t i = 0; i < route_count; i++)
        names[i] = route_name(&routes[i]);
    names[route_count] = route_name(NULL);
}

const char *const *route_names(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, list_names);
    return names;
}

bool route_is_probe(const struct route *route)
{
    return route && route->is_probe;
}
