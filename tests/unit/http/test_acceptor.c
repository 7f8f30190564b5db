/* http/acceptor.c, where connections never cease to come. */
#include "http/acceptor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "../../fuzz/daemon.h"

#include <cmocka.h>

enum { PATIENCE_S = 30, STEP_NS = 1000000 };

static struct {
    struct daemon service;
    char addresses[2][64];
    char both[130];
    _Atomic int flooded; /* the listener at which there is always another; -1: none */
    _Atomic long taken;  /* of those */
} stage = {.flooded = -1};

static bool is_flooded(int fd)
{
    return fd == atomic_load(&stage.flooded);
}

/* Whoever has come has also left already. */
int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
    int pair[2];

    if (!is_flooded(fd))
        return (int)syscall(SYS_accept4, fd, address.__sockaddr__, size, flags);
    if (socketpair(AF_UNIX, SOCK_STREAM | flags, 0, pair) != 0)
        return -1;
    close(pair[1]);
    *address.__sockaddr__ = (struct sockaddr){.sa_family = AF_UNIX};
    *size = sizeof(sa_family_t);
    atomic_fetch_add(&stage.taken, 1);
    return pair[0];
}

static int start(void **state)
{
    (void)state;
    daemon_start(&stage.service);
    for (int i = 0; i < 2; i++)
        snprintf(stage.addresses[i], sizeof stage.addresses[i],
                 "unix:@lossd-accept-%d-%d", (int)getpid(), i);
    snprintf(stage.both, sizeof stage.both, "%s,%s", stage.addresses[0],
             stage.addresses[1]);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    atomic_store(&stage.flooded, -1);
    daemon_stop(&stage.service);
    return 0;
}

/* A client of the address; its connection is refused, for there are too many. */
static int client_of(const char *address)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(address) - strlen("unix:");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};

    memcpy(to.sun_path, address + strlen("unix:"), len);
    to.sun_path[0] = '\0';
    assert_int_equal(connect(fd, (struct sockaddr *)&to,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* Has none of the connections, which is enough to refuse them. */
static struct acceptor *an_acceptor(void)
{
    struct server *server = stage.service.server;
    struct entrance entrance = {.addresses = stage.both, .net = server->net, .nets = 1};
    struct err err = {.kind = ERR_NONE};
    struct acceptor *acceptor = acceptor_new(server, &entrance, &err);

    assert_string_equal(err.detail, "");
    assert_non_null(acceptor);
    return acceptor;
}

/* Any connection makes the thread look at its listeners. */
static void flood(const struct acceptor *acceptor)
{
    const struct timespec step = {0, STEP_NS};
    long before = atomic_load(&stage.taken);

    atomic_store(&stage.flooded, acceptor_listeners(acceptor)->at[0].fd);
    close(client_of(stage.addresses[0]));
    while (atomic_load(&stage.taken) == before)
        nanosleep(&step, NULL);
}

static void acceptor__under_a_flood_hears_its_other_listeners(void **state)
{
    struct acceptor *acceptor = an_acceptor();
    char text[32];

    (void)state;
    flood(acceptor);
    int fd = client_of(stage.addresses[1]);
    assert_int_equal(recv(fd, text, 12, MSG_WAITALL), 12);
    assert_memory_equal(text, "HTTP/1.1 503", 12);
    close(fd);
    atomic_store(&stage.flooded, -1);
    acceptor_free(acceptor);
}

static void acceptor__under_a_flood_can_be_stopped(void **state)
{
    struct acceptor *acceptor = an_acceptor();

    (void)state;
    flood(acceptor);
    alarm(PATIENCE_S);
    acceptor_stop(acceptor);
    alarm(0);
    acceptor_free(acceptor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acceptor__under_a_flood_hears_its_other_listeners),
        cmocka_unit_test(acceptor__under_a_flood_can_be_stopped),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
