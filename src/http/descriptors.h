/* Descriptors of the process, and who may have how many of them.
 *
 * Every kind of socket has a number of its own, so that none of them takes what another
 * one needs: where connections alone fill the table, the administrator has no place, and
 * nobody is told why there is none. */
#ifndef LOSSD_HTTP_DESCRIPTORS_H
#define LOSSD_HTTP_DESCRIPTORS_H

#include <stddef.h>

enum { ADMIN_CONNECTIONS = 64 };

struct descriptors {
    size_t connections; /* at the same time */
    size_t leaving;     /* besides these: evicted, and not closed yet */
    size_t lingering;   /* refused, and kept until they have read why */
};

/* Shares out what `all` leaves, 0 for any number, beside the server's own and the
 * administrator's.  At most so many connections as are `wanted`; at least one of each. */
struct descriptors descriptors_share(size_t all, size_t net_threads, size_t wanted);

#endif
