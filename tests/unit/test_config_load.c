/* Settings: the weight of each source, every kind of mistake, and what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config_load.h"
#include "config_settle.h"
#include "option.h"

#include <cmocka.h>

enum { WORDS = 16, FILE_PATH_SIZE = 64 };

/* One call of config_load() and all that came of it. */
struct run {
    struct config config;
    enum config_outcome outcome;
    char *out, *err;
};

static char *copy_word(char **at, const char *word, size_t len)
{
    char *start = *at;

    memcpy(start, word, len);
    start[len] = '\0';
    *at = start + len + 1;
    return start;
}

/* Cuts text at spaces into a list that ends with NULL. */
static void split(const char *text, char *memory, char *list[WORDS + 1])
{
    size_t count = 0;

    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        assert_true(count < WORDS);
        list[count++] = copy_word(&memory, text, len);
        text += len;
    }
    list[count] = NULL;
}

static const struct config_build build = {"1.0.0", "abc1234", "gcc 12.2", "lib 0.9"};

/* `flags` and `env` are words; the program's name is put before the flags. */
static void load(struct run *run, const char *flags, const char *env)
{
    char line[1024];
    char memory[2][2048];
    char *argv[WORDS + 1];
    char *environment[WORDS + 1];
    size_t out_len;
    size_t err_len;
    int argc = 0;

    snprintf(line, sizeof line, "lossd %s", flags);
    split(line, memory[0], argv);
    split(env, memory[1], environment);
    while (argv[argc])
        argc++;
    FILE *out = open_memstream(&run->out, &out_len);
    FILE *err = open_memstream(&run->err, &err_len);
    run->outcome = config_load(&run->config, argc, argv, environment, &build, out, err);
    fclose(out);
    fclose(err);
}

static void done(struct run *run)
{
    free(run->out);
    free(run->err);
}

/* The settings are good, and nothing was said. */
static struct config loaded(const char *flags, const char *env)
{
    struct run run;

    load(&run, flags, env);
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "");
    assert_int_equal(run.outcome, CONFIG_RUN);
    done(&run);
    return run.config;
}

/* The settings are bad, for exactly this reason. */
static void refused(const char *flags, const char *env, const char *message)
{
    struct run run;

    load(&run, flags, env);
    assert_string_equal(run.err, message);
    assert_string_equal(run.out, "");
    assert_int_equal(run.outcome, CONFIG_BAD);
    done(&run);
}

/* A file with that text; its name is written to `path`. */
static void write_file(char path[FILE_PATH_SIZE], const char *text)
{
    strcpy(path, "/tmp/lossd-test-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static struct config loaded_file(const char *text, const char *env)
{
    char path[FILE_PATH_SIZE];
    char flags[FILE_PATH_SIZE + 16];

    write_file(path, text);
    snprintf(flags, sizeof flags, "--config %s", path);
    struct config config = loaded(flags, env);
    unlink(path);
    return config;
}

/* `message` is what follows the file's name. */
static void refused_file(const char *text, const char *message)
{
    char path[FILE_PATH_SIZE];
    char flags[FILE_PATH_SIZE + 16];
    char expected[1024];

    write_file(path, text);
    snprintf(flags, sizeof flags, "--config=%s", path);
    snprintf(expected, sizeof expected, "lossd: %s%s\n", path, message);
    refused(flags, "", expected);
    unlink(path);
}

static void config__has_defaults_that_need_no_setting(void **state)
{
    (void)state;
    struct config config = loaded("", "");

    assert_string_equal(config.host, "127.0.0.1");
    assert_int_equal(config.port, 8080);
    assert_int_equal(config.threads, 0);
    assert_int_equal(config.max_body, 256u << 20);
    assert_int_equal(config.inline_cost, 100000);
    assert_int_equal(config.keepalive_timeout, INT64_C(75000000000));
    assert_int_equal(config.log_format, CONFIG_LOG_AUTO);
    assert_int_equal(config.log_level, LOG_INFO);
    assert_true(config.server_timing);
}

static void config__lets_flags_win_over_environment_over_file(void **state)
{
    (void)state;
    char path[FILE_PATH_SIZE];
    char flags[128];

    write_file(path, "port = 1\nqueue-size = 11\nthreads = 21\n");
    snprintf(flags, sizeof flags, "--port 3 --config %s", path);
    struct config config = loaded(flags, "LOSSD_PORT=2 LOSSD_QUEUE_SIZE=12");
    assert_int_equal(config.port, 3);
    assert_int_equal(config.queue_size, 12);
    assert_int_equal(config.threads, 21);
    assert_int_equal(config.max_depth, 64);
    unlink(path);
}

/* They say one thing in two ways. */
static void config__lets_host_and_port_win_over_a_lighter_listen(void **state)
{
    (void)state;
    struct config equal = loaded_file("listen = 1.2.3.4:1\nport = 2\n", "");

    assert_string_equal(loaded("--port 2", "LOSSD_LISTEN=1").listen, "");
    assert_string_equal(loaded("--host ::1", "LOSSD_LISTEN=1").listen, "");
    assert_string_equal(equal.listen, "1.2.3.4:1");
    assert_string_equal(loaded("--listen 1 --port 2", "").listen, "1");
    assert_string_equal(loaded("", "LOSSD_LISTEN=1 LOSSD_PORT=2 PORT=3").listen, "1");
    assert_string_equal(loaded("--listen 1", "LOSSD_HOST=h LOSSD_PORT=2").listen, "1");
}

/* Images set LOSSD_HOST and platforms PORT, and neither has read the file. */
static void config__says_when_a_file_is_not_listened_to(void **state)
{
    static const char *const envs[] = {"LOSSD_PORT=2", "PORT=2", "LOSSD_HOST=0.0.0.0"};
    char path[FILE_PATH_SIZE], flag[FILE_PATH_SIZE + 16];
    struct run run;

    (void)state;
    write_file(path, "listen = 1.2.3.4:1\n");
    snprintf(flag, sizeof flag, "--config=%s", path);
    for (size_t i = 0; i < sizeof envs / sizeof *envs; i++) {
        load(&run, flag, envs[i]);
        assert_string_equal(run.err,
                            "lossd: warning: listen of the file is passed over: a flag "
                            "or a variable (LOSSD_HOST, LOSSD_PORT, PORT) tells host or "
                            "port\n");
        assert_int_equal(run.outcome, CONFIG_RUN);
        assert_string_equal(run.config.listen, "");
        done(&run);
    }
    unlink(path);
}

static void config__wants_a_budget_with_which_something_can_be_answered(void **state)
{
    (void)state;
    refused("--memory-budget 65535", "",
            "lossd: --memory-budget is 65535; wanted 0 or at least 64KiB\n");
    refused("", "LOSSD_MEMORY_BUDGET=1",
            "lossd: --memory-budget is 1; wanted 0 or at least 64KiB\n");
    assert_int_equal(loaded("--memory-budget 64KiB", "").memory_budget, 65536);
    assert_int_equal(loaded("--memory-budget 0", "").memory_budget, 0);
}

static void config__takes_the_last_of_a_repeated_flag(void **state)
{
    (void)state;
    assert_int_equal(loaded("--port 1 --port=2", "").port, 2);
}

static void config__ranks_PORT_below_its_own_variable_and_above_a_file(void **state)
{
    (void)state;
    assert_int_equal(loaded("", "PORT=9000").port, 9000);
    assert_int_equal(loaded("", "PORT=9000 LOSSD_PORT=9001").port, 9001);
    assert_int_equal(loaded("", "LOSSD_PORT=9001 PORT=9000").port, 9001);
    assert_int_equal(loaded("--port 9002", "PORT=9000").port, 9002);
    assert_int_equal(loaded_file("port = 9003\n", "PORT=9000").port, 9000);
}

static void config__finds_the_file_by_variable_and_the_flag_wins(void **state)
{
    (void)state;
    char path[FILE_PATH_SIZE];
    char env[128];
    char flags[128];

    write_file(path, "port = 9004\n");
    snprintf(env, sizeof env, "LOSSD_CONFIG=%s", path);
    snprintf(flags, sizeof flags, "--config %s", path);
    assert_int_equal(loaded("", env).port, 9004);
    assert_int_equal(loaded(flags, "LOSSD_CONFIG=/nowhere").port, 9004);
    unlink(path);
}

static void config__takes_an_empty_variable_as_not_set(void **state)
{
    (void)state;
    struct config config = loaded("", "LOSSD_PORT= PORT= LOSSD_HOST= LOSSD_CONFIG=");

    assert_int_equal(config.port, 8080);
    assert_string_equal(config.host, "127.0.0.1");
}

/* Kubernetes adds these beside a Service of the name "lossd". */
/* Whoever names a file of keys that way believes that there are some. */
static void config__warns_of_keys_that_are_not_named(void **state)
{
    static const struct {
        const char *flags, *env, *said;
    } rows[] = {
        {"", "LOSSD_API_KEY_FILE=",
         "lossd: warning: LOSSD_API_KEY_FILE is empty: everybody may ask\n"},
        {"--api-key-file=", "LOSSD_API_KEY_FILE=/a",
         "lossd: warning: --api-key-file is empty: everybody may ask\n"},
        {"--api-key-file=/a", "LOSSD_API_KEY_FILE=", ""},
        {"", "LOSSD_API_KEY_FILE=/a", ""},
        {"", "", ""},
    };
    struct run run;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        load(&run, rows[i].flags, rows[i].env);
        assert_string_equal(run.err, rows[i].said);
        assert_int_equal(run.outcome, CONFIG_RUN);
        done(&run);
    }
}

static void config__is_not_confused_by_service_links(void **state)
{
    (void)state;
    struct config config =
        loaded("", "LOSSD_PORT=tcp://10.0.0.11:80 "
                   "LOSSD_SERVICE_HOST=10.0.0.11 LOSSD_SERVICE_PORT=80 "
                   "LOSSD_PORT_80_TCP=tcp://10.0.0.11:80 PORT=9000");

    assert_int_equal(config.port, 9000);
}

static void config__names_flag_value_and_range_of_every_type(void **state)
{
    (void)state;
    refused("--port 65536", "",
            "lossd: --port is \"65536\"; wanted a whole number from 0 to 65535\n");
    refused("--port=-1", "",
            "lossd: --port is \"-1\"; wanted a whole number from 0 to 65535\n");
    refused("--max-body 1023B", "",
            "lossd: --max-body is \"1023B\"; wanted a size such as 64MiB from 1KiB to "
            "1TiB\n");
    refused("--header-timeout 10", "",
            "lossd: --header-timeout is \"10\"; wanted a duration such as 500ms from 1ms "
            "to 1h\n");
    refused("--server-timing maybe", "",
            "lossd: --server-timing is \"maybe\"; wanted on or off\n");
    refused("--log-format xml", "",
            "lossd: --log-format is \"xml\"; wanted off, json, text or auto\n");
    refused("--host a#b", "",
            "lossd: --host is \"a#b\"; wanted 1 to 255 printable characters without "
            "spaces and #\n");
}

static void config__names_the_variable_of_a_bad_value(void **state)
{
    (void)state;
    refused("", "LOSSD_QUEUE_SIZE=x",
            "lossd: LOSSD_QUEUE_SIZE is \"x\"; wanted a whole number from 0 to 1Mi\n");
    refused("", "PORT=http",
            "lossd: PORT is \"http\"; wanted a whole number from 0 to 65535\n");
}

static void config__names_the_setting_of_what_is_no_address(void **state)
{
    static const char wanted[] = "a port, host:port, [::1]:port, unix:/path or "
                                 "unix:@name is wanted\n";
    char message[300];

    (void)state;
    snprintf(message, sizeof message,
             "lossd: --listen: the address to listen on is \"foo:\"; %s", wanted);
    refused("--listen 8080 --listen foo:", "", message);
    snprintf(message, sizeof message,
             "lossd: LOSSD_LISTEN: the address to listen on is \"\"; %s", wanted);
    refused("--listen 8080", "LOSSD_LISTEN=,", message);
    snprintf(message, sizeof message,
             ":1: admin-listen: the address to listen on is \"foo\"; %.*s",
             (int)strcspn(wanted, "\n"), wanted);
    refused_file("admin-listen = foo\n", message);
    refused("--admin-listen 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "",
            "lossd: --admin-listen: there are more than 16 addresses to listen on\n");
}

static void config__says_how_long_a_list_may_be(void **state)
{
    enum { NAMES = 17, NAME = 16 };
    char flag[NAMES * NAME + 16] = "--listen ", message[sizeof flag + 128];
    char *list = flag + strlen(flag);

    (void)state;
    for (int i = 0; i < NAMES; i++)
        memcpy(list + i * NAME, "unix:@name_here,", NAME + 1);
    snprintf(message, sizeof message,
             "lossd: --listen is \"%s\"; wanted up to 16 addresses with commas between, "
             "255 characters in all, without spaces and #\n",
             list);
    refused(flag, "", message);
}

static void config__refuses_a_bad_value_that_another_beats(void **state)
{
    (void)state;
    refused("--port 80", "LOSSD_PORT=x",
            "lossd: LOSSD_PORT is \"x\"; wanted a whole number from 0 to 65535\n");
}

static void config__suggests_the_nearest_flag(void **state)
{
    (void)state;
    refused("--max-bdy 3", "",
            "lossd: unknown flag --max-bdy; did you mean --max-body?\n");
    refused("--max_body=3", "",
            "lossd: unknown flag --max_body; did you mean --max-body?\n");
    refused("--verison", "", "lossd: unknown flag --verison; did you mean --version?\n");
    refused("--qqqqqqqqqqqq", "",
            "lossd: unknown flag --qqqqqqqqqqqq; see lossd --help\n");
}

static void config__refuses_what_is_no_flag(void **state)
{
    (void)state;
    refused("serve", "", "lossd: \"serve\" is not a flag; see lossd --help\n");
    refused("-p 80", "", "lossd: \"-p\" is not a flag; see lossd --help\n");
    refused("--", "", "lossd: \"--\" is not a flag; see lossd --help\n");
    refused("--=3", "", "lossd: \"--=3\" is not a flag; see lossd --help\n");
    refused("--version=3", "", "lossd: --version takes no value\n");
    refused("--threads", "",
            "lossd: --threads needs a value; wanted a whole number from 0 to 1024\n");
    refused("--config", "", "lossd: --config needs a value; wanted a file's name\n");
}

static void config__warns_of_an_unknown_variable_and_goes_on(void **state)
{
    (void)state;
    struct run run;

    load(&run, "", "LOSSD_MAX_BDY=3 HOME=/ LOSSD_XYZZYXYZZY=1 LOSSD_port=3 lossd=4");
    assert_int_equal(run.outcome, CONFIG_RUN);
    assert_string_equal(
        run.err,
        "lossd: warning: LOSSD_MAX_BDY is not a setting; did you mean LOSSD_MAX_BODY?\n"
        "lossd: warning: LOSSD_XYZZYXYZZY is not a setting\n"
        "lossd: warning: LOSSD_port is not a setting\n");
    assert_int_equal(run.config.port, 8080);
    done(&run);
}

static void config__reads_sizes_in_thousands_and_in_1024s(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } rows[] = {{"1024B", 1024},       {"1KiB", 1024},     {"1Ki", 1024},
                {"64MiB", 64u << 20},  {"1GiB", 1u << 30}, {"2Gi", 2ull << 30},
                {"1TiB", 1ull << 40},  {"10k", 10000},     {"10K", 10000},
                {"10kB", 10000},       {"10M", 10000000},  {"3G", 3000000000},
                {"1T", 1000000000000}, {"007MB", 7000000}};
    static const char *const bad[] = {"1.5GiB",
                                      "MiB",
                                      "64mib",
                                      "64MiBB",
                                      "+1k",
                                      "0x400",
                                      "1Ei",
                                      "B",
                                      "64M1B",
                                      "18446744073709553664B",
                                      "18014398509481985Ki"};
    char flags[64];
    struct run run;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(flags, sizeof flags, "--max-body %s", rows[i].text);
        assert_int_equal(loaded(flags, "").max_body, rows[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(flags, sizeof flags, "--max-body=%s", bad[i]);
        load(&run, flags, "");
        assert_int_equal(run.outcome, CONFIG_BAD);
        assert_non_null(strstr(run.err, "wanted a size such as 64MiB"));
        done(&run);
    }
    assert_int_equal(loaded("--max-elements 64Mi", "").max_elements, 64u << 20);
    refused("--max-elements 64MiB", "",
            "lossd: --max-elements is \"64MiB\"; wanted a whole number from 1 to 1Ti\n");
}

static void config__reads_durations_with_their_units(void **state)
{
    (void)state;
    assert_int_equal(loaded("--drain-delay 0", "").drain_delay, 0);
    assert_int_equal(loaded("--drain-delay 7ns", "").drain_delay, 7);
    assert_int_equal(loaded("--drain-delay 7us", "").drain_delay, 7000);
    assert_int_equal(loaded("--drain-delay 500ms", "").drain_delay, 500000000);
    assert_int_equal(loaded("--drain-delay 10s", "").drain_delay, INT64_C(10000000000));
    assert_int_equal(loaded("--drain-delay 2m", "").drain_delay, INT64_C(120000000000));
    assert_int_equal(loaded("--drain-delay 1h", "").drain_delay, INT64_C(3600000000000));
    refused("--drain-delay 61m", "",
            "lossd: --drain-delay is \"61m\"; wanted a duration such as 500ms from 0 to "
            "1h\n");
}

static void config__reads_yes_and_no_in_four_spellings(void **state)
{
    (void)state;
    assert_true(loaded("--server-timing on", "").server_timing);
    assert_true(loaded("--server-timing true", "").server_timing);
    assert_true(loaded("--server-timing=yes", "").server_timing);
    assert_true(loaded("", "LOSSD_SERVER_TIMING=1").server_timing);
    assert_false(loaded("--server-timing off", "").server_timing);
    assert_false(loaded("--server-timing false", "").server_timing);
    assert_false(loaded("--server-timing=no", "").server_timing);
    assert_false(loaded("", "LOSSD_SERVER_TIMING=0").server_timing);
}

static void config_file__allows_comments_blanks_and_no_last_newline(void **state)
{
    (void)state;
    struct config config = loaded_file("# a comment = 3\r\n"
                                       "\n"
                                       "  \t port=81\r\n"
                                       "\thost =  ::1   # all of it\n"
                                       "max-body = 64MiB",
                                       "");

    assert_int_equal(config.port, 81);
    assert_string_equal(config.host, "::1");
    assert_int_equal(config.max_body, 64u << 20);
}

static void config_file__names_file_and_line_of_a_mistake(void **state)
{
    (void)state;
    refused_file("\n# ok\nport 80\n", ":3: \"port 80\" is not `key = value`");
    refused_file("port = 80\nprot = 81\n",
                 ":2: unknown key \"prot\"; did you mean port?");
    refused_file("max_body = 1MiB\n",
                 ":1: unknown key \"max_body\"; did you mean max-body?");
    refused_file("config = x\n", ":1: unknown key \"config\"");
    refused_file("= 3\n", ":1: unknown key \"\"");
    refused_file("port =\n", ":1: port is \"\"; wanted a whole number from 0 to 65535");
    refused_file("port = 1\nthreads = 2\nport = 3\n",
                 ":3: port was set in line 1 already");
    refused_file("threads = 2\nport = 80 81\n",
                 ":2: port is \"80 81\"; wanted a whole number from 0 to 65535");
}

static void config_file__refuses_a_line_without_end(void **state)
{
    char line[1200];

    (void)state;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    refused_file(line,
                 ":1: the line is too long or not text; the longest has 1022 bytes");
}

static void config_file__says_why_it_cannot_be_opened(void **state)
{
    (void)state;
    refused("--config /nowhere/lossd.conf", "",
            "lossd: cannot open /nowhere/lossd.conf: No such file or directory\n");
    refused("--config /tmp", "", "lossd: cannot read /tmp: Is a directory\n");
}

static void config__prints_its_version_on_one_line(void **state)
{
    struct run run;

    (void)state;
    load(&run, "--version", "LOSSD_PORT=bad");
    assert_int_equal(run.outcome, CONFIG_DONE);
    assert_string_equal(run.out, "lossd 1.0.0 (abc1234, gcc 12.2, lib 0.9)\n");
    done(&run);
}

/* As GET /version has it. */
static void config__prints_its_version_as_json(void **state)
{
    static const char *const orders[] = {"--version --json", "--json --version"};
    struct run run;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        load(&run, orders[i], "");
        assert_int_equal(run.outcome, CONFIG_DONE);
        assert_string_equal(run.out,
                            "{\"name\":\"lossd\",\"version\":\"1.0.0\",\"commit\":"
                            "\"abc1234\",\"compiler\":\"gcc 12.2\",\"http_library\":"
                            "\"lib 0.9\"}\n");
        done(&run);
    }
}

static void config__refuses_what_does_not_go_with_its_version(void **state)
{
    (void)state;
    refused("--version --jsno", "", "lossd: unknown flag --jsno; did you mean --json?\n");
    refused("--version x", "", "lossd: \"x\" is not a flag; see lossd --help\n");
    refused("--version --port 1", "", "lossd: --version goes with --json alone\n");
    refused("--port=1 --version", "", "lossd: --version goes with --json alone\n");
    refused("--json", "", "lossd: --json goes with --version alone\n");
    refused("--json --check-config", "", "lossd: --json goes with --version alone\n");
    refused("--check-config --print-config", "",
            "lossd: --check-config and --print-config go one at a time\n");
}

static void config__helps_with_every_option_in_80_columns(void **state)
{
    struct run run;
    char key[OPTION_NAME_SIZE];
    char variable[OPTION_NAME_SIZE];
    char text[128];

    (void)state;
    load(&run, "--help", "LOSSD_PORT=bad");
    assert_int_equal(run.outcome, CONFIG_DONE);
    assert_string_equal(run.err, "");
    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        option_key(&options[i], key);
        option_variable(&options[i], variable);
        snprintf(text, sizeof text, "\n  --%s %s", key, option_placeholder(&options[i]));
        assert_non_null(strstr(run.out, text));
        snprintf(text, sizeof text, "[env: %s]\n", variable);
        assert_non_null(strstr(run.out, text));
    }
    for (const char *line = run.out; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    assert_non_null(strstr(run.out, "  --check-config"));
    assert_non_null(strstr(run.out, " [::1]:8080,"));
    assert_non_null(
        strstr(strstr(run.out, "\nExamples:\n"), "curl localhost:8080/v1/loss"));
    done(&run);
}

static void config__has_helpful_words_for_every_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        assert_true(strlen(options[i].help) > 10);
        for (const char *c = options[i].name; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
    }
}

static void config__checks_without_serving(void **state)
{
    struct run run;

    (void)state;
    load(&run, "--check-config --port 9000", "");
    assert_int_equal(run.outcome, CONFIG_CHECK);
    assert_string_equal(run.out, "");
    done(&run);
    refused("--check-config", "LOSSD_PORT=x",
            "lossd: LOSSD_PORT is \"x\"; wanted a whole number from 0 to 65535\n");
}

/* Every option at its highest value less `below`, or at its lowest. */
static void set_all(struct config *config, uint64_t below)
{
    char text[OPTION_TEXT_SIZE];

    options_reset(config);
    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        uint64_t room = options[i].highest - options[i].lowest;
        uint64_t number = options[i].highest - (below < room ? below : room);
        if (option_is_text(&options[i]))
            snprintf(text, sizeof text, "%.*s", (int)number,
                     options[i].type == OPTION_LIST ? "8080,[::1]:0" : "fe80::1%eth0");
        else if (options[i].type == OPTION_CHOICE)
            snprintf(text, sizeof text, "%s", options[i].choices[number]);
        else if (options[i].type == OPTION_BOOL)
            snprintf(text, sizeof text, "%s", number ? "on" : "off");
        else if (options[i].type == OPTION_DURATION)
            snprintf(text, sizeof text, "%zuns", (size_t)number);
        else
            snprintf(text, sizeof text, "%zu%s", (size_t)number,
                     options[i].type == OPTION_SIZE ? "B" : "");
        assert_true(option_set(&options[i], config, span_of(text)));
    }
}

static void same(const struct config *a, const struct config *b)
{
    char texts[2][OPTION_TEXT_SIZE];

    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        option_text(&options[i], a, texts[0]);
        option_text(&options[i], b, texts[1]);
        assert_string_equal(texts[0], texts[1]);
    }
}

static void prints_and_reads_back(const struct config *config)
{
    char path[FILE_PATH_SIZE];
    char printing[FILE_PATH_SIZE + 64];
    char file[8192];
    char key[OPTION_NAME_SIZE];
    char value[OPTION_TEXT_SIZE];
    size_t len = 0;
    struct run run;

    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        option_key(&options[i], key);
        option_text(&options[i], config, value);
        len += (size_t)snprintf(file + len, sizeof file - len, "%s = %s\n", key, value);
    }
    write_file(path, file);
    snprintf(printing, sizeof printing, "--print-config --config %s", path);
    load(&run, printing, "");
    assert_int_equal(run.outcome, CONFIG_DONE);
    same(&run.config, config);
    unlink(path);

    struct config again = loaded_file(run.out, "");
    same(&again, config);
    done(&run);
}

static void config__prints_a_file_that_reads_back_the_same(void **state)
{
    struct config config;

    (void)state;
    options_reset(&config);
    prints_and_reads_back(&config);
    set_all(&config, 0);
    prints_and_reads_back(&config);
    set_all(&config, 1);
    prints_and_reads_back(&config);
    set_all(&config, UINT64_MAX);
    prints_and_reads_back(&config);
}

static void config__prints_where_a_value_comes_from(void **state)
{
    struct run run;

    (void)state;
    load(&run, "--print-config --max-body 1MiB", "PORT=9000 LOSSD_QUEUE_SIZE=7");
    assert_non_null(strstr(run.out, "\nmax-body = 1MiB  # from a flag\n"));
    assert_non_null(strstr(run.out, "\nport = 9000  # from PORT\n"));
    assert_non_null(strstr(run.out, "\nqueue-size = 7  # from the environment\n"));
    assert_non_null(strstr(run.out, "\nmax-depth = 64\n"));
    done(&run);
    load(&run, "--print-config --port 1", "LOSSD_LISTEN=2");
    assert_non_null(strstr(run.out, "\nlisten = \n"));
    done(&run);
}

static void config__settles_what_was_left_to_the_machine(void **state)
{
    (void)state;
    struct config config = loaded("--max-request-memory 1TiB --memory-budget 1GiB", "");
    struct config open = loaded("", "");
    struct config all =
        loaded("--max-request-memory 1TiB --memory-budget 1GiB --small-body 0", "");
    struct config roomy = loaded("--max-request-memory 1MiB --memory-budget 1GiB", "");
    struct config given = loaded("--threads 3 --net-threads 5 --queue-size 7 "
                                 "--log-format off",
                                 "");
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    config_settle(&config, ends[1]);
    config_settle(&open, ends[1]);
    config_settle(&all, ends[1]);
    config_settle(&roomy, ends[1]);
    config_settle(&given, ends[1]);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(config.max_request_memory,
                     3u << 28); /* the rest is for small ones */
    assert_int_equal(all.max_request_memory, 1u << 30);
    assert_string_equal(config_memory_flag(&config), "--memory-budget");
    assert_string_equal(config_memory_flag(&all), "--memory-budget");
    assert_string_equal(config_memory_flag(&roomy), "--max-request-memory");
    assert_true(open.threads >= 1);
    assert_true(open.net_threads >= 1);
    assert_int_equal(open.queue_size, 24 * open.threads);
    assert_true(open.memory_budget >= 1u << 20);
    assert_true(open.max_request_memory <= open.memory_budget);
    assert_int_equal(open.log_format, LOG_JSON);
    assert_int_equal(given.threads, 3);
    assert_int_equal(given.net_threads, 5);
    assert_int_equal(given.queue_size, 7);
    assert_int_equal(given.log_format, LOG_OFF);
}

/* Many are more than most processes may have descriptors. */
static void config__settles_for_as_many_connections_as_there_may_be(void **state)
{
    (void)state;
    struct config few = loaded("--max-connections 2", "");
    struct config many = loaded("--max-connections 1Mi --net-threads 256", "");
    struct rlimit before, tight;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(before.rlim_max >= 1000);
    tight = (struct rlimit){256, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    config_settle(&few, -1);
    config_settle(&many, -1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &tight), 0);
    assert_int_equal(tight.rlim_cur, before.rlim_max);
    assert_int_equal(few.max_connections, 2);
    assert_string_equal(config_connections_flag(&few), "--max-connections");
    if (before.rlim_max > 1 << 20) {
        print_message("more descriptors here than connections can be asked for\n");
    } else {
        assert_in_range(many.max_connections, 1, before.rlim_max - 1);
        assert_string_equal(config_connections_flag(&many), "ulimit -n");
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void config__lists_its_ceilings_with_their_flags(void **state)
{
    (void)state;
    struct config config =
        loaded("--max-body 1MiB --max-depth 20 --request-timeout 1500ms", "");
    struct config_ceilings ceilings;
    bool body = false, depth = false, wait = false;

    config_ceilings(&config, &ceilings);
    for (size_t i = 0; i < ceilings.count; i++) {
        const struct api_limit *limit = &ceilings.limits[i];
        assert_int_equal(strncmp(limit->flag, "--max-", 6) == 0,
                         strncmp(limit->name, "max_", 4) == 0);
        assert_true(strcmp(limit->name, "port") != 0);
        if (strcmp(limit->name, "max_body") == 0)
            body = limit->value == 1u << 20 && !strcmp(limit->flag, "--max-body") &&
                   !strcmp(limit->unit, "bytes");
        if (strcmp(limit->name, "max_depth") == 0)
            depth =
                limit->value == 20 && !strcmp(limit->flag, "--max-depth") && !limit->unit;
        if (strcmp(limit->name, "request_timeout") == 0)
            wait = limit->value == 1.5 && !strcmp(limit->flag, "--request-timeout") &&
                   !strcmp(limit->unit, "seconds");
    }
    assert_int_equal(ceilings.count, 24);
    assert_true(body);
    assert_true(depth);
    assert_true(wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config__has_defaults_that_need_no_setting),
        cmocka_unit_test(config__lets_flags_win_over_environment_over_file),
        cmocka_unit_test(config__lets_host_and_port_win_over_a_lighter_listen),
        cmocka_unit_test(config__says_when_a_file_is_not_listened_to),
        cmocka_unit_test(config__wants_a_budget_with_which_something_can_be_answered),
        cmocka_unit_test(config__takes_the_last_of_a_repeated_flag),
        cmocka_unit_test(config__ranks_PORT_below_its_own_variable_and_above_a_file),
        cmocka_unit_test(config__finds_the_file_by_variable_and_the_flag_wins),
        cmocka_unit_test(config__takes_an_empty_variable_as_not_set),
        cmocka_unit_test(config__warns_of_keys_that_are_not_named),
        cmocka_unit_test(config__is_not_confused_by_service_links),
        cmocka_unit_test(config__names_flag_value_and_range_of_every_type),
        cmocka_unit_test(config__names_the_variable_of_a_bad_value),
        cmocka_unit_test(config__names_the_setting_of_what_is_no_address),
        cmocka_unit_test(config__says_how_long_a_list_may_be),
        cmocka_unit_test(config__refuses_a_bad_value_that_another_beats),
        cmocka_unit_test(config__suggests_the_nearest_flag),
        cmocka_unit_test(config__refuses_what_is_no_flag),
        cmocka_unit_test(config__warns_of_an_unknown_variable_and_goes_on),
        cmocka_unit_test(config__reads_sizes_in_thousands_and_in_1024s),
        cmocka_unit_test(config__reads_durations_with_their_units),
        cmocka_unit_test(config__reads_yes_and_no_in_four_spellings),
        cmocka_unit_test(config_file__allows_comments_blanks_and_no_last_newline),
        cmocka_unit_test(config_file__names_file_and_line_of_a_mistake),
        cmocka_unit_test(config_file__refuses_a_line_without_end),
        cmocka_unit_test(config_file__says_why_it_cannot_be_opened),
        cmocka_unit_test(config__prints_its_version_on_one_line),
        cmocka_unit_test(config__prints_its_version_as_json),
        cmocka_unit_test(config__refuses_what_does_not_go_with_its_version),
        cmocka_unit_test(config__helps_with_every_option_in_80_columns),
        cmocka_unit_test(config__has_helpful_words_for_every_option),
        cmocka_unit_test(config__checks_without_serving),
        cmocka_unit_test(config__prints_a_file_that_reads_back_the_same),
        cmocka_unit_test(config__prints_where_a_value_comes_from),
        cmocka_unit_test(config__settles_what_was_left_to_the_machine),
        cmocka_unit_test(config__settles_for_as_many_connections_as_there_may_be),
        cmocka_unit_test(config__lists_its_ceilings_with_their_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
