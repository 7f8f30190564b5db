/* codec/reply.c: text written by several threads is the text written by one. */
#include "../../../src/codec/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

enum { NUMBERS = 60000, PIECES = 4, TEXT_MAX = NUMBERS * 80 };

static double doubles[NUMBERS];
static int64_t integers[NUMBERS];

static int draw_numbers(void **state)
{
    uint64_t x = 88172645463325252;

    (void)state;
    for (size_t i = 0; i < NUMBERS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        doubles[i] = (double)(int64_t)x / (double)(1 + (x >> 8 & 0xFFFFFFFF));
        integers[i] = (int64_t)x;
    }
    return 0;
}

static struct reply *make_reply(const struct shape *shape, enum reply_numbers numbers,
                                bool pretty, struct arena *mem)
{
    struct err err = {0};
    struct reply *reply = reply_new(pretty, mem, &err);

    assert_non_null(reply);
    struct json *json = reply_json(reply);
    json_open(json, '{');
    for (int twice = 0; twice < 2; twice++) {
        json_key(json, twice ? "second" : "first");
        reply_array(reply, numbers,
                    numbers == REPLY_INTEGERS ? (const void *)integers
                                              : (const void *)doubles,
                    shape);
    }
    json_close(json, '}');
    assert_true(reply_end(reply));
    return reply;
}

static size_t write_all(struct reply *reply, char *text)
{
    size_t len = 0, n;

    while ((n = reply_fill(reply, text + len, 4096)) > 0)
        len += n;
    return len;
}

/* Returns how many pieces were written at the same time. */
static size_t write_in_pieces(struct reply *reply, struct pool *pool, char *text,
                              size_t *len)
{
    char *out[PIECES];
    size_t lens[PIECES], pieces, n, total = 0;

    *len = 0;
    for (size_t i = 0; i < PIECES; i++)
        assert_non_null(out[i] = malloc(REPLY_PIECE));
    do {
        pieces = reply_fill_pieces(reply, pool, out, lens, PIECES, REPLY_PIECE);
        for (size_t i = 0; i < pieces; i++) {
            assert_in_range(lens[i], 1, REPLY_PIECE);
            memcpy(text + *len, out[i], lens[i]);
            *len += lens[i];
        }
        total += pieces;
        n = pieces ? 1 : reply_fill(reply, text + *len, 512);
        *len += pieces ? 0 : n;
    } while (n > 0);
    for (size_t i = 0; i < PIECES; i++)
        free(out[i]);
    return total;
}

static void assert_pieces_make_the_text(struct shape shape, enum reply_numbers numbers,
                                        bool pretty, struct pool *pool)
{
    static char whole[TEXT_MAX * 2], joined[TEXT_MAX * 2];
    struct arena mem;

    arena_init(&mem, SIZE_MAX, NULL, NULL);
    size_t whole_len = write_all(make_reply(&shape, numbers, pretty, &mem), whole);
    size_t len;
    size_t pieces =
        write_in_pieces(make_reply(&shape, numbers, pretty, &mem), pool, joined, &len);
    assert_in_range(pieces, 8, SIZE_MAX);
    assert_int_equal(len, whole_len);
    assert_memory_equal(joined, whole, len);
    arena_release(&mem);
}

static void reply_fill_pieces__gives_the_text_of_reply_fill(void **state)
{
    static const struct shape shapes[] = {
        {1, {NUMBERS}},        {2, {60, 1000}},
        {2, {NUMBERS, 1}},     {2, {1, NUMBERS}},
        {2, {8571, 7}},        {3, {30, 20, 100}},
        {4, {100, 1, 200, 3}}, {8, {10, 1, 10, 1, 10, 1, 6, 10}},
    };
    struct pool *pool = pool_new(3, 16);

    (void)state;
    assert_non_null(pool);
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (int pretty = 0; pretty < 2; pretty++) {
            assert_pieces_make_the_text(shapes[i], REPLY_DOUBLES, pretty, pool);
            assert_pieces_make_the_text(shapes[i], REPLY_DOUBLES_AS_FLOATS, pretty, pool);
            assert_pieces_make_the_text(shapes[i], REPLY_INTEGERS, pretty, pool);
        }
    pool_free(pool);
}

static void reply_fill_pieces__leaves_small_arrays_to_one_thread(void **state)
{
    const struct shape shape = {2, {10, 10}};
    struct pool *pool = pool_new(1, 1);
    struct arena mem;
    char text[8192], *out[PIECES];
    size_t len[PIECES];

    (void)state;
    arena_init(&mem, SIZE_MAX, NULL, NULL);
    for (size_t i = 0; i < PIECES; i++)
        assert_non_null(out[i] = malloc(REPLY_PIECE));
    struct reply *reply = make_reply(&shape, REPLY_DOUBLES, false, &mem);
    do
        assert_int_equal(reply_fill_pieces(reply, pool, out, len, PIECES, REPLY_PIECE),
                         0);
    while (reply_fill(reply, text, REPLY_ROOM) > 0);
    for (size_t i = 0; i < PIECES; i++)
        free(out[i]);
    arena_release(&mem);
    pool_free(pool);
}

static void reply_fill_pieces__does_nothing_without_a_pool(void **state)
{
    const struct shape shape = {1, {NUMBERS}};
    struct arena mem;
    char text[REPLY_ROOM], *out[1] = {text};
    size_t len[1];

    (void)state;
    arena_init(&mem, SIZE_MAX, NULL, NULL);
    struct reply *reply = make_reply(&shape, REPLY_DOUBLES, false, &mem);
    assert_true(reply_fill(reply, text, sizeof text) > 0);
    assert_int_equal(reply_fill_pieces(reply, NULL, out, len, 1, REPLY_PIECE), 0);
    arena_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_fill_pieces__gives_the_text_of_reply_fill),
        cmocka_unit_test(reply_fill_pieces__leaves_small_arrays_to_one_thread),
        cmocka_unit_test(reply_fill_pieces__does_nothing_without_a_pool),
    };

    return cmocka_run_group_tests(tests, draw_numbers, NULL);
}
