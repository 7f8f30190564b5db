/* What the Open Inference Protocol asks a server to say of itself and of its models;
 * private to this layer. */
#ifndef LOSSD_API_INFERENCE_H
#define LOSSD_API_INFERENCE_H

#include "api/route.h"

bool describe_server(const struct api *api, struct json *json, struct err *err);
bool describe_live_server(const struct api *api, struct json *json, struct err *err);
bool describe_ready_server(const struct api *api, struct json *json, struct err *err);
bool describe_models(const struct api *api, struct json *json, struct err *err);
bool describe_index(const struct api *api, struct json *json, struct err *err);

/* These are of the model that the exchange names. */
bool describe_model(struct exchange *exchange, struct json *json);
bool describe_ready_model(struct exchange *exchange, struct json *json);
bool describe_config(struct exchange *exchange, struct json *json);
bool describe_loaded_model(struct exchange *exchange, struct json *json);

/* Always false, with ERR_MODEL_BUILT_IN. */
bool refuse_unloading(struct exchange *exchange, struct json *json);

#endif
