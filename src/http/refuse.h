/* Early answers that the client gets to read.
 *
 * A socket that is closed with unread input is reset, and the reset destroys an
 * answer that is still on its way or unread at the other end.  A client that is
 * busy sending its body then sees "broken pipe" instead of the reason.  So the
 * socket is kept open for a while, in a thread that throws away what comes in,
 * until the client has closed its side.  All functions may be called from any
 * thread. */
#ifndef LOSSD_HTTP_REFUSE_H
#define LOSSD_HTTP_REFUSE_H

#include <stddef.h>

#include "lossd/api/api.h"

struct refuser;

/* Keeps up to `most` sockets; beyond that the oldest is let go.  NULL with errno: no
 * memory or no thread. */
struct refuser *refuser_new(size_t most);

/* Closes what is kept.  NULL is allowed. */
void refuser_free(struct refuser *refuser);

/* Sockets that are kept. */
size_t refuser_count(const struct refuser *refuser);

/* Keeps the connection of `fd` open beyond the closing of `fd`. */
void refuser_keep(struct refuser *refuser, int fd);

/* Takes `fd` over, to close it when the client has. */
void refuser_adopt(struct refuser *refuser, int fd);

/* Writes the response by hand, with Connection: close and, but `to_head`, its body, and
 * ends our side of the connection.  Only where nobody else is writing to the socket, and
 * for responses without `fill`.  Never waits: what does not fit the socket's buffer is
 * lost. */
void refuse_by_hand(int fd, bool to_head, const struct response *response);

#endif
