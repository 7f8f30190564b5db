/* Examples of the OpenAPI document; private to this layer. */
#ifndef LOSSD_API_OPENAPI_EXAMPLES_H
#define LOSSD_API_OPENAPI_EXAMPLES_H

#include <stddef.h>

#include "lossd/engine/batch.h"

/* What can be seen at a glance, and is true to the bit. */
struct openapi_example {
    const struct task *task;
    const char *name;
    const char *summary;
    const char *request, *reply; /* JSON */
};

extern const struct openapi_example openapi_examples[];
extern const size_t openapi_example_count;

#endif
