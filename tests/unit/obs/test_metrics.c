/* obs/metrics.c: counting, from one thread and from many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lossd/obs/meter.h"

enum { THREADS = 20, TIMES = 300000 };

static const char *const methods[] = {"GET", "POST", "other", NULL};
static const char *const routes[] = {"/v1/loss", "(none)", NULL};
static const char *const statuses[] = {"200", "404", "422", "503", NULL};
static const char *const problems[] = {"internal", "overloaded", NULL};

static const struct metric_labels labels = {.values = {[LABEL_method] = methods,
                                                       [LABEL_route] = routes,
                                                       [LABEL_status] = statuses,
                                                       [LABEL_problem] = problems}};

static int start(void **state)
{
    *state = meter_new(&labels);
    return *state ? 0 : -1;
}

static int stop(void **state)
{
    meter_free(*state);
    return 0;
}

static void meter__starts_at_zero(void **state)
{
    const struct meter *meter = *state;

    for (enum metric m = 0; m < METRIC_COUNT; m++)
        for (size_t series = 0; series < meter_width(meter, m); series++)
            assert_int_equal(meter_read(meter, m, series, 0), 0);
}

static void meter__has_a_series_for_every_combination_of_values(void **state)
{
    struct meter *meter = *state;
    bool seen[3 * 2 * 4] = {false};

    assert_int_equal(meter_width(meter, METRIC_lossd_http_requests), 3 * 2 * 4);
    assert_int_equal(meter_width(meter, METRIC_lossd_clients_gone), 1);
    for (size_t method = 0; method < 3; method++)
        for (size_t route = 0; route < 2; route++)
            for (size_t status = 0; status < 4; status++) {
                enum metric m = METRIC_lossd_http_requests;
                size_t s = meter_series(meter, m, (size_t[]){method, route, status});
                assert_false(seen[s]);
                seen[s] = true;
                assert_string_equal(meter_label(meter, m, s, LABEL_method),
                                    methods[method]);
                assert_string_equal(meter_label(meter, m, s, LABEL_route), routes[route]);
                assert_string_equal(meter_label(meter, m, s, LABEL_status),
                                    statuses[status]);
            }
}

/* Every cell of every series is written with a number of its own. */
static void meter__keeps_every_series_apart(void **state)
{
    struct meter *meter = *state;
    uint64_t n = 1;

    for (enum metric m = 0; m < METRIC_COUNT; m++)
        for (size_t series = 0; series < meter_width(meter, m); series++, n++)
            if (metric_infos[m].kind == KIND_COUNTER)
                meter_add(meter, m, series, n);
            else if (metric_infos[m].kind == KIND_GAUGE)
                meter_set(meter, m, series, n);
            else if (metric_infos[m].kind == KIND_HISTOGRAM)
                meter_observe(meter, m, series, (int64_t)n * 1000000);
    n = 1;
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        for (size_t series = 0; series < meter_width(meter, m); series++, n++)
            if (metric_infos[m].kind == KIND_HISTOGRAM)
                assert_int_equal(meter_read(meter, m, series, CELL_SUM), n * 1000000);
            else if (metric_infos[m].kind != KIND_INFO)
                assert_int_equal(meter_read(meter, m, series, 0), n);
}

static void meter_set__replaces_and_meter_add__adds(void **state)
{
    struct meter *meter = *state;

    meter_set(meter, METRIC_lossd_queue_depth, 0, 7);
    meter_set(meter, METRIC_lossd_queue_depth, 0, 3);
    assert_int_equal(meter_read(meter, METRIC_lossd_queue_depth, 0, 0), 3);
    meter_add(meter, METRIC_lossd_errors, 1, 7);
    meter_add(meter, METRIC_lossd_errors, 1, 3);
    assert_int_equal(meter_read(meter, METRIC_lossd_errors, 1, 0), 10);
    assert_int_equal(meter_read(meter, METRIC_lossd_errors, 0, 0), 0);
}

static size_t bucket_of(struct meter *meter, int64_t ns)
{
    enum metric m = METRIC_lossd_http_request_duration_seconds;
    uint64_t before[BUCKETS];
    size_t found = BUCKETS;

    for (size_t b = 0; b < BUCKETS; b++)
        before[b] = meter_read(meter, m, 0, b);
    meter_observe(meter, m, 0, ns);
    for (size_t b = 0; b < BUCKETS; b++)
        if (meter_read(meter, m, 0, b) != before[b]) {
            assert_int_equal(meter_read(meter, m, 0, b), before[b] + 1);
            assert_int_equal(found, BUCKETS); /* only one of them */
            found = b;
        }
    return found;
}

static void meter_observe__counts_a_bound_into_its_own_bucket(void **state)
{
    struct meter *meter = *state;

    assert_int_equal(bucket_of(meter, -1), 0); /* a clock that went back */
    assert_int_equal(bucket_of(meter, 0), 0);
    for (size_t b = 0; b < BUCKETS - 1; b++) {
        assert_int_equal(bucket_of(meter, buckets[b].most_ns), b);
        assert_int_equal(bucket_of(meter, buckets[b].most_ns + 1), b + 1);
    }
    assert_int_equal(bucket_of(meter, INT64_MAX), BUCKETS - 1);
}

static void a_null_meter__takes_nothing(void **state)
{
    (void)state;
    meter_add(NULL, METRIC_lossd_errors, 3, 1);
    meter_set(NULL, METRIC_lossd_queue_depth, 3, 1);
    meter_observe(NULL, METRIC_lossd_stage_duration_seconds, 3, 1);
    meter_ask(NULL, NULL, NULL);
    assert_int_equal(meter_series(NULL, METRIC_lossd_errors, (size_t[]){9}), 0);
    meter_free(NULL);
}

static pthread_barrier_t together;

static void *count_much(void *arg)
{
    pthread_barrier_wait(&together);
    for (int i = 0; i < TIMES; i++) {
        meter_add(arg, METRIC_lossd_errors, 1, 2);
        meter_observe(arg, METRIC_lossd_http_request_duration_seconds, 1, 300000);
    }
    return NULL;
}

static void meter__loses_nothing_of_what_threads_count_together(void **state)
{
    struct meter *meter = *state;
    enum metric durations = METRIC_lossd_http_request_duration_seconds;
    pthread_t threads[THREADS];
    uint64_t before = 0;

    pthread_barrier_init(&together, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, meter), 0);
    for (int i = 0; i < 100; i++) { /* read meanwhile, it never falls */
        uint64_t now = meter_read(meter, METRIC_lossd_errors, 1, 0);
        assert_true(now >= before);
        before = now;
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&together);
    assert_int_equal(meter_read(meter, METRIC_lossd_errors, 1, 0), 2 * THREADS * TIMES);
    assert_int_equal(meter_read(meter, durations, 1, 1), THREADS * TIMES);
    assert_int_equal(meter_read(meter, durations, 1, CELL_SUM),
                     UINT64_C(300000) * THREADS * TIMES);
}

static void set_twice(void *ctx, struct meter *meter)
{
    meter_set(meter, METRIC_lossd_queue_depth, 0, 2 * *(const uint64_t *)ctx);
}

static void set_workers(void *ctx, struct meter *meter)
{
    meter_set(meter, METRIC_lossd_workers, 0, *(const uint64_t *)ctx);
}

static void meter_gauge__asks_all_who_know(void **state)
{
    struct meter *meter = *state;
    uint64_t first = 21, second = 5;

    meter_ask(meter, set_twice, &first);
    meter_ask(meter, set_workers, &second);
    meter_gauge(meter);
    assert_int_equal(meter_read(meter, METRIC_lossd_queue_depth, 0, 0), 42);
    assert_int_equal(meter_read(meter, METRIC_lossd_workers, 0, 0), 5);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static void the_table__has_names_and_texts_that_need_no_escapes(void **state)
{
    (void)state;
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *info = &metric_infos[m];
        assert_true(strncmp(info->name, "lossd_", 6) == 0 ||
                    strncmp(info->name, "process_", 8) == 0);
        assert_int_equal(strspn(info->name, "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(info->name));
        assert_false(ends_with(info->name, "_total") || ends_with(info->name, "_info") ||
                     ends_with(info->name, "_count") || ends_with(info->name, "_sum"));
        assert_null(strpbrk(info->help, "\\\"\n"));
        assert_true(ends_with(info->help, "."));
        if (*info->unit)
            assert_true(ends_with(info->name, info->unit));
    }
}

static void the_buckets__say_in_seconds_what_they_are_in_nanoseconds(void **state)
{
    (void)state;
    for (size_t b = 0; b < BUCKETS - 1; b++) {
        double seconds = strtod(buckets[b].most, NULL);
        assert_true((int64_t)(seconds * 1e9 + 0.5) == buckets[b].most_ns);
        assert_true(buckets[b].most_ns < buckets[b + 1].most_ns);
    }
    assert_string_equal(buckets[BUCKETS - 1].most, "+Inf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(meter__starts_at_zero, start, stop),
        cmocka_unit_test_setup_teardown(
            meter__has_a_series_for_every_combination_of_values, start, stop),
        cmocka_unit_test_setup_teardown(meter__keeps_every_series_apart, start, stop),
        cmocka_unit_test_setup_teardown(meter_set__replaces_and_meter_add__adds, start,
                                        stop),
        cmocka_unit_test_setup_teardown(meter_observe__counts_a_bound_into_its_own_bucket,
                                        start, stop),
        cmocka_unit_test(a_null_meter__takes_nothing),
        cmocka_unit_test_setup_teardown(
            meter__loses_nothing_of_what_threads_count_together, start, stop),
        cmocka_unit_test_setup_teardown(meter_gauge__asks_all_who_know, start, stop),
        cmocka_unit_test(the_table__has_names_and_texts_that_need_no_escapes),
        cmocka_unit_test(the_buckets__say_in_seconds_what_they_are_in_nanoseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
