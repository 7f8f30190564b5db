/* Values in an array or one behind the other, cut anywhere. */
#include "codec/json/json_read.h"
#include "codec/json/json_sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct limits limits = {.max_depth = 8, .max_text = 1000};

/* What was seen: "begin", the names of its members, "end", of each value. */
struct seen {
    struct arena mem;
    char text[256];
    struct json_rest rest; /* at the end */
};

static void note(struct seen *seen, const char *text)
{
    strcat(seen->text, text);
}

static enum json_way read_name(void *ctx, struct json_reader *reader, struct span name,
                               struct err *err)
{
    char text[32];

    (void)reader;
    (void)err;
    snprintf(text, sizeof text, "%.*s", (int)name.len, name.at);
    note(ctx, text);
    return JSON_SKIP;
}

static bool begin(void *ctx, struct json_reader *reader, struct err *err)
{
    static const struct json_handler handler = {.name = read_name};
    struct seen *seen = ctx;

    note(seen, "(");
    return json_read_begin(reader, &handler, ctx, &limits, &seen->mem, err);
}

static bool end(void *ctx, struct err *err)
{
    (void)err;
    note(ctx, ")");
    return true;
}

static const struct json_values values = {.begin = begin, .end = end, .what = "a thing"};

/* "!" and the offset, for what is passed over. */
static bool pass_over(void *ctx, struct err *err)
{
    char text[32];

    if (err_by(err, PHASE_TRANSPORT))
        return false;
    snprintf(text, sizeof text, "!%zu", err->offset);
    note(ctx, text);
    *err = (struct err){0};
    return true;
}

static const struct json_values lines = {
    .begin = begin, .end = end, .skip = pass_over, .what = "a thing", .max_line = 20};

static bool read_in_steps(const char *text, size_t step, const struct json_values *what,
                          struct seen *seen, struct err *err)
{
    struct json_sequence sequence;
    size_t len = strlen(text);
    bool reads = true;

    *seen = (struct seen){0};
    *err = (struct err){0};
    arena_init(&seen->mem, SIZE_MAX, NULL, NULL);
    json_sequence_begin(&sequence, what, seen, &seen->mem);
    for (size_t at = 0; reads && at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        char *piece = malloc(n);
        memcpy(piece, text + at, n);
        reads = json_sequence_read(&sequence, (struct span){piece, n}, err);
        free(piece);
    }
    reads = reads && json_sequence_end(&sequence, err);
    seen->rest = sequence.rest;
    arena_release(&seen->mem);
    return reads;
}

static void json_sequence__sees_the_same_values_however_it_is_cut(void **state)
{
    static const struct {
        const char *text, *seen;
    } cases[] = {
        {"[]", ""},
        {"", ""},
        {" \n ", ""},
        {"[{\"a\":1},{\"b\":[{}]}]", "(a)(b)"},
        {" [ {\"a\":1} , {\"b\":\"]}\"} ] ", "(a)(b)"},
        {"{\"a\":1}\n{\"b\":2}\n", "(a)(b)"},
        {"{\"a\":1}{\"b\":2}", "(a)(b)"},
        {"{}\r\n\r\n{}", "()()"},
        {"1", "()"},
        {"1 2\n3", "()()()"},
        {"[1,\"x\",null]", "()()()"},
        {"\"a\"[1]", "()()"},
    };
    struct seen seen;
    struct err err;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t step = 1; step < 30; step++) {
            read_in_steps(cases[i].text, step, &values, &seen, &err);
            assert_true(err.kind == ERR_NONE || err.kind == ERR_WRONG_TYPE);
            assert_string_equal(seen.text, cases[i].seen);
        }
}

static void json_sequence__says_where_it_is_wrong_however_it_is_cut(void **state)
{
    static const struct {
        const char *text;
        enum err_kind kind;
        size_t offset, line, column;
    } cases[] = {
        {"[", ERR_INVALID_JSON, 1, 1, 2},
        {"[{}", ERR_INVALID_JSON, 3, 1, 4},
        {"[{},", ERR_INVALID_JSON, 4, 1, 5},
        {"[{},]", ERR_INVALID_JSON, 4, 1, 5},
        {"[,{}]", ERR_INVALID_JSON, 1, 1, 2},
        {"[{} {}]", ERR_INVALID_JSON, 4, 1, 5},
        {"[{}] x", ERR_TRAILING_DATA, 5, 1, 6},
        {"[{}]\n[{}]", ERR_TRAILING_DATA, 5, 2, 1},
        {"{}\n{\"a\" 1}", ERR_INVALID_JSON, 8, 2, 6},
        {"{}\n\n  {\n\"a\":]}", ERR_INVALID_JSON, 12, 4, 5},
        {"{},{}", ERR_INVALID_JSON, 2, 1, 3},
        {"{}\n{", ERR_INVALID_JSON, 4, 2, 2},
        {"{}}", ERR_INVALID_JSON, 2, 1, 3},
        {"{}\n1x", ERR_INVALID_JSON, 4, 2, 2},
    };
    struct seen seen;
    struct err err;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t step = 1; step < 20; step++) {
            assert_false(read_in_steps(cases[i].text, step, &values, &seen, &err));
            assert_int_equal(err.kind, cases[i].kind);
            assert_true(err.has_position);
            assert_int_equal(err.offset, cases[i].offset);
            assert_int_equal(err.line, cases[i].line);
            assert_int_equal(err.column, cases[i].column);
        }
}

static void json_sequence__of_lines_passes_over_the_wrong_ones(void **state)
{
    static const struct {
        const char *text, *seen;
    } cases[] = {
        {"{\"a\":1}\n{\"b\":2}\n", "(a)(b)"},
        {"{\"a\":1}{\"b\":2}", "(a)(b)"},
        {"{\"a\":1}\nx\n{\"b\":2}", "(a)(!8(b)"},
        {"{\"a\":1}\n{\"b\"\n{\"c\":2}", "(a)(b!12(c)"},
        {"{\"a\":\"x\n{\"c\":2}", "(a!7(c)"},
        {"{\"a\":1}x{\n{\"c\":2}", "(a)(!7(c)"},
        {",\n{\"c\":2}", "!0(c)"},
        {"{\"c\":2}\n{", "(c)(!9"},
        {"{\"c\":2}\n1", "(c)()"},
        {"[1]\n{\"c\":2}", "()(c)"},
        {"{}]\n{\"c\":2}]]]\n\n{}", "()!2(c)!11()"},
    };
    struct seen seen;
    struct err err;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t step = 1; step < 30; step++) {
            read_in_steps(cases[i].text, step, &lines, &seen, &err);
            assert_string_equal(seen.text, cases[i].seen);
            assert_true(err.kind == ERR_NONE || err.kind == ERR_WRONG_TYPE);
        }
}

static void json_sequence__refuses_a_line_that_is_too_long(void **state)
{
    struct seen seen;
    struct err err;

    (void)state;
    for (size_t step = 1; step < 40; step++) {
        assert_true(read_in_steps("{\"a\":1234567890123}\n{\"a\":1234567890123}", step,
                                  &lines, &seen, &err));
        assert_false(
            read_in_steps("{}\n{\"a\":123456789012345}\n{}", step, &lines, &seen, &err));
        assert_int_equal(err.kind, ERR_TOO_LARGE);
        assert_string_equal(err.flag, "--max-line");
        assert_string_equal(err.detail,
                            "line 2 has more than 20 bytes; --max-line raises that");
    }
}

/* Which of the two is told must not depend on where it was cut. */
static void json_sequence__does_not_look_behind_where_a_line_is_too_long(void **state)
{
    struct seen seen;
    struct err err;

    (void)state;
    for (size_t step = 1; step < 40; step++) {
        assert_true(read_in_steps("{\"a\":12345678901x}  \n{\"b\":1}", step, &lines,
                                  &seen, &err));
        assert_string_equal(seen.text, "(a!16(b)");
        assert_false(read_in_steps("{\"a\":123456789012345x}\n{\"b\":1}", step, &lines,
                                   &seen, &err));
        assert_int_equal(err.kind, ERR_TOO_LARGE);
    }
}

static void json_sequence__knows_what_it_has_passed_over_last(void **state)
{
    static const struct {
        const char *text;
        size_t from, to;
        bool may_hold;
    } cases[] = {
        {"", 0, 0, false},
        {"{}", 0, 0, false},
        {"{}x", 2, 3, false},
        {"{}x{}\n", 2, 5, true},
        {"{}x{}\n \r\n\n", 2, 5, true},
        {"{}x{}\n{}", 0, 0, false},
        {"{}\n{}x {\n", 5, 8, true},
        {"{\"a\":x}\n", 5, 7, false},
        {"{\"a\":1{}", 6, 8, true},
        {"{\"{\\udc00\":1}", 3, 13, false},
        {"x{}\n,,,", 4, 7, false},
        {"{\"a\":", 5, 5, false},
    };
    struct seen seen;
    struct err err;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t step = 1; step < 32; step++) {
            read_in_steps(cases[i].text, step, &lines, &seen, &err);
            assert_int_equal(seen.rest.from, cases[i].from);
            assert_int_equal(seen.rest.to, cases[i].to);
            assert_int_equal(seen.rest.may_hold, cases[i].may_hold);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_sequence__sees_the_same_values_however_it_is_cut),
        cmocka_unit_test(json_sequence__of_lines_passes_over_the_wrong_ones),
        cmocka_unit_test(json_sequence__knows_what_it_has_passed_over_last),
        cmocka_unit_test(json_sequence__refuses_a_line_that_is_too_long),
        cmocka_unit_test(json_sequence__does_not_look_behind_where_a_line_is_too_long),
        cmocka_unit_test(json_sequence__says_where_it_is_wrong_however_it_is_cut),
    };
    return cmocka_run_group_tests_name("json_sequence", tests, NULL, NULL);
}
