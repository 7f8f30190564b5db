/* Who may ask what; private to this layer. */
#ifndef LOSSD_API_ACCESS_H
#define LOSSD_API_ACCESS_H

#include "lossd/api/api.h"

/* Does the request for this path have a key, where it needs one?  If not the exchange
 * has ERR_UNAUTHORIZED, unless it had an error already. */
void access_check(struct exchange *exchange, struct span path);

#endif
