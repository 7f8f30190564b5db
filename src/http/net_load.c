#include "http/net_load.h"

#include "http/inside.h"

size_t net_load(const struct net *net)
{
    long arriving = atomic_load(&net->arriving);

    return atomic_load(&net->registry.count) + (arriving > 0 ? (size_t)arriving : 0);
}

bool net_has_one(const struct net *net)
{
    return net_load(net) == 1;
}

bool net_writes_alone(const struct net *net)
{
    enum { HELP_FROM = 4 }; /* with two threads the handing over takes what they gain */

    return net_has_one(net) && pool_threads(net->server->pool) < HELP_FROM;
}
