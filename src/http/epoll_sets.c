/* What cannot be taken out of a set counts as out all the same: what is added gets a ticket
 * for its data, which is void from the moment that it is to be out, and events with void
 * tickets are passed over.  One that is added again while it is still in is armed anew.
 *
 * A descriptor is in one set at a time, and tickets are found by descriptors.  Who waits
 * for a set need not be who takes out of it.  A ticket is 32 bits of how often there was
 * one, and the descriptor. */
#include "http/epoll_sets.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "http/per_descriptor.h"
#include "http/replaced.h"

struct ticket {
    _Atomic uint32_t number;
    void *_Atomic data; /* what it stands for */
};

static int (*system_ctl)(int, int, int, struct epoll_event *);
static int (*system_wait)(int, struct epoll_event *, int, int);
static struct per_descriptor tickets = {.size = sizeof(struct ticket)};

static void find_system(void)
{
    replaced_find("epoll_ctl", &system_ctl);
    replaced_find("epoll_wait", &system_wait);
}

void epoll_sets_take_over(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_system);
}

static int put_in(int set, int what, int fd, const struct epoll_event *event)
{
    struct ticket *ticket = per_descriptor_make(&tickets, fd);
    struct epoll_event ours = *event;

    if (!ticket) {
        errno = ENOMEM;
        return -1;
    }
    uint32_t number = atomic_fetch_add(&ticket->number, 1) + 1;
    atomic_store(&ticket->data, event->data.ptr);
    ours.data.u64 = (uint64_t)number << 32 | (unsigned)fd;
    int done = system_ctl(set, what, fd, &ours);
    return done != 0 && errno == EEXIST ? system_ctl(set, EPOLL_CTL_MOD, fd, &ours)
                                        : done;
}

static int take_out(int set, int fd)
{
    struct ticket *ticket = per_descriptor_look(&tickets, fd);

    if (ticket)
        atomic_fetch_add(&ticket->number, 1);
    int done = system_ctl(set, EPOLL_CTL_DEL, fd, NULL);
    return ticket ? 0 : done;
}

__attribute__((visibility("default"))) int epoll_ctl(int set, int what, int fd,
                                                     struct epoll_event *event)
{
    epoll_sets_take_over();
    if (fd < 0)
        return system_ctl(set, what, fd, event);
    return what == EPOLL_CTL_DEL ? take_out(set, fd) : put_in(set, what, fd, event);
}

/* Is the ticket of this event void?  Else the event has what was added for its data. */
static bool is_void(struct epoll_event *event)
{
    struct ticket *ticket =
        per_descriptor_look(&tickets, (int)(event->data.u64 & INT_MAX));
    uint64_t number = event->data.u64 >> 32;

    if (!ticket || atomic_load(&ticket->number) != number)
        return true;
    event->data.ptr = atomic_load(&ticket->data);
    /* another thread may have taken it out in between, and a third have put in another */
    return atomic_load(&ticket->number) != number;
}

__attribute__((visibility("default"))) int epoll_wait(int set, struct epoll_event *events,
                                                      int most, int wait_ms)
{
    int valid = 0;

    epoll_sets_take_over();
    int count = system_wait(set, events, most > 1 ? most - 1 : most, wait_ms);
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++)
        if (!is_void(&events[i]))
            events[valid++] = events[i];
    return valid;
}
