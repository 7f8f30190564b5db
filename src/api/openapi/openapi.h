/* This contract as OpenAPI 3.1, made of the tables that the program works with: routes,
 * members, losses, outputs, problems, limits; private to this layer. */
#ifndef LOSSD_API_OPENAPI_H
#define LOSSD_API_OPENAPI_H

#include <stdbool.h>

#include "api/page.h"
#include "api/route.h"

/* Writes the document for good.  False: no memory. */
bool openapi_make(struct api *api);

/* That, NULL for a request that wants it indented. */
const struct page *openapi_page(const struct exchange *exchange);

#endif
