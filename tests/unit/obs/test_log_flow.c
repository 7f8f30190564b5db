/* The flow of a log: how long it has not gone on. */
#include "lossd/obs/log_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void log_flow__is_not_stuck_while_nobody_writes(void **state)
{
    struct log_flow flow = {0};

    (void)state;
    assert_int_equal(log_flow_stuck_ns(&flow, 1000), 0);
    log_flow_begin(&flow, 1000);
    log_flow_end(&flow, 1010);
    assert_int_equal(log_flow_stuck_ns(&flow, 9000), 0);
}

static void log_flow__is_stuck_since_the_first_writer(void **state)
{
    struct log_flow flow = {0};

    (void)state;
    log_flow_begin(&flow, 1000);
    log_flow_begin(&flow, 1500);
    assert_int_equal(log_flow_stuck_ns(&flow, 1700), 700);
}

/* One who waits for longer than the others is not all of them. */
static void log_flow__goes_on_as_soon_as_one_does(void **state)
{
    struct log_flow flow = {0};

    (void)state;
    log_flow_begin(&flow, 1000);
    log_flow_begin(&flow, 1500);
    log_flow_end(&flow, 1600);
    assert_int_equal(log_flow_stuck_ns(&flow, 1700), 100);
    assert_int_equal(log_flow_stuck_ns(&flow, 1599), 0); /* a clock read before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_flow__is_not_stuck_while_nobody_writes),
        cmocka_unit_test(log_flow__is_stuck_since_the_first_writer),
        cmocka_unit_test(log_flow__goes_on_as_soon_as_one_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
