/* What a monitoring system is told of requests, and GET /metrics, which tells it. */
#include "api/monitor.h"

#include "api/problem.h"
#include "api/route.h"
#include "lossd/engine/loss.h"
#include "lossd/obs/exposition.h"

enum { TEXT_MAX = 1 << 20 };

static const char *const stages[STAGES + 1] = {"receive", "parse", "queue", "compute",
                                               "encode"};

/* What POST /v1/softmax scores has no loss. */
static const char *const losses[] = {
#define LOSS(name) #name,
#include "lossd/engine/losses.def"
#undef LOSS
    "none", NULL};

static const char *const outcomes[] = {"answered", "refused", NULL};

void api_labels(struct metric_labels *labels)
{
    labels->values[LABEL_route] = route_names();
    labels->values[LABEL_stage] = stages;
    labels->values[LABEL_loss] = losses;
    labels->values[LABEL_model] = model_names;
    labels->values[LABEL_outcome] = outcomes;
    labels->values[LABEL_problem] = problem_codes();
}

void monitor_count(const struct exchange *exchange)
{
    const struct batch *batch = &exchange->batch;
    struct meter *meter = exchange->api->settings.meter;

    for (enum stage s = 0; s < STAGES; s++)
        if (exchange->stage_ns[s] > 0)
            meter_observe(meter, METRIC_lossd_stage_duration_seconds, s,
                          exchange->stage_ns[s]);
    size_t loss = batch->task->needs_truth ? (size_t)batch->loss_choice : loss_count;
    meter_add(meter, METRIC_lossd_rows, loss, exchange->rows);
    meter_add(meter, METRIC_lossd_logits, loss, exchange->rows * batch->classes);
}

bool monitor_text(struct exchange *exchange, struct buf *text, const char **media_type)
{
    enum exposition format = exposition_for(exchange->head.accept);

    buf_init(text, &exchange->mem, TEXT_MAX, NULL, &exchange->err);
    exposition_write(exchange->api->settings.meter, format, text);
    *media_type = exposition_media_type(format);
    return buf_ok(text);
}
