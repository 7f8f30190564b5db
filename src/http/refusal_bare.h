/* A refusal of who has not asked, or not all of it. */
#ifndef LOSSD_HTTP_REFUSAL_BARE_H
#define LOSSD_HTTP_REFUSAL_BARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lossd/base/err.h"

struct exchange;
struct server;

/* Writes a refusal without a request to `fd`, past the library, and without a body `to_head`.
 * `asked` is what has come of one, NULL: nothing.  *sent, unless that is NULL, becomes the
 * bytes of the body first: whoever reads it may end the connection at once. */
void refusal_bare(struct server *server, int fd, bool to_head, enum err_kind kind,
                  const struct exchange *asked, const char *why, _Atomic uint64_t *sent);

#endif
