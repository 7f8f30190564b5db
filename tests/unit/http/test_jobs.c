/* http/jobs.c: connections that are suspended, and the end of the last. */
#include "http/jobs.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct finishing {
    struct jobs jobs;
    atomic_bool finished;
};

static void *finish(void *arg)
{
    struct finishing *at = arg;

    jobs_finish(&at->jobs);
    atomic_store(&at->finished, true);
    return NULL;
}

static void jobs_finish__waits_for_the_last_and_lets_none_begin(void **state)
{
    (void)state;
    struct finishing at = {.finished = false};
    pthread_t thread;

    jobs_init(&at.jobs);
    assert_false(jobs_are_ending(&at.jobs));
    assert_true(jobs_begin(&at.jobs));
    assert_true(jobs_begin(&at.jobs));
    assert_int_equal(pthread_create(&thread, NULL, finish, &at), 0);
    while (!jobs_are_ending(&at.jobs))
        sched_yield();
    assert_false(jobs_begin(&at.jobs));
    jobs_end(&at.jobs);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    assert_false(atomic_load(&at.finished));
    jobs_end(&at.jobs);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(atomic_load(&at.finished));
    jobs_release(&at.jobs);
}

static void jobs_finish__does_not_wait_where_there_are_none(void **state)
{
    (void)state;
    struct jobs jobs;

    jobs_init(&jobs);
    jobs_finish(&jobs);
    assert_true(jobs_are_ending(&jobs));
    jobs_release(&jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_finish__waits_for_the_last_and_lets_none_begin),
        cmocka_unit_test(jobs_finish__does_not_wait_where_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
