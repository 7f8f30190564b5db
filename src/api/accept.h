/* Which of several formats a client likes best; private to this layer. */
#ifndef LOSSD_API_ACCEPT_H
#define LOSSD_API_ACCEPT_H

#include <stddef.h>

#include "lossd/base/span.h"

/* The index of the media type among `offers` that this Accept header gives the highest
 * quality, the first of equals; `count` when it wants none of them.  To an empty header
 * all are equal. */
size_t accept_best(struct span accept, const char *const *offers, size_t count);

#endif
