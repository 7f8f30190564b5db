/* Answers of ours on their way to the library, whose MHD_queue_response() is replaced: see
 * unread.h. */
#ifndef LOSSD_HTTP_LIBRARY_QUEUE_H
#define LOSSD_HTTP_LIBRARY_QUEUE_H

#include <microhttpd.h>

/* Finds the library's own function.  Before the first answer. */
void library_queue_find(void);

/* Queues an answer: what the library's function does. */
enum MHD_Result library_queue(struct MHD_Connection *mhd, unsigned status,
                              struct MHD_Response *response);

#endif
