#include "http/refusal_bare.h"

#include "http/inside.h"

void refusal_bare(struct server *server, int fd, bool to_head, enum err_kind kind,
                  const struct exchange *asked, const char *why, _Atomic uint64_t *sent)
{
    struct exchange exchange;
    struct response response;

    exchange_init(&exchange, server->api, NULL);
    if (asked)
        exchange.head.request_id = span_of(asked->request_id);
    exchange.retry_after_s =
        admission_retry_after_s(&server->admission, exchange.began_ns);
    fail(&exchange.err, kind, NULL, "%s", why);
    api_route(&exchange); /* finds no route, but a request id */
    /* where nobody has read who asks, the origin that may read it can be told to all */
    exchange.from_page = !asked || asked->from_page;
    api_refuse(&exchange, &response);
    if (sent)
        atomic_store(sent, to_head ? 0 : response.body.len);
    refuse_by_hand(fd, to_head, &response);
    exchange_release(&exchange);
}
