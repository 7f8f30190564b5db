/* Names that were seen, and those that were not. */
#include "engine/name_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: it has a macro called fail */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define NAME(text) ((struct span){text, sizeof(text) - 1})

struct seen {
    struct arena mem;
    struct err err;
    struct name_node *set;
};

static struct seen nothing_seen(void)
{
    struct seen seen = {.set = NULL};

    arena_init(&seen.mem, SIZE_MAX, NULL, NULL);
    return seen;
}

static bool is_seen(struct seen *seen, struct span name)
{
    bool twice = true;

    assert_true(name_set_add(&seen->set, name, &seen->mem, &twice, &seen->err));
    return twice;
}

static void name_set__tells_apart_what_differs_in_a_bit_or_an_end(void **state)
{
    (void)state;
    const struct span names[] = {
        NAME("foo"),  NAME("fooo"),  NAME(""),       NAME("fo"),     NAME("\0"),
        NAME("\0\0"), NAME("foo\0"), NAME("foo\0x"), NAME("\xFF"),   NAME("goo"),
        NAME("Foo"),  NAME("fop"),   NAME("f"),      NAME("fo\x80"), NAME("foo bar baz"),
    };

    for (size_t first = 0; first < LENGTH(names); first++) {
        struct seen seen = nothing_seen();
        for (size_t i = 0; i < LENGTH(names); i++)
            assert_false(is_seen(&seen, names[(first + i) % LENGTH(names)]));
        for (size_t i = 0; i < LENGTH(names); i++)
            assert_true(is_seen(&seen, names[i]));
        arena_release(&seen.mem);
    }
}

/* Strings of up to six of three letters, so that most beginnings are shared. */
static struct span drawn(uint64_t *random, char text[6])
{
    static const char letters[] = {'a', 'b', '\0'};

    *random = *random * 6364136223846793005U + 1442695040888963407U;
    uint64_t bits = *random >> 33;
    size_t len = bits % 7;
    bits /= 7;
    for (size_t i = 0; i < len; i++, bits /= 3)
        text[i] = letters[bits % 3];
    return (struct span){text, len};
}

static void name_set__knows_what_a_list_of_all_names_knows(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    static char texts[MANY][6];
    struct span names[MANY];
    struct seen seen = nothing_seen();
    uint64_t random = 1;
    size_t repeated = 0;

    for (size_t n = 0; n < MANY; n++) {
        bool twice = false;
        names[n] = drawn(&random, texts[n]);
        for (size_t i = 0; i < n && !twice; i++)
            twice = span_equal(names[i], names[n]);
        assert_int_equal(is_seen(&seen, names[n]), twice);
        repeated += twice;
    }
    assert_true(repeated > MANY / 10 && repeated < MANY * 9 / 10);
    arena_release(&seen.mem);
}

static void name_set__keeps_copies(void **state)
{
    (void)state;
    struct seen seen = nothing_seen();
    char text[] = "foo";

    assert_false(is_seen(&seen, span_of(text)));
    text[0] = 'g';
    assert_false(is_seen(&seen, span_of(text)));
    assert_true(is_seen(&seen, span_of("foo")));
    arena_release(&seen.mem);
}

static void name_set__says_when_there_is_no_memory(void **state)
{
    (void)state;
    struct name_node *set = NULL;
    struct err err = {.kind = ERR_NONE};
    struct arena mem;
    bool twice;

    arena_init(&mem, 0, NULL, NULL);
    assert_false(name_set_add(&set, span_of("foo"), &mem, &twice, &err));
    assert_int_equal(err_phase(err.kind), PHASE_TRANSPORT);
    arena_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_set__tells_apart_what_differs_in_a_bit_or_an_end),
        cmocka_unit_test(name_set__knows_what_a_list_of_all_names_knows),
        cmocka_unit_test(name_set__keeps_copies),
        cmocka_unit_test(name_set__says_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
