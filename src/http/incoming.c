/* With MSG_TRUNC a stream of TCP gives no bytes, only their number, and so as many at once
 * as there are; the library is told of them in pieces of the size that it asks for.  Other
 * streams give the bytes, which does no harm.
 *
 * Who reads less than asked for has seen the end of what there is, and waits for an event.
 * So a piece that is short is filled with what is behind it and is wanted. */
#include "http/incoming.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "http/chunk_lines.h"
#include "http/per_descriptor.h"
#include "http/replaced.h"

enum { DROPPED_AT_ONCE = 1 << 16 };

/* Only the thread that reads writes them, which for the next connection on the descriptor
 * may be another. */
struct incoming {
    atomic_bool reading; /* what is no longer in the kernel may not be counted yet */
    _Atomic uint64_t read;
    _Atomic uint64_t unwanted; /* of what the library is to be told of next; */
    _Atomic uint64_t dropped;  /* so many of them are no longer in the kernel */

    const char *end; /* of what came last, in the library's buffer */
    struct chunk_lines chunks;
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
    atomic_store(&incoming->reading, false);
    write_count(&incoming->read, 0);
    write_count(&incoming->unwanted, 0);
    write_count(&incoming->dropped, 0);
    incoming->chunks.state = CHUNK_NONE;
    incoming->end = NULL;
}

static void drop_next(struct incoming *incoming, uint64_t bytes)
{
    write_count(&incoming->unwanted, bytes);
    if (read_count(&incoming->dropped) > bytes)
        write_count(&incoming->dropped, bytes);
}

void incoming_follow_chunks(int fd, const char *body)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    if (!incoming)
        return;
    chunk_lines_begin(&incoming->chunks);
    if ((uintptr_t)incoming->end > (uintptr_t)body)
        chunk_lines_follow(&incoming->chunks, body,
                           (size_t)((uintptr_t)incoming->end - (uintptr_t)body));
}

bool incoming_chunks_have_ended(int fd)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    return incoming && chunk_lines_have_ended(&incoming->chunks);
}

void incoming_rest(int fd)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    if (!incoming)
        return;
    drop_next(incoming, 0);
    incoming->chunks.state = CHUNK_NONE;
}

void incoming_drop(int fd, uint64_t bytes)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    if (incoming)
        drop_next(incoming, bytes);
}

bool incoming_is_being_read(int fd)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    return incoming && atomic_load(&incoming->reading);
}

uint64_t incoming_read(int fd)
{
    struct incoming *incoming = per_descriptor_look(&incoming_of, fd);

    return incoming ? read_count(&incoming->read) : 0;
}

/* As many of them as there are.  As recv(). */
static ssize_t drop(struct incoming *incoming, int fd, uint64_t count, int flags)
{
    static _Thread_local char nowhere[DROPPED_AT_ONCE]; /* in which TCP does not write */
    size_t most = count < sizeof nowhere ? (size_t)count : sizeof nowhere;
    ssize_t n = system_recv(fd, nowhere, most, flags | MSG_TRUNC);

    if (n > 0)
        write_count(&incoming->dropped, read_count(&incoming->dropped) + (uint64_t)n);
    return n;
}

static ssize_t drop_and_read(struct incoming *incoming, int fd, char *bytes, size_t size,
                             int flags)
{
    uint64_t unwanted = read_count(&incoming->unwanted);
    uint64_t dropped = read_count(&incoming->dropped);

    if (dropped < size && dropped < unwanted) {
        ssize_t n = drop(incoming, fd, unwanted - dropped, flags);
        if (n == 0 || (n < 0 && (dropped == 0 || errno != EAGAIN)))
            return n;
        dropped = read_count(&incoming->dropped);
    }
    size_t told = dropped < size ? (size_t)dropped : size;
    write_count(&incoming->dropped, dropped - told);
    write_count(&incoming->unwanted, unwanted - told);
    if (unwanted > told || told == size)
        return (ssize_t)told;
    ssize_t read = system_recv(fd, bytes + told, size - told, flags);
    return (ssize_t)told + (read > 0 ? read : 0);
}

static ssize_t read_on(struct incoming *incoming, int fd, void *bytes, size_t size,
                       int flags)
{
    atomic_store_explicit(&incoming->reading, true, memory_order_release);
    ssize_t count = read_count(&incoming->unwanted) > 0
                        ? drop_and_read(incoming, fd, bytes, size, flags)
                        : system_recv(fd, bytes, size, flags);
    if (count > 0) {
        write_count(&incoming->read, read_count(&incoming->read) + (uint64_t)count);
        incoming->end = (const char *)bytes + count;
        if (incoming->chunks.state != CHUNK_NONE)
            chunk_lines_follow(&incoming->chunks, bytes, (size_t)count);
    }
    atomic_store_explicit(&incoming->reading, false, memory_order_release);
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
