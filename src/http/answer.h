/* The answer on its way out. */
#ifndef LOSSD_HTTP_ANSWER_H
#define LOSSD_HTTP_ANSWER_H

#include <microhttpd.h>

struct connection;

/* Queues the talk's response.  MHD_NO: the connection cannot be answered. */
enum MHD_Result answer_send(struct connection *connection);

/* The same when all of the request is in, which the library may say twice. */
enum MHD_Result answer_at_end(struct connection *connection);

#endif
