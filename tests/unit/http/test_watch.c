/* http/watch.c: from when on a connection has its time. */
#include "http/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { CONNECTED = 100, LATER = 200, LATEST = 300 };

/* Its first line comes in the end, the rest of it does not. */
static void watch__of_the_first_head_begins_with_the_connection(void **state)
{
    (void)state;
    struct watch watch = {.began_ns = 0};

    watch_keep(&watch, CONNECTION_HEAD, 0, CONNECTED, 0);
    watch_keep(&watch, CONNECTION_HEAD, 0, LATER, 15);
    assert_int_equal(watch.began_ns, CONNECTED);
    watch_keep(&watch, CONNECTION_HEAD, 1, LATEST, 30);
    assert_int_equal(watch.began_ns, CONNECTED);
}

static void watch__of_a_later_head_begins_with_its_first_byte(void **state)
{
    (void)state;
    struct watch watch = {.began_ns = 0};

    watch_keep(&watch, CONNECTION_IDLE, 1, CONNECTED, 30);
    watch_rest(&watch, CONNECTED, false);
    watch_keep(&watch, CONNECTION_IDLE, 1, LATER, 30);
    watch_rest(&watch, LATER, false);
    assert_int_equal(watch.began_ns, LATER);
    watch_keep(&watch, CONNECTION_IDLE, 1, LATEST, 31);
    watch_rest(&watch, LATEST, true);
    assert_int_equal(watch.began_ns, LATER);
    watch_keep(&watch, CONNECTION_HEAD, 2, LATEST + 1, 60);
    assert_int_equal(watch.began_ns, LATER);
}

/* The look before found nothing of it: after a pause of ours that may be long ago. */
static void watch__does_not_count_the_silence_before_a_head(void **state)
{
    (void)state;
    struct watch watch = {.began_ns = 0};

    watch_keep(&watch, CONNECTION_IDLE, 1, CONNECTED, 30);
    watch_rest(&watch, CONNECTED, false);
    watch_keep(&watch, CONNECTION_HEAD, 2, LATER, 60);
    assert_int_equal(watch.began_ns, LATER);
}

static void watch__of_another_request_is_another(void **state)
{
    (void)state;
    struct watch watch = {.began_ns = 0};

    watch_keep(&watch, CONNECTION_HEAD, 1, CONNECTED, 0);
    watch_keep(&watch, CONNECTION_HEAD, 2, LATER, 0);
    assert_int_equal(watch.began_ns, LATER);
    watch_keep(&watch, CONNECTION_BODY, 2, LATEST, 0);
    assert_int_equal(watch.began_ns, LATEST);
    watch.overdue = 1;
    watch_keep(&watch, CONNECTION_BODY, 3, LATEST + 1, 7);
    assert_int_equal(watch.began_ns, LATEST + 1);
    assert_int_equal(watch.moved, 7);
    assert_int_equal(watch.overdue, 0);
}

/* What takes long is our turn, and what had come to an end before it was not the client's. */
static void watch__begins_anew_after_our_turn(void **state)
{
    (void)state;
    struct watch watch = {.began_ns = 0};

    watch_keep(&watch, CONNECTION_WRITING, 1, CONNECTED, 10);
    watch_pause(&watch);
    watch_keep(&watch, CONNECTION_WRITING, 1, LATER, 20);
    assert_int_equal(watch.began_ns, LATER);
    assert_int_equal(watch.moved, 20);
    watch_keep(&watch, CONNECTION_WRITING, 1, LATEST, 30);
    assert_int_equal(watch.began_ns, LATER);
}

static void watch__finds_a_stall_at_the_end_of_a_window(void **state)
{
    (void)state;
    const int64_t second = INT64_C(1000000000);
    const struct pace pace = {second / 2, 2000}, slow = {second / 2, 1};
    struct watch watch = {.began_ns = second, .moved = 1000};

    assert_false(watch_stalled(&watch, &pace, 3 * second / 2 - 1, 1000, false));
    assert_true(watch_stalled(&watch, &pace, 3 * second / 2, 1000 + 999, false));
    assert_true(watch_stalled(&watch, &slow, 3 * second / 2, 1000, false));
    assert_false(watch_stalled(&watch, &pace, 3 * second / 2, 1000, true));
    assert_int_equal(watch.began_ns, 3 * second / 2);
    assert_false(watch_stalled(&watch, &pace, 2 * second, 1000 + 1000, false));
    assert_int_equal(watch.moved, 1000 + 1000);
    assert_false(watch_stalled(&watch, &slow, 3 * second, 1000 + 1001, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watch__of_the_first_head_begins_with_the_connection),
        cmocka_unit_test(watch__of_a_later_head_begins_with_its_first_byte),
        cmocka_unit_test(watch__does_not_count_the_silence_before_a_head),
        cmocka_unit_test(watch__of_another_request_is_another),
        cmocka_unit_test(watch__begins_anew_after_our_turn),
        cmocka_unit_test(watch__finds_a_stall_at_the_end_of_a_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
