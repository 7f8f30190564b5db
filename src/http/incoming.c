/* With MSG_TRUNC a stream of TCP gives no bytes, only their number.  Other streams give
 * them, which does no harm.
 *
 * Who reads less than asked for has seen the end of what there is, and waits for an event.
 * So a piece that is short is filled with what is behind it and is wanted. */
#include "http/incoming.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "http/per_descriptor.h"
#include "http/replaced.h"

struct incoming {
    _Atomic uint64_t read;
    uint64_t unwanted; /* of what comes next; only the thread that reads looks at it */
};

static ssize_t (*system_recv)(int, void *, size_t, int);
static struct per_descriptor incoming_of = {.size = sizeof(struct incoming)};

static void find_system(void)
{
    replaced_find("recv", &system_recv);
}

void incoming_take_over(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_system);
}

void incoming_begin(int fd)
{
    struct incoming *incoming = per_descriptor_make(&incoming_of, fd);

    if (!incoming)
        return;
    atomic_store_explicit(&incoming->read, 0, memory_order_relaxed);
    incoming->unwanted = 0;
}

void incoming_drop(int fd, uint64_t bytes)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    if (incoming)
        incoming->unwanted = bytes;
}

uint64_t incoming_read(int fd)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    return incoming ? atomic_load_explicit(&incoming->read, memory_order_relaxed) : 0;
}

static ssize_t drop_and_read(uint64_t *unwanted, int fd, char *bytes, size_t size,
                             int flags)
{
    size_t most = *unwanted < size ? (size_t)*unwanted : size;
    ssize_t dropped = system_recv(fd, bytes, most, flags | MSG_TRUNC);

    if (dropped <= 0)
        return dropped;
    *unwanted -= (uint64_t)dropped;
    if (*unwanted > 0 || (size_t)dropped == size)
        return dropped;
    ssize_t read = system_recv(fd, bytes + dropped, size - (size_t)dropped, flags);
    return dropped + (read > 0 ? read : 0);
}

static ssize_t read_on(struct incoming *incoming, int fd, void *bytes, size_t size,
                       int flags)
{
    ssize_t count = incoming->unwanted > 0
                        ? drop_and_read(&incoming->unwanted, fd, bytes, size, flags)
                        : system_recv(fd, bytes, size, flags);

    if (count > 0) {
        uint64_t before = atomic_load_explicit(&incoming->read, memory_order_relaxed);
        atomic_store_explicit(&incoming->read, before + (uint64_t)count,
                              memory_order_relaxed);
    }
    return count;
}

__attribute__((visibility("default"))) ssize_t recv(int fd, void *bytes, size_t size,
                                                    int flags)
{
    const int others = MSG_PEEK | MSG_TRUNC; /* not the library's */
    struct incoming *incoming =
        fd >= 0 && !(flags & others) ? per_descriptor_look(&incoming_of, fd) : NULL;

    incoming_take_over();
    return incoming ? read_on(incoming, fd, bytes, size, flags)
                    : system_recv(fd, bytes, size, flags);
}
