#include "lossd/obs/log_gate.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t second = 1000000000, start = 5000000000;

/* How many of `lines` lines pass at that time. */
static int passed(struct log_gate *gate, enum log_kind kind, int64_t now, int lines)
{
    int count = 0;

    for (int i = 0; i < lines; i++)
        count += log_gate_pass(gate, kind, now);
    return count;
}

static void log_gate__lets_all_pass_without_a_rate(void **state)
{
    struct log_gate gate = {0};

    (void)state;
    assert_int_equal(passed(&gate, LOG_KIND_NOTE, start, 100000), 100000);
    assert_int_equal(log_gate_rest(&gate), 0);
}

static void log_gate__holds_the_lines_of_a_second(void **state)
{
    struct log_gate gate = {.per_second = 100};

    (void)state;
    assert_int_equal(passed(&gate, LOG_KIND_NOTE, start, 1000), 100);
    assert_int_equal(passed(&gate, LOG_KIND_NOTE, start + second / 2, 1000), 50);
    /* and no more than that, however long nothing came */
    assert_int_equal(passed(&gate, LOG_KIND_NOTE, start + 3600 * second, 1000), 100);
    assert_int_equal(log_gate_rest(&gate), 900 + 950 + 900);
}

static void log_gate__never_passes_more_than_its_rate_for_long(void **state)
{
    struct log_gate gate = {.per_second = 7};
    int count = 0;

    (void)state;
    for (int64_t now = start; now < start + 100 * second; now += second / 1000)
        count += log_gate_pass(&gate, LOG_KIND_NOTE, now);
    /* 100 seconds, and what the bucket held */
    assert_in_range(count, 700, 716);
}

static void log_gate__holds_some_lines_where_few_are_allowed(void **state)
{
    struct log_gate gate = {.per_second = 1};

    (void)state;
    assert_int_equal(passed(&gate, LOG_KIND_NOTE, start, 100), 16);
    assert_int_equal(passed(&gate, LOG_KIND_NOTE, start + 3 * second, 100), 3);
}

static void log_gate__holds_no_more_requests_than_a_second_may_have(void **state)
{
    struct log_gate gate = {.per_second = 2};

    (void)state;
    assert_int_equal(passed(&gate, LOG_KIND_ACCESS, start, 100), 2);
    assert_int_equal(passed(&gate, LOG_KIND_ACCESS, start + second, 100), 2);
}

static void log_gate__keeps_a_flood_of_requests_from_the_notes(void **state)
{
    struct log_gate gate = {.per_second = 20};

    (void)state;
    assert_int_equal(passed(&gate, LOG_KIND_ACCESS, start, 1000), 20);
    assert_int_equal(passed(&gate, LOG_KIND_NOTE, start, 1000), 20);
}

static void log_gate_tell__tells_at_once_and_then_once_a_second(void **state)
{
    struct log_gate gate = {.per_second = 20};

    (void)state;
    passed(&gate, LOG_KIND_NOTE, start, 20);
    assert_int_equal(log_gate_tell(&gate, start), 0);
    passed(&gate, LOG_KIND_NOTE, start, 3);
    assert_int_equal(log_gate_tell(&gate, start), 3);
    passed(&gate, LOG_KIND_NOTE, start, 4);
    assert_int_equal(log_gate_tell(&gate, start + second - 1), 0);
    assert_int_equal(log_gate_tell(&gate, start + second), 4);
    assert_int_equal(log_gate_tell(&gate, start + 9 * second), 0);
    passed(&gate, LOG_KIND_ACCESS, start + 9 * second, 25);
    assert_int_equal(log_gate_rest(&gate), 5);
}

enum { THREADS = 4, LINES = 20000, RATE = 1000 };

struct crowd {
    struct log_gate gate;
    _Atomic uint64_t passed, told;
};

static void *press(void *arg)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < LINES; i++) {
        crowd->passed += log_gate_pass(&crowd->gate, LOG_KIND_ACCESS, start);
        crowd->told += log_gate_tell(&crowd->gate, start + i * second / 100);
    }
    return NULL;
}

static void log_gate__loses_count_of_no_line_among_threads(void **state)
{
    struct crowd crowd = {.gate = {.per_second = RATE}};
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, press, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.passed, RATE);
    assert_int_equal(crowd.told + log_gate_rest(&crowd.gate), THREADS * LINES - RATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_gate__lets_all_pass_without_a_rate),
        cmocka_unit_test(log_gate__holds_the_lines_of_a_second),
        cmocka_unit_test(log_gate__never_passes_more_than_its_rate_for_long),
        cmocka_unit_test(log_gate__holds_some_lines_where_few_are_allowed),
        cmocka_unit_test(log_gate__holds_no_more_requests_than_a_second_may_have),
        cmocka_unit_test(log_gate__keeps_a_flood_of_requests_from_the_notes),
        cmocka_unit_test(log_gate_tell__tells_at_once_and_then_once_a_second),
        cmocka_unit_test(log_gate__loses_count_of_no_line_among_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
