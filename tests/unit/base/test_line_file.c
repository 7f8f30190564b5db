/* base/line_file.c: files that say one thing a line. */
#include "lossd/base/line_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../one_file.h"

enum { LONGEST = 1022 };

/* What was taken, "2=text;" for each line. */
struct taken {
    char text[4096];
    const char *stop; /* at this line */
};

static bool take(void *ctx, const struct line *line, struct err *err)
{
    struct taken *taken = ctx;
    size_t len = strlen(taken->text);

    assert_string_equal(line->path, path);
    if (taken->stop && span_is(line->text, taken->stop))
        return (fail)(err, ERR_INTERNAL, NULL, "stopped at %zu", line->number);
    snprintf(taken->text + len, sizeof taken->text - len, "%zu=%.*s;", line->number,
             (int)line->text.len, line->text.at);
    return true;
}

static bool read_bytes(const char *bytes, size_t len, struct taken *taken,
                       struct err *err)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    *err = (struct err){0};
    taken->text[0] = '\0';
    return line_file_read(path, take, taken, err);
}

static void assert_takes(const char *text, const char *wanted)
{
    struct taken taken = {0};
    struct err err;

    assert_true(read_bytes(text, strlen(text), &taken, &err));
    assert_int_equal(err.kind, ERR_NONE);
    assert_string_equal(taken.text, wanted);
}

static void line_file_read__leaves_off_comments_blanks_and_empty_lines(void **state)
{
    (void)state;
    assert_takes("", "");
    assert_takes("a\nb", "1=a;2=b;");
    assert_takes("# all\n\n \t a b\t# c\r\n\r\n#\nd\r\n", "3=a b;6=d;");
}

/* What is behind it would be missing from a key, and nobody would know. */
static void line_file_read__begins_no_comment_within_a_word(void **state)
{
    (void)state;
    assert_takes("a#b\nc# d\n#e\nf ##\ng", "1=a#b;2=c# d;4=f;5=g;");
}

static void line_file_read__passes_over_a_byte_order_mark(void **state)
{
    (void)state;
    assert_takes("\xEF\xBB\xBF", "");
    assert_takes("\xEF\xBB\xBF# c\na", "2=a;");
    assert_takes("\xEF\xBB\xBFx\n\xEF\xBB\xBFy", "1=x;2=\xEF\xBB\xBFy;");
}

static void line_file_read__ends_where_it_is_told_to(void **state)
{
    (void)state;
    struct taken taken = {.stop = "b"};
    struct err err;

    assert_false(read_bytes("a\nb\nc\n", 6, &taken, &err));
    assert_string_equal(err.detail, "stopped at 2");
    assert_string_equal(taken.text, "1=a;");
}

static void line_file_read__refuses_what_is_too_long_or_not_text(void **state)
{
    (void)state;
    char text[LONGEST + 3], wanted[128];
    struct taken taken = {0};
    struct err err;

    memset(text, 'a', sizeof text);
    text[LONGEST] = '\n';
    assert_true(read_bytes(text, LONGEST + 1, &taken, &err));
    text[LONGEST] = 'a';
    text[LONGEST + 1] = '\n';
    assert_false(read_bytes(text, LONGEST + 2, &taken, &err));
    snprintf(wanted, sizeof wanted,
             "%s:1: the line is too long or not text; the longest has 1022 bytes", path);
    assert_string_equal(err.detail, wanted);
    assert_false(read_bytes("a\0b\nc\n", 6, &taken, &err));
    assert_string_equal(err.detail, wanted);
    assert_false(read_bytes("a\0b", 3, &taken, &err));
    assert_string_equal(err.detail, wanted);
    assert_false(read_bytes("a\0", 2, &taken, &err));
    assert_string_equal(err.detail, wanted);
}

static void line_file_read__says_what_cannot_be_read(void **state)
{
    (void)state;
    struct taken taken = {0};
    struct err err = {0};

    assert_false(line_file_read("/nowhere/x", take, &taken, &err));
    assert_string_equal(err.detail, "cannot open /nowhere/x: No such file or directory");
    err = (struct err){0};
    assert_false(line_file_read("/", take, &taken, &err));
    assert_string_equal(err.detail, "cannot read /: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_file_read__leaves_off_comments_blanks_and_empty_lines),
        cmocka_unit_test(line_file_read__begins_no_comment_within_a_word),
        cmocka_unit_test(line_file_read__passes_over_a_byte_order_mark),
        cmocka_unit_test(line_file_read__ends_where_it_is_told_to),
        cmocka_unit_test(line_file_read__refuses_what_is_too_long_or_not_text),
        cmocka_unit_test(line_file_read__says_what_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
