/* The answer to a request; private to this layer. */
#ifndef LOSSD_API_ANSWER_H
#define LOSSD_API_ANSWER_H

#include "lossd/api/api.h"

/* Begins it with what all have.  `media_type` NULL: it has no body. */
void answer_begin(struct exchange *exchange, struct response *response, unsigned status,
                  const char *media_type);

#endif
