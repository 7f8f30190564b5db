/* A network thread: a daemon of the HTTP library. */
#ifndef LOSSD_HTTP_NET_H
#define LOSSD_HTTP_NET_H

#include <microhttpd.h>
#include <stdbool.h>

struct net;

/* Starts the thread's daemon.  Without a `thread` of its own it only does something when
 * the caller runs it. */
bool net_open(struct net *net, enum MHD_FLAG thread);

#endif
