/* Loaded into a program before its libraries (LD_PRELOAD): lets the calls fail that
 * the plan names, and passes on all others.  See fault_plan.h.
 *
 * Memory may be asked for before the constructor has run, and while dlsym() looks
 * for what comes next; so the allocator's own functions are found when they are
 * first called, and there is no plan until then. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fault_plan.h"

static struct fault_plan *_Atomic plan;

/* Its turn has come.  True with errno set. */
static bool fails(enum fault_function function)
{
    struct fault_plan *now = atomic_load(&plan);

    if (!now || atomic_load(&now->function) != function)
        return false;
    long left = atomic_fetch_sub(&now->left, 1);
    if (left > 0 || (left < 0 && !atomic_load(&now->for_good)))
        return false;
    atomic_fetch_add(&now->failed, 1);
    errno = atomic_load(&now->error);
    return true;
}

/* A pointer to a function is no pointer to an object in C; POSIX makes them equal. */
static void find_next(void *place, const char *name)
{
    void *next = dlsym(RTLD_NEXT, name);

    memcpy(place, &next, sizeof next);
}

#define NEXT(name)                         \
    __extension__({                        \
        static __typeof__(&name) next_one; \
        if (!next_one)                     \
            find_next(&next_one, #name);   \
        next_one;                          \
    })

__attribute__((constructor)) static void find_plan(void)
{
    const char *path = getenv(FAULT_PLAN);
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *at = NEXT(mmap)(NULL, sizeof(struct fault_plan), PROT_READ | PROT_WRITE,
                          MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        atomic_store(&plan, at);
}

void *malloc(size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : NEXT(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(FAULT_CALLOC) ? NULL : NEXT(calloc)(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(FAULT_REALLOC) ? NULL : NEXT(realloc)(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(FAULT_ALIGNED_ALLOC) ? NULL : NEXT(aligned_alloc)(alignment, size);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*start)(void *), void *arg)
{
    return fails(FAULT_PTHREAD_CREATE)
               ? errno
               : NEXT(pthread_create)(thread, attributes, start, arg);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fails(FAULT_MMAP) ? MAP_FAILED
                             : NEXT(mmap)(at, size, protection, flags, fd, offset);
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
    return fails(FAULT_ACCEPT4) ? -1 : NEXT(accept4)(fd, address, size, flags);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
    return fails(FAULT_SEND) ? -1 : NEXT(send)(fd, bytes, count, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return fails(FAULT_SEND) ? -1 : NEXT(sendmsg)(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return fails(FAULT_SEND) ? -1 : NEXT(writev)(fd, parts, count);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t count)
{
    return fails(FAULT_SEND) ? -1 : NEXT(sendfile64)(to, from, offset, count);
}

ssize_t recv(int fd, void *bytes, size_t count, int flags)
{
    return fails(FAULT_RECV) ? -1 : NEXT(recv)(fd, bytes, count, flags);
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    return fails(FAULT_EPOLL_CTL) ? -1 : NEXT(epoll_ctl)(epoll, what, fd, event);
}

int eventfd(unsigned count, int flags)
{
    return fails(FAULT_EVENTFD) ? -1 : NEXT(eventfd)(count, flags);
}
