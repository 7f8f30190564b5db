/* Building a response; private to this layer. */
#ifndef LOSSD_API_RESPONSE_H
#define LOSSD_API_RESPONSE_H

#include <assert.h>

#include "lossd/api/api.h"

/* Begins one with what all have.  `media_type` NULL: it has no body. */
void response_begin(struct exchange *exchange, struct response *response, unsigned status,
                    const char *media_type);

/* Adds a header, unless `value` is NULL; both live as long as the response. */
static inline void response_add(struct response *response, const char *name,
                                const char *value)
{
    if (!value)
        return;
    assert(response->headers < RESPONSE_HEADERS);
    response->header[response->headers].name = name;
    response->header[response->headers++].value = value;
}

#endif
