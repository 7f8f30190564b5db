/* Operations of the OpenAPI document; private to this layer. */
#ifndef LOSSD_API_OPENAPI_OPERATION_H
#define LOSSD_API_OPENAPI_OPERATION_H

#include "api/route.h"
#include "lossd/base/json_write.h"

/* What a client sends to a route, or is told by one. */
void openapi_operation(const struct api *api, const struct route *route,
                       struct json *json);

#endif
