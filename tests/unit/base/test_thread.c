/* base/thread.c: what a thread asks of the scheduler, and what it leaves alone. */
#include "lossd/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* As sched_getattr(2) has it. */
struct found {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

static struct found find_out(void)
{
    struct found found = {.size = sizeof found};

    assert_int_equal(syscall(SYS_sched_getattr, 0, &found, sizeof found, 0), 0);
    return found;
}

static void *be_prompt(void *arg)
{
    struct found *found = arg;

    assert_int_equal(setpriority(PRIO_PROCESS, 0, 5), 0); /* of this thread alone */
    found[0] = find_out();
    thread_be_prompt();
    found[1] = find_out();
    return NULL;
}

static void find_before_and_after(struct found found[2])
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, be_prompt, found), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void thread_be_prompt__asks_for_short_slices(void **state)
{
    struct found found[2];

    (void)state;
    find_before_and_after(found);
    if (found[0].runtime_ns == 0) { /* before Linux 6.12 */
        puts("skipped: this kernel has no slices of a thread's own");
        skip();
    }
    assert_true(found[1].runtime_ns < found[0].runtime_ns);
}

static void thread_be_prompt__asks_for_nothing_else(void **state)
{
    struct found found[2];

    (void)state;
    find_before_and_after(found);
    assert_int_equal(found[1].policy, found[0].policy);
    assert_int_equal(found[1].nice, 5);
}

static void *be_prompt_in_batches(void *arg)
{
    struct sched_param none = {0};

    assert_int_equal(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    thread_be_prompt();
    *(int *)arg = sched_getscheduler(0);
    return NULL;
}

static void thread_be_prompt__leaves_a_policy_that_was_given(void **state)
{
    (void)state;
    pthread_t thread;
    int policy = -1;

    assert_int_equal(pthread_create(&thread, NULL, be_prompt_in_batches, &policy), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(policy, SCHED_BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_be_prompt__asks_for_short_slices),
        cmocka_unit_test(thread_be_prompt__asks_for_nothing_else),
        cmocka_unit_test(thread_be_prompt__leaves_a_policy_that_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
