/* Buffers: what is appended, the ceiling, and what happens beyond it. */
#include "lossd/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena mem;
    struct err err;
    struct buf buf;
};

static void begin(struct fixture *f, size_t limit, size_t ceiling)
{
    *f = (struct fixture){.err = {.kind = ERR_NONE}};
    arena_init(&f->mem, limit, "--max-request-memory", NULL);
    buf_init(&f->buf, &f->mem, ceiling, "--max-text", &f->err);
}

static void assert_text(const struct buf *buf, const char *text)
{
    assert_true(buf_ok(buf));
    assert_int_equal(buf->len, strlen(text));
    assert_true(span_is(buf_span(buf), text));
}

static void buf__holds_what_was_appended_in_order(void **state)
{
    (void)state;
    struct fixture f;

    begin(&f, SIZE_MAX, SIZE_MAX);
    assert_text(&f.buf, "");
    buf_text(&f.buf, "ab");
    buf_char(&f.buf, 'c');
    buf_add(&f.buf, (struct span){"def", 1});
    buf_add(&f.buf, (struct span){NULL, 0});
    buf_text(&f.buf, "");
    buf_format(&f.buf, "%d-%s", 42, "x");
    assert_text(&f.buf, "abcd42-x");
    arena_release(&f.mem);
}

static void buf__grows_as_far_as_it_takes(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    struct fixture f;
    char *wanted = malloc(SIZE);

    assert_non_null(wanted);
    begin(&f, SIZE_MAX, SIZE_MAX);
    for (size_t len = 0; len < SIZE;) {
        char piece[97];
        size_t n = len % sizeof piece;
        n = n < SIZE - len ? n + 1 : SIZE - len;
        n = n > SIZE - len ? SIZE - len : n;
        memset(piece, (int)('a' + len % 26), n);
        memcpy(wanted + len, piece, n);
        buf_add(&f.buf, (struct span){piece, n});
        len += n;
    }
    assert_true(buf_ok(&f.buf));
    assert_int_equal(f.buf.len, SIZE);
    assert_memory_equal(f.buf.at, wanted, SIZE);
    free(wanted);
    arena_release(&f.mem);
}

/* To the byte, wherever the ceiling lies, and in pieces of any size. */
static void buf__takes_as_much_as_its_ceiling_and_no_more(void **state)
{
    (void)state;
    static const size_t ceilings[] = {0, 1, 10, 255, 256, 257, 300, 511, 512, 1000, 5000};

    for (size_t i = 0; i < sizeof ceilings / sizeof *ceilings; i++)
        for (size_t piece = 1; piece < 300; piece = piece * 3 + 1) {
            struct fixture f;
            char text[300];
            size_t whole = ceilings[i] / piece * piece;
            memset(text, 'x', sizeof text);
            begin(&f, SIZE_MAX, ceilings[i]);
            for (size_t len = 0; len < whole; len += piece)
                buf_add(&f.buf, (struct span){text, piece});
            assert_true(buf_ok(&f.buf));
            assert_int_equal(f.buf.len, whole);
            buf_add(&f.buf, (struct span){text, piece});
            assert_false(buf_ok(&f.buf));
            assert_int_equal(f.err.kind, ERR_TOO_LARGE);
            assert_int_equal(f.err.limit, ceilings[i]);
            assert_string_equal(f.err.flag, "--max-text");
            assert_int_equal(f.buf.len, whole);
            arena_release(&f.mem);
        }
}

static void buf__that_has_failed_takes_nothing_more(void **state)
{
    (void)state;
    struct fixture f;

    begin(&f, SIZE_MAX, 4);
    buf_text(&f.buf, "abc");
    buf_text(&f.buf, "de");
    buf_char(&f.buf, 'f');
    buf_format(&f.buf, "%s", "g");
    assert_null(buf_room(&f.buf, 1));
    assert_false(buf_ok(&f.buf));
    assert_int_equal(f.buf.len, 3);
    assert_memory_equal(f.buf.at, "abc", 3);
    arena_release(&f.mem);
}

static void buf__says_what_is_too_long(void **state)
{
    (void)state;
    struct fixture f;

    begin(&f, SIZE_MAX, 4);
    buf_text(&f.buf, "abcde");
    assert_string_equal(f.err.detail, "the text has more than the 4 bytes that are "
                                      "allowed");
    begin(&f, SIZE_MAX, 4);
    f.buf.what = "the name";
    buf_text(&f.buf, "abcde");
    assert_string_equal(f.err.detail, "the name has more than the 4 bytes that are "
                                      "allowed");
}

static void buf__reports_that_its_arena_is_full(void **state)
{
    (void)state;
    struct fixture f;
    size_t len = 0;

    begin(&f, 3000, SIZE_MAX);
    while (buf_ok(&f.buf)) {
        len = f.buf.len;
        buf_text(&f.buf, "0123456789");
    }
    assert_int_equal(f.err.kind, ERR_TOO_LARGE);
    assert_string_equal(f.err.flag, "--max-request-memory");
    assert_int_equal(f.buf.len, len);
    assert_in_range(len, 500, 3000);
    arena_release(&f.mem);
}

static void buf__refuses_lengths_that_overflow(void **state)
{
    (void)state;
    static const size_t ceilings[] = {1000, SIZE_MAX};
    static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 3, SIZE_MAX / 2 + 1};

    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++) {
            struct fixture f;
            begin(&f, SIZE_MAX / 4, ceilings[i]);
            buf_text(&f.buf, "abcd");
            assert_null(buf_room(&f.buf, lengths[j]));
            assert_false(buf_ok(&f.buf));
            assert_int_equal(f.err.kind, ERR_TOO_LARGE);
            arena_release(&f.mem);
        }
}

static void buf_room__is_written_by_hand(void **state)
{
    (void)state;
    struct fixture f;

    begin(&f, SIZE_MAX, 1000);
    buf_text(&f.buf, "a");
    char *room = buf_room(&f.buf, 700);
    assert_non_null(room);
    memset(room, 'b', 700);
    f.buf.len += 2; /* so many of them count */
    buf_text(&f.buf, "c");
    assert_text(&f.buf, "abbc");
    arena_release(&f.mem);
}

static void buf_format__writes_texts_of_any_length(void **state)
{
    (void)state;
    static char text[3000];
    static const size_t lengths[] = {0, 1, 510, 511, 512, 513, 2999};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct fixture f;
        memset(text, 'y', lengths[i]);
        text[lengths[i]] = '\0';
        begin(&f, SIZE_MAX, SIZE_MAX);
        buf_format(&f.buf, "<%s>", text);
        assert_int_equal(f.buf.len, lengths[i] + 2);
        assert_int_equal(f.buf.at[0], '<');
        assert_memory_equal(f.buf.at + 1, text, lengths[i]);
        assert_int_equal(f.buf.at[lengths[i] + 1], '>');
        arena_release(&f.mem);
    }
}

static void buf_over__fills_the_callers_room_and_nothing_beyond(void **state)
{
    (void)state;
    char room[12] = "###########";
    struct buf buf;

    buf_over(&buf, room, 8);
    buf_text(&buf, "abcde");
    buf_text(&buf, "fgh");
    assert_text(&buf, "abcdefgh");
    assert_ptr_equal(buf.at, room);
    buf_char(&buf, 'i');
    assert_false(buf_ok(&buf));
    assert_string_equal(room, "abcdefgh###");
    buf_over(&buf, room, 8);
    buf_text(&buf, "0123");
    buf_text(&buf, "45678"); /* does not fit, and is not begun */
    assert_false(buf_ok(&buf));
    assert_string_equal(room, "0123efgh###");
    buf_over(&buf, room, 0);
    assert_text(&buf, "");
    buf_char(&buf, 'x');
    assert_false(buf_ok(&buf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf__holds_what_was_appended_in_order),
        cmocka_unit_test(buf__grows_as_far_as_it_takes),
        cmocka_unit_test(buf__takes_as_much_as_its_ceiling_and_no_more),
        cmocka_unit_test(buf__that_has_failed_takes_nothing_more),
        cmocka_unit_test(buf__says_what_is_too_long),
        cmocka_unit_test(buf__reports_that_its_arena_is_full),
        cmocka_unit_test(buf__refuses_lengths_that_overflow),
        cmocka_unit_test(buf_room__is_written_by_hand),
        cmocka_unit_test(buf_format__writes_texts_of_any_length),
        cmocka_unit_test(buf_over__fills_the_callers_room_and_nothing_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
