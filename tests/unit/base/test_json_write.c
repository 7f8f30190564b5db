/* base/json_write.c and base/buf.c: text that is always valid JSON, in a buffer that
 * is never larger than it may be. */
#include "lossd/base/buf.h"
#include "lossd/base/json_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct err err;

static struct buf new_buf(size_t ceiling)
{
    struct buf buf;

    memset(&err, 0, sizeof err);
    buf_init(&buf, &arena, ceiling, "--max-text", &err);
    return buf;
}

static void assert_text(struct buf *buf, const char *wanted)
{
    assert_true(buf_ok(buf));
    buf_char(buf, '\0');
    assert_string_equal(buf->at, wanted);
}

static void write_document(struct json *json)
{
    json_open(json, '{');
    json_key(json, "a");
    json_open(json, '[');
    json_int(json, -1);
    json_uint(json, 2);
    json_number(json, 0.5);
    json_number(json, (double)NAN);
    json_close(json, ']');
    json_key(json, "b");
    json_open(json, '{');
    json_close(json, '}');
    json_key(json, "c");
    json_bool(json, true);
    json_key(json, "d");
    json_null(json);
    json_key(json, "e");
    json_raw(json, span_of("[1]"));
    json_close(json, '}');
}

static void json__puts_commas_and_colons_where_they_belong(void **state)
{
    struct buf buf = new_buf(1000);
    struct json json = json_into(&buf, false);

    (void)state;
    write_document(&json);
    assert_text(&buf, "{\"a\":[-1,2,0.5,null],\"b\":{},\"c\":true,\"d\":null,\"e\":[1]}");
}

static void json__indents_when_asked_to(void **state)
{
    struct buf buf = new_buf(1000);
    struct json json = json_into(&buf, true);

    (void)state;
    write_document(&json);
    assert_text(&buf,
                "{\n  \"a\": [\n    -1,\n    2,\n    0.5,\n    null\n  ],\n  \"b\": {},\n"
                "  \"c\": true,\n  \"d\": null,\n  \"e\": [1]\n}");
}

static void json__escapes_what_must_be(void **state)
{
    struct buf buf = new_buf(1000);
    struct json json = json_into(&buf, false);

    (void)state;
    json_string(&json, (struct span){"\"\\/\b\f\n\r\t\x01\x1f\x7f \xc3\xa9\0", 15});
    assert_text(&buf,
                "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f \xc3\xa9\\u0000\"");
}

static void json__replaces_what_is_not_utf8(void **state)
{
    struct buf buf = new_buf(1000);
    struct json json = json_into(&buf, false);

    (void)state;
    json_text(&json, "a\xff\xc3(\xed\xa0\x80");
    assert_text(&buf,
                "\"a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void buf__grows_up_to_its_ceiling_and_no_further(void **state)
{
    struct buf buf = new_buf(1000);

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_char(&buf, 'x');
    assert_true(buf_ok(&buf));
    buf_char(&buf, 'x');
    assert_false(buf_ok(&buf));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_string_equal(err.detail,
                        "the text has more than the 1000 bytes that are allowed");
    buf_text(&buf, "more"); /* does nothing, and does no harm */
    assert_int_equal(buf.len, 1000);
}

static void buf_over__fails_without_writing_past_its_end(void **state)
{
    char text[8] = "........";
    struct buf buf;

    (void)state;
    buf_over(&buf, text, 6);
    buf_format(&buf, "%d", 1234);
    assert_true(buf_ok(&buf));
    buf_text(&buf, "567");
    assert_false(buf_ok(&buf));
    assert_memory_equal(text, "1234....", 8);
}

static int make_arena(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20, NULL, NULL);
    return 0;
}

static int end_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__puts_commas_and_colons_where_they_belong),
        cmocka_unit_test(json__indents_when_asked_to),
        cmocka_unit_test(json__escapes_what_must_be),
        cmocka_unit_test(json__replaces_what_is_not_utf8),
        cmocka_unit_test(buf__grows_up_to_its_ceiling_and_no_further),
        cmocka_unit_test(buf_over__fails_without_writing_past_its_end),
    };

    return cmocka_run_group_tests(tests, make_arena, end_arena);
}
