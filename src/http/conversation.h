/* What the library calls for a request on a connection, from its first line to its end. */
#ifndef LOSSD_HTTP_CONVERSATION_H
#define LOSSD_HTTP_CONVERSATION_H

#include <microhttpd.h>
#include <stddef.h>

struct connection;

/* The first line of a request is in; `uri` is not kept. */
void conversation_begin(struct connection *connection, struct MHD_Connection *mhd,
                        const char *uri);

/* The library's calls: the headers are in; the body, piece by piece; the body is
 * in; again after having been suspended. */
enum MHD_Result conversation_go_on(struct connection *connection, const char *method,
                                   const char *version, const char *piece, size_t *size);

/* The request is over, one way or the other: logs it and gives back its memory. */
void conversation_end(struct connection *connection, enum MHD_RequestTerminationCode how);

#endif
