/* What operations of the OpenAPI document share; private to this layer. */
#ifndef LOSSD_API_OPENAPI_SHARED_H
#define LOSSD_API_OPENAPI_SHARED_H

#include <stdbool.h>

#include "lossd/base/json_write.h"

/* The statuses that problems may have. */
enum { PROBLEM_FIRST = 400, PROBLEM_END = 600 };

/* Adds `parameters`, `headers` and `responses` to the components. */
void openapi_shared(struct json *json);

/* What a route does besides what any does. */
enum openapi_routes { OPENAPI_ANY = 0, OPENAPI_SCORING = 1, OPENAPI_PAGES = 2 };

/* References to those parameters that such a route has. */
void openapi_parameter_refs(struct json *json, enum openapi_routes routes);

/* The headers of its answer with this status. */
void openapi_header_refs(struct json *json, unsigned status, enum openapi_routes routes);

#endif
