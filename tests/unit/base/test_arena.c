/* Arenas: what they give, what they refuse, and that all of it comes back. */
#include "lossd/base/arena.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { BLOCK = 14336 + 64 }; /* more than the arena takes for small pieces at once */

static struct arena arena_of(size_t limit, struct budget *budget)
{
    struct arena arena;

    arena_init(&arena, limit, "--max-request-memory", budget);
    return arena;
}

static void assert_nothing_wrong(const struct err *err)
{
    assert_int_equal(err->kind, ERR_NONE);
}

/* ---- pieces ----------------------------------------------------------------------------- */

static void arena_alloc__gives_aligned_pieces_apart_from_each_other(void **state)
{
    (void)state;
    enum { PIECES = 400 };
    struct arena arena = arena_of(SIZE_MAX, NULL);
    struct err err = {.kind = ERR_NONE};
    unsigned char *piece[PIECES];
    size_t size[PIECES];

    for (size_t i = 0; i < PIECES; i++) {
        size[i] = i % 7 == 0 ? i * 61 : i % 33;
        piece[i] = arena_alloc(&arena, size[i], 1, &err);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % (size[i] < 256 ? 16 : 64), 0);
        memset(piece[i], (int)i, size[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t b = 0; b < size[i]; b++)
            assert_int_equal(piece[i][b], (unsigned char)i);
    assert_nothing_wrong(&err);
    arena_release(&arena);
}

static void arena_alloc__of_nothing_is_not_null(void **state)
{
    (void)state;
    struct arena arena = arena_of(SIZE_MAX, NULL);
    struct err err = {.kind = ERR_NONE};

    assert_non_null(arena_alloc(&arena, 0, 8, &err));
    assert_non_null(arena_zalloc(&arena, 8, 0, &err));
    assert_nothing_wrong(&err);
    arena_release(&arena);
}

static void arena_zalloc__clears_what_was_used_before(void **state)
{
    (void)state;
    struct arena arena = arena_of(SIZE_MAX, NULL);
    struct err err = {.kind = ERR_NONE};

    for (int round = 0; round < 2; round++) {
        for (size_t size = 1; size < 60000; size = size * 3 + 5) {
            unsigned char *piece = arena_zalloc(&arena, size, 1, &err);
            assert_non_null(piece);
            for (size_t b = 0; b < size; b++)
                assert_int_equal(piece[b], 0);
            memset(piece, 0xFF, size);
        }
        arena_release(&arena);
    }
}

static void arena_text__copies_and_terminates(void **state)
{
    (void)state;
    struct arena arena = arena_of(SIZE_MAX, NULL);
    struct err err = {.kind = ERR_NONE};

    char *copy = arena_text(&arena, (struct span){"ab\0cdef", 5}, &err);
    assert_memory_equal(copy, "ab\0cd", 6);
    assert_string_equal(arena_text(&arena, (struct span){NULL, 0}, &err), "");
    arena_release(&arena);
}

/* ---- the limit --------------------------------------------------------------------------- */

static void arena_alloc__refuses_what_is_over_its_limit(void **state)
{
    (void)state;
    for (size_t limit = 0; limit <= 3 * BLOCK; limit += 1000) {
        struct arena arena = arena_of(limit, NULL);
        struct err err = {.kind = ERR_NONE};
        size_t pieces = 0;
        while (arena_alloc(&arena, 500, 1, &err)) {
            assert_true(arena.used <= limit);
            pieces++;
        }
        assert_true(pieces * 500 <= limit);
        assert_true(pieces > 0 || limit < BLOCK);
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        assert_int_equal(err.limit, limit);
        assert_string_equal(err.flag, "--max-request-memory");
        arena_release(&arena);
        assert_int_equal(arena.used, 0);
    }
}

static void arena_alloc__may_go_on_after_it_refused(void **state)
{
    (void)state;
    struct arena arena = arena_of(2 * BLOCK, NULL);
    struct err err = {.kind = ERR_NONE}, none = {.kind = ERR_NONE};

    assert_non_null(arena_alloc(&arena, 1, 1, &err));
    assert_null(arena_alloc(&arena, 3 * BLOCK, 1, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_non_null(arena_alloc(&arena, 1, 1, &none));
    assert_non_null(arena_alloc(&arena, 5000, 1, &none));
    assert_nothing_wrong(&none);
    arena_release(&arena);
}

static void arena_alloc__refuses_products_that_overflow(void **state)
{
    (void)state;
    static const size_t factors[][2] = {{SIZE_MAX, 1},         {SIZE_MAX, 2},
                                        {SIZE_MAX, SIZE_MAX},  {SIZE_MAX / 2 + 1, 2},
                                        {SIZE_MAX - 15, 1},    {SIZE_MAX - 31, 1},
                                        {SIZE_MAX / 8 + 2, 8}, {(size_t)1 << 63, 2}};

    for (size_t i = 0; i < LENGTH(factors); i++) {
        struct arena arena = arena_of(SIZE_MAX, NULL);
        struct err a = {.kind = ERR_NONE}, b = {.kind = ERR_NONE}, c = {.kind = ERR_NONE};
        assert_null(arena_alloc(&arena, factors[i][0], factors[i][1], &a));
        assert_null(arena_alloc(&arena, factors[i][1], factors[i][0], &b));
        assert_null(arena_zalloc(&arena, factors[i][0], factors[i][1], &c));
        assert_int_equal(a.kind, ERR_TOO_LARGE);
        assert_int_equal(b.kind, ERR_TOO_LARGE);
        assert_int_equal(c.kind, ERR_TOO_LARGE);
        assert_int_equal(arena.used, 0);
        arena_release(&arena);
    }
}

/* ---- resizing ----------------------------------------------------------------------------- */

static void arena_resize__keeps_what_the_block_held(void **state)
{
    (void)state;
    struct arena arena = arena_of(SIZE_MAX, NULL);
    struct err err = {.kind = ERR_NONE};
    unsigned char *block = NULL;
    static const size_t sizes[] = {1, 100, 7, 100000, 99999, 5, 0, 300};
    size_t kept = 0;

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        block = arena_resize(&arena, block, sizes[i], &err);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        kept = kept < sizes[i] ? kept : sizes[i];
        for (size_t b = 0; b < kept; b++)
            assert_int_equal(block[b], b % 251);
        for (size_t b = 0; b < sizes[i]; b++)
            block[b] = (unsigned char)(b % 251);
        kept = sizes[i];
    }
    assert_nothing_wrong(&err);
    arena_release(&arena);
}

static void arena_resize__counts_what_the_block_takes(void **state)
{
    (void)state;
    struct budget budget = {.limit = 100000};
    struct arena arena = arena_of(100000, &budget);
    struct err err = {.kind = ERR_NONE};

    void *block = arena_resize(&arena, NULL, 60000, &err);
    size_t large = arena.used;
    assert_in_range(large, 60000, 60100);
    block = arena_resize(&arena, block, 1000, &err);
    assert_int_equal(arena.used, large - 59000);
    assert_non_null(arena_alloc(&arena, 90000, 1, &err)); /* what it gave back */
    assert_nothing_wrong(&err);
    assert_null(arena_resize(&arena, block, 30000, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    arena_release(&arena);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_resize__that_is_refused_leaves_the_block(void **state)
{
    (void)state;
    struct arena arena = arena_of(10000, NULL);
    static const size_t sizes[] = {10000, SIZE_MAX / 2, SIZE_MAX - 40, SIZE_MAX - 16,
                                   SIZE_MAX};
    struct err none = {.kind = ERR_NONE};

    char *block = arena_resize(&arena, NULL, 5000, &none);
    size_t used = arena.used;
    memset(block, 'x', 5000);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct err err = {.kind = ERR_NONE};
        assert_null(arena_resize(&arena, block, sizes[i], &err));
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        assert_int_equal(arena.used, used);
        for (size_t b = 0; b < 5000; b++)
            assert_int_equal(block[b], 'x');
    }
    arena_release(&arena);
}

static void arena_drop__gives_the_room_back(void **state)
{
    (void)state;
    struct arena arena = arena_of(10000, NULL);
    struct err err = {.kind = ERR_NONE};

    arena_drop(&arena, NULL);
    for (int round = 0; round < 100; round++) {
        void *a = arena_resize(&arena, NULL, 3000, &err);
        void *b = arena_resize(&arena, NULL, 3000, &err);
        void *c = arena_resize(&arena, NULL, 3000, &err);
        assert_true(a && b && c);
        arena_drop(&arena, round % 3 == 0 ? a : round % 3 == 1 ? b : c);
        arena_drop(&arena, round % 3 == 0 ? b : round % 3 == 1 ? c : a);
        arena_drop(&arena, round % 3 == 0 ? c : round % 3 == 1 ? a : b);
        assert_int_equal(arena.used, 0);
    }
    assert_nothing_wrong(&err);
    arena_release(&arena);
}

/* ---- the budget ------------------------------------------------------------------------------ */

static void budget__is_shared_by_arenas(void **state)
{
    (void)state;
    struct budget budget = {.limit = 100000};
    struct arena a = arena_of(SIZE_MAX, &budget), b = arena_of(SIZE_MAX, &budget);
    struct err err = {.kind = ERR_NONE}, none = {.kind = ERR_NONE};

    assert_non_null(arena_alloc(&a, 60000, 1, &none));
    assert_null(arena_alloc(&b, 60000, 1, &err));
    assert_int_equal(err.kind, ERR_OVERLOADED);
    assert_non_null(arena_alloc(&b, 30000, 1, &none));
    assert_in_range(atomic_load(&budget.used), 90000, 100000);
    arena_release(&a);
    assert_in_range(atomic_load(&budget.used), 30000, 31000);
    assert_non_null(arena_alloc(&b, 60000, 1, &none));
    assert_nothing_wrong(&none);
    arena_release(&b);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void budget__keeps_a_part_for_the_favoured(void **state)
{
    (void)state;
    struct budget budget = {.limit = 100000, .kept = 25000};
    struct arena a = arena_of(SIZE_MAX, &budget), b = arena_of(SIZE_MAX, &budget);
    struct err err = {.kind = ERR_NONE}, none = {.kind = ERR_NONE};

    b.favoured = true;
    assert_false(arena_reserve(&a, 75001, &err));
    assert_int_equal(err.kind, ERR_OVERLOADED);
    assert_true(arena_reserve(&a, 75000, &none));
    assert_true(arena_reserve(&b, 20000, &none));
    arena_release(&b);
    assert_true(arena_reserve(&b, 25000, &none)); /* favoured still */
    arena_release(&b);
    arena_release(&a);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_reserve__makes_sure_of_what_comes_later(void **state)
{
    (void)state;
    struct budget budget = {.limit = 100000};
    struct arena a = arena_of(SIZE_MAX, &budget), b = arena_of(SIZE_MAX, &budget);
    struct err err = {.kind = ERR_NONE}, none = {.kind = ERR_NONE};

    assert_true(arena_reserve(&a, 70000, &none));
    assert_true(arena_reserve(&a, 10000, &none)); /* has it already */
    assert_int_equal(atomic_load(&budget.used), 70000);
    assert_false(arena_reserve(&b, 30001, &err));
    assert_int_equal(err.kind, ERR_OVERLOADED);
    assert_int_equal(atomic_load(&budget.used), 70000);
    assert_true(arena_reserve(&b, 30000, &none));
    assert_int_equal(atomic_load(&budget.used), 100000);
    assert_non_null(arena_alloc(&a, 69000, 1, &none)); /* the budget is full: no matter */
    assert_int_equal(atomic_load(&budget.used), 100000);
    assert_nothing_wrong(&none);
    assert_false(arena_reserve(&b, SIZE_MAX, &err));
    arena_release(&a);
    assert_int_equal(atomic_load(&budget.used), 30000);
    arena_release(&b);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_reserve_left__is_what_is_reserved_and_not_used(void **state)
{
    (void)state;
    struct arena arena = arena_of(SIZE_MAX, NULL);
    struct err err = {.kind = ERR_NONE};

    assert_int_equal(arena_reserve_left(&arena), 0);
    assert_true(arena_reserve(&arena, 3 * BLOCK, &err));
    assert_int_equal(arena_reserve_left(&arena), 3 * BLOCK);
    assert_non_null(arena_resize(&arena, NULL, BLOCK, &err));
    assert_int_equal(arena_reserve_left(&arena), 3 * BLOCK - arena.used);
    assert_non_null(arena_resize(&arena, NULL, 3 * BLOCK, &err));
    assert_int_equal(arena_reserve_left(&arena), 0);
    assert_nothing_wrong(&err);
    arena_release(&arena);
}

static void arena_charge__counts_what_is_not_its_own(void **state)
{
    (void)state;
    struct budget budget = {.limit = 100000};
    struct arena arena = arena_of(50000, &budget), other = arena_of(SIZE_MAX, &budget);
    struct err err = {.kind = ERR_NONE}, none = {.kind = ERR_NONE};

    assert_true(arena_charge(&arena, 40000, &none));
    assert_int_equal(atomic_load(&budget.used), 40000);
    assert_false(arena_charge(&arena, 10001, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    err = (struct err){.kind = ERR_NONE};
    assert_false(arena_charge(&other, 60001, &err));
    assert_int_equal(err.kind, ERR_OVERLOADED);
    assert_null(arena_alloc(&arena, 10000, 1, &err)); /* with its header */
    assert_nothing_wrong(&none);
    arena_release(&arena);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_trim__gives_back_all_that_is_large_but_one(void **state)
{
    (void)state;
    struct budget budget = {.limit = 1000000};
    struct arena arena = arena_of(SIZE_MAX, &budget);
    struct err err = {.kind = ERR_NONE};

    assert_true(arena_reserve(&arena, 900000, &err));
    char *small = arena_text(&arena, span_of("small"), &err);
    assert_non_null(arena_alloc(&arena, 200000, 1, &err));
    char *kept = arena_alloc(&arena, 100000, 1, &err);
    assert_non_null(kept);
    kept[99999] = 'x';
    assert_non_null(arena_resize(&arena, NULL, 300000, &err));
    assert_true(arena_charge(&arena, 50000, &err));
    arena_trim(&arena, kept + 99999);
    assert_in_range(atomic_load(&budget.used), 150000, 165000);
    assert_string_equal(small, "small");
    assert_int_equal(kept[99999], 'x');
    arena_trim(&arena, NULL);
    assert_in_range(atomic_load(&budget.used), 50000, 65000);
    assert_string_equal(small, "small");
    assert_non_null(arena_alloc(&arena, 100000, 1, &err));
    assert_nothing_wrong(&err);
    arena_release(&arena);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_rewind__gives_back_what_came_after_the_mark(void **state)
{
    struct budget budget = {.limit = SIZE_MAX};
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, SIZE_MAX, NULL, &budget);
    char *before = arena_resize(&arena, NULL, 100, &err);
    memset(before, 'b', 100);
    struct arena_block *mark = arena_mark(&arena, &err);
    assert_non_null(mark);
    size_t used = arena.used, one_small = 15000;
    for (int round = 0; round < 5; round++) {
        char *small = arena_alloc(&arena, 10, 1, &err);
        char *large = arena_resize(&arena, NULL, 1 << 20, &err);
        assert_non_null(small);
        assert_non_null(large);
        memset(small, 's', 10);
        memset(large, 'l', 1 << 20);
        assert_non_null(arena_alloc(&arena, 3000, 1, &err));
        assert_non_null(arena_alloc(&arena, 3000, 3, &err));
        arena_rewind(&arena, mark);
        assert_in_range(arena.used, used, used + one_small);
    }
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(before[i], 'b');
    before = arena_resize(&arena, before, 200, &err);
    assert_int_equal(before[99], 'b');
    arena_release(&arena);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_rewind__leaves_what_has_grown_since_the_mark(void **state)
{
    struct budget budget = {.limit = SIZE_MAX};
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, SIZE_MAX, NULL, &budget);
    char *before = arena_resize(&arena, NULL, 4096, &err);
    memset(before, 'b', 4096);
    struct arena_block *mark = arena_mark(&arena, &err);
    for (size_t size = 5000; size < 1 << 22; size *= 2) {
        memset(arena_alloc(&arena, 10, 1, &err), 's', 10);
        before = arena_resize(&arena, before, size, &err);
        memset(arena_resize(&arena, NULL, size, &err), 'l', size);
        assert_nothing_wrong(&err);
        arena_rewind(&arena, mark);
        memset(before + 4096, 'b', size - 4096);
        for (size_t i = 0; i < size; i += 999)
            assert_int_equal(before[i], 'b');
    }
    arena_release(&arena);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void arena_mark__is_refused_without_memory(void **state)
{
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 8, "--some", NULL);
    assert_null(arena_mark(&arena, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    arena_release(&arena);
}

static void arena_release__leaves_an_arena_that_can_be_used_again(void **state)
{
    (void)state;
    struct budget budget = {.limit = 2 * BLOCK};
    struct arena arena = arena_of(2 * BLOCK, &budget);
    struct err err = {.kind = ERR_NONE};

    arena_release(&arena); /* also when it holds nothing */
    for (int round = 0; round < 50; round++) {
        assert_true(arena_reserve(&arena, BLOCK, &err));
        assert_non_null(arena_alloc(&arena, 100, 1, &err));
        assert_non_null(arena_resize(&arena, NULL, 6000, &err));
        arena_release(&arena);
        assert_int_equal(atomic_load(&budget.used), 0);
        assert_int_equal(arena.used, 0);
    }
    assert_nothing_wrong(&err);
}

/* ---- torture ------------------------------------------------------------------------------------ */

static uint64_t random_state = 42;

static size_t random_below(size_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (size_t)(random_state >> 33) % limit;
}

enum { SLOTS = 24, PIECES_MAX = 64 };

/* What a test remembers of an arena: blocks that can be resized, and pieces. */
struct shadow {
    struct arena arena;
    unsigned char *block[SLOTS], *piece[PIECES_MAX];
    size_t block_size[SLOTS], piece_size[PIECES_MAX], pieces;
    unsigned char mark[SLOTS];
};

static void check(const struct shadow *shadow)
{
    size_t held = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        for (size_t b = 0; shadow->block[i] && b < shadow->block_size[i]; b++)
            assert_int_equal(shadow->block[i][b], shadow->mark[i]);
        held += shadow->block[i] ? shadow->block_size[i] : 0;
    }
    for (size_t i = 0; i < shadow->pieces; i++) {
        for (size_t b = 0; b < shadow->piece_size[i]; b++)
            assert_int_equal(shadow->piece[i][b], (unsigned char)(i + 100));
        held += shadow->piece_size[i];
    }
    assert_true(held <= shadow->arena.used);
    assert_true(shadow->arena.used <= shadow->arena.limit);
    assert_true(shadow->arena.used <= shadow->arena.reserved);
}

static void resize_some(struct shadow *shadow, struct err *err)
{
    size_t i = random_below(SLOTS),
           size = random_below(3) ? random_below(300) : random_below(20000);
    void *moved = arena_resize(&shadow->arena, shadow->block[i], size, err);

    if (!moved)
        return;
    shadow->mark[i] = (unsigned char)random_below(256);
    shadow->block[i] = moved;
    shadow->block_size[i] = size;
    memset(moved, shadow->mark[i], size);
}

static void drop_some(struct shadow *shadow)
{
    size_t i = random_below(SLOTS);

    arena_drop(&shadow->arena, shadow->block[i]);
    shadow->block[i] = NULL;
}

static void take_some(struct shadow *shadow, struct err *err)
{
    if (shadow->pieces == PIECES_MAX)
        return;
    size_t size = random_below(6000);
    unsigned char *piece = arena_alloc(&shadow->arena, size, 1, err);
    if (!piece)
        return;
    memset(piece, (int)(shadow->pieces + 100), size);
    shadow->piece[shadow->pieces] = piece;
    shadow->piece_size[shadow->pieces++] = size;
}

static void empty(struct shadow *shadow)
{
    struct arena arena = shadow->arena;

    arena_release(&arena);
    *shadow = (struct shadow){.arena = arena};
}

static void arenas__keep_their_books_under_torture(void **state)
{
    (void)state;
    enum { ARENAS = 3, STEPS = 20000 };
    static struct shadow shadow[ARENAS];
    struct budget budget = {.limit = 250000};
    size_t refused[ERR_KINDS] = {0};

    for (size_t i = 0; i < ARENAS; i++)
        shadow[i] = (struct shadow){.arena = arena_of(120000, &budget)};
    for (int step = 0; step < STEPS; step++) {
        struct shadow *some = &shadow[random_below(ARENAS)];
        struct err err = {.kind = ERR_NONE};
        switch (random_below(40)) {
        case 0:
            empty(some);
            break;
        case 1:
            (void)arena_reserve(&some->arena, random_below(120000), &err);
            break;
        default:
            if (step % 3 == 0)
                resize_some(some, &err);
            else if (step % 3 == 1)
                drop_some(some);
            else
                take_some(some, &err);
            break;
        }
        refused[err.kind]++;
        size_t reserved = 0;
        for (size_t i = 0; i < ARENAS; i++)
            reserved += shadow[i].arena.reserved;
        assert_int_equal(atomic_load(&budget.used), reserved);
        assert_true(reserved <= budget.limit);
        if (step % 16 == 0)
            check(some);
    }
    assert_true(refused[ERR_TOO_LARGE] > 0 && refused[ERR_OVERLOADED] > 0);
    for (size_t i = 0; i < ARENAS; i++)
        empty(&shadow[i]);
    assert_int_equal(atomic_load(&budget.used), 0);
}

struct consumer {
    pthread_t thread;
    struct budget *budget;
    bool went_over;
};

static void *consume(void *arg)
{
    struct consumer *consumer = arg;
    struct arena arena = arena_of(SIZE_MAX, consumer->budget);

    for (int round = 0; round < 3000; round++) {
        struct err err = {.kind = ERR_NONE};
        for (size_t size = 1000; arena_alloc(&arena, size, 1, &err) && size < 30000;)
            size += 3001;
        if (atomic_load(&consumer->budget->used) > consumer->budget->limit)
            consumer->went_over = true;
        arena_release(&arena);
    }
    return NULL;
}

static void budget__adds_up_when_threads_share_it(void **state)
{
    (void)state;
    struct budget budget = {.limit = 200000};
    struct consumer consumer[4] = {{.budget = NULL}};

    for (size_t i = 0; i < LENGTH(consumer); i++) {
        consumer[i].budget = &budget;
        assert_int_equal(pthread_create(&consumer[i].thread, NULL, consume, &consumer[i]),
                         0);
    }
    for (size_t i = 0; i < LENGTH(consumer); i++) {
        pthread_join(consumer[i].thread, NULL);
        assert_false(consumer[i].went_over);
    }
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_alloc__gives_aligned_pieces_apart_from_each_other),
        cmocka_unit_test(arena_alloc__of_nothing_is_not_null),
        cmocka_unit_test(arena_zalloc__clears_what_was_used_before),
        cmocka_unit_test(arena_text__copies_and_terminates),
        cmocka_unit_test(arena_alloc__refuses_what_is_over_its_limit),
        cmocka_unit_test(arena_alloc__may_go_on_after_it_refused),
        cmocka_unit_test(arena_alloc__refuses_products_that_overflow),
        cmocka_unit_test(arena_resize__keeps_what_the_block_held),
        cmocka_unit_test(arena_resize__counts_what_the_block_takes),
        cmocka_unit_test(arena_resize__that_is_refused_leaves_the_block),
        cmocka_unit_test(arena_drop__gives_the_room_back),
        cmocka_unit_test(budget__is_shared_by_arenas),
        cmocka_unit_test(budget__keeps_a_part_for_the_favoured),
        cmocka_unit_test(arena_reserve__makes_sure_of_what_comes_later),
        cmocka_unit_test(arena_reserve_left__is_what_is_reserved_and_not_used),
        cmocka_unit_test(arena_charge__counts_what_is_not_its_own),
        cmocka_unit_test(arena_trim__gives_back_all_that_is_large_but_one),
        cmocka_unit_test(arena_rewind__gives_back_what_came_after_the_mark),
        cmocka_unit_test(arena_rewind__leaves_what_has_grown_since_the_mark),
        cmocka_unit_test(arena_mark__is_refused_without_memory),
        cmocka_unit_test(arena_release__leaves_an_arena_that_can_be_used_again),
        cmocka_unit_test(arenas__keep_their_books_under_torture),
        cmocka_unit_test(budget__adds_up_when_threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
