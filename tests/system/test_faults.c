/* Each call that may fail, fails: the first malloc() of the service's life, the
 * second, and so on, once and for good; and so the calls for threads and sockets.
 *
 * Whatever fails, the process either says why it cannot start, exit status 1, or
 * serves on: a fault that is over leaves no trace.  The service may have little
 * memory for requests, so that what a fault leaked of it would soon be missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "batch_text.h"
#include "fault_plan.h"
#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum {
    LARGE_ROWS = 2000, /* work for the pool, and an answer that is made in pieces */
    CALLS_MAX = 2000,  /* more than any phase makes */
    ALL_OF_THEM = 60,  /* calls that are tried one by one; further ones in strides */
    PATIENCE_MS = 30000,
    IN_VAIN_MS = 100 /* a client waits where it may never be heard */
};

/* What fails, and how. */
struct fault {
    const char *name;
    enum fault_function function;
    int error;
};

enum { MEMORY_FAULTS = 4 }; /* the first of them */

static const struct fault faults[] = {
    {"malloc", FAULT_MALLOC, ENOMEM},
    {"calloc", FAULT_CALLOC, ENOMEM},
    {"realloc", FAULT_REALLOC, ENOMEM},
    {"aligned_alloc", FAULT_ALIGNED_ALLOC, ENOMEM},
    {"pthread_create", FAULT_PTHREAD_CREATE, EAGAIN},
    {"mmap", FAULT_MMAP, ENOMEM},
    {"accept4 (descriptors)", FAULT_ACCEPT4, EMFILE},
    {"accept4 (memory)", FAULT_ACCEPT4, ENOBUFS},
    {"accept4 (client)", FAULT_ACCEPT4, ECONNABORTED},
    {"send", FAULT_SEND, ECONNRESET},
    {"send (memory)", FAULT_SEND, ENOBUFS},
    {"recv", FAULT_RECV, ECONNRESET},
    {"recv (memory)", FAULT_RECV, ENOMEM},
    {"epoll_ctl", FAULT_EPOLL_CTL, ENOMEM},
    {"eventfd", FAULT_EVENTFD, EMFILE},
};

static const char *const flags[] = {"--threads",
                                    "2",
                                    "--net-threads",
                                    "2",
                                    "--memory-budget",
                                    "8MiB",
                                    "--header-timeout",
                                    "1s",
                                    "--body-timeout",
                                    "1s",
                                    "--write-timeout",
                                    "1s",
                                    "--keepalive-timeout",
                                    "1s",
                                    "--drain-timeout",
                                    "10s",
                                    NULL};

struct stage {
    struct fault_plan *plan;
    char shim[400], path[64];
    char *large;          /* a body */
    unsigned long points; /* faults tried */
    char tried[100];      /* the one of now, for whoever looks at a failure */
};

static struct stage stage;

/* ---- the plan ------------------------------------------------------------------ */

static void disarm(void)
{
    atomic_store(&stage.plan->function, FAULT_NONE);
}

static void arm(const struct fault *fault, long call, bool for_good)
{
    disarm();
    atomic_store(&stage.plan->error, fault->error);
    atomic_store(&stage.plan->left, call - 1);
    atomic_store(&stage.plan->for_good, for_good);
    atomic_store(&stage.plan->failed, 0);
    atomic_store(&stage.plan->function, fault->function);
}

static bool has_failed(void)
{
    return atomic_load(&stage.plan->failed) > 0;
}

/* The call after this one to be tried. */
static long next_call(long call)
{
    return call < ALL_OF_THEM ? call + 1 : call + call / 20;
}

/* ---- the service ------------------------------------------------------------------ */

static bool start(struct service *service)
{
    setenv("LD_PRELOAD", stage.shim, 1);
    setenv(FAULT_PLAN, stage.path, 1);
    bool started = service_start(service, flags);
    unsetenv("LD_PRELOAD");
    unsetenv(FAULT_PLAN);
    return started;
}

/* The status of the next answer, 0 when none came. */
static unsigned status_of_answer(struct wire *wire)
{
    struct answer answer;
    unsigned status = wire_answer(wire, false, &answer) ? answer.status : 0;

    answer_release(&answer);
    return status;
}

static unsigned ask_small(struct wire *wire)
{
    return wire_post(wire, "/v1/loss", EXAMPLE, false) ? status_of_answer(wire) : 0;
}

/* In chunks of many sizes. */
static unsigned ask_large(struct wire *wire)
{
    const char *at = stage.large;
    size_t left = strlen(at);
    char line[32];

    if (!wire_text(wire, "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n"))
        return 0;
    for (size_t size = 4000; left > 0; size += 777) {
        size_t n = size < left ? size : left;
        snprintf(line, sizeof line, "%zx\r\n", n);
        if (!wire_text(wire, line) || !wire_send(wire, at, n) || !wire_text(wire, "\r\n"))
            return status_of_answer(wire);
        at += n;
        left -= n;
    }
    wire_text(wire, "0\r\n\r\n");
    return status_of_answer(wire);
}

/* No JSON, and more of it announced than is worth awaiting. */
static unsigned ask_nonsense(struct wire *wire)
{
    wire_text(wire, "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"
                    "Content-Length: 3000000\r\n\r\n{\"logits\":[[1,?");
    return status_of_answer(wire);
}

static bool open_wire(struct wire *wire, const struct service *service, long patience_ms)
{
    struct timeval patience = {patience_ms / 1000, patience_ms % 1000 * 1000};

    if (!wire_open(wire, service->port))
        return false;
    setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return true;
}

/* A new connection that is asked one thing. */
static unsigned ask_once(const struct service *service, long patience_ms,
                         unsigned (*ask)(struct wire *))
{
    struct wire wire;
    unsigned status = 0;

    if (open_wire(&wire, service, patience_ms)) {
        status = ask(&wire);
        wire_close(&wire);
    }
    return status;
}

/* A fault may cost an answer, or make it a 5xx; it makes no other of it. */
static void may_be(unsigned status, unsigned expected)
{
    if (status != 0 && status < 500)
        assert_int_equal(status, expected);
}

static void ask_everything(const struct service *service, long patience_ms)
{
    struct wire wire;

    if (open_wire(&wire, service, patience_ms)) {
        may_be(ask_small(&wire), 200);
        may_be(ask_small(&wire), 200);
        wire_close(&wire);
    }
    may_be(ask_once(service, patience_ms, ask_large), 200);
    may_be(ask_once(service, patience_ms, ask_nonsense), 400);
}

static void must_be(unsigned status, unsigned expected)
{
    if (status != expected)
        print_error("after %s\n", stage.tried);
    assert_int_equal(status, expected);
}

/* The fault is over. */
static void is_well(const struct service *service)
{
    must_be(ask_once(service, PATIENCE_MS, ask_small), 200);
    must_be(ask_once(service, PATIENCE_MS, ask_large), 200);
    must_be(ask_once(service, PATIENCE_MS, ask_nonsense), 400);
}

/* ---- the phases -------------------------------------------------------------------- */

/* Runs a phase with each of its calls to the first so many functions failing, until it makes
 * no such call. */
static void sweep_some(const char *name, size_t functions,
                       void (*phase)(const struct fault *, long, bool))
{
    for (size_t i = 0; i < functions; i++)
        for (int for_good = 0; for_good < 2; for_good++) {
            unsigned long points = 0;
            long call = 1;
            for (;; call = next_call(call), points++) {
                assert_in_range(call, 1, CALLS_MAX);
                snprintf(stage.tried, sizeof stage.tried, "%s: %s %ld %s", name,
                         faults[i].name, call, for_good ? "for good" : "once");
                phase(&faults[i], call, for_good);
                if (!has_failed())
                    break;
            }
            stage.points += points;
        }
    print_message("%s: %lu faults\n", name, stage.points);
    stage.points = 0;
}

static void sweep(const char *name, void (*phase)(const struct fault *, long, bool))
{
    sweep_some(name, sizeof faults / sizeof *faults, phase);
}

/* They have an allocator of their own, which must be the first. */
static void skip_under_sanitizers(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: sanitizers must be loaded first, and so must the faults\n");
    skip();
#endif
}

static void start_with(const struct fault *fault, long call, bool for_good)
{
    struct service service;

    arm(fault, call, for_good);
    bool started = start(&service);
    disarm();
    if (started) {
        is_well(&service);
        assert_int_equal(service_stop(&service), 0);
    }
}

static void faults__at_the_start_are_survived_or_told(void **state)
{
    (void)state;
    skip_under_sanitizers();
    sweep("start", start_with);
}

static struct service serving;

/* While no connection can be taken or heard, for good, a client may wait for ever. */
static bool is_of_sockets(const struct fault *fault)
{
    return fault->function == FAULT_ACCEPT4 || fault->function == FAULT_SEND ||
           fault->function == FAULT_RECV || fault->function == FAULT_EPOLL_CTL;
}

static void serve_with(const struct fault *fault, long call, bool for_good)
{
    arm(fault, call, for_good);
    ask_everything(&serving, for_good && is_of_sockets(fault) ? IN_VAIN_MS : PATIENCE_MS);
    disarm();
    is_well(&serving);
}

static void faults__while_serving_leave_no_trace(void **state)
{
    (void)state;
    skip_under_sanitizers();
    disarm();
    assert_true(start(&serving));
    is_well(&serving);
    size_t descriptors = service_descriptors(&serving);
    sweep("serving", serve_with);
    assert_true(service_descriptors_fall_to(&serving, descriptors));
    assert_int_equal(service_stop(&serving), 0);
}

/* A request that has come whole is answered, whatever memory there is for it. */
static void answer_with(const struct fault *fault, long call, bool for_good)
{
    struct wire wire;

    assert_true(open_wire(&wire, &serving, PATIENCE_MS));
    must_be(ask_small(&wire), 200);
    arm(fault, call, for_good);
    unsigned status = ask_small(&wire);
    disarm();
    if (status != 503)
        must_be(status, 200);
    wire_close(&wire);
}

static void faults__of_memory_cost_no_answer(void **state)
{
    (void)state;
    skip_under_sanitizers();
    disarm();
    assert_true(start(&serving));
    sweep_some("answering", MEMORY_FAULTS, answer_with);
    assert_int_equal(service_stop(&serving), 0);
}

static void drain_with(const struct fault *fault, long call, bool for_good)
{
    struct service service;
    struct wire idle, busy;

    disarm();
    assert_true(start(&service));
    assert_true(wire_open(&idle, service.port) && wire_open(&busy, service.port));
    assert_int_equal(ask_small(&idle), 200);
    assert_int_equal(wire_announce(&busy, "/v1/loss", 51), 100);
    arm(fault, call, for_good);
    kill(service.pid, SIGTERM);
    wire_text(&busy, EXAMPLE);
    may_be(status_of_answer(&busy), 200);
    wire_close(&idle);
    wire_close(&busy);
    assert_int_equal(service_wait(&service), 0);
}

static void faults__while_draining_do_not_change_the_end(void **state)
{
    (void)state;
    skip_under_sanitizers();
    sweep("drain", drain_with);
}

/* ---- */

static int set_the_stage(void **state)
{
    char exe[300];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    int fd = memfd_create("plan", MFD_CLOEXEC);

    (void)state;
    if (len < 0 || fd < 0 || ftruncate(fd, sizeof(struct fault_plan)) != 0)
        return -1;
    exe[len] = '\0';
    *strstr(exe, "/system/test_faults") = '\0';
    snprintf(stage.shim, sizeof stage.shim, "%s/fault_shim.so", exe);
    snprintf(stage.path, sizeof stage.path, "/proc/%d/fd/%d", (int)getpid(), fd);
    stage.plan =
        mmap(NULL, sizeof *stage.plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    stage.large = batch_text(LARGE_ROWS);
    /* without it nothing would fail, nor this test */
    return stage.plan == MAP_FAILED || access(stage.shim, R_OK) != 0;
}

static int clear_the_stage(void **state)
{
    (void)state;
    print_message("the last: %s\n", stage.tried);
    free(stage.large);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults__at_the_start_are_survived_or_told),
        cmocka_unit_test(faults__while_serving_leave_no_trace),
        cmocka_unit_test(faults__of_memory_cost_no_answer),
        cmocka_unit_test(faults__while_draining_do_not_change_the_end),
    };

    return cmocka_run_group_tests(tests, set_the_stage, clear_the_stage);
}
