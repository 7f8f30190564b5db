/* The objects that answers are, or have in them. */
#include "api/openapi/openapi_record.h"

#include "api/openapi/openapi_write.h"
#include "api/route.h"
#include "lossd/codec/codec.h"
#include "lossd/engine/metrics.h"

enum { PROPERTIES_MAX = 16 };

struct property {
    const char *name;
    const char *type; /* for openapi_type() */
    const char *help;
    bool may_be_absent;
};

struct record {
    const char *name;
    struct property properties[PROPERTIES_MAX];
};

static const struct record records[] = {
    {"problem",
     {{"type", "string", "about:blank: the code says what it is", false},
      {"title", "string", "the code in words", false},
      {"status", "integer", "that of the answer", false},
      {"detail", "string", "what was found, and what was wanted", false},
      {"error", "string", "the same", false},
      {"code", "#problem_code", "stable, for programs", false},
      {"pointer", "string", "the element at fault (RFC 6901)", true},
      {"offset", "integer", "where the text is wrong: bytes from its beginning", true},
      {"line", "integer", "from 1", true},
      {"column", "integer", "bytes, from 1", true},
      {"limit", "integer", "the ceiling that was hit", true},
      {"flag", "string", "the setting that raises it", true},
      {"request_id", "string", "as in X-Request-ID", true}}},
    {"metrics",
     {
#define METRIC(name) {#name, "?number", "null where there is nothing to average", false},
         METRICS(METRIC)
#undef METRIC
     }},
    {"per_class",
     {{"support", "[integer", "positions of the class", false},
      {"predicted", "[integer", "positions said to be of it", false},
      {"precision", "[number", "of those predicted, how many are right", false},
      {"recall", "[number", "of those that are, how many were found", false},
      {"f1", "[number", "2 precision recall / (precision + recall)", false}}},
    {"calibration",
     {{"edges", "[number", "of the bins, one more than there are bins", false},
      {"count", "[integer", "positions whose confidence is in the bin", false},
      {"accuracy", "[?number", "of those, how many are right", false},
      {"confidence", "[?number", "their mean", false}}},
    {"state",
     {{"version", "integer", "of this format", false},
      {"loss", "#loss", "it was made with", false},
      {"reduction", "#reduction", "it was made with", false},
      {"classes", "integer", "how many there are", false},
      {"count", "integer", "positions kept", false},
      {"ignored", "integer", "positions ignored", false},
      {"losses", "string", "an exact sum, as are others: an integer times a power of two",
       false}}},
    {"record_error",
     {{"line", "integer", "it is on", false},
      {"offset", "integer", "where its record begins: bytes from the beginning", false},
      {"code", "#problem_code", "as of a problem", false},
      {"pointer", "string", "the element at fault, in the record", true},
      {"detail", "string", "what was found, and what was wanted", false}}},
    {"status", {{"status", "string", "alive, or ready", false}}},
    {"version",
     {{"name", "string", "lossd", false},
      {"version", "string", "of the service", false},
      {"commit", "string", "it was built from", false},
      {"compiler", "string", "it was built with", false},
      {"http_library", "string", "it runs with", false}}},
    {"losses", {{"losses", "[#loss_description", "every one", false}}},
    {"loss_description",
     {{"name", "string", "for the member loss", false},
      {"formula", "string", "of one position", false},
      {"source", "string", "whose definition it is", false},
      {"takes_labels", "boolean", "labels say what is true", false},
      {"takes_targets", "boolean", "targets say what is true", false},
      {"options", "[#option", "members that change it", false}}},
    {"option",
     {{"name", "string", "of the member", false},
      {"type", "string", "in words", false},
      {"default", "", "null: none", false},
      {"above", "number", "it has to be larger", true},
      {"lowest", "number", "it may be", true},
      {"highest", "number", "it may be", true},
      {"choices", "[string", "it has to be one of them", true},
      {"help", "string", "what it does", false}}},
    {"limit",
     {{"value", "number", "in force", false},
      {"unit", "string", "bytes or seconds; a count has none", true},
      {"flag", "string", "that changes it", false},
      {"help", "string", "what it limits", false}}},
    {"server",
     {{"name", "string", "lossd", false},
      {"version", "string", "of the service", false},
      {"extensions", "[string", "of the protocol, that are understood", false}}},
    {"server_health",
     {{"live", "boolean", "true", false}, {"ready", "boolean", "true", false}}},
    {"models", {{"models", "[string", "their names", false}}},
    {"model",
     {{"name", "string", "of the model", false},
      {"versions", "[string", "1", false},
      {"platform", "string", "lossd", false},
      {"inputs", "[#tensor_description", "that have to be sent", false},
      {"outputs", "[#tensor_description", "that are answered unasked", false}}},
    {"tensor_description",
     {{"name", "string", "of the tensor", false},
      {"datatype", "string", "FP32, say", false},
      {"shape", "[integer", "-1 is any length", false}}},
    {"model_ready",
     {{"name", "string", "of the model", false}, {"ready", "boolean", "true", false}}},
    {"model_loaded",
     {{"name", "string", "of the model", false}, {"load", "boolean", "true", false}}},
    {"model_config",
     {{"name", "string", "of the model", false},
      {"platform", "string", "lossd", false},
      {"max_batch_size", "integer", "0: a batch is a dimension like any other", false},
      {"input", "[", "tensors that have to be sent", false},
      {"output", "[", "tensors that are answered unasked", false},
      {"model_transaction_policy", "{", "an answer for each request", false}}},
    {"model_state",
     {{"name", "string", "of the model", false},
      {"version", "string", "1", false},
      {"state", "string", "READY, or UNAVAILABLE", false},
      {"reason", "string", "why it is not ready", false}}},
    {"statistics", {{"model_stats", "[#model_statistics", "of each model", false}}},
    {"model_statistics",
     {{"name", "string", "of the model", false},
      {"version", "string", "1", false},
      {"last_inference", "integer", "milliseconds since 1970; 0: none yet", false},
      {"inference_count", "integer", "rows answered", false},
      {"execution_count", "integer", "inferences answered", false},
      {"inference_stats", "{#duration",
       "success, fail, queue, compute_input, compute_infer, compute_output, cache_hit, "
       "cache_miss",
       false},
      {"batch_stats", "[#batch_statistics", "each inference is a batch", false},
      {"response_stats", "{", "of models with many answers: empty", false},
      {"memory_usage", "[", "of models with memory of their own: empty", false}}},
    {"batch_statistics",
     {{"batch_size", "integer", "1", false},
      {"compute_input", "#duration", "reading", false},
      {"compute_infer", "#duration", "scoring", false},
      {"compute_output", "#duration", "writing", false}}},
    {"duration",
     {{"count", "integer", "how many", false},
      {"ns", "integer", "how long, all together", false}}},
    {"inference_request",
     {{"id", "string", "echoed in the answer", true},
      {"parameters", "{",
       "options of the loss; binary_data_output; timeout, in "
       "microseconds",
       true},
      {"inputs", "[#tensor", "logits, and labels or targets", false},
      {"outputs", "[#wanted_tensor", "which tensors the answer has", true}}},
    {"inference_answer",
     {{"model_name", "string", "of the model", false},
      {"model_version", "string", "1", false},
      {"id", "string", "that of the request, or empty", false},
      {"parameters", "{", "ignored: names that nobody knows", true},
      {"outputs", "[#tensor", "in the order of /v1/loss", false}}},
    {"tensor",
     {{"name", "string", "of the tensor", false},
      {"datatype", "string", "FP32, say", false},
      {"shape", "[integer", "row-major", false},
      {"parameters", "{", "binary_data_size, where bytes follow the JSON", true},
      {"data", "[", "nested as the shape says, or one list", true}}},
    {"wanted_tensor",
     {{"name", "string", "of the tensor", false},
      {"parameters", "{",
       "binary_data: bytes behind the JSON; classification: so many classes of "
       "each row",
       true}}},
    {"banner",
     {{"name", "string", "lossd", false},
      {"version", "string", "of the service", false},
      {"links", "{string", "paths, and what is there", false}}},
};

static void write_property(struct json *json, const struct property *property)
{
    openapi_open(json, property->name, '{');
    openapi_type(json, property->type);
    json_text_member(json, "description", property->help);
    json_close(json, '}');
}

static void write_record(struct json *json, const struct record *record)
{
    const struct property *p = record->properties;

    openapi_open(json, record->name, '{');
    json_text_member(json, "type", "object");
    openapi_open(json, "properties", '{');
    for (size_t i = 0; i < PROPERTIES_MAX && p[i].name; i++)
        write_property(json, &p[i]);
    json_close(json, '}');
    openapi_open(json, "required", '[');
    for (size_t i = 0; i < PROPERTIES_MAX && p[i].name; i++)
        if (!p[i].may_be_absent)
            json_text(json, p[i].name);
    json_close(json, ']');
    json_close(json, '}');
}

/* A number, or numbers in arrays of any depth. */
static void write_tensor(struct json *json, const char *name, const char *element)
{
    openapi_open(json, name, '{');
    openapi_open(json, "anyOf", '[');
    json_open(json, '{');
    openapi_type(json, element);
    json_close(json, '}');
    json_open(json, '{');
    json_text_member(json, "type", "array");
    openapi_open(json, "items", '{');
    openapi_ref(json, "schemas", name);
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, ']');
    json_close(json, '}');
}

static void write_limits(const struct api *api, struct json *json)
{
    openapi_open(json, "limits", '{');
    json_text_member(json, "type", "object");
    openapi_open(json, "properties", '{');
    for (size_t i = 0; i < api->settings.shown_count; i++)
        write_property(json, &(struct property){api->settings.shown[i].name, "#limit",
                                                api->settings.shown[i].help, false});
    json_close(json, '}');
    json_close(json, '}');
}

static void write_timeout(struct json *json)
{
    openapi_open(json, "timeout", '{');
    json_text_member(json, "type", "number");
    json_key(json, "minimum");
    json_number(json, 0.001);
    json_key(json, "maximum");
    json_number(json, 3600);
    json_close(json, '}');
}

void openapi_records(const struct api *api, struct json *json)
{
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        write_record(json, &records[i]);
    write_tensor(json, "numbers", "?number");
    write_tensor(json, "integers", "integer");
    write_limits(api, json);
    write_timeout(json);
}

/* ---- answers -------------------------------------------------------------------- */

/* No default: the compiler refuses an output without a row. */
static const char *describe_output(enum output output, const char **type)
{
    *type = "#numbers";
    switch (output) {
    case OUTPUT_LOSS:
        return "the reduced loss, or with reduction none that of each position; null "
               "when there is nothing to average";
    case OUTPUT_LOSSES:
        return "the loss of each position";
    case OUTPUT_PROBABILITIES:
        return "softmax of the logits, after softcap and temperature, or for "
               "bce_with_logits their sigmoids; shape of logits";
    case OUTPUT_LOG_PROBABILITIES:
        return "their logarithms";
    case OUTPUT_LOGSUMEXP:
        return "of each position";
    case OUTPUT_GRADIENT:
        return "d loss / d logits; shape of logits";
    case OUTPUT_LOGITS:
        return "of a linear model: the scores";
    case OUTPUT_GRADIENT_FEATURES:
        return "d loss / d features";
    case OUTPUT_GRADIENT_W:
        return "d loss / d W";
    case OUTPUT_GRADIENT_B:
        return "d loss / d b";
    case OUTPUT_PREDICTIONS:
        *type = "#integers";
        return "the largest class, the first on ties";
    case OUTPUT_METRICS:
        *type = "#metrics";
        return "over the positions kept, without weights";
    case OUTPUT_PER_CLASS:
        *type = "#per_class";
        return "columns of one number for each class";
    case OUTPUT_CONFUSION:
        *type = "#integers";
        return "a row for each true class";
    case OUTPUT_CALIBRATION:
        *type = "#calibration";
        return "columns of one number for each bin";
    case OUTPUT_STATE:
        *type = "#state";
        return "what this is made of: states of shards merge into that of the whole";
    case OUTPUT_RECORDS: /* lines before the answer */
    case OUTPUTS:
        break;
    }
    return "";
}

/* Of labels or targets. */
static const struct property totals[] = {
    {"loss_sum", "?number",
     "numerator of a mean: shards add up, but with z_loss beside "
     "weights and with l2, where states do",
     true},
    {"divisor", "number", "its denominator", true},
    {"count", "integer", "positions kept", false},
    {"ignored", "integer", "positions ignored", false},
};

enum { TOTALS = sizeof totals / sizeof *totals };

/* Of a dataset whose wrong records are passed over. */
static const struct property skipped[] = {
    {"errors", "[#record_error", "with on_error=skip: the first records passed over",
     true},
    {"error_count", "integer", "how many there were", true},
};

static void write_skipped(struct json *json, const struct task *task)
{
    struct task whole = codec_whole_task(task);

    if (!(whole.members >> MEMBER_on_error & 1))
        return;
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++)
        write_property(json, &skipped[i]);
}

static void write_outputs(struct json *json, const struct task *task)
{
    for (enum output o = 0; o < OUTPUTS; o++) {
        if (!(task->outputs >> o & 1))
            continue;
        struct property property = {.name = output_names[o]};
        property.help = describe_output(o, &property.type);
        write_property(json, &property);
    }
}

void openapi_answer(struct json *json, const struct task *task)
{
    size_t count = task->needs_truth ? TOTALS : 0;

    json_text_member(json, "type", "object");
    openapi_open(json, "properties", '{');
    write_property(json, &(struct property){"id", "string", "echoed", true});
    write_outputs(json, task);
    for (size_t i = 0; i < count; i++)
        write_property(json, &totals[i]);
    write_skipped(json, task);
    write_property(json, &(struct property){"warnings", "[string",
                                            "only when there are some", true});
    json_close(json, '}');
    openapi_open(json, "required", '[');
    for (size_t i = 0; i < count; i++)
        if (!totals[i].may_be_absent)
            json_text(json, totals[i].name);
    json_close(json, ']');
}
