/* Started and stopped: what has begun is finished, and the exit status is 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "churn.h"
#include "program.h"
#include "service.h"
#include "wire.h"

#define EXAMPLE "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"
#define OTHER_HALF "ts\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

/* Under a sanitizer it takes longer to read what is on its way. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { READING_S = 5 };
#else
enum { READING_S = 1 };
#endif

static void start(struct service *service, const char *const *flags)
{
    assert_true(service_start(service, flags));
}

/* Has begun a request of which the service knows. */
static void begin_request(struct wire *wire, const struct service *service)
{
    assert_true(wire_open(wire, service->port));
    assert_int_equal(wire_announce(wire, "/v1/loss?return=loss", 51), 100);
    assert_true(wire_text(wire, "{\"logi"));
}

static void finishes_what_has_begun(int which)
{
    struct service service;
    struct wire wire, other;
    struct answer answer;
    char value[300];

    start(&service, NULL);
    begin_request(&wire, &service);
    kill(service.pid, which);
    assert_true(service_logs(&service, "stopping"));
    /* nobody listens any more, as soon as what had arrived is taken */
    while (wire_open(&other, service.port))
        wire_close(&other);
    assert_true(wire_text(&wire, OTHER_HALF));
    assert_true(wire_answer(&wire, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"loss\":0.31853976964918"));
    assert_true(answer_header(&answer, "Connection", value));
    assert_string_equal(value, "close");
    answer_release(&answer);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
    assert_int_equal(service_wait(&service), 0);
}

static void drain__finishes_what_has_begun_after_sigterm(void **state)
{
    (void)state;
    finishes_what_has_begun(SIGTERM);
}

static void drain__finishes_what_has_begun_after_sigint(void **state)
{
    (void)state;
    finishes_what_has_begun(SIGINT);
}

/* As when its terminal closes; where there are keys it means something else. */
static void drain__finishes_what_has_begun_after_sighup(void **state)
{
    (void)state;
    finishes_what_has_begun(SIGHUP);
}

/* Started with a log that nobody reads, and which is full when it is to end. */
static pid_t start_with_full_log(int log[2])
{
    char text[4096];
    pid_t pid;

    assert_int_equal(pipe(log), 0);
    pid = fork();
    if (pid == 0) {
        dup2(log[1], STDOUT_FILENO);
        execl(service_program(), "lossd", "--port", "0", "--drain-timeout", "100ms",
              (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    assert_true(read(log[0], text, sizeof text) > 0); /* it listens */
    memset(text, '\n', sizeof text);
    fcntl(log[1], F_SETFL, O_NONBLOCK);
    while (write(log[1], text, sizeof text) > 0)
        continue;
    while (write(log[1], text, 1) > 0)
        continue;
    fcntl(log[1], F_SETFL, 0); /* it is the service's, too */
    return pid;
}

static void drain__ends_though_nobody_takes_its_log(void **state)
{
    int log[2], status;

    (void)state;
    pid_t pid = start_with_full_log(log);
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    close(log[0]);
    close(log[1]);
}

static unsigned get(const struct service *service, const char *target)
{
    struct wire wire;
    struct answer answer;
    char request[200];

    snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", target);
    assert_true(wire_open(&wire, service->port));
    assert_true(wire_text(&wire, request) && wire_answer(&wire, false, &answer));
    unsigned status = answer.status;
    answer_release(&answer);
    wire_close(&wire);
    return status;
}

static void drain__serves_on_but_is_not_ready_during_the_delay(void **state)
{
    static const char *const flags[] = {"--drain-delay", "1h", NULL};
    struct service service;
    struct wire kept;
    struct answer answer;
    char value[300];

    (void)state;
    start(&service, flags);
    assert_true(wire_open(&kept, service.port));
    assert_true(wire_post(&kept, "/v1/loss", EXAMPLE, false));
    assert_true(wire_answer(&kept, false, &answer));
    assert_false(answer_header(&answer, "Connection", value));
    answer_release(&answer);
    assert_int_equal(get(&service, "/readyz"), 200);
    kill(service.pid, SIGTERM);
    for (int asked = 0; get(&service, "/readyz") != 503; asked++)
        assert_true(asked < 10000);
    assert_true(
        service_logs(&service, "stopping: serving on for 3600 s (--drain-delay)"));
    assert_int_equal(get(&service, "/livez"), 200);
    assert_int_equal(get(&service, "/v1/losses"), 200);
    /* who keeps a connection goes elsewhere */
    assert_true(wire_post(&kept, "/v1/loss", EXAMPLE, false));
    assert_true(wire_answer(&kept, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(answer_header(&answer, "Connection", value));
    assert_string_equal(value, "close");
    answer_release(&answer);
    assert_true(wire_ends(&kept));
    wire_close(&kept);
    /* a second signal ends the delay */
    assert_int_equal(service_stop(&service), 0);
}

/* A request of some work, with a short answer. */
static char *long_batch(void)
{
    enum { NUMBERS = 230000 };
    size_t len = 0;
    char *text = malloc(NUMBERS * 5 + 100);

    len += (size_t)sprintf(text, "{\"logits\":[[");
    for (int i = 0; i < NUMBERS; i++)
        len += (size_t)sprintf(text + len, "%s%d.%d",
                               i % 1000 ? ","
                               : i      ? "],["
                                        : "",
                               i % 7, i % 10);
    sprintf(text + len, "]],\"return\":[\"predictions\"]}");
    return text;
}

/* Refused is better than cut off: whoever has sent all of a request hears of it. */
static void drain__answers_what_has_come_in_when_its_time_is_over(void **state)
{
    static const char *const flags[] = {
        "--threads", "1", "--queue-size", "64", "--drain-timeout", "1ms", NULL};
    enum { CLIENTS = 24 };
    struct service service;
    struct wire wires[CLIENTS];
    struct answer answer;
    char *body = long_batch();

    (void)state;
    start(&service, flags);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(wire_open(&wires[i], service.port) &&
                    wire_post(&wires[i], "/v1/softmax", body, false));
    kill(service.pid, SIGTERM);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (!wire_answer(&wires[i], false, &answer))
            fail_msg("client %zu is cut off", i);
        assert_true(answer.status == 200 || answer.status == 503);
        answer_release(&answer);
        wire_close(&wires[i]);
    }
    free(body);
    service_wait(&service);
}

static void drain__closes_connections_that_are_idle(void **state)
{
    static const char *const flags[] = {"--drain-timeout", "1h", "--header-timeout", "1h",
                                        NULL};
    struct service service;
    struct wire silent, used;
    struct answer answer;

    (void)state;
    start(&service, flags);
    assert_true(wire_open(&silent, service.port) && wire_open(&used, service.port));
    assert_true(wire_post(&used, "/v1/loss", EXAMPLE, false));
    assert_true(wire_answer(&used, false, &answer));
    answer_release(&answer);
    kill(service.pid, SIGTERM);
    assert_true(wire_ends(&silent));
    assert_true(wire_ends(&used));
    wire_close(&silent);
    wire_close(&used);
    assert_int_equal(service_wait(&service), 0);
}

static void drain__cuts_off_what_does_not_end(void **state)
{
    static const char *const flags[] = {"--drain-timeout", "100ms", NULL};
    struct service service;
    struct wire wire;

    (void)state;
    start(&service, flags);
    begin_request(&wire, &service);
    kill(service.pid, SIGTERM);
    assert_true(service_logs(
        &service,
        "1 connection is not finished: cut off, or answered shortly (--drain-timeout "
        "gives them longer)"));
    assert_int_equal(service_wait(&service), 0);
    assert_true(wire_ends(&wire));
    wire_close(&wire);
}

static void drain__is_hastened_by_a_second_signal(void **state)
{
    struct service service;
    struct wire wire;

    (void)state;
    start(&service, NULL);
    begin_request(&wire, &service);
    kill(service.pid, SIGTERM);
    assert_true(service_logs(&service, "stopping"));
    assert_int_equal(service_stop(&service), 0);
    wire_close(&wire);
}

/* 4 million logits: some work for the pool. */
static char *large_batch(void)
{
    enum { ROWS = 400000 };
    char *text = malloc(ROWS * 24 + 100), *end = text;

    end += sprintf(end, "{\"logits\":[");
    for (size_t i = 0; i < ROWS; i++)
        end += sprintf(end, "%s[0,1,2,3,4,5,6,7,8,9]", i ? "," : "");
    sprintf(end, "]}");
    return text;
}

static void drain__survives_an_end_while_the_pool_works(void **state)
{
    static const char *const flags[] = {"--drain-timeout", "0s", "--threads", "1",
                                        "--inline-cost",   "0s", NULL};
    char *body = large_batch();

    (void)state;
    for (int round = 0; round < 3; round++) {
        struct service service;
        struct wire wires[3];
        start(&service, flags);
        for (int i = 0; i < 3; i++) {
            assert_true(wire_open(&wires[i], service.port));
            assert_true(wire_post(&wires[i], "/v1/softmax", body, false));
        }
        assert_int_equal(service_stop(&service), 0);
        for (int i = 0; i < 3; i++)
            wire_close(&wires[i]);
    }
    free(body);
}

/* A linear model with as many multiplications as take many seconds. */
static char *long_work(void)
{
    enum { SIDE = 3600 };
    size_t row = 2 * SIDE + 2;
    char *text = malloc(2 * row * SIDE + 2 * SIDE + 200), *end = text;

    for (int factor = 0; factor < 2; factor++) {
        end += sprintf(end, "%s\":[", factor == 0 ? "{\"features" : ",\"W");
        for (size_t r = 0; r < SIDE; r++) {
            memset(end, '0', row);
            for (size_t c = 1; c <= SIDE; c++)
                end[2 * c] = ',';
            end[0] = '[';
            end[2 * SIDE] = ']';
            end[2 * SIDE + 1] = r + 1 < SIDE ? ',' : ']';
            end += row;
        }
    }
    end += sprintf(end, ",\"labels\":[");
    for (size_t r = 0; r < SIDE; r++)
        end += sprintf(end, "%s0", r ? "," : "");
    sprintf(end, "],\"return\":[\"gradient_W\",\"gradient_features\"]}");
    return text;
}

static void drain__does_not_wait_for_long_work(void **state)
{
    static const char *const flags[] = {"--threads", "1", NULL};
    enum { OTHERS = 3 };
    struct service service;
    struct wire wire, others[OTHERS];
    char *body = long_work(), *other = long_batch();

    (void)state;
    start(&service, flags);
    assert_true(wire_open(&wire, service.port));
    assert_true(wire_post(&wire, "/v1/loss", body, false));
    sleep(READING_S); /* by then it is being worked out */
    for (int i = 0; i < OTHERS; i++)
        assert_true(wire_open(&others[i], service.port) &&
                    wire_post(&others[i], "/v1/softmax", other, false));
    kill(service.pid, SIGTERM);
    assert_true(service_logs(&service, "stopping"));
    kill(service.pid, SIGTERM);
    for (int i = 0; i < OTHERS; i++) { /* which wait for it */
        struct answer answer;
        assert_true(wire_answer(&others[i], false, &answer));
        assert_int_equal(answer.status, 503);
        answer_release(&answer);
        wire_close(&others[i]);
    }
    assert_true(
        service_logs(&service, "what is worked out for 1 request takes longer: cut off"));
    assert_true(service_logs(&service, "\"stopped\""));
    assert_int_equal(service_wait(&service), 0);
    wire_close(&wire);
    free(body);
    free(other);
}

static void drain__loses_no_answer_on_connections_in_use(void **state)
{
    enum { ROUNDS = 30 };

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct service service;
        struct churn churn;
        struct churn_sum sum = {0};
        start(&service, NULL);
        assert_true(churn_start(&churn, service.port));
        /* in the middle of their first questions, and ever later */
        assert_true(churn_has_had(&churn, round * 20));
        assert_int_equal(service_stop(&service), 0);
        churn_join(&churn, &sum);
        assert_int_equal(sum.lost, 0);
        assert_int_equal(sum.other, 0);
        assert_true(sum.answered >= round * 20);
    }
}

static void start__says_when_what_was_asked_for_cannot_be_printed(void **state)
{
    static const char *const flags[] = {"--help", "--version", "--print-config",
                                        "--check-config"};

    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct program program = {
            .path = service_program(), .words = {flags[i]}, .out_path = "/dev/full"};
        static struct ending ending;
        assert_true(program_run(&program, &ending));
        assert_int_equal(ending.status, 1);
        assert_non_null(strstr(ending.err, "standard output"));
    }
}

static void start__names_an_address_that_is_taken(void **state)
{
    struct service service;
    const char *program = getenv("LOSSD") ? getenv("LOSSD") : "build/lossd";
    char command[400], line[400] = "", expected[100];

    (void)state;
    start(&service, NULL);
    snprintf(command, sizeof command, "%s --port %u 2>&1", program, service.port);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    assert_non_null(fgets(line, sizeof line, output));
    int status = pclose(output);
    snprintf(expected, sizeof expected,
             "lossd: cannot listen on 127.0.0.1:%u: Address already in use\n",
             service.port);
    assert_string_equal(line, expected);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(service_stop(&service), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drain__finishes_what_has_begun_after_sigterm),
        cmocka_unit_test(drain__finishes_what_has_begun_after_sigint),
        cmocka_unit_test(drain__finishes_what_has_begun_after_sighup),
        cmocka_unit_test(drain__ends_though_nobody_takes_its_log),
        cmocka_unit_test(drain__serves_on_but_is_not_ready_during_the_delay),
        cmocka_unit_test(drain__answers_what_has_come_in_when_its_time_is_over),
        cmocka_unit_test(drain__closes_connections_that_are_idle),
        cmocka_unit_test(drain__cuts_off_what_does_not_end),
        cmocka_unit_test(drain__is_hastened_by_a_second_signal),
        cmocka_unit_test(drain__survives_an_end_while_the_pool_works),
        cmocka_unit_test(drain__does_not_wait_for_long_work),
        cmocka_unit_test(drain__loses_no_answer_on_connections_in_use),
        cmocka_unit_test(start__says_when_what_was_asked_for_cannot_be_printed),
        cmocka_unit_test(start__names_an_address_that_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
