/* The meter counts; here is the document that clients measure by.  Of one reading all counts
 * agree with each other: they are the same number, read once. */
#include "api/statistics.h"

#include "api/model.h"
#include "lossd/base/clock.h"
#include "lossd/obs/meter.h"

enum outcome { ANSWERED, REFUSED };

/* TABLE: the durations of Triton, by the stages that they are called here; receiving is none
 * of them */
static const struct {
    const char *name;
    enum stage stage;
} parts[] = {{"queue", STAGE_QUEUE},
             {"compute_input", STAGE_PARSE},
             {"compute_infer", STAGE_COMPUTE},
             {"compute_output", STAGE_ENCODE}};

enum { PARTS = sizeof parts / sizeof *parts, FIRST_COMPUTE = 1 };

/* ---- counting ----------------------------------------------------------------------- */

static bool is_inference(const struct exchange *exchange)
{
    return exchange->model.name && exchange->route && exchange->route->task &&
           !exchange->preflight;
}

static void count(struct meter *meter, size_t model, enum outcome outcome)
{
    const size_t at[] = {model, outcome};

    meter_add(meter, METRIC_lossd_inferences,
              meter_series(meter, METRIC_lossd_inferences, at), 1);
}

static size_t series_of(const struct meter *meter, enum stage stage, size_t model)
{
    const size_t at[] = {stage, model};

    return meter_series(meter, METRIC_lossd_inference_seconds, at);
}

/* Threads that answer at the same time would pull the line back and forth, for the same
 * number mostly. */
static void note_time(struct api *api, size_t model)
{
    _Atomic int64_t *last = &api->last_inference_ms[model];
    int64_t now = clock_calendar_ms();

    if (atomic_load_explicit(last, memory_order_relaxed) != now)
        atomic_store_explicit(last, now, memory_order_relaxed);
}

/* An answer that has been counted may still find no room on its connection. */
static bool is_to_count(struct exchange *exchange)
{
    if (!is_inference(exchange) || exchange->inference_counted)
        return false;
    exchange->inference_counted = true;
    return true;
}

void statistics_count(struct exchange *exchange)
{
    struct meter *meter = exchange->api->settings.meter;
    size_t model = exchange->model.index;

    if (!is_to_count(exchange) || !meter)
        return;
    count(meter, model, ANSWERED);
    meter_add(meter, METRIC_lossd_inference_rows, model, exchange->batch.positions);
    for (size_t i = 0; i < PARTS; i++)
        meter_add(meter, METRIC_lossd_inference_seconds,
                  series_of(meter, parts[i].stage, model),
                  (uint64_t)exchange->stage_ns[parts[i].stage]);
    note_time(exchange->api, model);
}

void statistics_count_refused(struct exchange *exchange)
{
    struct meter *meter = exchange->api->settings.meter;
    uint64_t ns = 0;

    if (!is_to_count(exchange))
        return;
    for (size_t i = 0; i < PARTS; i++)
        ns += (uint64_t)exchange->stage_ns[parts[i].stage];
    count(meter, exchange->model.index, REFUSED);
    meter_add(meter, METRIC_lossd_refused_inference_seconds, exchange->model.index, ns);
}

/* ---- telling ------------------------------------------------------------------------ */

/* Of one model, read once. */
struct statistics {
    uint64_t answered, refused, rows, refused_ns;
    uint64_t part_ns[PARTS];
    int64_t last_ms; /* since 1970 */
};

static uint64_t read_inferences(const struct meter *meter, size_t model,
                                enum outcome outcome)
{
    const size_t at[] = {model, outcome};

    return meter_read(meter, METRIC_lossd_inferences,
                      meter_series(meter, METRIC_lossd_inferences, at), 0);
}

static struct statistics read_statistics(const struct api *api, size_t model)
{
    const struct meter *meter = api->settings.meter;
    struct statistics s = {.last_ms = atomic_load(&api->last_inference_ms[model])};

    if (!meter)
        return s;
    s.answered = read_inferences(meter, model, ANSWERED);
    s.refused = read_inferences(meter, model, REFUSED);
    s.rows = meter_read(meter, METRIC_lossd_inference_rows, model, 0);
    s.refused_ns = meter_read(meter, METRIC_lossd_refused_inference_seconds, model, 0);
    for (size_t i = 0; i < PARTS; i++)
        s.part_ns[i] = meter_read(meter, METRIC_lossd_inference_seconds,
                                  series_of(meter, parts[i].stage, model), 0);
    return s;
}

static void write_duration(struct json *json, const char *key, uint64_t times,
                           uint64_t ns)
{
    json_key(json, key);
    json_open(json, '{');
    json_uint_member(json, "count", times);
    json_uint_member(json, "ns", ns);
    json_close(json, '}');
}

/* Nothing is cached: there are neither hits nor misses. */
static void write_inferences(struct json *json, const struct statistics *s)
{
    uint64_t answered_ns = 0;

    for (size_t i = 0; i < PARTS; i++)
        answered_ns += s->part_ns[i];
    json_key(json, "inference_stats");
    json_open(json, '{');
    write_duration(json, "success", s->answered, answered_ns);
    write_duration(json, "fail", s->refused, s->refused_ns);
    for (size_t i = 0; i < PARTS; i++)
        write_duration(json, parts[i].name, s->answered, s->part_ns[i]);
    write_duration(json, "cache_hit", 0, 0);
    write_duration(json, "cache_miss", 0, 0);
    json_close(json, '}');
}

/* What max_batch_size of the configuration says: each inference is a batch of its own, and
 * its rows are a dimension like any other. */
static void write_batches(struct json *json, const struct statistics *s)
{
    json_key(json, "batch_stats");
    json_open(json, '[');
    if (s->answered > 0) {
        json_open(json, '{');
        json_uint_member(json, "batch_size", 1);
        for (size_t i = FIRST_COMPUTE; i < PARTS; i++)
            write_duration(json, parts[i].name, s->answered, s->part_ns[i]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_model(const struct api *api, size_t model, struct json *json)
{
    const struct statistics s = read_statistics(api, model);

    json_open(json, '{');
    json_text_member(json, "name", model_at(model).name);
    json_text_member(json, "version", MODEL_VERSION);
    json_uint_member(json, "last_inference", (uint64_t)s.last_ms);
    json_uint_member(json, "inference_count", s.rows);
    json_uint_member(json, "execution_count", s.answered);
    write_inferences(json, &s);
    write_batches(json, &s);
    json_key(json, "response_stats");
    json_open(json, '{');
    json_close(json, '}');
    json_key(json, "memory_usage");
    json_open(json, '[');
    json_close(json, ']');
    json_close(json, '}');
}

static void write_models(const struct api *api, size_t from, size_t to, struct json *json)
{
    json_open(json, '{');
    json_key(json, "model_stats");
    json_open(json, '[');
    for (size_t i = from; i < to; i++)
        write_model(api, i, json);
    json_close(json, ']');
    json_close(json, '}');
}

bool describe_statistics(const struct api *api, struct json *json, struct err *err)
{
    (void)err;
    write_models(api, 0, MODELS, json);
    return true;
}

bool describe_model_statistics(struct exchange *exchange, struct json *json)
{
    size_t model = exchange->model.index;

    write_models(exchange->api, model, model + 1, json);
    return true;
}
