/* How much a network thread has to do. */
#ifndef LOSSD_HTTP_NET_LOAD_H
#define LOSSD_HTTP_NET_LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct net;

/* Connections of a thread, those on their way to it included. */
size_t net_load(const struct net *net);

/* Is there nobody whom the thread could keep waiting?  Then it does what takes time
 * itself, because handing over has its price. */
bool net_has_one(const struct net *net);

/* And are there too few to help with a long answer? */
bool net_writes_alone(const struct net *net);

#endif
