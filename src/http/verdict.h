/* What the library would refuse by itself, with a page of its own, we refuse in its place.
 *
 * The library gives all of its answers by calling MHD_queue_response() through the dynamic
 * linker, and finds ours: there is no other way to be told of them, nor of the connection
 * they are for.  A library that would not do so any more would send its pages again. */
#ifndef LOSSD_HTTP_VERDICT_H
#define LOSSD_HTTP_VERDICT_H

#include <microhttpd.h>

/* Queues an answer of ours: what the library's MHD_queue_response() does. */
enum MHD_Result verdict_queue(struct MHD_Connection *mhd, unsigned status,
                              struct MHD_Response *response);

#endif
