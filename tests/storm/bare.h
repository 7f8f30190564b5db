/* A thread that answers every connection at once, without a look at what was asked: what
 * a probe of it takes is the machine's doing. */
#ifndef LOSSD_STORM_BARE_H
#define LOSSD_STORM_BARE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct bare {
    pthread_t thread;
    int listener;
    unsigned port;
};

static inline void *bare_run(void *arg)
{
    static const char reply[] =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    const struct bare *bare = arg;
    char request[1000];
    int fd;

    while ((fd = accept(bare->listener, NULL, NULL)) >= 0) {
        if (recv(fd, request, sizeof request, 0) > 0)
            send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

static inline void bare_start(struct bare *bare)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    bare->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(bare->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(bare->listener, 128) != 0 ||
        getsockname(bare->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&bare->thread, NULL, bare_run, bare) != 0)
        abort();
    bare->port = ntohs(address.sin_port);
}

static inline void bare_stop(struct bare *bare)
{
    shutdown(bare->listener, SHUT_RDWR);
    pthread_join(bare->thread, NULL);
    close(bare->listener);
}

#endif
