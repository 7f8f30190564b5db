#include "api/inference.h"

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
    json_close(json, ']');
    json_close(json, '}');
    return true;
}

/* Clients differ in which of the two they look for, whatever they asked. */
static void health_document(struct json *json)
{
    json_open(json, '{');
    true_member(json, "live");
    true_member(json, "ready");
    json_close(json, '}');
}

bool describe_live_server(const struct api *api, struct json *json, struct err *err)
{
    (void)api, (void)err;
    health_document(json);
    return true;
}

static bool check_ready(const struct api *api, struct err *err)
{
    return !atomic_load(&api->draining) ||
           fail(err, ERR_DRAINING, NULL,
                "this server is stopping and takes no new traffic");
}

bool describe_ready_server(const struct api *api, struct json *json, struct err *err)
{
    if (!check_ready(api, err))
        return false;
    health_document(json);
    return true;
}

bool describe_models(const struct api *api, struct json *json, struct err *err)
{
    (void)api, (void)err;
    json_open(json, '{');
    json_key(json, "models");
    json_open(json, '[');
    for (size_t i = 0; i < model_count(); i++)
        json_text(json, model_at(i).name);
    json_close(json, ']');
    json_close(json, '}');
    return true;
}

/* -1 stands for a dimension of any length; what is one number has the shape [1]. */
static void tensor(struct json *json, const char *name, const char *datatype,
                   const char *shape)
{
    json_open(json, '{');
    json_text_member(json, "name", name);
    json_text_member(json, "datatype", datatype);
    json_key(json, "shape");
    json_raw(json, span_of(shape));
    json_close(json, '}');
}

/* Only what has to be sent: clients that make up requests send all that is listed. */
static void write_inputs(struct json *json, const struct loss *loss)
{
    json_key(json, "inputs");
    json_open(json, '[');
    tensor(json, "logits", "FP32", "[-1,-1]");
    if (loss && loss->truths & TRUTH_LABELS)
        tensor(json, "labels", "INT64", "[-1]");
    else if (loss)
        tensor(json, "targets", "FP32", "[-1,-1]");
    json_close(json, ']');
}

/* Only what is answered unasked. */
static void write_outputs(struct json *json, const struct loss *loss)
{
    json_key(json, "outputs");
    json_open(json, '[');
    if (loss)
        tensor(json, "loss", "FP64", "[1]");
    tensor(json, "probabilities", "FP32", "[-1,-1]");
    json_close(json, ']');
}

bool describe_model(struct exchange *exchange, struct json *json)
{
    const struct model *model = &exchange->model;

    json_open(json, '{');
    json_text_member(json, "name", model->name);
    json_key(json, "versions");
    json_open(json, '[');
    json_text(json, MODEL_VERSION);
    json_close(json, ']');
    json_text_member(json, "platform", "lossd");
    write_inputs(json, model->loss);
    write_outputs(json, model->loss);
    json_close(json, '}');
    return true;
}

bool describe_ready_model(struct exchange *exchange, struct json *json)
{
    if (!check_ready(exchange->api, &exchange->err))
        return false;
    json_open(json, '{');
    json_text_member(json, "name", exchange->model.name);
    true_member(json, "ready");
    json_close(json, '}');
    return true;
}
