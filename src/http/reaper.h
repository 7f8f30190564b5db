/* The thread that ends slow, half-closed and lost connections. */
#ifndef LOSSD_HTTP_REAPER_H
#define LOSSD_HTTP_REAPER_H

#include <stdbool.h>
#include <stddef.h>

struct net;
struct reaper;
struct server;

/* NULL with errno: no memory or no thread. */
struct reaper *reaper_new(struct server *server);

/* NULL is allowed. */
void reaper_free(struct reaper *reaper);

/* A look at every connection that is not waited for. */
void reaper_look(struct reaper *reaper);

/* Makes room at the cap: ends the connection of these network threads that has been
 * idle between requests for the longest time.  False when none has been for long.
 * From any thread. */
bool reaper_evict(struct server *server, struct net *nets, size_t count);

#endif
