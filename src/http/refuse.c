/* A kept socket is closed when the client has closed its side, when it has sent
 * nothing for a second, or after five seconds, whichever is first.  What it sends
 * is dropped within the kernel (MSG_TRUNC), and a little at a time: while that takes the
 * lock, a network thread may wait for it that refuses somebody else. */
#include "http/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lossd/base/buf.h"
#include "lossd/base/clock.h"

enum {
    TICK_MS = 100,
    HEAD_SIZE = 2048,
    PIECE_SIZE = 65536,
    PIECES_AT_ONCE = 4, /* then the other sockets have their turn */
    EVENTS = 64
};

static const int64_t IDLE_NS = INT64_C(1000000000);
static const int64_t LONGEST_NS = INT64_C(5000000000);

struct kept {
    int fd; /* -1: free */
    int64_t began_ns, heard_ns;
};

struct refuser {
    pthread_t thread;
    int epoll, wake;
    pthread_mutex_t lock; /* of the places; whoever holds it may close a socket */
    _Atomic size_t count;
    atomic_bool ending;
    size_t places;
    struct kept kept[];
};

static void close_watched(int epoll, int fd)
{
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
}

/* Under the lock. */
static void let_go(struct refuser *refuser, struct kept *kept)
{
    close_watched(refuser->epoll, kept->fd);
    kept->fd = -1;
    atomic_fetch_sub(&refuser->count, 1);
}

/* True while the client may still send.  Under the lock. */
static bool throw_away(struct kept *kept, int64_t now)
{
    static char piece[PIECE_SIZE]; /* of this thread only */

    for (int i = 0; i < PIECES_AT_ONCE; i++) {
        ssize_t n = recv(kept->fd, piece, sizeof piece, MSG_DONTWAIT | MSG_TRUNC);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n < 0)
            return true;
        kept->heard_ns = now;
    }
    return true;
}

/* One has something to say; NULL: another has come. */
static void hear(struct refuser *refuser, struct kept *kept, int64_t now)
{
    eventfd_t drained;

    if (!kept) {
        eventfd_read(refuser->wake, &drained);
        return;
    }
    pthread_mutex_lock(&refuser->lock);
    if (kept->fd >= 0 && !throw_away(kept, now))
        let_go(refuser, kept);
    pthread_mutex_unlock(&refuser->lock);
}

static void let_old_go(struct refuser *refuser, int64_t now)
{
    pthread_mutex_lock(&refuser->lock);
    for (size_t i = 0; i < refuser->places; i++) {
        struct kept *kept = &refuser->kept[i];
        if (kept->fd >= 0 &&
            (now - kept->heard_ns > IDLE_NS || now - kept->began_ns > LONGEST_NS))
            let_go(refuser, kept);
    }
    pthread_mutex_unlock(&refuser->lock);
}

static void *refuser_main(void *arg)
{
    struct refuser *refuser = arg;
    struct epoll_event events[EVENTS];
    int64_t looked_ns = 0;

    while (!atomic_load(&refuser->ending)) {
        int wait_ms = atomic_load(&refuser->count) > 0 ? TICK_MS : -1;
        int n = epoll_wait(refuser->epoll, events, EVENTS, wait_ms);
        int64_t now = clock_ns();
        for (int i = 0; i < n; i++)
            hear(refuser, events[i].data.ptr, now);
        if (now - looked_ns >= TICK_MS * INT64_C(1000000)) {
            let_old_go(refuser, now);
            looked_ns = now;
        }
    }
    return NULL;
}

static bool open_descriptors(struct refuser *refuser)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    refuser->epoll = epoll_create1(EPOLL_CLOEXEC);
    refuser->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return refuser->epoll >= 0 && refuser->wake >= 0 &&
           epoll_ctl(refuser->epoll, EPOLL_CTL_ADD, refuser->wake, &event) == 0;
}

static void close_descriptors(struct refuser *refuser)
{
    if (refuser->epoll >= 0)
        close(refuser->epoll);
    if (refuser->wake >= 0)
        close(refuser->wake);
}

struct refuser *refuser_new(size_t most)
{
    struct refuser *refuser = calloc(1, sizeof *refuser + most * sizeof *refuser->kept);

    if (!refuser)
        return NULL;
    refuser->places = most;
    for (size_t i = 0; i < most; i++)
        refuser->kept[i].fd = -1;
    pthread_mutex_init(&refuser->lock, NULL);
    int trouble = open_descriptors(refuser)
                      ? pthread_create(&refuser->thread, NULL, refuser_main, refuser)
                      : errno;
    if (trouble != 0) {
        close_descriptors(refuser);
        pthread_mutex_destroy(&refuser->lock);
        free(refuser);
        errno = trouble;
        return NULL;
    }
    pthread_setname_np(refuser->thread, "lossd-refuse");
    return refuser;
}

void refuser_free(struct refuser *refuser)
{
    if (!refuser)
        return;
    atomic_store(&refuser->ending, true);
    eventfd_write(refuser->wake, 1);
    pthread_join(refuser->thread, NULL);
    for (size_t i = 0; i < refuser->places; i++)
        if (refuser->kept[i].fd >= 0)
            close_watched(refuser->epoll, refuser->kept[i].fd);
    close_descriptors(refuser);
    pthread_mutex_destroy(&refuser->lock);
    free(refuser);
}

size_t refuser_count(const struct refuser *refuser)
{
    return atomic_load(&refuser->count);
}

/* A free place, if need be the one of the oldest.  Under the lock. */
static struct kept *find_place(struct refuser *refuser)
{
    struct kept *oldest = &refuser->kept[0];

    for (size_t i = 0; i < refuser->places; i++) {
        struct kept *kept = &refuser->kept[i];
        if (kept->fd < 0)
            return kept;
        if (kept->began_ns < oldest->began_ns)
            oldest = kept;
    }
    let_go(refuser, oldest);
    return oldest;
}

static bool watch_descriptor(int epoll, struct kept *kept)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = kept};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, kept->fd, &event) == 0;
}

void refuser_adopt(struct refuser *refuser, int fd)
{
    int64_t now = clock_ns();

    pthread_mutex_lock(&refuser->lock);
    struct kept *kept = find_place(refuser);
    *kept = (struct kept){fd, now, now};
    bool first = atomic_fetch_add(&refuser->count, 1) == 0;
    if (!watch_descriptor(refuser->epoll, kept))
        let_go(refuser, kept);
    pthread_mutex_unlock(&refuser->lock);
    if (first) /* the thread sleeps without an end */
        eventfd_write(refuser->wake, 1);
}

void refuser_keep(struct refuser *refuser, int fd)
{
    int twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (twin >= 0) /* else the client may lose its answer, but nothing more */
        refuser_adopt(refuser, twin);
}

static void begin_head(struct buf *head, const struct response *response, size_t length)
{
    char now[CLOCK_TEXT_SIZE];

    clock_date(now);
    buf_format(head,
               "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Length: %zu\r\n"
               "Connection: close\r\n",
               response->status, MHD_get_reason_phrase_for(response->status), now,
               length);
}

static bool write_head(struct buf *head, const struct response *response)
{
    begin_head(head, response, response->body.len);
    for (size_t i = 0; i < response->headers; i++)
        buf_format(head, "%s: %s\r\n", response->header[i].name,
                   response->header[i].value);
    buf_text(head, "\r\n");
    return buf_ok(head);
}

void refuse_by_hand(int fd, bool to_head, const struct response *response)
{
    char text[HEAD_SIZE];
    struct iovec parts[2] = {{text, 0}, {NULL, 0}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct buf head;

    buf_over(&head, text, sizeof text);
    if (!write_head(&head, response)) { /* the status is what matters most */
        buf_over(&head, text, sizeof text);
        begin_head(&head, response, 0);
        buf_text(&head, "\r\n");
    } else if (!to_head) {
        parts[1] =
            (struct iovec){(void *)(uintptr_t)response->body.at, response->body.len};
    }
    parts[0].iov_len = head.len;
    sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
}
