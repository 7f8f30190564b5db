/* base/arena.c: limits, budgets, and blocks that grow. */
#include "lossd/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void arena_alloc__gives_aligned_pieces_that_do_not_overlap(void **state)
{
    struct arena arena;
    struct err err = {0};
    unsigned char *piece[300];

    (void)state;
    arena_init(&arena, SIZE_MAX, NULL, NULL);
    for (size_t i = 0; i < 300; i++) {
        piece[i] = arena_alloc(&arena, i * i % 7000 + 1, 1, &err);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % 16, 0);
        memset(piece[i], (int)i, i * i % 7000 + 1);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t b = 0; b < i * i % 7000 + 1; b++)
            assert_int_equal(piece[i][b], i & 0xFF);
    arena_release(&arena);
}

static void arena_zalloc__gives_zeros(void **state)
{
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, SIZE_MAX, NULL, NULL);
    memset(arena_alloc(&arena, 1, 4000, &err), 0xFF, 4000);
    arena_release(&arena);
    const char *zeros = arena_zalloc(&arena, 40, 100, &err);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(zeros[i], 0);
    arena_release(&arena);
}

static void arena_alloc__refuses_what_is_over_the_limit(void **state)
{
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 100000, "--max-request-memory", NULL);
    assert_null(arena_alloc(&arena, 1, 100001, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(err.limit, 100000);
    assert_string_equal(err.flag, "--max-request-memory");
    memset(&err, 0, sizeof err);
    assert_non_null(arena_alloc(&arena, 1, 50000, &err));
    assert_null(arena_alloc(&arena, 1, 60000, &err));
    arena_release(&arena);
}

static void arena_alloc__refuses_sizes_that_overflow(void **state)
{
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, SIZE_MAX, "--max-request-memory", NULL);
    assert_null(arena_alloc(&arena, SIZE_MAX / 2, 3, &err));
    assert_int_not_equal(err.kind, ERR_NONE);
    assert_null(arena_zalloc(&arena, SIZE_MAX, SIZE_MAX, &err));
    arena_release(&arena);
}

static void budget__is_shared_and_given_back(void **state)
{
    struct budget budget = {.limit = 100000};
    struct arena first, second;
    struct err err = {0};

    (void)state;
    arena_init(&first, SIZE_MAX, NULL, &budget);
    arena_init(&second, SIZE_MAX, NULL, &budget);
    assert_true(arena_reserve(&first, 70000, &err));
    assert_int_equal(atomic_load(&budget.used), 70000);
    assert_null(arena_alloc(&second, 1, 40000, &err));
    assert_int_equal(err.kind, ERR_OVERLOADED);
    assert_in_range(err.retry_after_s, 1, 60);
    memset(&err, 0, sizeof err);
    assert_non_null(arena_alloc(&first, 1, 60000, &err)); /* reserved before */
    assert_int_equal(atomic_load(&budget.used), 70000);
    arena_release(&first);
    assert_int_equal(atomic_load(&budget.used), 0);
    assert_non_null(arena_alloc(&second, 1, 40000, &err));
    arena_release(&second);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_resize__keeps_the_contents(void **state)
{
    struct arena arena;
    struct err err = {0};
    unsigned char *a = NULL, *b = NULL;

    (void)state;
    arena_init(&arena, SIZE_MAX, NULL, NULL);
    for (size_t size = 10; size < 3000000; size *= 3) {
        assert_non_null(a = arena_resize(&arena, a, size, &err));
        assert_non_null(b = arena_resize(&arena, b, size, &err));
        for (size_t i = size / 3; i < size; i++) {
            a[i] = (unsigned char)i;
            b[i] = (unsigned char)~i;
        }
        for (size_t i = 10; i < size; i += 97) {
            assert_int_equal(a[i], (unsigned char)i);
            assert_int_equal(b[i], (unsigned char)~i);
        }
    }
    assert_non_null(a = arena_resize(&arena, a, 50, &err));
    assert_int_equal(a[49], 49);
    arena_release(&arena);
}

static void arena_drop__makes_room_under_the_limit(void **state)
{
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 100000, NULL, NULL);
    void *first = arena_resize(&arena, NULL, 40000, &err);
    void *second = arena_resize(&arena, NULL, 40000, &err);
    assert_null(arena_resize(&arena, NULL, 40000, &err));
    arena_drop(&arena, first);
    arena_drop(&arena, NULL);
    memset(&err, 0, sizeof err);
    assert_non_null(arena_resize(&arena, NULL, 40000, &err));
    arena_drop(&arena, second);
    arena_release(&arena);
    assert_int_equal(arena.used, 0);
}

static void arena_resize__that_is_refused_leaves_the_block(void **state)
{
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 100000, NULL, NULL);
    char *block = arena_resize(&arena, NULL, 1000, &err);
    strcpy(block, "still here");
    assert_null(arena_resize(&arena, block, 200000, &err));
    assert_string_equal(block, "still here");
    arena_release(&arena);
}

static void arena_text__is_a_terminated_copy(void **state)
{
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, SIZE_MAX, NULL, NULL);
    assert_string_equal(arena_text(&arena, (struct span){"abcdef", 3}, &err), "abc");
    assert_string_equal(arena_text(&arena, (struct span){NULL, 0}, &err), "");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_alloc__gives_aligned_pieces_that_do_not_overlap),
        cmocka_unit_test(arena_zalloc__gives_zeros),
        cmocka_unit_test(arena_alloc__refuses_what_is_over_the_limit),
        cmocka_unit_test(arena_alloc__refuses_sizes_that_overflow),
        cmocka_unit_test(budget__is_shared_and_given_back),
        cmocka_unit_test(arena_resize__keeps_the_contents),
        cmocka_unit_test(arena_drop__makes_room_under_the_limit),
        cmocka_unit_test(arena_resize__that_is_refused_leaves_the_block),
        cmocka_unit_test(arena_text__is_a_terminated_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
