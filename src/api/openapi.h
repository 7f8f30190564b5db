/* This contract as OpenAPI 3.1, made of the tables that the program works with: routes,
 * members, losses, outputs, problems, limits; private to this layer. */
#ifndef LOSSD_API_OPENAPI_H
#define LOSSD_API_OPENAPI_H

#include <stdbool.h>
#include <stddef.h>

#include "api/page.h"
#include "api/route.h"
#include "lossd/base/json_write.h"
#include "lossd/engine/batch.h"

/* Writes the document for good.  False: no memory. */
bool openapi_make(struct api *api);

/* That, NULL for a request that wants it indented. */
const struct page *openapi_page(const struct exchange *exchange);

/* ---- its parts ---------------------------------------------------------------- */

/* What a client sends to a route, or is told by one. */
void openapi_operation(const struct api *api, const struct route *route,
                       struct json *json);

/* The statuses that problems may have. */
enum { PROBLEM_FIRST = 400, PROBLEM_END = 600 };

/* Adds `parameters`, `headers` and `responses` to the components. */
void openapi_shared(struct json *json);

/* References to those parameters that a route has, which `scores` or is read. */
void openapi_parameter_refs(struct json *json, bool scores);

/* The headers of an answer with this status. */
void openapi_header_refs(struct json *json, unsigned status);

/* Adds the schemas to the components: members by their name, TASK_request, TASK_answer,
 * what describing routes answer with, `problem`. */
void openapi_schemas(const struct api *api, struct json *json);

/* Those of them that are objects with members of their own. */
void openapi_records(const struct api *api, struct json *json);

/* The members of the schema of what a task answers with. */
void openapi_answer(struct json *json, const struct task *task);

/* The schema of a member as the task knows it. */
void openapi_member(struct json *json, enum member member, const struct task *task);

/* What can be seen at a glance, and is true to the bit. */
struct openapi_example {
    const struct task *task;
    const char *name;
    const char *summary;
    const char *request, *reply; /* JSON */
};

extern const struct openapi_example openapi_examples[];
extern const size_t openapi_example_count;

/* ---- how they are written ------------------------------------------------------- */

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
