/* A load: some connections, kept alive, each with one request on its way at any time.
 *
 * One thread and one epoll serve them all, so the client takes as little as it can of
 * the cores it shares with the server.  All sockets are edge-triggered: nothing is
 * registered again for each request. */
#ifndef LOSSD_BENCH_LOAD_H
#define LOSSD_BENCH_LOAD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lossd/base/clock.h"
#include "lossd/base/span.h"
#include "reply_reader.h"

enum {
    LOAD_CONNECTIONS = 64,
    LOAD_PATIENCE_MS = 30000,
    LOAD_PIECE = 1 << 16, /* in one system call, which may not be interrupted */
    LATENCIES = 1 << 20
};

struct link {
    int fd;
    bool busy;
    size_t sent;
    int64_t began_ns;
    struct reply_reader reader;
};

struct load {
    struct span request; /* all of it: head and body */
    struct link link[LOAD_CONNECTIONS];
    size_t links, busy;
    int epoll;
    int64_t end_ns; /* no request begins after it */

    /* added up over the runs */
    size_t done, refused; /* answers; those that were not 200 */
    size_t received;      /* bytes */
    double *latency_us;   /* of the first LATENCIES answers */
};

static inline void load_fail(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

static inline int dial(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline void load_init(struct load *load, unsigned port, struct span request,
                             size_t links)
{
    *load = (struct load){.request = request, .links = links};
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->latency_us = malloc(LATENCIES * sizeof *load->latency_us);
    if (load->epoll < 0 || !load->latency_us)
        load_fail("client");
    for (size_t i = 0; i < links; i++) {
        struct link *link = &load->link[i];
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                                    .data.ptr = link};
        link->fd = dial(port);
        if (link->fd < 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, link->fd, &event) < 0)
            load_fail("connect");
    }
}

static inline void load_release(struct load *load)
{
    for (size_t i = 0; i < load->links; i++)
        close(load->link[i].fd);
    close(load->epoll);
    free(load->latency_us);
}

static inline void link_send(struct load *load, struct link *link)
{
    while (link->sent < load->request.len) {
        size_t left = load->request.len - link->sent;
        ssize_t n =
            send(link->fd, load->request.at + link->sent,
                 left < LOAD_PIECE ? left : LOAD_PIECE, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            load_fail("send");
        if (n < 0)
            return;
        link->sent += (size_t)n;
    }
}

static inline void link_begin(struct load *load, struct link *link)
{
    link->reader = (struct reply_reader){.state = REPLY_STATUS};
    link->sent = 0;
    link->busy = true;
    link->began_ns = clock_ns();
    load->busy++;
    link_send(load, link);
}

/* An answer is complete: count it, and ask again if there is time. */
static inline void link_done(struct load *load, struct link *link)
{
    int64_t now = clock_ns();

    if (load->done < LATENCIES)
        load->latency_us[load->done] = (double)(now - link->began_ns) / 1e3;
    load->done++;
    load->refused += link->reader.status != 200;
    load->received += link->reader.bytes;
    load->busy--;
    link->busy = false;
    if (now < load->end_ns)
        link_begin(load, link);
}

static inline void link_receive(struct load *load, struct link *link)
{
    static char piece[LOAD_PIECE];

    while (link->busy) {
        ssize_t n = recv(link->fd, piece, sizeof piece, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            load_fail(n == 0 ? "the server hung up" : "recv");
        if (reply_read(&link->reader, piece, (size_t)n))
            link_done(load, link);
    }
}

/* Loads the server for so long; returns the nanoseconds until the last answer. */
static inline double load_run(struct load *load, double seconds)
{
    struct epoll_event events[LOAD_CONNECTIONS];
    int64_t start = clock_ns();

    load->end_ns = start + (int64_t)(seconds * 1e9);
    for (size_t i = 0; i < load->links; i++)
        link_begin(load, &load->link[i]);
    while (load->busy > 0) {
        int n = epoll_wait(load->epoll, events, LOAD_CONNECTIONS, LOAD_PATIENCE_MS);
        if (n == 0)
            errno = ETIMEDOUT;
        if (n <= 0 && errno != EINTR)
            load_fail("no answer");
        for (int i = 0; i < n; i++) {
            struct link *link = events[i].data.ptr;
            if (link->busy)
                link_send(load, link);
            link_receive(load, link);
        }
    }
    return (double)(clock_ns() - start);
}

#endif
