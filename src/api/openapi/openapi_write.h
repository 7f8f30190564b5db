/* What the parts of the OpenAPI document are written with; private to this layer. */
#ifndef LOSSD_API_OPENAPI_WRITE_H
#define LOSSD_API_OPENAPI_WRITE_H

#include "lossd/base/json_write.h"

/* A key and the beginning of its object or array. */
static inline void openapi_open(struct json *json, const char *key, char bracket)
{
    json_key(json, key);
    json_open(json, bracket);
}

/* {"$ref":"#/components/KIND/NAME"}, its braces left to the caller. */
void openapi_ref(struct json *json, const char *kind, const char *name);

/* The members of a schema for a type: "string"; "?number" or null; "[string" an array of
 * them, "{string" an object of them; "#limit" the schema of that name; "" anything. */
void openapi_type(struct json *json, const char *type);

#endif
