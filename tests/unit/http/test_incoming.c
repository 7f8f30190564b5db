/* http/incoming.c: what is not wanted is told of, and does not come. */
#include "http/incoming.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OURS, PEERS, ENDS, PIECE = 1000, BATCH = 50000, MUCH = 4 * BATCH };

static int ends[ENDS];
static char sent[BATCH];

/* Only a stream of TCP drops in the kernel: there it can be seen. */
static int connect_ends(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    incoming_take_over();
    ends[PEERS] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(ends[PEERS], (struct sockaddr *)&address, size), 0);
    ends[OURS] = accept(listener, NULL, NULL);
    assert_true(ends[OURS] >= 0);
    close(listener);
    incoming_begin(ends[OURS]);
    for (size_t i = 0; i < BATCH; i++)
        sent[i] = (char)('a' + i % 26);
    return 0;
}

static int close_ends(void **state)
{
    (void)state;
    incoming_drop(ends[OURS], 0);
    close(ends[OURS]);
    close(ends[PEERS]);
    return 0;
}

static void send_all(size_t count)
{
    for (size_t at = 0; at < count;) {
        ssize_t n = send(ends[PEERS], sent + at, count - at, 0);
        assert_true(n > 0);
        at += (size_t)n;
    }
}

static void await_input(void)
{
    struct pollfd readable = {.fd = ends[OURS], .events = POLLIN};

    assert_int_equal(poll(&readable, 1, 10000), 1);
}

/* Until that many have come of what was sent from `at` on.  Those before `wanted_from`
 * must not be written. */
static void receive(size_t at, size_t count, size_t wanted_from)
{
    char piece[PIECE], untouched[PIECE];

    memset(untouched, '.', PIECE);
    while (count > 0) {
        size_t most = count < PIECE ? count : PIECE;
        memset(piece, '.', PIECE);
        ssize_t n = recv(ends[OURS], piece, most, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            await_input();
            continue;
        }
        assert_true(n > 0 && (size_t)n <= most);
        size_t dropped = at < wanted_from ? wanted_from - at : 0;
        if (dropped > (size_t)n)
            dropped = (size_t)n;
        assert_memory_equal(piece, untouched, dropped);
        assert_memory_equal(piece + dropped, sent + at + dropped, (size_t)n - dropped);
        at += (size_t)n;
        count -= (size_t)n;
    }
}

static void assert_nothing_more(void)
{
    char more;

    assert_int_equal(recv(ends[OURS], &more, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

static void incoming__is_told_of_and_does_not_come(void **state)
{
    static const size_t counts[] = {1,       PIECE - 1, PIECE,  PIECE + 1,
                                    1 << 16, 65537,     100500, MUCH - 7};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        incoming_drop(ends[OURS], counts[i]);
        for (size_t at = 0; at < MUCH; at += BATCH) {
            send_all(BATCH);
            receive(0, BATCH, counts[i] > at ? counts[i] - at : 0);
        }
        assert_nothing_more();
    }
}

/* Who reads less than asked for waits for an event, and none comes for what is there. */
static void incoming__gives_no_short_piece_before_the_end_of_what_there_is(void **state)
{
    char piece[PIECE];

    (void)state;
    send_all(2 * PIECE + PIECE / 2);
    await_input();
    while (recv(ends[OURS], piece, 1, MSG_PEEK) != 1)
        continue;
    incoming_drop(ends[OURS], PIECE + 10);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(recv(ends[OURS], piece, PIECE, MSG_DONTWAIT), PIECE);
    assert_memory_equal(piece + 10, sent + PIECE + 10, PIECE - 10);
    assert_int_equal(recv(ends[OURS], piece, PIECE, MSG_DONTWAIT), PIECE / 2);
}

static void incoming__drops_at_once_what_is_there(void **state)
{
    char piece[PIECE];

    (void)state;
    send_all(4 * PIECE);
    await_input();
    incoming_drop(ends[OURS], 3 * PIECE);
    assert_int_equal(recv(ends[OURS], piece, PIECE, 0), PIECE);
    assert_int_equal(recv(ends[OURS], piece, PIECE, MSG_PEEK), PIECE);
    assert_memory_equal(piece, sent + 3 * PIECE, PIECE);
    receive(PIECE, 3 * PIECE, 3 * PIECE);
    assert_nothing_more();
}

static void incoming__may_be_said_again(void **state)
{
    (void)state;
    send_all(5 * PIECE);
    incoming_drop(ends[OURS], 4 * PIECE);
    receive(0, PIECE, 4 * PIECE);
    incoming_drop(ends[OURS], 3 * PIECE);
    receive(PIECE, 2 * PIECE, 4 * PIECE);
    incoming_drop(ends[OURS], PIECE);
    receive(3 * PIECE, 2 * PIECE, 4 * PIECE);
    assert_nothing_more();
}

static void incoming__may_be_taken_back(void **state)
{
    (void)state;
    incoming_drop(ends[OURS], 10 * PIECE);
    incoming_drop(ends[OURS], 0);
    send_all(PIECE);
    receive(0, PIECE, 0);
}

static void incoming__leaves_a_look_alone(void **state)
{
    char piece[PIECE];

    (void)state;
    incoming_drop(ends[OURS], PIECE);
    send_all(PIECE);
    await_input();
    assert_int_equal(recv(ends[OURS], piece, 5, MSG_PEEK), 5);
    assert_memory_equal(piece, sent, 5);
    receive(0, PIECE, PIECE);
    assert_nothing_more();
}

static void incoming__ends_where_the_other_side_does(void **state)
{
    char piece[PIECE];

    (void)state;
    incoming_drop(ends[OURS], MUCH);
    assert_nothing_more();
    send_all(10);
    shutdown(ends[PEERS], SHUT_WR);
    receive(0, 10, MUCH);
    assert_int_equal(recv(ends[OURS], piece, PIECE, 0), 0);
    assert_int_equal(recv(ends[OURS], piece, PIECE, 0), 0);
}

static void incoming__counts_what_is_read_and_what_is_dropped(void **state)
{
    char piece[PIECE];

    (void)state;
    assert_int_equal(incoming_read(ends[OURS]), 0);
    send_all(2 * PIECE);
    receive(0, PIECE, 0);
    assert_int_equal(incoming_read(ends[OURS]), PIECE);
    assert_int_equal(recv(ends[OURS], piece, PIECE, MSG_PEEK), PIECE);
    assert_int_equal(incoming_read(ends[OURS]), PIECE);
    incoming_drop(ends[OURS], PIECE / 2);
    receive(PIECE, PIECE, PIECE + PIECE / 2);
    assert_int_equal(incoming_read(ends[OURS]), 2 * PIECE);
    assert_nothing_more();
    assert_int_equal(incoming_read(ends[OURS]), 2 * PIECE);
    incoming_begin(ends[OURS]);
    assert_int_equal(incoming_read(ends[OURS]), 0);
}

static void incoming__passes_on_what_fails(void **state)
{
    char piece[PIECE];

    (void)state;
    assert_int_equal(recv(-1, piece, PIECE, 0), -1);
    assert_int_equal(errno, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(incoming__is_told_of_and_does_not_come,
                                        connect_ends, close_ends),
        cmocka_unit_test_setup_teardown(
            incoming__gives_no_short_piece_before_the_end_of_what_there_is, connect_ends,
            close_ends),
        cmocka_unit_test_setup_teardown(incoming__drops_at_once_what_is_there,
                                        connect_ends, close_ends),
        cmocka_unit_test_setup_teardown(incoming__may_be_said_again, connect_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(incoming__may_be_taken_back, connect_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(incoming__leaves_a_look_alone, connect_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(incoming__ends_where_the_other_side_does,
                                        connect_ends, close_ends),
        cmocka_unit_test_setup_teardown(incoming__counts_what_is_read_and_what_is_dropped,
                                        connect_ends, close_ends),
        cmocka_unit_test_setup_teardown(incoming__passes_on_what_fails, connect_ends,
                                        close_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
