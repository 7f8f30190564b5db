/* The order of an answer. */
#include "codec/json/json_encode.h"

#include "codec/json/json_metrics.h"
#include "codec/json/json_records.h"
#include "codec/json/json_state.h"
#include "codec/output_array.h"
#include "codec/reply.h"

static void add_array(struct reply *reply, enum output output, const struct batch *batch,
                      const struct result *result)
{
    struct output_array array = output_array(output, batch, result);

    json_key(reply_json(reply), output_names[output]);
    reply_array(reply, array.numbers, array.data, &array.shape);
}

static void add_loss(struct reply *reply, const struct batch *batch,
                     const struct result *result)
{
    if (batch->reduction == REDUCTION_NONE) {
        add_array(reply, OUTPUT_LOSS, batch, result);
    } else {
        json_key(reply_json(reply), output_names[OUTPUT_LOSS]);
        json_number(reply_json(reply), result->loss);
    }
}

static void add_output(struct reply *reply, enum output output, const struct batch *batch,
                       const struct result *result)
{
    switch ((unsigned)output) {
    case OUTPUT_LOSS:
        add_loss(reply, batch, result);
        break;
    case OUTPUT_METRICS:
        json_add_metrics(reply, &result->metrics);
        break;
    case OUTPUT_PER_CLASS:
        json_add_per_class(reply, &result->per_class, batch->classes);
        break;
    case OUTPUT_CALIBRATION:
        json_add_calibration(reply, &result->calibration);
        break;
    case OUTPUT_STATE:
        json_add_state(reply, batch, result->state);
        break;
    case OUTPUT_RECORDS: /* lines before this object */
        break;
    default:
        add_array(reply, output, batch, result);
    }
}

static void add_totals(struct json *json, const struct batch *batch,
                       const struct result *result)
{
    if (batch_wants(batch, OUTPUT_LOSS)) {
        json_key(json, "loss_sum");
        json_number(json, result->loss_sum);
        json_key(json, "divisor");
        json_number(json, result->divisor);
    }
    if (batch->task->needs_truth) {
        json_key(json, "count");
        json_uint(json, result->count);
        json_key(json, "ignored");
        json_uint(json, result->ignored);
    }
}

static void add_warnings(struct json *json, const struct result *result)
{
    if (!result->warnings[0])
        return;
    json_key(json, "warnings");
    json_open(json, '[');
    for (const char *const *warning = result->warnings; *warning; warning++)
        json_text(json, *warning);
    json_close(json, ']');
}

struct reply *json_encode(const struct batch *batch, const struct result *result,
                          bool pretty, struct arena *mem, struct err *err)
{
    bool is_line = batch_wants(batch, OUTPUT_RECORDS); /* the last of several */
    struct reply *reply = reply_new(pretty && !is_line, mem, err);

    if (!reply)
        return NULL;
    struct json *json = reply_json(reply);
    if (is_line) {
        reply_text(reply, buf_span(&batch->records->lines));
        json_open(json, '{');
        json_key(json, "summary");
    }
    json_open(json, '{');
    if (batch_has(batch, MEMBER_id)) {
        json_key(json, "id");
        json_string(json, batch->id);
    }
    for (enum output output = 0; output < OUTPUTS; output++)
        if (batch_wants(batch, output))
            add_output(reply, output, batch, result);
    add_totals(json, batch, result);
    if (batch->records && batch->records->errors > 0)
        json_add_skipped(json, batch->records);
    add_warnings(json, result);
    json_close(json, '}');
    if (is_line)
        json_close(json, '}');
    return reply_end(reply) ? reply : NULL;
}
