/* The JSON writer: commas, escapes, indents, and what becomes of bytes that are no
 * text. */
#include "lossd/base/json_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lossd/base/utf8.h"

static char room[16384];
static struct buf buf;

static struct json begin(bool pretty)
{
    memset(room, 0, sizeof room);
    buf_over(&buf, room, sizeof room - 1);
    return json_into(&buf, pretty);
}

static void assert_written(const char *wanted)
{
    assert_true(buf_ok(&buf));
    room[buf.len] = '\0'; /* a number may have left more digits there */
    assert_string_equal(room, wanted);
}

static void write_document(struct json *json)
{
    json_open(json, '{');
    json_key(json, "a");
    json_number(json, -1);
    json_key(json, "b");
    json_open(json, '[');
    json_number(json, 0.5);
    json_open(json, '{');
    json_close(json, '}');
    json_open(json, '[');
    json_close(json, ']');
    json_raw(json, span_of("null"));
    json_close(json, ']');
    json_key(json, "c");
    json_open(json, '{');
    json_key(json, "d");
    json_bool(json, true);
    json_close(json, '}');
    json_text_member(json, "e", "f");
    json_close(json, '}');
}

static void json__has_its_commas_and_colons(void **state)
{
    (void)state;
    struct json json = begin(false);

    write_document(&json);
    assert_written("{\"a\":-1,\"b\":[0.5,{},[],null],\"c\":{\"d\":true},\"e\":\"f\"}");
}

static void json__is_indented_by_two_when_pretty(void **state)
{
    (void)state;
    struct json json = begin(true);

    write_document(&json);
    assert_written("{\n"
                   "  \"a\": -1,\n"
                   "  \"b\": [\n"
                   "    0.5,\n"
                   "    {},\n"
                   "    [],\n"
                   "    null\n"
                   "  ],\n"
                   "  \"c\": {\n"
                   "    \"d\": true\n"
                   "  },\n"
                   "  \"e\": \"f\"\n"
                   "}");
}

static void json__may_be_a_single_value(void **state)
{
    (void)state;
    struct json json = begin(true);

    json_text(&json, "x");
    assert_written("\"x\"");
    json = begin(false);
    json_bool(&json, false);
    assert_written("false");
}

static void json_number__is_the_shortest_and_null_when_not_finite(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.1, "0.1"},       {1e21, "1e+21"},    {-0.0, "-0"},
                {2, "2"},           {NAN, "null"},      {INFINITY, "null"},
                {5e-324, "5e-324"}, {-INFINITY, "null"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json json = begin(false);
        json_number(&json, rows[i].value);
        assert_written(rows[i].text);
    }
}

static void json_uint__reaches_the_ends_of_its_range(void **state)
{
    (void)state;
    struct json json = begin(false);

    json_open(&json, '[');
    json_uint(&json, UINT64_MAX);
    json_uint(&json, 0);
    json_close(&json, ']');
    assert_written("[18446744073709551615,0]");
}

/* ---- strings --------------------------------------------------------------------------- */

static void json_string__escapes_what_must_be(void **state)
{
    (void)state;
    static const struct {
        struct span text;
        const char *wanted;
    } rows[] = {
        {{"", 0}, "\"\""},
        {{NULL, 0}, "\"\""},
        {{"a\"b\\c/d", 7}, "\"a\\\"b\\\\c/d\""},
        {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
        {{"\0\x01\x1F\x7F", 4}, "\"\\u0000\\u0001\\u001f\\u007f\""},
        {{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82", 9},
         "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json json = begin(false);
        json_string(&json, rows[i].text);
        assert_written(rows[i].wanted);
    }
}

#define INSTEAD "\xEF\xBF\xBD"

static void json_string__replaces_what_is_no_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"\x80", INSTEAD},
        {"a\xFF"
         "b",
         "a" INSTEAD "b"},
        {"\xC3", INSTEAD},
        {"\xC3\"", INSTEAD "\\\""},
        {"\xC3\n", INSTEAD "\\n"},
        {"\xC0\xAF", INSTEAD INSTEAD},
        {"\xED\xA0\x80", INSTEAD INSTEAD INSTEAD},
        {"\xE2\x82", INSTEAD INSTEAD},
        {"\xE2\x82\xE2\x82\xAC", INSTEAD INSTEAD "\xE2\x82\xAC"},
        {"\xF4\x90\x80\x80", INSTEAD INSTEAD INSTEAD INSTEAD},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char wanted[64] = "\"";
        struct json json = begin(false);
        json_text(&json, rows[i].text);
        strcat(wanted, rows[i].wanted);
        strcat(wanted, "\"");
        assert_written(wanted);
    }
}

/* Any two bytes within a string give a string that ends where it should. */
static void json_string__is_valid_whatever_the_bytes(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            const char text[] = {'<', (char)a, (char)b, '>'};
            struct json json = begin(false);
            json_string(&json, (struct span){text, sizeof text});
            assert_true(buf_ok(&buf) && buf.len > 3);
            struct span rest = {room + 1, buf.len - 2};
            assert_true(room[0] == '"' && room[buf.len - 1] == '"');
            assert_true(room[1] == '<' && room[buf.len - 2] == '>');
            while (rest.len > 0) {
                size_t len = utf8_length(rest);
                assert_true(len > 0 && (unsigned char)*rest.at >= 0x20 &&
                            *rest.at != '"');
                len += *rest.at == '\\'; /* and what it escapes */
                rest.at += len;
                rest.len -= len;
            }
        }
}

/* Several characters are looked at in one go. */
static void json_string__is_escaped_the_same_wherever_it_stands(void **state)
{
    enum { LENGTH = 20 };
    char text[LENGTH], alone[16], wanted[64];

    (void)state;
    for (int c = 0; c < 256; c++) {
        struct json json = begin(false);
        json_string(&json, (struct span){(char[]){(char)c}, 1});
        assert_true(buf.len >= 3 && buf.len < sizeof alone);
        snprintf(alone, sizeof alone, "%.*s", (int)buf.len - 2, room + 1);
        for (int at = 0; at < LENGTH; at++) {
            memset(text, 'x', LENGTH);
            text[at] = (char)c;
            json = begin(false);
            json_string(&json, (struct span){text, LENGTH});
            snprintf(wanted, sizeof wanted, "\"%.*s%s%.*s\"", at, "xxxxxxxxxxxxxxxxxxxx",
                     alone, LENGTH - 1 - at, "xxxxxxxxxxxxxxxxxxxx");
            assert_written(wanted);
        }
    }
}

static void json_key__is_escaped_too(void **state)
{
    (void)state;
    struct json json = begin(false);

    json_open(&json, '{');
    json_key(&json, "a\"\n");
    json_uint(&json, 1);
    json_close(&json, '}');
    assert_written("{\"a\\\"\\n\":1}");
}

/* ---- by others -------------------------------------------------------------------------- */

static void json_raw__is_a_value_like_any(void **state)
{
    (void)state;
    struct json json = begin(false);

    json_open(&json, '[');
    json_raw(&json, span_of("{\"x\":1}"));
    json_raw(&json, span_of("2"));
    json_close(&json, ']');
    assert_written("[{\"x\":1},2]");
}

static void json_before_value__makes_room_for_a_value_of_somebody_else(void **state)
{
    (void)state;
    for (int pretty = 0; pretty < 2; pretty++) {
        struct json json = begin(pretty);
        json_open(&json, '{');
        json_key(&json, "a");
        json_before_value(&json);
        buf_text(&buf, "HERE");
        json_key(&json, "b");
        json_open(&json, '[');
        json_uint(&json, 1);
        json_before_value(&json);
        buf_text(&buf, "THERE");
        json_close(&json, ']');
        json_close(&json, '}');
        assert_written(pretty ? "{\n  \"a\": HERE,\n  \"b\": [\n    1,\n    THERE\n  ]\n}"
                              : "{\"a\":HERE,\"b\":[1,THERE]}");
    }
}

static void json__that_does_not_fit_is_a_failure_at_every_length(void **state)
{
    (void)state;
    struct json json = begin(true);

    write_document(&json);
    size_t whole = buf.len;
    for (size_t capacity = 0; capacity < whole; capacity++) {
        memset(room, '#', sizeof room);
        buf_over(&buf, room, capacity);
        json = json_into(&buf, true);
        write_document(&json);
        assert_false(buf_ok(&buf));
        assert_true(buf.len <= capacity);
        assert_int_equal(room[capacity], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__has_its_commas_and_colons),
        cmocka_unit_test(json__is_indented_by_two_when_pretty),
        cmocka_unit_test(json__may_be_a_single_value),
        cmocka_unit_test(json_number__is_the_shortest_and_null_when_not_finite),
        cmocka_unit_test(json_uint__reaches_the_ends_of_its_range),
        cmocka_unit_test(json_string__escapes_what_must_be),
        cmocka_unit_test(json_string__replaces_what_is_no_text),
        cmocka_unit_test(json_string__is_valid_whatever_the_bytes),
        cmocka_unit_test(json_string__is_escaped_the_same_wherever_it_stands),
        cmocka_unit_test(json_key__is_escaped_too),
        cmocka_unit_test(json_raw__is_a_value_like_any),
        cmocka_unit_test(json_before_value__makes_room_for_a_value_of_somebody_else),
        cmocka_unit_test(json__that_does_not_fit_is_a_failure_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
