/* http/parcel.c: what is put in comes out, and the memory is used again. */
#include "http/parcel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct budget budget = {.limit = 8 << 20};

static struct arena an_arena(void)
{
    struct arena arena;

    arena_init(&arena, 4 << 20, "--max-request-memory", &budget);
    return arena;
}

static void parcel__gives_back_what_was_put_in(void **state)
{
    (void)state;
    struct arena mem = an_arena();
    struct shelf shelf = {.count = 0};
    struct parcel parcel;
    struct err err = {.kind = ERR_NONE};
    char out[8];

    assert_true(parcel_open(&parcel, &shelf, &mem, &err));
    assert_int_equal(parcel_take(&parcel, out, sizeof out), 0);
    assert_int_equal(parcel_put(&parcel, span_of("one two ")), 8);
    assert_int_equal(parcel_put(&parcel, span_of("three")), 5);
    assert_int_equal(parcel_take(&parcel, out, sizeof out), 8);
    assert_memory_equal(out, "one two ", 8);
    assert_int_equal(parcel_take(&parcel, out, sizeof out), 5);
    assert_memory_equal(out, "three", 5);
    assert_int_equal(parcel_take(&parcel, out, sizeof out), 0);
    struct span whole = parcel_empty(&parcel);
    assert_true(span_is(whole, "one two three"));
    assert_int_equal(parcel_empty(&parcel).len, 0);
    parcel_close(&parcel, &shelf);
    arena_release(&mem);
    shelf_release(&shelf);
}

static void parcel__takes_no_more_than_it_has_room_for(void **state)
{
    (void)state;
    struct arena mem = an_arena();
    struct shelf shelf = {.count = 0};
    struct parcel parcel;
    struct err err = {.kind = ERR_NONE};

    assert_true(parcel_open(&parcel, &shelf, &mem, &err));
    size_t room = parcel_room(&parcel);
    char *text = malloc(room + 1);
    memset(text, 'x', room + 1);
    assert_int_equal(parcel_put(&parcel, (struct span){text, 3}), 3);
    assert_int_equal(parcel_put(&parcel, (struct span){text, room + 1}), room - 3);
    assert_int_equal(parcel_room(&parcel), 0);
    assert_int_equal(parcel_put(&parcel, (struct span){text, 1}), 0);
    assert_int_equal(parcel_empty(&parcel).len, room);
    assert_int_equal(parcel_room(&parcel), room);
    free(text);
    parcel_close(&parcel, &shelf);
    arena_release(&mem);
    shelf_release(&shelf);
}

static void parcel__is_charged_to_its_request(void **state)
{
    (void)state;
    struct arena mem = an_arena();
    struct shelf shelf = {.count = 0};
    struct parcel parcel, other;
    struct err err = {.kind = ERR_NONE};

    assert_true(parcel_open(&parcel, &shelf, &mem, &err));
    assert_int_equal(atomic_load(&budget.used), parcel_room(&parcel));
    mem.limit = atomic_load(&budget.used) + 1;
    assert_false(parcel_open(&other, &shelf, &mem, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_null(other.at);
    parcel_close(&other, &shelf);
    assert_int_equal(shelf.count, 0);
    parcel_close(&parcel, &shelf);
    arena_release(&mem);
    assert_int_equal(atomic_load(&budget.used), 0);
    shelf_release(&shelf);
}

static void shelf__keeps_some_and_no_more(void **state)
{
    (void)state;
    struct arena mem = an_arena();
    struct shelf shelf = {.count = 0};
    struct parcel parcels[SHELF_PLACES + 2];
    struct err err = {.kind = ERR_NONE};

    for (size_t i = 0; i < SHELF_PLACES + 2; i++)
        assert_true(parcel_open(&parcels[i], &shelf, &mem, &err));
    for (size_t i = 0; i < SHELF_PLACES + 2; i++) {
        parcel_close(&parcels[i], &shelf);
        assert_null(parcels[i].at);
    }
    assert_int_equal(shelf.count, SHELF_PLACES);
    const char *kept = shelf.parcel[SHELF_PLACES - 1];
    assert_true(parcel_open(&parcels[0], &shelf, &mem, &err));
    assert_ptr_equal(parcels[0].at, kept);
    assert_int_equal(shelf.count, SHELF_PLACES - 1);
    parcel_close(&parcels[0], &shelf);
    arena_release(&mem);
    shelf_release(&shelf);
    assert_int_equal(shelf.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parcel__gives_back_what_was_put_in),
        cmocka_unit_test(parcel__takes_no_more_than_it_has_room_for),
        cmocka_unit_test(parcel__is_charged_to_its_request),
        cmocka_unit_test(shelf__keeps_some_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
