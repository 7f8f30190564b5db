/* Problem documents, as lossctl reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lossd/codec/problem_read.h"

#include <cmocka.h>

static struct problem_text read_good(const char *text)
{
    struct problem_text problem;

    assert_true(problem_read(span_of(text), &problem));
    return problem;
}

static void problem_read__finds_sentence_code_and_place(void **state)
{
    (void)state;
    struct problem_text problem = read_good(
        "{\"type\":\"about:blank\",\"title\":\"Label out of range\",\"status\":422,"
        "\"detail\":\"labels[3] is 7\",\"code\":\"label_out_of_range\","
        "\"pointer\":\"/labels/3\",\"offset\":9,\"line\":2,\"column\":17}");

    assert_string_equal(problem.detail, "labels[3] is 7");
    assert_string_equal(problem.code, "label_out_of_range");
    assert_string_equal(problem.pointer, "/labels/3");
    assert_int_equal(problem.line, 2);
    assert_int_equal(problem.column, 17);
}

static void problem_read__is_content_with_a_title(void **state)
{
    (void)state;
    struct problem_text problem = read_good("{\"title\":\"Bad gateway\",\"status\":502}");

    assert_string_equal(problem.detail, "Bad gateway");
    assert_string_equal(problem.code, "");
    assert_string_equal(problem.pointer, "");
    assert_int_equal(problem.line, 0);
}

static void problem_read__refuses_what_is_no_problem(void **state)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "\"detail\"",
                                        "{}",
                                        "{\"detail\":3}",
                                        "{\"Detail\":\"x\"}",
                                        "{\"code\":\"x\"}",
                                        "<html>502</html>"};
    struct problem_text problem;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(problem_read(span_of(texts[i]), &problem));
}

static void problem_read__stops_at_the_end_of_the_span(void **state)
{
    struct problem_text problem;

    (void)state;
    assert_true(problem_read((struct span){"{\"detail\":\"x\"}}}}", 14}, &problem));
    assert_false(problem_read((struct span){"{\"detail\":\"x\"}", 13}, &problem));
}

static void problem_read__passes_over_members_of_another_type(void **state)
{
    (void)state;
    struct problem_text problem = read_good(
        "{\"detail\":\"x\",\"code\":7,\"pointer\":null,\"line\":\"2\",\"column\":-1}");

    assert_string_equal(problem.code, "");
    assert_string_equal(problem.pointer, "");
    assert_int_equal(problem.line, 0);
    assert_int_equal(problem.column, 0);
    assert_int_equal(read_good("{\"detail\":\"x\",\"line\":1e16}").line, 0);
}

/* Every length around the cut, so that it falls into each byte of a character. */
static void problem_read__cuts_long_text_between_characters(void **state)
{
    static const char letter[] = "\xE2\x82\xAC"; /* the euro sign */
    char text[1024];
    struct problem_text problem;

    (void)state;
    for (size_t ahead = 0; ahead < 3; ahead++) {
        size_t len =
            (size_t)snprintf(text, sizeof text, "{\"detail\":\"%.*s", (int)ahead, "xx");
        for (size_t i = 0; i < 200; i++, len += 3)
            memcpy(text + len, letter, 3);
        strcpy(text + len, "\"}");
        problem = read_good(text);
        size_t kept = strlen(problem.detail);
        assert_true(kept < sizeof problem.detail);
        assert_true(kept >= sizeof problem.detail - 3);
        assert_int_equal((kept - ahead) % 3, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problem_read__finds_sentence_code_and_place),
        cmocka_unit_test(problem_read__is_content_with_a_title),
        cmocka_unit_test(problem_read__refuses_what_is_no_problem),
        cmocka_unit_test(problem_read__stops_at_the_end_of_the_span),
        cmocka_unit_test(problem_read__passes_over_members_of_another_type),
        cmocka_unit_test(problem_read__cuts_long_text_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
