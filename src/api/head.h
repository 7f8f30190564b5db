/* What the head of a request settles; private to this layer.  See api_route(). */
#ifndef LOSSD_API_HEAD_H
#define LOSSD_API_HEAD_H

#include <stdbool.h>

#include "lossd/api/api.h"

/* Can the format that the head asks for hold the answer that the batch asks for? */
bool head_writer_fits(struct exchange *exchange);

#endif
