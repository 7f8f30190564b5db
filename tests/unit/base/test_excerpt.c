/* What a sentence shows of a text: all of it, or its beginning. */
#include "lossd/base/excerpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void excerpt_of__is_the_whole_of_a_short_text(void **state)
{
    (void)state;
    char text[EXCERPT_MAX + 1] = "";

    for (size_t len = 0; len < sizeof text; len++) {
        assert_string_equal(excerpt_of(span_of(text)).text, text);
        text[len] = 'x';
        text[len + 1 < sizeof text ? len + 1 : len] = '\0';
    }
    assert_string_equal(excerpt_of((struct span){NULL, 0}).text, "");
}

/* Never a part of one, and nearly as much as there is room for. */
static void excerpt_of__is_cut_between_two_characters(void **state)
{
    (void)state;
    static const char *const letters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC",
                                          "\xF0\x9F\x98\x80"};
    char text[200];

    for (size_t i = 0; i < LENGTH(letters); i++)
        for (size_t before = 0; before < 8; before++) {
            size_t letter = strlen(letters[i]), len = before;
            memset(text, '.', before);
            for (; len + letter <= sizeof text; len += letter)
                memcpy(text + len, letters[i], letter);
            struct excerpt excerpt = excerpt_of((struct span){text, len});
            size_t shown = strlen(excerpt.text);
            assert_true(shown <= EXCERPT_MAX && shown > EXCERPT_MAX - letter);
            assert_string_equal(excerpt.text + shown - 3, "...");
            assert_memory_equal(excerpt.text, text, shown - 3);
            assert_int_equal((shown - 3 - before) % letter, 0);
        }
}

static void excerpt_of__shows_nuls(void **state)
{
    (void)state;
    static const char nuls[40];
    struct span text = {"logits\0x", 8};

    assert_string_equal(excerpt_of(text).text, "logits\\u0000x");
    assert_string_equal(excerpt_of((struct span){nuls, sizeof nuls}).text,
                        "\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000"
                        "\\u0000...");
}

static void excerpt_of__takes_over_what_is_no_utf8(void **state)
{
    (void)state;
    assert_string_equal(excerpt_of(span_of("\xFF\x80z\xC3")).text, "\xFF\x80z\xC3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excerpt_of__is_the_whole_of_a_short_text),
        cmocka_unit_test(excerpt_of__is_cut_between_two_characters),
        cmocka_unit_test(excerpt_of__shows_nuls),
        cmocka_unit_test(excerpt_of__takes_over_what_is_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
