/* Places of elements, and shapes in words. */
#include "made.h"

#include "lossd/engine/place.h"

static void place__names_every_index_in_both_ways(void **state)
{
    (void)state;
    static const struct {
        struct shape shape;
        size_t index;
        const char *pointer, *words;
    } rows[] = {
        {{0, {0}}, 0, "/labels", "labels"},
        {{1, {5}}, 0, "/labels/0", "labels[0]"},
        {{1, {5}}, 4, "/labels/4", "labels[4]"},
        {{2, {3, 4}}, 0, "/labels/0/0", "labels[0][0]"},
        {{2, {3, 4}}, 3, "/labels/0/3", "labels[0][3]"},
        {{2, {3, 4}}, 4, "/labels/1/0", "labels[1][0]"},
        {{2, {3, 4}}, 11, "/labels/2/3", "labels[2][3]"},
        {{3, {2, 3, 4}}, 17, "/labels/1/1/1", "labels[1][1][1]"},
        {{3, {2, 1, 1}}, 1, "/labels/1/0/0", "labels[1][0][0]"},
        {{8, {2, 2, 2, 2, 2, 2, 2, 2}},
         0xA5,
         "/labels/1/0/1/0/0/1/0/1",
         "labels[1][0][1][0][0][1][0][1]"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[PLACE_SIZE];
        place_pointer(text, "labels", &rows[i].shape, rows[i].index);
        assert_string_equal(text, rows[i].pointer);
        place_words(text, "labels", &rows[i].shape, rows[i].index);
        assert_string_equal(text, rows[i].words);
    }
}

/* The longest that can be: eight indices of twenty digits, more than there is room. */
static void place__of_the_longest_indices_stays_within_its_room(void **state)
{
    (void)state;
    const struct shape shape = {8, {SIZE_MAX, SIZE_MAX, 1, 1, 1, 1, 1, SIZE_MAX}};
    char text[PLACE_SIZE + 1], member[PLACE_SIZE + 50];

    memset(text, '#', sizeof text);
    place_pointer(text, "logits", &shape, SIZE_MAX - 1);
    assert_string_equal(text, "/logits/0/0/0/0/0/0/0/18446744073709551614");
    memset(member, 'a', sizeof member);
    member[sizeof member - 1] = '\0';
    place_words(text, member, &shape, 5);
    assert_int_equal(strlen(text), PLACE_SIZE - 1);
    assert_int_equal(text[PLACE_SIZE], '#');
}

static void shape__is_written_as_a_list(void **state)
{
    (void)state;
    static const struct {
        struct shape shape;
        const char *words;
    } rows[] = {{{0, {0}}, "[]"},
                {{1, {7}}, "[7]"},
                {{2, {2, 3}}, "[2,3]"},
                {{3, {0, 1, 2}}, "[0,1,2]"},
                {{8, {1, 2, 3, 4, 5, 6, 7, 8}}, "[1,2,3,4,5,6,7,8]"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[PLACE_SIZE];
        shape_words(text, &rows[i].shape);
        assert_string_equal(text, rows[i].words);
    }
}

static void number_words__say_what_is_not_finite_too(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *words;
    } rows[] = {{0.1, "0.1"},           {-1e200, "-1e+200"},      {-0.0, "-0"},
                {INFINITY, "Infinity"}, {-INFINITY, "-Infinity"}, {NAN, "NaN"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char words[PLACE_SIZE];
        number_words(words, rows[i].value);
        assert_string_equal(words, rows[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place__names_every_index_in_both_ways),
        cmocka_unit_test(place__of_the_longest_indices_stays_within_its_room),
        cmocka_unit_test(shape__is_written_as_a_list),
        cmocka_unit_test(number_words__say_what_is_not_finite_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
