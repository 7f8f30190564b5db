/* lossctl, the real program, against the real service and against strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agree.h"
#include "program.h"
#include "service.h"

#define GOOD "{\"logits\":[1,2,3],\"labels\":2}"
#define GOOD_ANSWER                                                            \
    "{\"loss\":0.4076059644443803,\"probabilities\":[0.09003057317038045,"     \
    "0.24472847105479764,0.6652409557748218],\"loss_sum\":0.4076059644443803," \
    "\"divisor\":1,\"count\":1,\"ignored\":0}\n"
#define BAD "{\"logits\":[[1,2],[3,4]],\"labels\":[0,7]}"
#define BAD_SAID                                                                  \
    "labels[1] is 7, outside 0..1 (ignore_index is -100) (label_out_of_range at " \
    "/labels/1)"

enum { TEXT_SIZE = 256 };

static struct service service;
static char port_variable[TEXT_SIZE]; /* "LOSSD_PORT=" and the service's */
static struct ending ending;

static int start(void **state)
{
    (void)state;
    if (!service_start(&service, NULL))
        return -1;
    snprintf(port_variable, sizeof port_variable, "LOSSD_PORT=%u", service.port);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

static void run(struct program *program)
{
    const char *path = getenv("LOSSCTL");

    program->path = path ? path : "build/lossctl";
    assert_true(program_run(program, &ending));
}

/* Runs lossctl for the service; up to seven words. */
static void lossctl(const char *input, const char *const words[8])
{
    struct program program = {.input = input, .env = {port_variable}};

    for (size_t i = 0; i < 8 && words[i]; i++)
        program.words[i] = words[i];
    run(&program);
}

#define LOSSCTL(input, ...) lossctl(input, (const char *const[8]){__VA_ARGS__})

static void assert_ending(int status, const char *out, const char *err)
{
    assert_string_equal(ending.err, err);
    assert_string_equal(ending.out, out);
    assert_int_equal(ending.status, status);
}

static void assert_agrees(const char *expected)
{
    char why[400];

    assert_string_equal(ending.err, "");
    if (!agree(expected, ending.out, allowance_float64, why))
        fail_msg("%s", why);
    assert_int_equal(ending.status, 0);
}

/* A file with those bytes; its name, with that suffix, is written to `path`. */
static void write_as(char path[TEXT_SIZE], const char *suffix, const char *bytes,
                     size_t count)
{
    snprintf(path, TEXT_SIZE, "/tmp/lossctl-test-XXXXXX%s", suffix);
    int fd = mkstemps(path, (int)strlen(suffix));

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, count), (ssize_t)count);
    close(fd);
}

static void write_file(char path[TEXT_SIZE], const char *text)
{
    write_as(path, "", text, strlen(text));
}

/* A port of this machine, bound; with a listener or with nobody behind it. */
static int bind_port(bool listening, unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    if (listening)
        assert_int_equal(listen(fd, 4), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Somebody who is not lossd: answers one connection with these bytes. */
static pid_t stranger(const char *answer, char url[TEXT_SIZE])
{
    char request[4096];
    unsigned port;
    int listener = bind_port(true, &port);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = accept(listener, NULL, NULL);
        alarm(30);
        if (read(fd, request, sizeof request) > 0)
            (void)!write(fd, answer, strlen(answer));
        shutdown(fd, SHUT_WR);
        while (read(fd, request, sizeof request) > 0) {
        }
        _exit(0);
    }
    close(listener);
    snprintf(url, TEXT_SIZE, "http://127.0.0.1:%u", port);
    return pid;
}

static void stranger_leaves(pid_t pid)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void score__prints_the_answer_for_a_file(void **state)
{
    (void)state;
    char path[TEXT_SIZE];

    write_file(path, GOOD);
    LOSSCTL(NULL, "score", path);
    assert_agrees(GOOD_ANSWER);
    unlink(path);
}

static void score__knows_a_dataset_and_an_array_by_their_names(void **state)
{
    static const char records[] = "{\"logits\":[0,0],\"label\":0}\n"
                                  "{\"logits\":[0,0],\"label\":1}\n";
    static const char array[] = "\x93NUMPY\x01\0\x47\0{'descr': '|i1', "
                                "'fortran_order': False, 'shape': (2,), }"
                                "             \n\0\0";
    static const char *const endings[] = {".ndjson", ".jsonl"};
    char path[TEXT_SIZE], url[TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        write_as(path, endings[i], records, strlen(records));
        LOSSCTL(NULL, "score", path, "-oreturn=loss");
        assert_agrees("{\"loss\":0.6931471805599453,\"loss_sum\":1.3862943611198906,"
                      "\"divisor\":2,\"count\":2,\"ignored\":0}\n");
        unlink(path);
    }
    write_as(path, ".npy", array, sizeof array - 1);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/softmax", service.port);
    LOSSCTL(NULL, "score", path, "--url", url);
    assert_agrees("{\"probabilities\":[0.5,0.5]}\n");
    unlink(path);
}

static void score__reads_stdin(void **state)
{
    (void)state;
    LOSSCTL(GOOD, "score", "-");
    assert_agrees(GOOD_ANSWER);
}

static void score__is_told_what_has_no_name(void **state)
{
    static const char records[] = "{\"logits\":[0,0],\"label\":0}\n"
                                  "{\"logits\":[0,0],\"label\":1}\n";
    static const char loss[] = "{\"loss\":0.6931471805599453,"
                               "\"loss_sum\":1.3862943611198906,"
                               "\"divisor\":2,\"count\":2,\"ignored\":0}\n";
    char path[TEXT_SIZE];

    (void)state;
    LOSSCTL(records, "score", "-", "--type", "ndjson", "-oreturn=loss");
    assert_agrees(loss);
    write_as(path, ".NDJSON", records, strlen(records));
    LOSSCTL(NULL, "score", path, "-oreturn=loss");
    assert_agrees(loss);
    unlink(path);
    write_as(path, ".ndjson", GOOD, strlen(GOOD));
    LOSSCTL(NULL, "score", path, "--type=json");
    assert_agrees(GOOD_ANSWER);
    unlink(path);
    LOSSCTL(records, "score", "-", "--type", "csv");
    assert_int_equal(ending.status, 2);
    assert_non_null(strstr(ending.err, "--type is \"csv\"; wanted json, ndjson or npy"));
}

static void score__takes_an_address_with_and_without_path(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    struct program program = {.words = {"score", "-", "--url", url},
                              .input = "{\"logits\":[0,0]}"};

    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/softmax", service.port);
    run(&program);
    assert_agrees("{\"probabilities\":[0.5,0.5]}\n");
    snprintf(url, sizeof url, "127.0.0.1:%u", service.port);
    program.input = GOOD;
    run(&program);
    assert_agrees(GOOD_ANSWER);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/softmax?return=predictions",
             service.port);
    program.input = "{\"logits\":[0,1]}";
    run(&program);
    assert_agrees("{\"predictions\":1}\n");
}

static void score__sends_options_whatever_they_hold(void **state)
{
    (void)state;
    LOSSCTL(GOOD, "score", "-", "-o", "return=loss", "-o", "id=a b&c=%25+\xC3\xA9#?");
    assert_agrees("{\"id\":\"a b&c=%25+\xC3\xA9#?\",\"loss\":0.4076059644443803,"
                  "\"loss_sum\":0.4076059644443803,\"divisor\":1,\"count\":1,"
                  "\"ignored\":0}\n");
    LOSSCTL(GOOD, "score", "-", "--option=pretty", "-oreturn=predictions");
    assert_agrees("{\n  \"predictions\": 2,\n  \"count\": 1,\n  \"ignored\": 0\n}\n");
}

static void score__goes_on_after_a_file_that_is_refused(void **state)
{
    (void)state;
    char good[TEXT_SIZE];
    char bad[TEXT_SIZE];
    char empty[TEXT_SIZE];
    char err[4 * TEXT_SIZE];

    write_file(good, GOOD);
    write_file(bad, BAD);
    write_file(empty, "{\"logits\":[],\"labels\":[]}");
    LOSSCTL(NULL, "score", good, bad, "/nowhere/x.json", empty, good,
            "-oreturn=predictions");
    snprintf(err, sizeof err,
             "lossctl: %s: " BAD_SAID "\n"
             "lossctl: cannot open /nowhere/x.json: No such file or directory\n"
             "lossctl: %s: ",
             bad, empty);
    assert_memory_equal(ending.err, err, strlen(err));
    assert_non_null(strstr(ending.err, " (empty_batch at /logits)\n"));
    assert_string_equal(ending.out, "{\"predictions\":2,\"count\":1,\"ignored\":0}\n"
                                    "{\"predictions\":2,\"count\":1,\"ignored\":0}\n");
    assert_int_equal(ending.status, 2);
    unlink(good);
    unlink(bad);
    unlink(empty);
}

static void score__says_where_the_text_is_wrong(void **state)
{
    (void)state;
    LOSSCTL("{\"logits\":\n [1,2 3]}", "score", "-");
    assert_int_equal(ending.status, 1);
    assert_string_equal(ending.out, "");
    assert_non_null(strstr(ending.err, "lossctl: stdin: "));
    assert_non_null(strstr(ending.err, " (invalid_json at line 2, column 7)\n"));
}

static void score__is_red_on_a_terminal_only(void **state)
{
    (void)state;
    struct program program = {
        .words = {"score", "-"}, .env = {port_variable}, .input = BAD, .terminal = true};

    run(&program);
    assert_ending(1, "", "\033[31mlossctl: stdin: " BAD_SAID "\033[0m\r\n");
    program.env[1] = "NO_COLOR=1";
    run(&program);
    assert_ending(1, "", "lossctl: stdin: " BAD_SAID "\r\n");
    program.env[1] = "NO_COLOR="; /* empty: not set */
    run(&program);
    assert_int_equal(ending.err[0], '\033');
}

static void score__sends_a_large_file(void **state)
{
    (void)state;
    enum { ROWS = 100000 };
    static char text[ROWS * 8 + 64];
    char path[TEXT_SIZE];
    char url[TEXT_SIZE];
    size_t len = (size_t)sprintf(text, "{\"logits\":[");
    struct program program = {.words = {"score", path, "--url", url}};

    for (size_t i = 0; i < ROWS; i++)
        len += (size_t)sprintf(text + len, "%s[0,0]", i ? "," : "");
    sprintf(text + len, "],\"return\":[\"logsumexp\"]}");
    write_file(path, text);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/softmax", service.port);
    run(&program);
    assert_int_equal(ending.status, 0);
    assert_memory_equal(ending.out, "{\"logsumexp\":[0.69314718055994", 30);
    unlink(path);
}

static void score__says_what_to_do_when_nobody_answers(void **state)
{
    (void)state;
    unsigned port;
    int fd = bind_port(false, &port);
    char url[TEXT_SIZE];
    char said[2 * TEXT_SIZE];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    LOSSCTL(GOOD, "score", "-", "--url", url);
    snprintf(said, sizeof said, "lossctl: no answer from %s/v1/loss: ", url);
    assert_memory_equal(ending.err, said, strlen(said));
    assert_non_null(strstr(ending.err,
                           "is lossd running there?  Start it with `lossd`, or "
                           "name the right place with --url\n"));
    assert_int_equal(ending.status, 1);
    close(fd);
}

static void score__says_where_it_is_not_understood(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    char said[2 * TEXT_SIZE];

    snprintf(url, sizeof url, "https://127.0.0.1:%u", service.port); /* it has no TLS */
    LOSSCTL(GOOD, "score", "-", "--url", url);
    snprintf(said, sizeof said, "lossctl: no answer from %s/v1/loss: ", url);
    assert_memory_equal(ending.err, said, strlen(said));
    assert_non_null(strstr(ending.err, "is lossd running there?"));
    assert_int_equal(ending.status, 1);
}

static void score__tells_a_stranger_from_the_service(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    pid_t pid = stranger("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 15\r\n\r\n"
                         "<html>no</html>",
                         url);

    LOSSCTL(GOOD, "score", "-", "--url", url);
    assert_ending(1, "",
                  "lossctl: stdin: status 502 without a reason that lossctl can read; is "
                  "this lossd?\n");
    stranger_leaves(pid);
}

/* A service that scores says something. */
static void score__takes_no_silence_for_an_answer(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    pid_t pid = stranger("HTTP/1.1 204 No Content\r\n\r\n", url);

    LOSSCTL(GOOD, "score", "-", "--url", url);
    assert_ending(1, "",
                  "lossctl: stdin: status 204 without an answer; is this lossd?\n");
    stranger_leaves(pid);
}

/* Nor is what has been opened in its place taken for it. */
static void score__says_that_a_standard_stream_is_closed(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"exec \"$0\" score \"$1\" - <&-", "lossctl: cannot read stdin: it is closed\n"},
        {"exec \"$0\" score \"$1\" >&-",
         "lossctl: cannot write the answer: Bad file descriptor\n"}};
    const char *path = getenv("LOSSCTL");
    char file[TEXT_SIZE];

    write_file(file, GOOD);
    for (size_t i = 0; i < 2; i++) {
        struct program program = {
            .path = "/bin/sh",
            .words = {"-c", lines[i][0], path ? path : "build/lossctl", file},
            .env = {port_variable}};
        assert_true(program_run(&program, &ending));
        assert_string_equal(ending.err, lines[i][1]);
        assert_int_equal(ending.status, i == 0 ? 2 : 1);
    }
    unlink(file);
}

static void score__lets_no_control_character_through(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    pid_t pid = stranger("HTTP/1.1 400 No\r\n\r\n"
                         "{\"detail\":\"a\\u001b[2Jb\\nc\\u007f\"}",
                         url);

    LOSSCTL(GOOD, "score", "-", "--url", url);
    assert_ending(1, "", "lossctl: stdin: a?[2Jb?c? (status 400)\n");
    stranger_leaves(pid);
}

static void score__fails_when_an_answer_breaks_off(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    pid_t pid = stranger("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"loss\":", url);

    LOSSCTL(GOOD, "score", "-", "--url", url);
    assert_int_equal(ending.status, 1);
    assert_memory_equal(ending.err, "lossctl: stdin: ", 16);
    stranger_leaves(pid);
}

/* Accepts, or the kernel does for it, and never says a word. */
static void score__gives_up_on_who_never_answers(void **state)
{
    (void)state;
    unsigned port;
    int fd = bind_port(true, &port);
    char url[TEXT_SIZE], said[2 * TEXT_SIZE];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    snprintf(said, sizeof said,
             "lossctl: stdin: %s/v1/loss has neither taken nor sent anything for 1 s "
             "(--timeout gives it longer)\n",
             url);
    alarm(60);
    LOSSCTL(GOOD, "score", "-", "--url", url, "--timeout", "1");
    alarm(0);
    assert_ending(1, "", said);
    close(fd);
}

/* There is no port, and none is named. */
static void score__says_why_a_socket_does_not_answer(void **state)
{
    (void)state;
    struct program program = {.input = GOOD,
                              .words = {"score", "-"},
                              .env = {"LOSSD_LISTEN=unix:/nowhere/lossd.sock"}};

    run(&program);
    assert_ending(
        1, "",
        "lossctl: no answer from unix:/nowhere/lossd.sock: No such file or "
        "directory; is lossd running there?  Start it with `lossd`, or name the "
        "right place with --url\n");
}

static void score__fails_when_it_cannot_read_or_write(void **state)
{
    (void)state;
    char large[8192];
    size_t len = (size_t)sprintf(large, "{\"labels\":0,\"logits\":[0");

    for (size_t i = 0; i < 2000; i++)
        len += (size_t)sprintf(large + len, ",%zu", i % 10);
    sprintf(large + len, "]}");
    struct program program = {.words = {"score", "-"},
                              .env = {port_variable},
                              .input = GOOD,
                              .out_path = "/dev/full"};

    run(&program);
    assert_string_equal(ending.err,
                        "lossctl: cannot write the answer: No space left on device\n");
    assert_int_equal(ending.status, 1);
    program.input = large;
    run(&program);
    assert_string_equal(
        ending.err, "lossctl: stdin: cannot write the answer: No space left on device\n");
    assert_int_equal(ending.status, 1);
}

/* Nothing is sent, so nobody needs to be there. */
static void score__says_why_it_cannot_read_a_file(void **state)
{
    static const struct {
        const char *path, *said;
    } rows[] = {
        {"/tmp", "cannot read /tmp: Is a directory"},
        {"/proc/self/mem", "cannot read /proc/self/mem: Input/output error"},
        {"/nowhere/x.json", "cannot open /nowhere/x.json: No such file or directory"},
    };
    char err[TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct program program = {.words = {"score", rows[i].path},
                                  .env = {"LOSSD_PORT=1"}};
        run(&program);
        snprintf(err, sizeof err, "lossctl: %s\n", rows[i].said);
        assert_ending(2, "", err);
    }
}

/* The length that the file system tells of such a file is 0. */
static void score__sends_a_file_that_is_made_while_it_is_read(void **state)
{
    (void)state;
    LOSSCTL(NULL, "score", "/proc/self/stat");
    assert_int_equal(ending.status, 1);
    assert_non_null(strstr(ending.err, "lossctl: /proc/self/stat: "));
    assert_null(strstr(ending.err, "empty"));
}

/* Answered with `status` (1: refused) and these words. */
static void asks_with(struct program *program, int status, const char *said)
{
    run(program);
    assert_int_equal(ending.status, status);
    if (!strstr(status ? ending.err : ending.out, said))
        fail_msg("'%s' is not in: %s%s", said, ending.out, ending.err);
}

static void score__names_the_setting_that_raises_a_limit_once(void **state)
{
    (void)state;
    char port[TEXT_SIZE], large[2000];
    struct service narrow;
    struct program program = {.words = {"score", "-"}, .env = {port}, .input = GOOD};

    assert_true(service_start(
        &narrow, (const char *[]){"--max-classes", "2", "--max-body", "1KiB", NULL}));
    snprintf(port, sizeof port, "LOSSD_PORT=%u", narrow.port);
    asks_with(&program, 1, " (too_large at /logits; --max-classes raises that)\n");
    snprintf(large, sizeof large, "%1500s", GOOD);
    program.input = large;
    asks_with(&program, 1, "--max-body");
    assert_null(strstr(strstr(ending.err, "--max-body") + 1, "--max-body"));
    assert_int_equal(service_stop(&narrow), 0);
}

static void score__sends_the_key_that_the_service_wants(void **state)
{
    (void)state;
    char keys[TEXT_SIZE], none[TEXT_SIZE], wrong[TEXT_SIZE], port[TEXT_SIZE],
        variable[2 * TEXT_SIZE];
    struct service locked;
    struct program program = {.words = {"score", "-"}, .env = {port}, .input = GOOD};

    write_file(keys,
               "# ours\n\n the-right-key-of-this-test # first\nanother-key-of-it\n");
    write_file(none, "# nobody's\n");
    write_file(wrong, "two words\n");
    snprintf(variable, sizeof variable, "LOSSCTL_KEY_FILE=%s", keys);
    assert_true(service_start(&locked, (const char *[]){"--api-key-file", keys, NULL}));
    snprintf(port, sizeof port, "LOSSD_PORT=%u", locked.port);
    asks_with(&program, 1, "(unauthorized)");
    program.env[1] = variable;
    asks_with(&program, 0, "\"loss\":0.407605964444380");
    program.words[2] = "--key-file";
    program.words[3] = none; /* wins over the variable */
    asks_with(&program, 2, " has no key; wanted one key a line\n");
    program.words[3] = wrong;
    asks_with(&program, 2, ":1: this is no key; wanted at most 255 printable characters");
    assert_null(strstr(ending.err, "two words"));
    program.words[3] = "/nowhere/key";
    asks_with(&program, 2, "cannot open /nowhere/key: No such file or directory\n");
    program.env[1] = NULL;
    program.words[3] = keys;
    asks_with(&program, 0, "\"loss\":0.407605964444380");
    assert_int_equal(service_stop(&locked), 0);
    unlink(keys);
    unlink(none);
    unlink(wrong);
}

static void lossctl__exits_with_2_for_wrong_words(void **state)
{
    static const struct {
        const char *words[4];
        const char *said;
    } rows[] = {
        {{NULL}, "a command is wanted; see lossctl --help"},
        {{"--version", "--json"},
         "--version goes alone, without \"--json\"; see lossctl --help"},
        {{"scroe"}, "\"scroe\" is not a command; see lossctl --help"},
        {{"score"}, "a FILE is wanted, or - for stdin; see lossctl score --help"},
        {{"score", "--ulr", "x"}, "\"--ulr\" is not an option; see lossctl score --help"},
        {{"score", "x", "--url"}, "--url needs a value; see lossctl score --help"},
        {{"score", "x", "-o"}, "-o needs a value; see lossctl score --help"},
        {{"score", "x", "-o=1"},
         "-o wants OPTION=VALUE, not \"=1\"; see lossctl score --help"},
        {{"score", "--timeout", "1s"},
         "--timeout is \"1s\"; wanted whole seconds up to 86400, 0 for no end; see "
         "lossctl "
         "score --help"},
        {{"score", "--timeout", "86401"},
         "--timeout is \"86401\"; wanted whole seconds up to 86400, 0 for no end; see "
         "lossctl score --help"},
        {{"score", "--timeout="},
         "--timeout is \"\"; wanted whole seconds up to 86400, 0 for no end; see lossctl "
         "score --help"},
        {{"health", "-v"}, "\"-v\" is not an option; see lossctl health --help"},
        {{"health", "-qv"}, "\"-v\" is not an option; see lossctl health --help"},
        {{"health", "--vq"}, "\"--vq\" is not an option; see lossctl health --help"},
        {{"score", "x", "--url="},
         "\"\" is not an address: No host part in the URL; wanted http://HOST:PORT; see "
         "lossctl score --help"},
        {{"score", "x", "--url=ftp://x"},
         "\"ftp://x\" is not an address: its scheme is ftp; wanted http://HOST:PORT; see "
         "lossctl score --help"},
        {{"health", ""},
         "\"\" is not an address: No host part in the URL; wanted http://HOST:PORT; see "
         "lossctl health --help"},
        {{"health", "file:///etc/passwd"},
         "\"file:///etc/passwd\" is not an address: its scheme is file; wanted "
         "http://HOST:PORT; see lossctl health --help"},
        {{"health", "a", "b"}, "one URL is wanted, not 2; see lossctl health --help"},
        {{"health", "--url=a", "b"},
         "one URL is wanted, not 2; see lossctl health --help"},
        {{"health", "--url"}, "--url needs a value; see lossctl health --help"},
    };
    char err[TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        LOSSCTL(NULL, rows[i].words[0], rows[i].words[1], rows[i].words[2]);
        snprintf(err, sizeof err, "lossctl: %s\n", rows[i].said);
        assert_ending(2, "", err);
    }
}

static void lossctl__says_when_nobody_gets_what_it_prints(void **state)
{
    struct program programs[] = {
        {.words = {"--help"}, .out_path = "/dev/full"},
        {.words = {"--version"}, .out_path = "/dev/full"},
        {.words = {"score", "--help"}, .out_path = "/dev/full"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        run(&programs[i]);
        assert_string_equal(ending.err,
                            "lossctl: standard output: No space left on device\n");
        assert_int_equal(ending.status, 1);
    }
}

static void lossctl__helps_on_stdout(void **state)
{
    static const char *const commands[] = {"--help", "score", "health"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        LOSSCTL(NULL, commands[i], i ? "--help" : NULL);
        assert_int_equal(ending.status, 0);
        assert_string_equal(ending.err, "");
        assert_non_null(strstr(ending.out, "Usage: lossctl "));
        for (const char *line = ending.out; *line; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 80);
    }
    LOSSCTL(NULL, "--version");
    assert_memory_equal(ending.out, "lossctl ", 8);
    assert_non_null(strstr(ending.out, ", libcurl "));
    assert_int_equal(ending.status, 0);
}

static void health__says_ready(void **state)
{
    (void)state;
    char out[TEXT_SIZE];

    snprintf(out, sizeof out, "ready: http://127.0.0.1:%u/readyz\n", service.port);
    LOSSCTL(NULL, "health");
    assert_ending(0, out, "");
    LOSSCTL(NULL, "health", "-q");
    assert_ending(0, "", "");
}

static void health__asks_the_path_that_is_given(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    char out[2 * TEXT_SIZE];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/livez", service.port);
    LOSSCTL(NULL, "health", url);
    snprintf(out, sizeof out, "ready: %s\n", url);
    assert_ending(0, out, "");
    LOSSCTL(NULL, "health", "--url", url);
    assert_ending(0, out, "");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/nowhere", service.port);
    LOSSCTL(NULL, "health", url);
    assert_int_equal(ending.status, 1);
    snprintf(out, sizeof out, "lossctl: %s is not ready: ", url);
    assert_memory_equal(ending.err, out, strlen(out));
    assert_non_null(strstr(ending.err, "(status 404)\n"));
    LOSSCTL(NULL, "health", url, "--quiet");
    assert_ending(1, "", "");
}

/* The server that `env` names is looked for at `place`; nobody needs to be there. */
static void looks_at(const char *place, const char *const env[3])
{
    struct program program = {.words = {"health"}, .env = {env[0], env[1], env[2]}};
    char said[2 * TEXT_SIZE];

    run(&program);
    snprintf(said, sizeof said, "%s/readyz", place);
    if (!strstr(ending.err, said) && !strstr(ending.out, said))
        fail_msg("'%s' is not in: %s%s", said, ending.out, ending.err);
}

#define LOOKS_AT(place, ...) looks_at(place, (const char *const[3]){__VA_ARGS__})

static void health__finds_the_server_by_its_own_environment(void **state)
{
    (void)state;
    LOOKS_AT("http://127.0.0.1:8080", NULL);
    LOOKS_AT("http://127.0.0.1:2", "PORT=2");
    LOOKS_AT("http://127.0.0.1:1", "PORT=2", "LOSSD_PORT=1");
    LOOKS_AT("http://127.0.0.1:2", "PORT=2", "LOSSD_PORT=tcp://10.0.0.1:80");
    LOOKS_AT("http://127.0.0.1:1", "PORT=x", "LOSSD_PORT=1");
    LOOKS_AT("http://127.0.0.1:8080", "PORT=", "LOSSD_PORT=", "LOSSD_HOST=");
    LOOKS_AT("http://127.0.0.1:1", "LOSSD_HOST=0.0.0.0", "LOSSD_PORT=1");
    LOOKS_AT("http://[::1]:1", "LOSSD_HOST=::", "LOSSD_PORT=1");
    LOOKS_AT("http://[::1]:1", "LOSSD_HOST=[::]", "LOSSD_PORT=1");
    LOOKS_AT("http://127.0.0.2:1", "LOSSD_HOST=127.0.0.2", "LOSSD_PORT=1");
    LOOKS_AT("http://127.0.0.1:3", "LOSSD_LISTEN=3", "LOSSD_PORT=1");
    LOOKS_AT("http://127.0.0.1:3", "LOSSD_LISTEN=0.0.0.0:3,127.0.0.1:4");
    LOOKS_AT("http://[::1]:3", "LOSSD_LISTEN=unix:/x.sock,[::]:3");
    LOOKS_AT("http://127.0.0.1:1", "LOSSD_LISTEN=", "LOSSD_PORT=1");
    LOOKS_AT("http://127.0.0.1:4", "LOSSD_ADMIN_LISTEN=4", "LOSSD_LISTEN=3");
    LOOKS_AT("http://127.0.0.1:3", "LOSSD_ADMIN_LISTEN=", "LOSSD_LISTEN=3");
}

static void health__finds_the_server_by_its_file(void **state)
{
    static const struct {
        const char *text, *variable, *place;
    } rows[] = {
        {"port = 5 # of five\nthreads = 2\n", NULL, "http://127.0.0.1:5"},
        {"host=127.0.0.2\nport=5\n", NULL, "http://127.0.0.2:5"},
        {"host=127.0.0.2\nport=5\n", "LOSSD_PORT=1", "http://127.0.0.2:1"},
        {"port = 5\n", "PORT=2", "http://127.0.0.1:2"},
        {"port = 5\n", "LOSSD_PORT=tcp://10.0.0.1:80", "http://127.0.0.1:5"},
        {"listen = 6,7\n", NULL, "http://127.0.0.1:6"},
        {"listen = 6\n", "LOSSD_PORT=1", "http://127.0.0.1:1"},
        {"listen = 6\n", "PORT=2", "http://127.0.0.1:2"},
        {"listen = 6\n", "LOSSD_LISTEN=3", "http://127.0.0.1:3"},
        {"listen = 6\nadmin-listen = 7\n", NULL, "http://127.0.0.1:7"},
        {"admin-listen = 7\n", "LOSSD_ADMIN_LISTEN=4", "http://127.0.0.1:4"},
        {"listen =\nport = 5\n", NULL, "http://127.0.0.1:5"},
        {"no setting at all\n", NULL, "http://127.0.0.1:8080"},
    };
    char path[TEXT_SIZE], variable[2 * TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file(path, rows[i].text);
        snprintf(variable, sizeof variable, "LOSSD_CONFIG=%s", path);
        LOOKS_AT(rows[i].place, variable, rows[i].variable);
        unlink(path);
    }
}

static void lossctl__refuses_what_the_file_of_the_server_has_wrong(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"threads = 1\nport = 80x\n",
         ":2: port is \"80x\"; wanted a whole number from 0 to 65535\n"},
        {"listen = foo\n", ":1: listen: the address to listen on is \"foo\"; a port, "
                           "host:port, [::1]:port, unix:/path or unix:@name is wanted\n"},
        {NULL, ": No such file or directory\n"},
    };
    char path[TEXT_SIZE], variable[2 * TEXT_SIZE], err[2 * TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file(path, rows[i].text ? rows[i].text : "");
        if (!rows[i].text)
            unlink(path);
        snprintf(variable, sizeof variable, "LOSSD_CONFIG=%s", path);
        struct program program = {.words = {"health"}, .env = {variable}};
        run(&program);
        snprintf(err, sizeof err, "lossctl: %s%s%s", rows[i].text ? "" : "cannot open ",
                 path, rows[i].said);
        assert_ending(1, "", err);
        unlink(path);
    }
}

/* What it scores is not sent where health alone is told. */
static void score__is_no_matter_for_the_administrator(void **state)
{
    (void)state;
    struct program program = {.words = {"score", "-"},
                              .env = {port_variable, "LOSSD_ADMIN_LISTEN=1"},
                              .input = GOOD};

    run(&program);
    assert_agrees(GOOD_ANSWER);
}

/* Where the server would not start, it is not looked for elsewhere. */
static void lossctl__refuses_what_its_environment_has_wrong(void **state)
{
    static const struct {
        const char *variable, *said;
    } rows[] = {
        {"LOSSD_PORT=80x",
         "LOSSD_PORT is \"80x\"; wanted a whole number from 0 to 65535"},
        {"LOSSD_PORT=65536",
         "LOSSD_PORT is \"65536\"; wanted a whole number from 0 to 65535"},
        {"PORT=-1", "PORT is \"-1\"; wanted a whole number from 0 to 65535"},
        {"LOSSD_HOST=a b",
         "\"http://a b:8080\" is not an address: Bad hostname; wanted http://HOST:PORT"},
        {"LOSSD_LISTEN=8080,foo",
         "LOSSD_LISTEN: the address to listen on is \"foo\"; a port, host:port, "
         "[::1]:port, unix:/path or unix:@name is wanted"},
        {"LOSSD_LISTEN=,",
         "LOSSD_LISTEN: the address to listen on is \"\"; a port, host:port, "
         "[::1]:port, unix:/path or unix:@name is wanted"},
    };
    static const char *const commands[][2] = {{"health", NULL}, {"score", "-"}};
    char err[TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct program program = {.words = {commands[i % 2][0], commands[i % 2][1]},
                                  .env = {rows[i / 2].variable},
                                  .input = GOOD};
        run(&program);
        snprintf(err, sizeof err, "lossctl: %s\n", rows[i / 2].said);
        assert_ending(i % 2 == 0 ? 1 : 2, "", err);
    }
}

/* Of its environment, where only a socket is; one in the file system and one that has only
 * a name. */
static void lossctl__finds_a_server_that_has_only_a_socket(void **state)
{
    (void)state;
    static const char *const forms[] = {"unix:/tmp/lossctl-test", "unix:@lossctl-test"};
    char where[TEXT_SIZE], variable[2 * TEXT_SIZE], said[2 * TEXT_SIZE];

    for (size_t i = 0; i < 2; i++) {
        snprintf(where, sizeof where, "%s-%d", forms[i], (int)getpid());
        snprintf(variable, sizeof variable, "LOSSD_LISTEN=%s", where);
        struct service there;
        struct program program = {.words = {"health"}, .env = {variable}, .input = GOOD};
        snprintf(said, sizeof said, "127.0.0.1:0,%s", where); /* a port to wait for */
        assert_true(service_start(&there, (const char *[]){"--listen", said, NULL}));
        run(&program);
        snprintf(said, sizeof said, "ready: %s\n", where);
        assert_ending(0, said, "");
        program.words[0] = "score";
        program.words[1] = "-";
        run(&program);
        assert_agrees(GOOD_ANSWER);
        assert_int_equal(service_stop(&there), 0);
        run(&program);
        snprintf(said, sizeof said, "lossctl: no answer from %s: ", where);
        assert_memory_equal(ending.err, said, strlen(said));
        assert_int_equal(ending.status, 1);
    }
}

static void health__refuses_what_is_no_address_of_the_administrator(void **state)
{
    (void)state;
    struct program program = {.words = {"health"},
                              .env = {port_variable, "LOSSD_ADMIN_LISTEN=foo"}};

    run(&program);
    assert_ending(1, "",
                  "lossctl: LOSSD_ADMIN_LISTEN: the address to listen on is \"foo\"; a "
                  "port, host:port, [::1]:port, unix:/path or unix:@name is wanted\n");
}

static void health__fails_where_nobody_is(void **state)
{
    (void)state;
    unsigned port;
    int fd = bind_port(false, &port);
    char url[TEXT_SIZE];
    char said[2 * TEXT_SIZE];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    snprintf(said, sizeof said, "lossctl: no answer from %s/readyz: ", url);
    LOSSCTL(NULL, "health", url);
    assert_int_equal(ending.status, 1);
    assert_memory_equal(ending.err, said, strlen(said));
    LOSSCTL(NULL, "health", "-q", url);
    assert_ending(1, "", "");
    close(fd);
}

static void health__fails_when_the_answer_breaks_off(void **state)
{
    (void)state;
    char url[TEXT_SIZE];
    pid_t pid = stranger("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok", url);

    LOSSCTL(NULL, "health", url);
    assert_int_equal(ending.status, 1);
    assert_string_equal(ending.out, "");
    stranger_leaves(pid);
}

/* A server of this machine is asked directly, whatever proxy is set. */
static void health__goes_past_a_proxy_to_its_own_server(void **state)
{
    (void)state;
    struct program program = {.words = {"health", "-q"},
                              .env = {port_variable, "http_proxy=http://127.0.0.1:1"}};

    run(&program);
    assert_ending(0, "", "");
}

/* It is not the service that does not answer. */
static void health__names_a_proxy_that_does_not_answer(void **state)
{
    (void)state;
    unsigned port;
    int fd = bind_port(false, &port);
    char url[TEXT_SIZE], proxy[TEXT_SIZE], named[TEXT_SIZE];
    struct program program = {.words = {"health", url}, .env = {proxy}};

    snprintf(url, sizeof url, "http://127.0.0.1:%u", service.port);
    snprintf(proxy, sizeof proxy, "http_proxy=http://127.0.0.1:%u", port);
    snprintf(named, sizeof named, " port %u ", port);
    run(&program);
    assert_int_equal(ending.status, 1);
    assert_non_null(strstr(ending.err, named));
    close(fd);
}

static void health__says_when_the_server_drains(void **state)
{
    static const char *const flags[] = {"--drain-delay", "1m", NULL};
    struct service draining;
    char url[TEXT_SIZE];

    (void)state;
    assert_true(service_start(&draining, flags));
    snprintf(url, sizeof url, "http://127.0.0.1:%u", draining.port);
    kill(draining.pid, SIGTERM);
    assert_true(service_logs(&draining, "stopping"));
    LOSSCTL(NULL, "health", url);
    assert_int_equal(ending.status, 1);
    assert_non_null(strstr(ending.err, "/readyz is not ready: "));
    assert_non_null(strstr(ending.err, "(status 503)\n"));
    assert_int_equal(service_stop(&draining), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__prints_the_answer_for_a_file),
        cmocka_unit_test(score__knows_a_dataset_and_an_array_by_their_names),
        cmocka_unit_test(score__reads_stdin),
        cmocka_unit_test(score__is_told_what_has_no_name),
        cmocka_unit_test(score__takes_an_address_with_and_without_path),
        cmocka_unit_test(score__sends_options_whatever_they_hold),
        cmocka_unit_test(score__goes_on_after_a_file_that_is_refused),
        cmocka_unit_test(score__says_where_the_text_is_wrong),
        cmocka_unit_test(score__is_red_on_a_terminal_only),
        cmocka_unit_test(score__sends_a_large_file),
        cmocka_unit_test(score__says_what_to_do_when_nobody_answers),
        cmocka_unit_test(score__says_where_it_is_not_understood),
        cmocka_unit_test(score__tells_a_stranger_from_the_service),
        cmocka_unit_test(score__takes_no_silence_for_an_answer),
        cmocka_unit_test(score__says_that_a_standard_stream_is_closed),
        cmocka_unit_test(score__lets_no_control_character_through),
        cmocka_unit_test(score__fails_when_an_answer_breaks_off),
        cmocka_unit_test(score__gives_up_on_who_never_answers),
        cmocka_unit_test(score__says_why_a_socket_does_not_answer),
        cmocka_unit_test(score__fails_when_it_cannot_read_or_write),
        cmocka_unit_test(score__says_why_it_cannot_read_a_file),
        cmocka_unit_test(score__sends_a_file_that_is_made_while_it_is_read),
        cmocka_unit_test(score__names_the_setting_that_raises_a_limit_once),
        cmocka_unit_test(score__sends_the_key_that_the_service_wants),
        cmocka_unit_test(lossctl__exits_with_2_for_wrong_words),
        cmocka_unit_test(lossctl__helps_on_stdout),
        cmocka_unit_test(lossctl__says_when_nobody_gets_what_it_prints),
        cmocka_unit_test(health__says_ready),
        cmocka_unit_test(health__asks_the_path_that_is_given),
        cmocka_unit_test(health__finds_the_server_by_its_own_environment),
        cmocka_unit_test(health__finds_the_server_by_its_file),
        cmocka_unit_test(lossctl__refuses_what_the_file_of_the_server_has_wrong),
        cmocka_unit_test(score__is_no_matter_for_the_administrator),
        cmocka_unit_test(lossctl__refuses_what_its_environment_has_wrong),
        cmocka_unit_test(lossctl__finds_a_server_that_has_only_a_socket),
        cmocka_unit_test(health__refuses_what_is_no_address_of_the_administrator),
        cmocka_unit_test(health__fails_where_nobody_is),
        cmocka_unit_test(health__fails_when_the_answer_breaks_off),
        cmocka_unit_test(health__goes_past_a_proxy_to_its_own_server),
        cmocka_unit_test(health__names_a_proxy_that_does_not_answer),
        cmocka_unit_test(health__says_when_the_server_drains),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
