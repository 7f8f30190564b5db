/* A refusal of who has not asked, or not all of it. */
#ifndef LOSSD_HTTP_REFUSAL_BARE_H
#define LOSSD_HTTP_REFUSAL_BARE_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/err.h"

struct server;

/* Writes a refusal without a request to `fd`, past the library, and without a body `to_head`.
 * `request_id` may be NULL.  Returns the bytes of the body. */
size_t refusal_bare(struct server *server, int fd, bool to_head, enum err_kind kind,
                    const char *request_id, const char *why);

#endif
