/* Names for requests, so that a line in a log and an answer can be matched. */
#ifndef LOSSD_API_REQUEST_ID_H
#define LOSSD_API_REQUEST_ID_H

#include "api/route.h"

/* Fills exchange->request_id: the sender's X-Request-ID when it is 1 to 128 of
 * the characters A-Z a-z 0-9 . _ : @ / + -, else one of ours. */
void request_id_choose(struct exchange *exchange);

/* Fills exchange->trace_id from a valid W3C traceparent header, else with "". */
void trace_id_read(struct exchange *exchange);

#endif
