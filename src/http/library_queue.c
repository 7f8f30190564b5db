#include "http/library_queue.h"

#include <pthread.h>

#include "http/replaced.h"

static enum MHD_Result (*queue_in_library)(struct MHD_Connection *, unsigned,
                                           struct MHD_Response *);

static void find_in_library(void)
{
    replaced_find("MHD_queue_response", &queue_in_library);
}

void library_queue_find(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_in_library);
}

enum MHD_Result library_queue(struct MHD_Connection *mhd, unsigned status,
                              struct MHD_Response *response)
{
    return queue_in_library(mhd, status, response);
}
