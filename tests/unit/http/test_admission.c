/* http/admission.c: who may wait, and when to come back. */
#include "http/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int64_t SECOND = INT64_C(1000000000);

static bool enters(struct admission *admission, int64_t cost_ns, int64_t timeout_ns,
                   bool is_small, enum shedding *why)
{
    struct err err = {.kind = ERR_NONE};
    struct task_estimate task = {cost_ns, timeout_ns, is_small};
    bool entered = admission_enter(admission, &task, why, &err);

    assert_int_equal(err.kind, entered ? ERR_NONE : ERR_OVERLOADED);
    return entered;
}

/* All of its threads have something to do. */
static struct admission busy(size_t threads, size_t places, size_t kept)
{
    struct admission admission = admission_of(threads, places, kept, 60 * SECOND, 1000);

    for (size_t i = 0; i < threads; i++)
        admission_begin(&admission);
    return admission;
}

static void admission__keeps_places_for_small_requests(void **state)
{
    (void)state;
    struct admission admission = busy(1, 8, 2);
    enum shedding why = SHEDDINGS;

    for (int i = 0; i < 6; i++)
        assert_true(enters(&admission, 1, SECOND, false, &why));
    assert_false(enters(&admission, 1, SECOND, false, &why));
    assert_int_equal(why, SHED_QUEUE);
    for (int i = 0; i < 2; i++)
        assert_true(enters(&admission, 1, SECOND, true, &why));
    assert_false(enters(&admission, 1, SECOND, true, &why));
    admission_leave(&admission, 1, 0);
    assert_true(enters(&admission, 1, SECOND, true, &why));
}

static void admission__of_one_place_has_it_for_everybody(void **state)
{
    (void)state;
    struct admission admission = busy(1, 1, 0);
    enum shedding why;

    assert_true(enters(&admission, 1, SECOND, false, &why));
    assert_false(enters(&admission, 1, SECOND, true, &why));
    admission_leave(&admission, 1, 0);
    assert_true(enters(&admission, 1, SECOND, false, &why));
}

/* Those under way have bodies that come slowly, and nothing to do for anyone. */
static void admission__refuses_nobody_while_a_thread_is_idle(void **state)
{
    (void)state;
    struct admission admission = busy(2, 1, 0);
    enum shedding why = SHEDDINGS;

    assert_true(enters(&admission, SECOND, SECOND, false, &why));
    admission_end(&admission);
    assert_true(enters(&admission, SECOND, SECOND, false, &why));
    assert_true(enters(&admission, SECOND, 1, false, &why));
    admission_begin(&admission);
    assert_false(enters(&admission, SECOND, SECOND, false, &why));
}

/* There may be any number of those then, but not of those that wait for a thread. */
static void admission__lets_no_more_begin_than_have_a_place(void **state)
{
    (void)state;
    struct admission admission = admission_of(2, 4, 1, 60 * SECOND, 1000);
    struct err err = {.kind = ERR_NONE};
    enum shedding why;

    for (int i = 0; i < 9; i++)
        assert_true(enters(&admission, 1, SECOND, false, &why));
    for (int i = 0; i < 3; i++) {
        assert_true(admission_may_begin(&admission, false, &err));
        admission_begin(&admission);
    }
    assert_false(admission_may_begin(&admission, false, &err));
    assert_int_equal(err.kind, ERR_OVERLOADED);
    err.kind = ERR_NONE;
    assert_true(admission_may_begin(&admission, true, &err));
    admission_begin(&admission);
    assert_false(admission_may_begin(&admission, true, &err));
    for (int i = 0; i < 2; i++)
        admission_end(&admission);
    err.kind = ERR_NONE;
    assert_true(admission_may_begin(&admission, false, &err));
}

static void admission__is_crowded_when_somebody_waits_for_a_thread(void **state)
{
    (void)state;
    struct admission admission = busy(2, 1, 0);

    assert_false(admission_is_crowded(&admission));
    admission_begin(&admission);
    assert_true(admission_is_crowded(&admission));
    admission_end(&admission);
    assert_false(admission_is_crowded(&admission));
}

static void admission__refuses_who_would_wait_for_too_long(void **state)
{
    (void)state;
    struct admission admission = busy(2, 100, 25);
    enum shedding why = SHEDDINGS;

    assert_true(enters(&admission, 6 * SECOND, SECOND, false, &why));
    assert_true(admission_wait_ns(&admission) == 3 * SECOND);
    assert_false(enters(&admission, 1, 3 * SECOND - 1, false, &why));
    assert_int_equal(why, SHED_WAIT);
    assert_true(enters(&admission, 1, 3 * SECOND, false, &why));
    admission_grow(&admission, 2 * SECOND);
    assert_false(enters(&admission, 1, 3 * SECOND, false, &why));
    admission_leave(&admission, 8 * SECOND, 0);
    assert_true(enters(&admission, 1, 1, false, &why));
}

static void admission__refuses_while_too_many_elements_wait(void **state)
{
    (void)state;
    struct admission admission = busy(1, 100, 25);
    enum shedding why = SHEDDINGS;

    admission_hold(&admission, 600);
    admission_hold(&admission, 400);
    assert_true(enters(&admission, 1, SECOND, false, &why));
    admission_hold(&admission, 1);
    assert_false(enters(&admission, 1, SECOND, false, &why));
    assert_int_equal(why, SHED_QUEUE);
    admission_end(&admission);
    assert_true(enters(&admission, 1, SECOND, false, &why));
    admission_begin(&admission);
    admission_let_go(&admission, 600);
    assert_true(enters(&admission, 1, SECOND, false, &why));
}

static void admission__refuses_too_much_work_whatever_it_may_wait_for(void **state)
{
    (void)state;
    struct admission admission = busy(2, 100, 25);
    enum shedding why = SHEDDINGS;

    assert_true(enters(&admission, 120 * SECOND, SECOND, false, &why));
    assert_true(enters(&admission, 1, 1000 * SECOND, false, &why));
    admission_grow(&admission, SECOND);
    assert_false(enters(&admission, 1, 1000 * SECOND, false, &why));
    assert_int_equal(why, SHED_QUEUE);
    admission_end(&admission);
    assert_true(enters(&admission, 1, 1000 * SECOND, false, &why));
}

/* A machine that takes three times as long as estimated is found out. */
static void admission__learns_what_work_takes(void **state)
{
    (void)state;
    struct admission admission = admission_of(1, 100, 0, 60 * SECOND, 1000);
    enum shedding why;

    for (int i = 0; i < 100; i++) {
        assert_true(enters(&admission, SECOND, SECOND, false, &why));
        admission_leave(&admission, SECOND, 3 * SECOND);
    }
    assert_true(enters(&admission, SECOND, SECOND, false, &why));
    assert_in_range(admission_wait_ns(&admission), 29 * SECOND / 10, 3 * SECOND);
}

static void admission__survives_measurements_of_any_size(void **state)
{
    (void)state;
    struct admission admission = admission_of(1, 100, 0, 60 * SECOND, 1000);

    for (int i = 0; i < 200; i++)
        admission_leave(&admission, 1, INT64_MAX);
    atomic_store(&admission.work_ns, SECOND);
    assert_true(admission_wait_ns(&admission) > SECOND);
    for (int i = 0; i < 200; i++)
        admission_leave(&admission, INT64_C(1) << 50, 1);
    atomic_store(&admission.work_ns, SECOND);
    assert_true(admission_wait_ns(&admission) >= 0);
    assert_true(admission_wait_ns(&admission) < SECOND);
}

static void retry_after__is_the_wait_and_a_little_more(void **state)
{
    (void)state;
    static const struct {
        int64_t work_ns;
        unsigned least, most;
    } cases[] = {
        {0, 1, 1}, {SECOND / 2, 1, 1}, {11 * SECOND, 12, 15}, {1000 * SECOND, 30, 37}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct admission admission = admission_of(1, 1, 0, 60 * SECOND, 1000);
        atomic_store(&admission.work_ns, cases[i].work_ns);
        for (int64_t chance = 0; chance < 100000; chance += 1000)
            assert_in_range(admission_retry_after_s(&admission, chance), cases[i].least,
                            cases[i].most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admission__keeps_places_for_small_requests),
        cmocka_unit_test(admission__of_one_place_has_it_for_everybody),
        cmocka_unit_test(admission__refuses_nobody_while_a_thread_is_idle),
        cmocka_unit_test(admission__lets_no_more_begin_than_have_a_place),
        cmocka_unit_test(admission__is_crowded_when_somebody_waits_for_a_thread),
        cmocka_unit_test(admission__refuses_who_would_wait_for_too_long),
        cmocka_unit_test(admission__refuses_while_too_many_elements_wait),
        cmocka_unit_test(admission__refuses_too_much_work_whatever_it_may_wait_for),
        cmocka_unit_test(admission__learns_what_work_takes),
        cmocka_unit_test(admission__survives_measurements_of_any_size),
        cmocka_unit_test(retry_after__is_the_wait_and_a_little_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
