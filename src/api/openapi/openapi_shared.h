/* What operations of the OpenAPI document share; private to this layer. */
#ifndef LOSSD_API_OPENAPI_SHARED_H
#define LOSSD_API_OPENAPI_SHARED_H

#include <stdbool.h>

#include "lossd/base/json_write.h"

/* The statuses that problems may have. */
enum { PROBLEM_FIRST = 400, PROBLEM_END = 600 };

/* Adds `parameters`, `headers` and `responses` to the components. */
void openapi_shared(struct json *json);

/* References to those parameters that a route has, which `scores` or is read. */
void openapi_parameter_refs(struct json *json, bool scores);

/* The headers of an answer with this status. */
void openapi_header_refs(struct json *json, unsigned status);

#endif
