/* The headers of a response; private to this layer. */
#ifndef LOSSD_API_RESPONSE_H
#define LOSSD_API_RESPONSE_H

#include <assert.h>

#include "lossd/api/api.h"

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
