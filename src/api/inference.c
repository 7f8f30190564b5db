#include "api/inference.h"

#include <stdio.h>

#include "api/model.h"
#include "lossd/engine/loss.h"

static void true_member(struct json *json, const char *key)
{
    json_key(json, key);
    json_bool(json, true);
}

bool describe_server(const struct api *api, struct json *json, struct err *err)
{
    (void)err;
    json_open(json, '{');
    json_text_member(json, "name", "lossd");
    json_text_member(json, "version", api->settings.version);
    json_key(json, "extensions");
    json_open(json, '[');
    json_text(json, "binary_tensor_data");
    json_text(json, "classification");
    json_text(json, "model_configuration");
    json_text(json, "model_repository");
    json_text(json, "statistics");
    json_close(json, ']');
    json_close(json, '}');
    return true;
}

/* Clients differ in which of the two they look for, whatever they asked. */
static void health_document(const struct api *api, struct json *json)
{
    json_open(json, '{');
    true_member(json, "live");
    json_key(json, "ready");
    json_bool(json, !atomic_load(&api->draining));
    json_close(json, '}');
}

bool describe_live_server(const struct api *api, struct json *json, struct err *err)
{
    (void)err;
    health_document(api, json);
    return true;
}

bool describe_ready_server(const struct api *api, struct json *json, struct err *err)
{
    if (!api_check_ready(api, err))
        return false;
    health_document(api, json);
    return true;
}

bool describe_models(const struct api *api, struct json *json, struct err *err)
{
    (void)api, (void)err;
    json_open(json, '{');
    json_key(json, "models");
    json_open(json, '[');
    for (size_t i = 0; i < MODELS; i++)
        json_text(json, model_names[i]);
    json_close(json, ']');
    json_close(json, '}');
    return true;
}

/* Models are built in: what may be asked, only those that are ready, makes no difference. */
bool describe_index(const struct api *api, struct json *json, struct err *err)
{
    bool draining = atomic_load(&api->draining);

    (void)err;
    json_open(json, '[');
    for (size_t i = 0; i < MODELS; i++) {
        json_open(json, '{');
        json_text_member(json, "name", model_names[i]);
        json_text_member(json, "version", MODEL_VERSION);
        json_text_member(json, "state", draining ? "UNAVAILABLE" : "READY");
        json_text_member(json, "reason", draining ? "the server is stopping" : "");
        json_close(json, '}');
    }
    json_close(json, ']');
    return true;
}

/* ---- tensors ------------------------------------------------------------------------ */

/* -1 stands for a dimension of any length; what is one number has the shape [1]. */
static const struct tensor_info {
    const char *name, *datatype, *shape;
} logits = {"logits", "FP32", "[-1,-1]"}, labels = {"labels", "INT64", "[-1]"},
  targets = {"targets", "FP32", "[-1,-1]"}, loss = {"loss", "FP64", "[1]"},
  probabilities = {"probabilities", "FP32", "[-1,-1]"};

enum { MODEL_TENSORS = 2 };

/* Only what has to be sent: clients that make up requests send all that is listed.  The
 * second is NULL for a model that has one. */
static void inputs_of(const struct model *model, const struct tensor_info *out[])
{
    const struct loss *scored = model->loss;

    out[0] = &logits;
    out[1] = !scored ? NULL : scored->truths & TRUTH_LABELS ? &labels : &targets;
}

/* Only what is answered unasked. */
static void outputs_of(const struct model *model, const struct tensor_info *out[])
{
    out[0] = model->loss ? &loss : &probabilities;
    out[1] = model->loss ? &probabilities : NULL;
}

static void write_tensor(struct json *json, const struct tensor_info *tensor)
{
    json_open(json, '{');
    json_text_member(json, "name", tensor->name);
    json_text_member(json, "datatype", tensor->datatype);
    json_key(json, "shape");
    json_raw(json, span_of(tensor->shape));
    json_close(json, '}');
}

/* As Triton's configuration has it: "TYPE_FP32". */
static void write_configured(struct json *json, const struct tensor_info *tensor)
{
    char type[16];

    snprintf(type, sizeof type, "TYPE_%s", tensor->datatype);
    json_open(json, '{');
    json_text_member(json, "name", tensor->name);
    json_text_member(json, "data_type", type);
    json_key(json, "dims");
    json_raw(json, span_of(tensor->shape));
    json_close(json, '}');
}

static void write_list(struct json *json, const char *key,
                       const struct tensor_info *const tensors[],
                       void (*write)(struct json *, const struct tensor_info *))
{
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < MODEL_TENSORS && tensors[i]; i++)
        write(json, tensors[i]);
    json_close(json, ']');
}

/* ---- one model ---------------------------------------------------------------------- */

bool describe_model(struct exchange *exchange, struct json *json)
{
    const struct tensor_info *inputs[MODEL_TENSORS], *outputs[MODEL_TENSORS];
    const struct model *model = &exchange->model;

    json_open(json, '{');
    json_text_member(json, "name", model->name);
    json_key(json, "versions");
    json_open(json, '[');
    json_text(json, MODEL_VERSION);
    json_close(json, ']');
    json_text_member(json, "platform", "lossd");
    inputs_of(model, inputs);
    outputs_of(model, outputs);
    write_list(json, "inputs", inputs, write_tensor);
    write_list(json, "outputs", outputs, write_tensor);
    json_close(json, '}');
    return true;
}

bool describe_ready_model(struct exchange *exchange, struct json *json)
{
    if (!api_check_ready(exchange->api, &exchange->err))
        return false;
    json_open(json, '{');
    json_text_member(json, "name", exchange->model.name);
    true_member(json, "ready");
    json_close(json, '}');
    return true;
}

/* It always was: there is nothing to be done. */
bool describe_loaded_model(struct exchange *exchange, struct json *json)
{
    json_open(json, '{');
    json_text_member(json, "name", exchange->model.name);
    true_member(json, "load");
    json_close(json, '}');
    return true;
}

bool refuse_unloading(struct exchange *exchange, struct json *json)
{
    (void)json;
    return fail(&exchange->err, ERR_MODEL_BUILT_IN, NULL,
                "the model %s is built in and cannot be unloaded", exchange->model.name);
}

/* Without batches of its own: a request's first dimension is like any other. */
bool describe_config(struct exchange *exchange, struct json *json)
{
    const struct tensor_info *inputs[MODEL_TENSORS], *outputs[MODEL_TENSORS];
    const struct model *model = &exchange->model;

    json_open(json, '{');
    json_text_member(json, "name", model->name);
    json_text_member(json, "platform", "lossd");
    json_key(json, "max_batch_size");
    json_uint(json, 0);
    inputs_of(model, inputs);
    outputs_of(model, outputs);
    write_list(json, "input", inputs, write_configured);
    write_list(json, "output", outputs, write_configured);
    json_key(json, "model_transaction_policy");
    json_open(json, '{');
    json_key(json, "decoupled");
    json_bool(json, false);
    json_close(json, '}');
    json_close(json, '}');
    return true;
}
