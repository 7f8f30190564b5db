/* http/suspended.c: connections that are suspended, and the end of the last. */
#include "http/suspended.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct finishing {
    struct suspended suspended;
    size_t left;
    atomic_bool finished;
};

static void *finish(void *arg)
{
    struct finishing *at = arg;

    at->left = suspended_finish(&at->suspended, INT64_C(3600) * 1000000000);
    atomic_store(&at->finished, true);
    return NULL;
}

static void suspended_finish__waits_for_the_last_and_lets_none_begin(void **state)
{
    (void)state;
    struct finishing at = {.finished = false};
    pthread_t thread;

    suspended_init(&at.suspended);
    assert_false(suspended_are_ending(&at.suspended));
    assert_true(suspended_begin(&at.suspended));
    assert_true(suspended_begin(&at.suspended));
    assert_int_equal(pthread_create(&thread, NULL, finish, &at), 0);
    while (!suspended_are_ending(&at.suspended))
        sched_yield();
    assert_false(suspended_begin(&at.suspended));
    suspended_end(&at.suspended);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    assert_false(atomic_load(&at.finished));
    suspended_end(&at.suspended);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(atomic_load(&at.finished));
    assert_int_equal(at.left, 0);
    suspended_release(&at.suspended);
}

static void suspended_finish__does_not_wait_where_there_are_none(void **state)
{
    (void)state;
    struct suspended suspended;

    suspended_init(&suspended);
    assert_int_equal(suspended_finish(&suspended, 0), 0);
    assert_true(suspended_are_ending(&suspended));
    suspended_release(&suspended);
}

static void suspended_finish__tells_how_many_take_longer(void **state)
{
    (void)state;
    struct suspended suspended;

    suspended_init(&suspended);
    assert_true(suspended_begin(&suspended));
    assert_true(suspended_begin(&suspended));
    assert_int_equal(suspended_finish(&suspended, 1000000), 2);
    assert_false(suspended_begin(&suspended));
    suspended_release(&suspended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suspended_finish__waits_for_the_last_and_lets_none_begin),
        cmocka_unit_test(suspended_finish__does_not_wait_where_there_are_none),
        cmocka_unit_test(suspended_finish__tells_how_many_take_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
