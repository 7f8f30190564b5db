#include "http/descriptors.h"

#include <stdint.h>

#include "http/listener.h"

enum {
    /* Standard streams, notifications, keys while they are read, what metrics look at,
     * wake-ups, and what libraries and whoever started us keep open. */
    OTHERS = 64,
    OF_A_THREAD = 3, /* its epoll, its wake-up, an answer that it keeps for the refused */
    LINGERING_MOST = 1024,
    LEAVING_PART = 5, /* of them, for what is on its way out */
    LEAST_PART = 4    /* of a table so small that the others do not need all of theirs */
};

static size_t lower(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t left_of(size_t all, size_t net_threads)
{
    size_t others = OTHERS + 2 * LISTENERS_MAX + OF_A_THREAD * (net_threads + 1) +
                    2 * ADMIN_CONNECTIONS;
    size_t least = all / LEAST_PART;

    return all > others + least ? all - others : least;
}

static size_t at_least_one(size_t n)
{
    return n > 0 ? n : 1;
}

struct descriptors descriptors_share(size_t all, size_t net_threads, size_t wanted)
{
    size_t left = left_of(all > 0 ? all : SIZE_MAX, net_threads);
    size_t connections = at_least_one(lower(wanted, left - left / LEAVING_PART));
    size_t rest = left > connections ? left - connections : 0;
    size_t lingering = lower(LINGERING_MOST, rest / 2);

    return (struct descriptors){.connections = connections,
                                .leaving =
                                    at_least_one(lower(connections, rest - lingering)),
                                .lingering = at_least_one(lingering)};
}
