#include "api/answer.h"

#include <string.h>

#include "api/cors.h"
#include "api/response.h"

void answer_begin(struct exchange *exchange, struct response *response, unsigned status,
                  const char *media_type)
{
    memset(response, 0, sizeof *response);
    response->status = status;
    response_add(response, "Content-Type", media_type);
    response_add(response, "X-Request-ID", exchange->request_id);
    cors_add(exchange, response);
}
