/* Schemas of the OpenAPI document; private to this layer. */
#ifndef LOSSD_API_OPENAPI_SCHEMA_H
#define LOSSD_API_OPENAPI_SCHEMA_H

#include "lossd/api/api.h"
#include "lossd/base/json_write.h"

/* Adds the schemas to the components: members by their name, TASK_request, TASK_answer,
 * what describing routes answer with, `problem`. */
void openapi_schemas(const struct api *api, struct json *json);

/* The schema of a member as the task knows it. */
void openapi_member(struct json *json, enum member member, const struct task *task);

/* The members of a schema for a form that has the task's members. */
void openapi_form(struct json *json, const struct task *task);

#endif
