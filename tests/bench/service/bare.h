/* The yardstick: the least that a service on the same library can do.
 *
 * The arrangement of threads is lossd's: one accepts, the others move bytes, each with
 * an epoll of its own.  The body is taken and dropped, and the answer is always the
 * same.  What lossd needs more than this is its own. */
#ifndef LOSSD_BENCH_BARE_H
#define LOSSD_BENCH_BARE_H

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BARE_THREADS = 64,
    BARE_CONNECTION_MEMORY = 32 << 10 /* the library's own choice */
};

static char bare_answer[] = "{\"loss\":0.3185397696491856,"
                            "\"loss_sum\":0.637079539298371,"
                            "\"divisor\":2,\"count\":2}";

_Static_assert(sizeof bare_answer - 1 == 78, "the answer has 78 bytes");

static inline enum MHD_Result bare_request(void *ctx, struct MHD_Connection *connection,
                                           const char *url, const char *method,
                                           const char *version, const char *upload,
                                           size_t *upload_size, void **request)
{
    static int begun;

    (void)url, (void)method, (void)version, (void)upload;
    if (!*request) {
        *request = &begun;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, ctx);
}

static inline int bare_listen(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 128) < 0)
        return -1;
    return fd;
}

/* Gives each connection to the next daemon, for ever. */
static inline int bare_accept(int listener, struct MHD_Daemon **daemons, size_t count)
{
    struct sockaddr_in from;
    int on = 1;

    for (size_t next = 0;; next++) {
        socklen_t size = sizeof from;
        int fd = accept4(listener, (struct sockaddr *)&from, &size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (MHD_add_connection(daemons[next % count], fd, (const struct sockaddr *)&from,
                               size) != MHD_YES)
            return 1;
    }
}

/* Serves until it is killed. */
static inline int bare_serve(unsigned port)
{
    struct MHD_Daemon *daemons[BARE_THREADS];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = cores > BARE_THREADS ? BARE_THREADS : (size_t)cores;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof bare_answer - 1, bare_answer, MHD_RESPMEM_PERSISTENT);
    int listener = bare_listen(port);

    if (!response || listener < 0 ||
        MHD_add_response_header(response, "Content-Type", "application/json") != MHD_YES)
        return 1;
    for (size_t i = 0; i < count; i++) {
        daemons[i] = MHD_start_daemon(
            MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET |
                MHD_ALLOW_SUSPEND_RESUME,
            0, NULL, NULL, bare_request, response, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            (size_t)BARE_CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 75u,
            MHD_OPTION_END);
        if (!daemons[i])
            return 1;
    }
    return bare_accept(listener, daemons, count);
}

#endif
