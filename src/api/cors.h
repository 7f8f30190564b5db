/* Answers to scripts of pages from elsewhere (CORS); private to this layer. */
#ifndef LOSSD_API_CORS_H
#define LOSSD_API_CORS_H

#include <stdbool.h>

#include "lossd/api/api.h"

/* Does a page of an origin ask whose pages may? */
bool cors_is_from_page(const struct exchange *exchange);

/* Does a browser ask for leave to send another request?  Only where pages from its
 * origin may ask. */
bool cors_is_preflight(const struct exchange *exchange);

/* Adds the headers that every answer has. */
void cors_add(const struct exchange *exchange, struct response *response);

/* Adds those of the answer to a preflight. */
void cors_add_leave(struct response *response);

#endif
