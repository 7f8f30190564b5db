/* Objects among the schemas of the OpenAPI document; private to this layer. */
#ifndef LOSSD_API_OPENAPI_RECORD_H
#define LOSSD_API_OPENAPI_RECORD_H

#include "lossd/api/api.h"
#include "lossd/base/json_write.h"

/* Adds the schemas that are objects with members of their own. */
void openapi_records(const struct api *api, struct json *json);

/* The members of the schema of what a task answers with. */
void openapi_answer(struct json *json, const struct task *task);

#endif
