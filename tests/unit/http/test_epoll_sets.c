/* http/epoll_sets.c: what was taken out of a set is out, whatever the system says. */
#include "http/epoll_sets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OURS, PEERS, ENDS };

static int first, second; /* what events are of */

static void add(int set, int fd, int *data)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};

    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
}

static void assert_event_of(int set, const int *data)
{
    struct epoll_event events[4];
    int count = epoll_wait(set, events, 4, 0);

    assert_int_equal(count, data != NULL);
    if (count > 0)
        assert_ptr_equal(events[0].data.ptr, data);
}

/* Closed before, but open under another number: the system knows no such descriptor, and
 * tells of it all the same. */
static void epoll_sets__take_out_what_the_system_keeps(void **state)
{
    int set = epoll_create1(EPOLL_CLOEXEC), ends[ENDS], others[ENDS], twin;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    add(set, ends[OURS], &first);
    assert_int_equal(send(ends[PEERS], "x", 1, 0), 1);
    assert_event_of(set, &first);
    twin = dup(ends[OURS]);
    close(ends[OURS]);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_DEL, ends[OURS], NULL), 0);
    assert_event_of(set, NULL);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, others), 0);
    assert_int_equal(others[OURS], ends[OURS]);
    add(set, others[OURS], &second);
    assert_event_of(set, NULL);
    assert_int_equal(send(others[PEERS], "x", 1, 0), 1);
    assert_event_of(set, &second);
    close(twin);
    close(ends[PEERS]);
    close(others[OURS]);
    close(others[PEERS]);
    close(set);
}

static void epoll_sets__arm_anew_what_is_added_again(void **state)
{
    int set = epoll_create1(EPOLL_CLOEXEC), ends[ENDS];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    add(set, ends[OURS], &first);
    add(set, ends[OURS], &second);
    assert_int_equal(send(ends[PEERS], "x", 1, 0), 1);
    assert_event_of(set, &second);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_DEL, ends[OURS], NULL), 0);
    assert_event_of(set, NULL);
    add(set, ends[OURS], &first);
    assert_event_of(set, &first);
    close(ends[OURS]);
    close(ends[PEERS]);
    close(set);
}

static void epoll_sets__refuse_what_no_descriptor_is(void **state)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};

    (void)state;
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, -1, &event), -1);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, set, &event), -1);
    assert_int_equal(epoll_wait(-1, &event, 1, 0), -1);
    close(set);
}

enum { HANDOVERS = 400000 };

struct waiter {
    int set;
    atomic_bool ends;
    size_t strangers; /* data of another set */
};

static void *wait_for_first(void *arg)
{
    struct waiter *waiter = arg;
    struct epoll_event events[4];

    while (!atomic_load(&waiter->ends)) {
        int count = epoll_wait(waiter->set, events, 4, 0);
        for (int i = 0; i < count; i++)
            waiter->strangers += events[i].data.ptr != &first;
    }
    return NULL;
}

/* What one thread waits for another takes out, and puts into a set of its own. */
static void epoll_sets__tell_nobody_of_another_set(void **state)
{
    struct waiter waiter = {.set = epoll_create1(EPOLL_CLOEXEC)};
    int other = epoll_create1(EPOLL_CLOEXEC), ends[ENDS];
    pthread_t thread;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(send(ends[PEERS], "x", 1, 0), 1); /* readable in both */
    assert_int_equal(pthread_create(&thread, NULL, wait_for_first, &waiter), 0);
    for (int i = 0; i < HANDOVERS; i++) {
        add(waiter.set, ends[OURS], &first);
        assert_int_equal(epoll_ctl(waiter.set, EPOLL_CTL_DEL, ends[OURS], NULL), 0);
        add(other, ends[OURS], &second);
        assert_event_of(other, &second);
        assert_int_equal(epoll_ctl(other, EPOLL_CTL_DEL, ends[OURS], NULL), 0);
    }
    atomic_store(&waiter.ends, true);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.strangers, 0);
    close(ends[OURS]);
    close(ends[PEERS]);
    close(waiter.set);
    close(other);
}

static int take_over(void **state)
{
    (void)state;
    epoll_sets_take_over();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epoll_sets__take_out_what_the_system_keeps),
        cmocka_unit_test(epoll_sets__arm_anew_what_is_added_again),
        cmocka_unit_test(epoll_sets__refuse_what_no_descriptor_is),
        cmocka_unit_test(epoll_sets__tell_nobody_of_another_set),
    };

    return cmocka_run_group_tests(tests, take_over, NULL);
}
