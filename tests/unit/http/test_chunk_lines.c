/* http/chunk_lines.c: where the chunks of a body end. */
#include "http/chunk_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CHUNK(text, state)                   \
    {                                        \
        text, sizeof text - 1, CHUNK_##state \
    }

static const struct {
    const char *text;
    size_t size;
    enum chunk_state state;
} cases[] = {
    CHUNK("", SIZE),
    CHUNK("0\r\n\r\n", OVER),
    CHUNK("0\n\n", OVER),
    CHUNK("0\r\r", OVER),
    CHUNK("0\r\n\r\nGET / HTTP/1.1\r\n", OVER),
    CHUNK("1a;a=b\r\nabcdefghijklmnopqrstuvwxyz\r\n0;c\r\n\r\n", OVER),
    CHUNK("1A\n:0\r\n\r\n\0:0\r\n\r\nnopqrstuvwxyz\n000\n\n", OVER),
    CHUNK("1\r\n\n\r\n1\r\n\r\r\n1\r\n:\r\n0\r\n\r\n", OVER),
    CHUNK("3\rabc\r0\r\r", OVER),
    CHUNK("3\r\nabc\r\n", SIZE),
    CHUNK("3\r\nab", DATA),
    CHUNK("3\r\nabc", END),
    CHUNK("3\r\nabcd", ODD),
    CHUNK("0\r\nA: b\r\n", TRAILER_BEGIN),
    CHUNK("0\r\nA: b\r\nC:d\r\n\r\n", OVER),
    CHUNK("0\r\n: b\r\n\r\n", ODD),
    CHUNK("0\r\n\0\r\n\r\n", ODD),
    CHUNK("0\r\nA: b\r\n:\r\n\r\n", ODD),
    CHUNK("0\r\nA: b\n\0: c\r\n\r\n", ODD),
};

enum { CASES = sizeof cases / sizeof *cases };

static void chunk_lines__are_followed_to_their_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        for (size_t cut = 0; cut <= cases[i].size; cut++) {
            struct chunk_lines lines;
            chunk_lines_begin(&lines);
            chunk_lines_follow(&lines, cases[i].text, cut);
            chunk_lines_follow(&lines, cases[i].text + cut, cases[i].size - cut);
            if (lines.state != cases[i].state)
                fail_msg("case %zu, cut at %zu: state %d", i, cut, (int)lines.state);
            assert_int_equal(chunk_lines_have_ended(&lines),
                             cases[i].state == CHUNK_OVER);
        }
}

static void chunk_lines__may_come_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct chunk_lines lines;
        chunk_lines_begin(&lines);
        for (size_t at = 0; at < cases[i].size; at++)
            chunk_lines_follow(&lines, cases[i].text + at, 1);
        assert_int_equal(lines.state, cases[i].state);
    }
}

static void chunk_lines__of_no_body_have_ended(void **state)
{
    (void)state;
    struct chunk_lines lines = {.state = CHUNK_NONE};

    chunk_lines_follow(&lines, "0\r\n:", 4);
    assert_true(chunk_lines_have_ended(&lines));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunk_lines__are_followed_to_their_end),
        cmocka_unit_test(chunk_lines__may_come_byte_by_byte),
        cmocka_unit_test(chunk_lines__of_no_body_have_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
