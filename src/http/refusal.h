/* Refusals of a request, each by the way that is open for it.  All functions are called by
 * the network thread of the connection. */
#ifndef LOSSD_HTTP_REFUSAL_H
#define LOSSD_HTTP_REFUSAL_H

#include <microhttpd.h>
#include <stdbool.h>

struct connection;

/* When is one who is refused now to come again? */
void refusal_tell_when(struct connection *connection);

/* Makes the response of `exchange.err`.  The request needs the pool no more. */
void refusal_make(struct connection *connection);

/* Refuses now, though more of the request may be on its way. */
enum MHD_Result refusal_at_once(struct connection *connection);

/* Past the library, which is to end the connection. */
void refusal_past_library(struct connection *connection);

/* The same without a body, for whoever may have asked with HEAD. */
void refusal_past_library_bare(struct connection *connection);

/* Has the library given up an answer for want of room or memory, with that code?  Then the
 * refusal goes past it. */
bool refusal_is_due_at_the_end(const struct connection *connection,
                               enum MHD_RequestTerminationCode how);
void refusal_at_the_end(struct connection *connection);

#endif
