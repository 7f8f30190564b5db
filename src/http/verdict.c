#include "http/verdict.h"

#include <pthread.h>

#include "http/refusal.h"
#include "http/replaced.h"

static enum MHD_Result (*queue_in_library)(struct MHD_Connection *, unsigned,
                                           struct MHD_Response *);

static void find_in_library(void)
{
    replaced_find("MHD_queue_response", &queue_in_library);
}

enum MHD_Result verdict_queue(struct MHD_Connection *mhd, unsigned status,
                              struct MHD_Response *response)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_in_library);
    return queue_in_library(mhd, status, response);
}

/* The library closes a connection for which its answer cannot be queued. */
__attribute__((visibility("default"))) enum MHD_Result
MHD_queue_response(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *page)
{
    struct connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

    return connection ? refusal_of_unread(connection, mhd, status, page)
                      : verdict_queue(mhd, status, page);
}
