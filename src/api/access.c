/* With keys set, strangers are told nothing but whether the service is well: balancers
 * ask for that, and have no key.  A path that does not exist needs a key as well, and
 * so does a method that a path does not have, or the refusals would be a map. */
#include "api/access.h"

#include "api/route.h"
#include "lossd/api/keyring.h"

static bool is_health(struct span path)
{
    for (size_t i = 0; i < route_count; i++)
        if (route_has(&routes[i], path))
            return routes[i].is_health;
    return false;
}

void access_check(struct exchange *exchange, struct span path)
{
    struct keyring *keys = exchange->api->settings.keys;

    if (keys && !exchange->preflight && !is_health(path))
        keyring_opens(keys, exchange->head.authorization, &exchange->err);
}
