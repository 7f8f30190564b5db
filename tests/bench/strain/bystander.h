/* What the machine alone does to a latency: a server that does next to nothing, and
 * processes that do nothing but take its cores. */
#ifndef LOSSD_BENCH_BYSTANDER_H
#define LOSSD_BENCH_BYSTANDER_H

#include <sched.h>
#include <sys/resource.h>

#include "../service/process.h"

/* Answers whatever comes in, on one thread, until it is killed. */
static inline int echo_serve(unsigned port)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    char request[1 << 16];

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)&at, sizeof at) < 0 ||
        listen(listener, 128) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
        return 1;
    while (epoll_wait(epoll, &event, 1, -1) == 1) {
        int fd = event.data.fd;
        if (fd == listener) {
            event.data.fd = fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            event.events = EPOLLIN;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        } else if (recv(fd, request, sizeof request, 0) <= 0 ||
                   send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) {
            close(fd);
        }
    }
    return 1;
}

/* A child that runs `work` until it is ended, or this process is. */
static inline struct process child_start(void (*work)(void *ctx), void *ctx)
{
    struct process process = {.pid = fork()};

    if (process.pid < 0)
        load_fail("fork");
    if (process.pid > 0)
        return process;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        _exit(126);
    for (;;)
        work(ctx);
}

static inline void burn(void *ctx)
{
    static volatile unsigned long turns;

    (void)ctx;
    turns++;
}

/* This process before all others, as if it had a core of its own; not its children.
 * False: not allowed. */
static inline bool go_first(void)
{
    struct sched_param first = {.sched_priority = 1};

    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) == 0;
}

/* This process behind all others. */
static inline void go_last(void)
{
    struct sched_param none = {0};

    sched_setscheduler(0, SCHED_IDLE, &none);
}

/* The cores that this process may use: the last one, and the others. */
struct cores {
    size_t count;
    cpu_set_t last, others;
};

static inline struct cores cores_here(void)
{
    struct cores cores = {.count = 0};
    cpu_set_t all;

    CPU_ZERO(&all);
    if (sched_getaffinity(0, sizeof all, &all) == 0)
        cores.count = (size_t)CPU_COUNT(&all);
    for (size_t cpu = 0, seen = 0; seen < cores.count; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, ++seen < cores.count ? &cores.others : &cores.last);
    return cores;
}

/* This process, and what it starts from now on. */
static inline void stay_on(const cpu_set_t *cores)
{
    sched_setaffinity(0, sizeof *cores, cores);
}

/* User and system time of this process, in seconds. */
static inline double own_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

#endif
