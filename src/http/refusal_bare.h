/* A refusal of who has not asked, or not all of it. */
#ifndef LOSSD_HTTP_REFUSAL_BARE_H
#define LOSSD_HTTP_REFUSAL_BARE_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/err.h"

struct exchange;
struct server;

/* Writes a refusal without a request to `fd`, past the library, and without a body `to_head`.
 * `asked` is what has come of one, NULL: nothing.  Returns the bytes of the body. */
size_t refusal_bare(struct server *server, int fd, bool to_head, enum err_kind kind,
                    const struct exchange *asked, const char *why);

#endif
