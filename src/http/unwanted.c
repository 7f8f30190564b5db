/* With MSG_TRUNC a stream of TCP gives no bytes, only their number.  Other streams give
 * them, which does no harm.
 *
 * Who reads less than asked for has seen the end of what there is, and waits for an event.
 * So a piece that is short is filled with what is behind it and is wanted. */
#include "http/unwanted.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "http/per_descriptor.h"
#include "http/replaced.h"

static ssize_t (*system_recv)(int, void *, size_t, int);
static struct per_descriptor unwanted_of = {.size = sizeof(uint64_t)};

static void find_system(void)
{
    replaced_find("recv", &system_recv);
}

void unwanted_take_over(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_system);
}

void unwanted(int fd, uint64_t bytes)
{
    uint64_t *coming = bytes > 0 ? per_descriptor(&unwanted_of, fd)
                                 : per_descriptor_look(&unwanted_of, fd);

    if (coming) /* else it is read */
        *coming = bytes;
}

static ssize_t drop_and_read(uint64_t *coming, int fd, char *bytes, size_t size,
                             int flags)
{
    size_t most = *coming < size ? (size_t)*coming : size;
    ssize_t dropped = system_recv(fd, bytes, most, flags | MSG_TRUNC);

    if (dropped <= 0)
        return dropped;
    *coming -= (uint64_t)dropped;
    if (*coming > 0 || (size_t)dropped == size)
        return dropped;
    ssize_t read = system_recv(fd, bytes + dropped, size - (size_t)dropped, flags);
    return dropped + (read > 0 ? read : 0);
}

__attribute__((visibility("default"))) ssize_t recv(int fd, void *bytes, size_t size,
                                                    int flags)
{
    const int others = MSG_PEEK | MSG_TRUNC; /* not the library's */
    uint64_t *coming =
        fd >= 0 && !(flags & others) ? per_descriptor_look(&unwanted_of, fd) : NULL;

    unwanted_take_over();
    return coming && *coming > 0 ? drop_and_read(coming, fd, bytes, size, flags)
                                 : system_recv(fd, bytes, size, flags);
}
