/* Where the service listens: several addresses, files, what it inherits; and whom it
 * tells that it is ready. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { PATH_SIZE = 100, PATIENCE_MS = 30000 };

/* A folder of this test's own; paths in it. */
static char folder[] = "/tmp/lossd-listen-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails unless all sockets have been removed */
}

static void path_of(const char *name, char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%s/%s", folder, name);
}

/* "@name" has no file. */
static socklen_t unix_address(const char *path, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, strlen(path));
    if (*path == '@')
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

static int connected(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (connect(fd, address, size) == 0)
        return fd;
    close(fd);
    return -1;
}

static struct wire wire_to_path(const char *path)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(path, &address);
    struct wire wire = {.fd = connected((struct sockaddr *)&address, size)};

    assert_true(wire.fd >= 0);
    return wire;
}

/* Asks and closes. */
static void assert_answers(struct wire wire, const char *target, unsigned status)
{
    struct answer answer;
    char head[200];

    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    assert_true(wire_text(&wire, head));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, status);
    answer_release(&answer);
    wire_close(&wire);
}

static void assert_scores(struct wire wire)
{
    struct answer answer;

    assert_true(wire_post(&wire, "/v1/loss", EXAMPLE, true));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
    wire_close(&wire);
}

static struct wire wire_to_port(unsigned port)
{
    struct wire wire;

    assert_true(wire_open(&wire, port));
    return wire;
}

/* False where the kernel has no IPv6. */
static bool has_v6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

static void listen__takes_ipv6(void **state)
{
    static const char *const flags[] = {"--listen", "127.0.0.1:0,[::1]:0", NULL};
    struct service service;

    (void)state;
    if (!has_v6()) {
        print_message("skipped: there is no IPv6 here\n");
        skip();
    }
    assert_true(service_start(&service, flags));
    char *log = service_log(&service), *v6 = strstr(log, "http://[::1]:");
    assert_non_null(v6);
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6,
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
        .sin6_port = htons((uint16_t)strtoul(v6 + strlen("http://[::1]:"), NULL, 10))};
    struct wire wire = {.fd = connected((struct sockaddr *)&address, sizeof address)};
    assert_true(wire.fd >= 0);
    assert_scores(wire);
    free(log);
    assert_int_equal(service_stop(&service), 0);
}

/* As in an address, and as resolvers have it. */
static void host__takes_ipv6_with_brackets_and_without(void **state)
{
    static const char *const flags[][3] = {{"--host", "::1"}, {"--host", "[::1]"}};
    struct service service;

    (void)state;
    if (!has_v6()) {
        print_message("skipped: there is no IPv6 here\n");
        skip();
    }
    for (size_t i = 0; i < 2; i++) {
        assert_true(service_start(&service, flags[i]));
        assert_true(service_logs(&service, "listening on http://[::1]:"));
        assert_int_equal(service_stop(&service), 0);
    }
}

/* False on a machine without names, not even for itself. */
static bool has_localhost(void)
{
    struct addrinfo *addresses = NULL;
    bool has = getaddrinfo("localhost", NULL, NULL, &addresses) == 0;

    if (has)
        freeaddrinfo(addresses);
    return has;
}

/* Which of its addresses that is, a client has to know. */
static void listen__says_where_a_host_is(void **state)
{
    static const char *const flags[] = {"--listen", "localhost:0", NULL};
    struct service service;

    (void)state;
    if (!has_localhost()) {
        print_message("skipped: localhost has no address here\n");
        skip();
    }
    assert_true(service_start(&service, flags));
    char *log = service_log(&service);
    assert_true(strstr(log, "listening on http://127.0.0.1:") ||
                strstr(log, "listening on http://[::1]:"));
    free(log);
    assert_int_equal(service_stop(&service), 0);
}

/* What is wrong with it is said before anything else, exit status 2. */
static void listen__refuses_what_is_no_address(void **state)
{
    static const char *const lists[] = {"foo", ",", "8080,foo:", "unix:relative"};
    static struct ending ending;

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (int checks = 0; checks < 2; checks++) {
            struct program program = {.path = "/usr/bin/timeout",
                                      .words = {"30", service_program(), "--listen",
                                                lists[i],
                                                checks ? "--check-config" : NULL}};
            assert_true(program_run(&program, &ending));
            assert_int_equal(ending.status, 2);
            assert_non_null(strstr(ending.err, "the address to listen on is \""));
            assert_string_equal(ending.out, "");
        }
}

/* Of whichever setting it is. */
static void listen__refuses_a_host_that_is_none(void **state)
{
    static const char *const hosts[] = {"\"127.0.0.1\"", "127.0.0.1:80", "::1::"};
    static struct ending ending;
    char said[100];

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct program program = {
            .path = "/usr/bin/timeout",
            .words = {"30", service_program(), "--host", hosts[i], "--check-config"}};
        assert_true(program_run(&program, &ending));
        assert_int_equal(ending.status, 2);
        snprintf(said, sizeof said,
                 "lossd: --host is \"%s\"; a name or an address is wanted, and its port "
                 "by --port\n",
                 hosts[i]);
        assert_string_equal(ending.err, said);
    }
}

/* The start and the check say the same. */
static void listen__refuses_two_that_are_one(void **state)
{
    static const char *const lists[][2] = {{"8080,127.0.0.1:8080", ""},
                                           {"127.0.0.1:0,8080", "127.0.0.1:8080"}};
    static struct ending ending;

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (int checks = 0; checks < 2; checks++) {
            struct program program = {.path = "/usr/bin/timeout",
                                      .words = {"30", service_program(), "--listen",
                                                lists[i][0], "--admin-listen",
                                                lists[i][1],
                                                checks ? "--check-config" : NULL}};
            assert_true(program_run(&program, &ending));
            assert_string_equal(ending.err,
                                "lossd: cannot listen on 127.0.0.1:8080: 8080, which is "
                                "asked for too, takes that address\n");
            assert_string_equal(ending.out, "");
            assert_int_equal(ending.status, 2);
        }
}

static void check_config__finds_sound_what_can_be_served(void **state)
{
    static struct ending ending;
    struct program program = {.path = "/usr/bin/timeout",
                              .words = {"30", service_program(), "--listen",
                                        "127.0.0.1:8080,unix:/nowhere/a.sock",
                                        "--check-config"}};

    (void)state;
    assert_true(program_run(&program, &ending));
    assert_int_equal(ending.status, 0);
    assert_string_equal(ending.out, "the settings are sound\n");
}

static void listen__takes_addresses_of_all_kinds_at_once(void **state)
{
    char path[PATH_SIZE], flag[PATH_SIZE + 16], named[64], name_flag[80];
    struct service service;
    struct stat file;

    (void)state;
    path_of("all.sock", path);
    snprintf(flag, sizeof flag, "--listen=unix:%s", path);
    snprintf(named, sizeof named, "@lossd-test-%d", (int)getpid());
    snprintf(name_flag, sizeof name_flag, "unix:%s", named);
    const char *const flags[] = {"--listen", "127.0.0.1:0", flag,
                                 "--listen", name_flag,     NULL};
    assert_true(service_start(&service, flags));
    assert_scores(wire_to_port(service.port));
    assert_scores(wire_to_path(path));
    assert_scores(wire_to_path(named));
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0660);
    assert_int_equal(service_stop(&service), 0);
    assert_int_equal(stat(path, &file), -1);
}

/* One that a killed server left is replaced; one where somebody answers is not, nor is
 * a file that is no socket. */
static void listen__replaces_only_a_socket_that_nobody_answers(void **state)
{
    char path[PATH_SIZE], list[PATH_SIZE + 32];
    struct sockaddr_un address;
    struct service service, second;

    (void)state;
    path_of("left.sock", path);
    snprintf(list, sizeof list, "127.0.0.1:0,unix:%s", path);
    const char *const flags[] = {"--listen", list, NULL};
    socklen_t size = unix_address(path, &address);
    int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(left, (struct sockaddr *)&address, size), 0);
    close(left);
    assert_true(service_start(&service, flags));
    assert_scores(wire_to_path(path));
    assert_false(service_start(&second, flags));
    assert_scores(wire_to_path(path));
    assert_int_equal(service_stop(&service), 0);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_false(service_start(&second, flags));
    assert_int_equal(unlink(path), 0);
}

/* Of two that follow each other the first does not take away what is the second's. */
static void listen__removes_no_socket_of_another_server(void **state)
{
    char path[PATH_SIZE], list[PATH_SIZE + 32];
    struct service first, second;
    struct stat file;

    (void)state;
    path_of("handed.sock", path);
    snprintf(list, sizeof list, "127.0.0.1:0,unix:%s", path);
    const char *const flags[] = {"--listen", list, NULL};
    assert_true(service_start(&first, flags));
    assert_int_equal(unlink(path), 0);
    assert_true(service_start(&second, flags));
    assert_int_equal(service_stop(&first), 0);
    assert_scores(wire_to_path(path));
    assert_int_equal(service_stop(&second), 0);
    assert_int_equal(stat(path, &file), -1);
}

/* Who is in the middle of a head is not idle, there either. */
static void listen__awaits_a_head_of_a_file_while_it_drains(void **state)
{
    static const struct timespec longer_than_idle = {1, 200000000};
    char path[PATH_SIZE], list[PATH_SIZE + 32];
    struct service service;
    struct answer answer;

    (void)state;
    path_of("head.sock", path);
    snprintf(list, sizeof list, "127.0.0.1:0,unix:%s", path);
    const char *const flags[] = {"--listen", list, NULL};
    assert_true(service_start(&service, flags));
    struct wire first = wire_to_path(path), later = wire_to_path(path);
    assert_true(wire_text(&first, "GET /livez HTTP/1.1\r\nHo"));
    assert_true(wire_text(&later, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&later, false, &answer));
    answer_release(&answer);
    assert_true(wire_text(&later, "GET /live"));
    kill(service.pid, SIGTERM);
    assert_true(service_logs(&service, "stopping"));
    nanosleep(&longer_than_idle, NULL);
    assert_true(wire_text(&first, "st: x\r\n\r\n"));
    assert_true(wire_text(&later, "z HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&first, false, &answer));
    answer_release(&answer);
    assert_true(wire_answer(&later, false, &answer));
    answer_release(&answer);
    wire_close(&first);
    wire_close(&later);
    assert_int_equal(service_wait(&service), 0);
}

/* Slow, half-closed and lost clients are ended there as elsewhere. */
static void listen__ends_slow_clients_of_a_file(void **state)
{
    char path[PATH_SIZE], list[PATH_SIZE + 32];
    struct service service;

    (void)state;
    path_of("slow.sock", path);
    snprintf(list, sizeof list, "127.0.0.1:0,unix:%s", path);
    const char *const flags[] = {"--listen",
                                 list,
                                 "--header-timeout",
                                 "300ms",
                                 "--body-timeout",
                                 "300ms",
                                 "--keepalive-timeout",
                                 "300ms",
                                 NULL};
    assert_true(service_start(&service, flags));
    size_t descriptors = service_descriptors(&service);
    struct wire head = wire_to_path(path), body = wire_to_path(path),
                idle = wire_to_path(path), half = wire_to_path(path);
    struct answer answer;
    assert_true(wire_text(&head, "GET /livez HTTP/1.1\r\nHo"));
    assert_true(wire_text(&body, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 100\r\n\r\n{"));
    assert_true(wire_text(&idle, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(wire_answer(&idle, false, &answer));
    answer_release(&answer);
    assert_true(wire_text(&half, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
    wire_half_close(&half);
    assert_true(wire_answer(&body, false, &answer));
    assert_int_equal(answer.status, 408);
    answer_release(&answer);
    assert_true(wire_ends(&head));
    assert_true(wire_ends(&idle));
    wire_rest(&half);
    wire_close(&body);
    assert_true(service_descriptors_fall_to(&service, descriptors));
    wire_close(&head);
    wire_close(&idle);
    wire_close(&half);
    assert_int_equal(service_stop(&service), 0);
}

static void admin__is_told_how_it_is_while_the_others_are_full(void **state)
{
    enum { CAP = 2 };
    static const char *const flags[] = {"--listen", "127.0.0.1:0",    "--max-connections",
                                        "2",        "--admin-listen", "127.0.0.1:0",
                                        NULL};
    struct service service;
    struct wire wires[CAP];

    (void)state;
    assert_true(service_start(&service, flags));
    unsigned admin = service_admin_port(&service);
    for (int i = 0; i < CAP; i++) {
        wires[i] = wire_to_port(service.port);
        assert_true(wire_text(&wires[i], "GET /livez HTTP/1.1\r\n"));
    }
    assert_answers(wire_to_port(service.port), "/livez", 503);
    assert_answers(wire_to_port(admin), "/livez", 200);
    assert_answers(wire_to_port(admin), "/readyz", 200);
    assert_answers(wire_to_port(admin), "/metrics", 200);
    assert_answers(wire_to_port(admin), "/v1/losses", 404);
    assert_answers(wire_to_port(admin), "/v1/loss", 404);
    for (int i = 0; i < CAP; i++)
        wire_close(&wires[i]);
    assert_int_equal(service_stop(&service), 0);
}

/* ---- the service manager ----------------------------------------------------------- */

/* A listening socket as descriptor 3 of the service, as LISTEN_FDS promises.  What is
 * asked for besides is not there, and that is said. */
static void listen__uses_what_it_inherits(void **state)
{
    static const char *const flags[] = {"--listen", "127.0.0.1:1", NULL};
    struct service service;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_true(service_start_with(&service, flags, fd));
    assert_true(service_logs(&service, "--listen (127.0.0.1:1) is ignored: LISTEN_FDS "
                                       "hands down what to listen on"));
    assert_int_equal(service.port, ntohs(address.sin_port));
    close(fd);
    assert_scores(wire_to_port(service.port));
    assert_int_equal(service_stop(&service), 0);
}

static void listen__refuses_to_inherit_what_does_not_listen(void **state)
{
    struct service service;
    int fd = open("/dev/null", O_RDONLY);

    (void)state;
    assert_false(service_start_with(&service, NULL, fd));
    close(fd);
}

/* All that is said until `last` is. */
static void assert_said(int fd, const char *last)
{
    char text[200] = "";

    do {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        ssize_t n = recv(fd, text, sizeof text - 1, 0);
        assert_true(n > 0);
        text[n] = '\0';
    } while (!strstr(text, last));
}

/* A socket where the next service tells of itself, which has to be alive as often. */
static int be_told(const char *watchdog_usec, char path[PATH_SIZE])
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    path_of("notify.sock", path);
    socklen_t size = unix_address(path, &address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", watchdog_usec, 1);
    return fd;
}

static void tell_no_more(int fd, const char *path)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(fd);
    assert_int_equal(unlink(path), 0);
}

/* How much is still said, until nothing is for a second, or it is very much. */
static int count_said(int fd)
{
    enum { VERY_MUCH = 50 };
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char text[200];
    int count = 0;

    for (; count < VERY_MUCH && poll(&ready, 1, 1000) == 1; count++)
        assert_true(recv(fd, text, sizeof text, 0) > 0);
    return count;
}

/* A manager that has it reload, with or without keys, does not want it to end; and other
 * signals are no reason either. */
static void notify__is_not_ended_by_a_reload(void **state)
{
    char path[PATH_SIZE];
    struct service service;
    int fd = be_told("10000000", path);

    (void)state;
    assert_true(service_start(&service, NULL));
    kill(service.pid, SIGHUP);
    assert_true(service_logs(&service, "there are no keys to be read again"));
    kill(service.pid, SIGUSR1);
    kill(service.pid, SIGXFSZ);
    kill(service.pid, SIGUSR2);
    assert_scores(wire_to_port(service.port));
    assert_int_equal(service_stop(&service), 0);
    tell_no_more(fd, path);
}

static void notify__says_ready_alive_and_stopping(void **state)
{
    static const char *const slowly[] = {"--drain-delay", "1m", NULL};
    char path[PATH_SIZE];
    struct service service;
    int fd = be_told("40000", path);

    (void)state;
    assert_true(service_start(&service, slowly));
    assert_said(fd, "READY=1");
    assert_said(fd, "WATCHDOG=1");
    assert_said(fd, "WATCHDOG=1");
    kill(service.pid, SIGTERM);
    assert_said(fd, "STOPPING=1");
    assert_said(fd, "WATCHDOG=1"); /* also while it waits for balancers to notice */
    assert_said(fd, "WATCHDOG=1");
    kill(service.pid, SIGTERM);
    assert_int_equal(service_wait(&service), 0);
    tell_no_more(fd, path);
}

/* In its own time, though it looks for the end all the time. */
static void notify__feeds_the_watchdog_no_faster_while_it_finishes(void **state)
{
    static const char *const flags[] = {"--drain-timeout", "1500ms", NULL};
    char path[PATH_SIZE];
    struct service service;
    int fd = be_told("800000", path);

    (void)state;
    assert_true(service_start(&service, flags));
    struct wire busy = wire_to_port(service.port);
    assert_int_equal(wire_announce(&busy, "/v1/loss", 100), 100);
    kill(service.pid, SIGTERM);
    assert_said(fd, "STOPPING=1");
    assert_in_range(count_said(fd), 2, 20);
    service_wait(&service);
    wire_close(&busy);
    tell_no_more(fd, path);
}

/* Started with a log that is a pipe, which is filled up to the last byte. */
static pid_t start_with_full_log(int log[2], unsigned *port)
{
    static const char words[] = "listening on http://127.0.0.1:";
    char text[4096] = "";

    assert_int_equal(pipe2(log, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(log[1], STDOUT_FILENO);
        execl(service_program(), "lossd", "--port", "0", "--log-rate", "0", (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    while (!strstr(text, words))
        assert_true(read(log[0], text, sizeof text - 1) > 0);
    *port = (unsigned)strtoul(strstr(text, words) + strlen(words), NULL, 10);
    fcntl(log[1], F_SETFL, O_NONBLOCK);
    for (size_t size = sizeof text; size > 0; size /= 2)
        while (write(log[1], text, size) > 0)
            continue;
    fcntl(log[1], F_SETFL, 0); /* it is the service's, too */
    return pid;
}

/* Whose threads all hang there is not alive, and is when they have got on. */
static void notify__starves_the_watchdog_while_nobody_takes_the_log(void **state)
{
    char path[PATH_SIZE], text[4096];
    unsigned port;
    int log[2], fd = be_told("400000", path);

    (void)state;
    pid_t pid = start_with_full_log(log, &port);
    assert_said(fd, "READY=1");
    assert_said(fd, "WATCHDOG=1"); /* nobody has anything to say */
    assert_said(fd, "WATCHDOG=1");
    assert_answers(wire_to_port(port), "/v1/losses", 200); /* and is logged */
    assert_in_range(count_said(fd), 0, 10);
    assert_true(read(log[0], text, sizeof text) > 0);
    assert_said(fd, "WATCHDOG=1");
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(log[0]);
    close(log[1]);
    tell_no_more(fd, path);
}

/* Else the log would be written into what is opened first. */
static void listen__gives_no_socket_the_number_of_a_closed_stream(void **state)
{
    static const char look[] =
        "\"$0\" --listen \"unix:$1\" >&- 2>&- <&- &\n"
        "until [ -S \"$1\" ] || ! kill -0 $!; do sleep 0.01; done\n"
        "readlink /proc/$!/fd/0 /proc/$!/fd/1 /proc/$!/fd/2\n"
        "kill $! && wait $!";
    char path[PATH_SIZE];
    struct ending ending;

    (void)state;
    path_of("closed", path);
    const struct program program = {.path = "/bin/sh",
                                    .words = {"-c", look, service_program(), path}};
    assert_true(program_run(&program, &ending));
    assert_string_equal(ending.out, "/dev/null\n/dev/null\n/dev/null\n");
    assert_int_equal(ending.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen__takes_addresses_of_all_kinds_at_once),
        cmocka_unit_test(listen__takes_ipv6),
        cmocka_unit_test(host__takes_ipv6_with_brackets_and_without),
        cmocka_unit_test(listen__says_where_a_host_is),
        cmocka_unit_test(listen__refuses_what_is_no_address),
        cmocka_unit_test(listen__refuses_a_host_that_is_none),
        cmocka_unit_test(listen__refuses_two_that_are_one),
        cmocka_unit_test(check_config__finds_sound_what_can_be_served),
        cmocka_unit_test(listen__replaces_only_a_socket_that_nobody_answers),
        cmocka_unit_test(listen__removes_no_socket_of_another_server),
        cmocka_unit_test(listen__awaits_a_head_of_a_file_while_it_drains),
        cmocka_unit_test(listen__ends_slow_clients_of_a_file),
        cmocka_unit_test(admin__is_told_how_it_is_while_the_others_are_full),
        cmocka_unit_test(listen__uses_what_it_inherits),
        cmocka_unit_test(listen__refuses_to_inherit_what_does_not_listen),
        cmocka_unit_test(listen__gives_no_socket_the_number_of_a_closed_stream),
        cmocka_unit_test(notify__is_not_ended_by_a_reload),
        cmocka_unit_test(notify__says_ready_alive_and_stopping),
        cmocka_unit_test(notify__feeds_the_watchdog_no_faster_while_it_finishes),
        cmocka_unit_test(notify__starves_the_watchdog_while_nobody_takes_the_log),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
