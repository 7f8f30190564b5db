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

/* Only the thread that reads writes them, which for the next connection on the descriptor
 * may be another. */
struct incoming {
    _Atomic uint64_t read;
    _Atomic uint64_t unwanted; /* of what comes next */
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

static uint64_t read_count(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void write_count(_Atomic uint64_t *count, uint64_t value)
{
    atomic_store_explicit(count, value, memory_order_relaxed);
}

void incoming_begin(int fd)
{
    struct incoming *incoming = per_descriptor_make(&incoming_of, fd);

    if (!incoming)
        return;
    write_count(&incoming->read, 0);
    write_count(&incoming->unwanted, 0);
}

void incoming_drop(int fd, uint64_t bytes)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    if (incoming)
        write_count(&incoming->unwanted, bytes);
}

uint64_t incoming_read(int fd)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    return incoming ? read_count(&incoming->read) : 0;
}

static ssize_t drop_and_read(struct incoming *incoming, int fd, char *bytes, size_t size,
                             int flags)
{
    uint64_t unwanted = read_count(&incoming->unwanted);
    size_t most = unwanted < size ? (size_t)unwanted : size;
    ssize_t dropped = system_recv(fd, bytes, most, flags | MSG_TRUNC);

    if (dropped <= 0)
        return dropped;
    unwanted -= (uint64_t)dropped;
    write_count(&incoming->unwanted, unwanted);
    if (unwanted > 0 || (size_t)dropped == size)
        return dropped;
    ssize_t read = system_recv(fd, bytes + dropped, size - (size_t)dropped, flags);
    return dropped + (read > 0 ? read : 0);
}

static ssize_t read_on(struct incoming *incoming, int fd, void *bytes, size_t size,
                       int flags)
{
    ssize_t count = read_count(&incoming->unwanted) > 0
                        ? drop_and_read(incoming, fd, bytes, size, flags)
                        : system_recv(fd, bytes, size, flags);

    if (count > 0)
        write_count(&incoming->read, read_count(&incoming->read) + (uint64_t)count);
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
