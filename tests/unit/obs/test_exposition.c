/* obs/exposition.c and obs/process.c: a meter as text. */
#include "lossd/obs/exposition.h"
#include "lossd/obs/meter.h"
#include "lossd/obs/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char *const versions[] = {"1.0", NULL};
static const char *const commits[] = {"a\\b\"c\nd", NULL};
static const char *const methods[] = {"GET", "POST", NULL};
static const char *const routes[] = {"/v1/loss", "/livez", NULL};
static const char *const statuses[] = {"200", "404", NULL};
static const char *const problems[] = {"internal", "overloaded", NULL};

static const struct metric_labels labels = {.values = {[LABEL_version] = versions,
                                                       [LABEL_commit] = commits,
                                                       [LABEL_compiler] = versions,
                                                       [LABEL_simd] = versions,
                                                       [LABEL_library] = versions,
                                                       [LABEL_method] = methods,
                                                       [LABEL_route] = routes,
                                                       [LABEL_status] = statuses,
                                                       [LABEL_problem] = problems}};

/* A meter and what was written of it last. */
struct page {
    struct meter *meter;
    char text[65536];
};

static int start(void **state)
{
    struct page *page = calloc(1, sizeof *page);

    page->meter = meter_new(&labels);
    *state = page;
    return page->meter ? 0 : -1;
}

static int stop(void **state)
{
    struct page *page = *state;

    meter_free(page->meter);
    free(page);
    return 0;
}

static const char *written(struct page *page, enum exposition format)
{
    struct buf out;

    buf_over(&out, page->text, sizeof page->text - 1);
    exposition_write(page->meter, format, &out);
    assert_true(buf_ok(&out));
    page->text[out.len] = '\0';
    return page->text;
}

/* The line is there, and once. */
static void assert_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    int found = 0;

    for (const char *at = text; *at; at = strchr(at, '\n') + 1)
        found += strncmp(at, line, len) == 0 && at[len] == '\n';
    if (found != 1)
        fail_msg("%d lines \"%s\" in:\n%s", found, line, text);
}

static void assert_none(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

static void exposition__writes_counters_with_total(void **state)
{
    struct page *page = *state;
    size_t series =
        meter_series(page->meter, METRIC_lossd_http_requests, (size_t[]){1, 0, 1});

    meter_add(page->meter, METRIC_lossd_http_requests, series, 3);
    meter_add(page->meter, METRIC_lossd_errors, 1, UINT64_MAX);
    const char *text = written(page, EXPOSITION_PROMETHEUS);
    assert_line(text, "# TYPE lossd_http_requests_total counter");
    assert_line(text, "lossd_http_requests_total{method=\"POST\",route=\"/v1/loss\","
                      "code=\"404\"} 3");
    assert_line(text, "# TYPE lossd_errors_total counter");
    assert_line(text, "lossd_errors_total{code=\"overloaded\"} 18446744073709551615");
    assert_line(text, "# TYPE lossd_clients_gone_total counter");
    assert_line(text, "lossd_clients_gone_total 0");
}

static void exposition__names_counters_in_openmetrics_without_total(void **state)
{
    struct page *page = *state;

    meter_add(page->meter, METRIC_lossd_errors, 0, 1);
    const char *text = written(page, EXPOSITION_OPENMETRICS);
    assert_line(text, "# TYPE lossd_errors counter");
    assert_line(text, "lossd_errors_total{code=\"internal\"} 1");
    assert_line(text, "# TYPE lossd_build info");
    assert_line(text, "# TYPE process_cpu_seconds counter");
    assert_line(text, "# UNIT process_cpu_seconds seconds");
    assert_line(text, "# UNIT lossd_http_request_body_bytes bytes");
    assert_line(text, "# EOF");
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    assert_none(text, "_total counter");

    text = written(page, EXPOSITION_PROMETHEUS);
    assert_none(text, "# EOF");
    assert_none(text, "# UNIT");
    assert_line(text, "# TYPE lossd_build_info gauge");
}

static void exposition__shows_one_label_at_zero_and_several_when_counted(void **state)
{
    struct page *page = *state;
    const char *text = written(page, EXPOSITION_PROMETHEUS);

    assert_line(text, "lossd_errors_total{code=\"internal\"} 0");
    assert_line(text, "lossd_errors_total{code=\"overloaded\"} 0");
    assert_none(text, "lossd_http_requests_total{");
    assert_none(text, "_bucket");
    assert_line(text, "# TYPE lossd_http_request_duration_seconds histogram");
}

static void exposition__escapes_values(void **state)
{
    assert_line(written(*state, EXPOSITION_PROMETHEUS),
                "lossd_build_info{version=\"1.0\",commit=\"a\\\\b\\\"c\\nd\",compiler="
                "\"1.0\",simd=\"1.0\",mhd_version=\"1.0\"} 1");
}

static void exposition__adds_up_a_histogram(void **state)
{
    struct page *page = *state;
    enum metric m = METRIC_lossd_http_request_duration_seconds;

    meter_observe(page->meter, m, 1, 250000);
    meter_observe(page->meter, m, 1, 3000000);
    meter_observe(page->meter, m, 1, INT64_C(9000000001));
    for (enum exposition format = 0; format <= EXPOSITION_OPENMETRICS; format++) {
        const char *text = written(page, format);
        const char *from = strstr(text, "lossd_http_request_duration_seconds_bucket");
        static const char expected[] =
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.00025\"} "
            "1\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.0005\"} "
            "1\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.001\"} "
            "1\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.0025\"} "
            "1\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.005\"} "
            "2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.01\"} 2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.025\"} "
            "2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.05\"} 2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.1\"} 2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.25\"} 2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"0.5\"} 2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"1.5\"} 2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"5.5\"} 2\n"
            "lossd_http_request_duration_seconds_bucket{route=\"/livez\",le=\"+Inf\"} 3\n"
            "lossd_http_request_duration_seconds_sum{route=\"/livez\"} 9.003250001\n"
            "lossd_http_request_duration_seconds_count{route=\"/livez\"} 3\n"
            "# HELP ";
        assert_non_null(from);
        assert_memory_equal(from, expected, sizeof expected - 1);
    }
}

static void exposition__writes_seconds_exactly_and_short(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "0.000000001"},
                 {1500000000, "1.5"},
                 {UINT64_C(7000000000), "7"},
                 {UINT64_C(1893456000123456789), "1893456000.123456789"},
                 {UINT64_C(100000000), "0.1"}};
    struct page *page = *state;
    char line[100];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        meter_set(page->meter, METRIC_process_cpu_seconds, 0, cases[i].ns);
        snprintf(line, sizeof line, "process_cpu_seconds_total %s", cases[i].text);
        assert_line(written(page, EXPOSITION_PROMETHEUS), line);
    }
}

static void exposition__heads_every_family_once_and_before_its_samples(void **state)
{
    struct page *page = *state;

    for (enum exposition format = 0; format <= EXPOSITION_OPENMETRICS; format++) {
        const char *text = written(page, format);
        for (enum metric m = 0; m < METRIC_COUNT; m++) {
            const struct metric_info *info = &metric_infos[m];
            const char *suffix = format == EXPOSITION_OPENMETRICS ? ""
                                 : info->kind == KIND_COUNTER     ? "_total"
                                 : info->kind == KIND_INFO        ? "_info"
                                                                  : "";
            char line[400];
            snprintf(line, sizeof line, "# HELP %s%s %s", info->name, suffix, info->help);
            assert_line(text, line);
            const char *help = strstr(text, line), *type = strchr(help, '\n') + 1;
            snprintf(line, sizeof line, "# TYPE %s%s ", info->name, suffix);
            assert_memory_equal(type, line, strlen(line));
            snprintf(line, sizeof line, "\n%s", info->name);
            const char *first = strstr(text, line);
            assert_true(!first || first > type);
        }
    }
}

static void exposition__fails_in_a_buffer_that_is_too_small(void **state)
{
    struct page *page = *state;
    struct buf out;

    buf_over(&out, page->text, 1000);
    exposition_write(page->meter, EXPOSITION_PROMETHEUS, &out);
    assert_false(buf_ok(&out));
}

static void exposition__of_no_meter_is_empty(void **state)
{
    char text[100];
    struct buf out;

    (void)state;
    buf_over(&out, text, sizeof text);
    exposition_write(NULL, EXPOSITION_PROMETHEUS, &out);
    assert_int_equal(out.len, 0);
    exposition_write(NULL, EXPOSITION_OPENMETRICS, &out);
    assert_true(span_is(buf_span(&out), "# EOF\n"));
}

static void exposition_for__does_not_give_openmetrics_to_others(void **state)
{
    static const char *const others[] = {
        "application/openmetrics-text;q=0",
        "application/openmetrics-text ; version=1.0.0 ; Q=0.000, text/plain",
        "application/openmetrics-texts",
        "xapplication/openmetrics-text",
        "text/plain;a=application/openmetrics-text",
        ",;,",
        "application/openmetrics-text;q=0.1,text/plain;q=0.9",
    };
    static const char *const some[] = {
        "application/openmetrics-text;q=0.001",
        "text/plain,application/openmetrics-text",
        "application/openmetrics-text;q=0.5, */*",
        "application/openmetrics-text;q=0, application/openmetrics-text;q=1",
        "application/openmetrics-text;q=",
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (exposition_for(span_of(others[i])) != EXPOSITION_PROMETHEUS)
            fail_msg("%s", others[i]);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (exposition_for(span_of(some[i])) != EXPOSITION_OPENMETRICS)
            fail_msg("%s", some[i]);
}

static void exposition_for__gives_openmetrics_to_those_who_ask(void **state)
{
    (void)state;
    assert_int_equal(exposition_for(span_of("")), EXPOSITION_PROMETHEUS);
    assert_int_equal(exposition_for(span_of("*/*")), EXPOSITION_PROMETHEUS);
    assert_int_equal(exposition_for(span_of("text/plain;version=0.0.4")),
                     EXPOSITION_PROMETHEUS);
    assert_int_equal(exposition_for(span_of("application/openmetrics-tex, */*")),
                     EXPOSITION_PROMETHEUS);
    assert_int_equal(exposition_for(span_of("application/openmetrics-text")),
                     EXPOSITION_OPENMETRICS);
    assert_int_equal(exposition_for(span_of("text/plain;q=0.3, Application/OpenMetrics-"
                                            "Text;version=1.0.0;q=0.6,*/*;q=0.1")),
                     EXPOSITION_OPENMETRICS);
}

/* ---- the process ------------------------------------------------------------- */

static uint64_t process_figure(struct page *page, enum metric metric)
{
    process_gauge(NULL, page->meter);
    return meter_read(page->meter, metric, 0, 0);
}

static void process__counts_its_descriptors(void **state)
{
    struct page *page = *state;
    struct rlimit limit;
    uint64_t before = process_figure(page, METRIC_process_open_fds);
    uint64_t counted = 0;
    int fds[40];

    for (int fd = 0; fd < 1024; fd++)
        counted += fcntl(fd, F_GETFD) >= 0;
    assert_int_equal(before, counted);
    for (size_t i = 0; i < 40; i++)
        fds[i] = dup(0);
    assert_int_equal(process_figure(page, METRIC_process_open_fds), before + 40);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(process_figure(page, METRIC_process_max_fds), limit.rlim_cur);
    for (size_t i = 0; i < 40; i++)
        close(fds[i]);
    assert_int_equal(process_figure(page, METRIC_process_open_fds), before);
}

static void process__knows_that_every_descriptor_is_in_use(void **state)
{
    struct page *page = *state;
    struct rlimit before, limit;
    uint64_t memory = process_figure(page, METRIC_process_resident_memory_bytes);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int highest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(highest >= 0);
    limit = (struct rlimit){(rlim_t)highest + 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    uint64_t open_now = process_figure(page, METRIC_process_open_fds);
    uint64_t memory_now = process_figure(page, METRIC_process_resident_memory_bytes);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    close(highest);
    assert_int_equal(open_now, limit.rlim_cur);
    assert_int_equal(memory_now, memory); /* as it was when it could be read */
}

static void process__tells_time_and_memory(void **state)
{
    enum { MUCH = 64 << 20 };
    struct page *page = *state;
    uint64_t cpu = process_figure(page, METRIC_process_cpu_seconds);
    uint64_t started = process_figure(page, METRIC_process_start_time_seconds);
    uint64_t memory = process_figure(page, METRIC_process_resident_memory_bytes);
    time_t now = time(NULL);

    assert_true(cpu > 0);
    assert_true(process_figure(page, METRIC_process_cpu_seconds) > cpu);
    assert_int_equal(process_figure(page, METRIC_process_start_time_seconds), started);
    assert_true(started / 1000000000 <= (uint64_t)now);
    assert_true(started / 1000000000 + 3600 > (uint64_t)now);
    char *much = malloc(MUCH);
    assert_non_null(much);
    memset(much, 1, MUCH);
    uint64_t more = process_figure(page, METRIC_process_resident_memory_bytes);
    assert_int_equal(much[MUCH / 2], 1);
    free(much);
    assert_true(more >= memory + MUCH / 2);
}

static void *wait_for_it(void *lock)
{
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

static void process__counts_its_threads(void **state)
{
    struct page *page = *state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t threads[5];

    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&threads[0], NULL, wait_for_it, &lock), 0);
    uint64_t before = process_figure(page, METRIC_process_threads);
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_it, &lock), 0);
    assert_int_equal(process_figure(page, METRIC_process_threads), before + 4);
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
}

#define WITH_PAGE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAGE(exposition__writes_counters_with_total),
        WITH_PAGE(exposition__names_counters_in_openmetrics_without_total),
        WITH_PAGE(exposition__shows_one_label_at_zero_and_several_when_counted),
        WITH_PAGE(exposition__escapes_values),
        WITH_PAGE(exposition__adds_up_a_histogram),
        WITH_PAGE(exposition__writes_seconds_exactly_and_short),
        WITH_PAGE(exposition__heads_every_family_once_and_before_its_samples),
        WITH_PAGE(exposition__fails_in_a_buffer_that_is_too_small),
        cmocka_unit_test(exposition__of_no_meter_is_empty),
        cmocka_unit_test(exposition_for__does_not_give_openmetrics_to_others),
        cmocka_unit_test(exposition_for__gives_openmetrics_to_those_who_ask),
        WITH_PAGE(process__counts_its_descriptors),
        WITH_PAGE(process__knows_that_every_descriptor_is_in_use),
        WITH_PAGE(process__tells_time_and_memory),
        WITH_PAGE(process__counts_its_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
