/* The judges of the conversations, judged: a comparison that lets everything pass
 * would make every page true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agree.h"
#include "conversation.h"

static const struct {
    const char *expected, *got;
    bool float64, float32; /* do they agree? */
    const char *reason;
} pairs[] = {
    {"{\"a\":1}", "{\"a\":1}", true, true, "the same text"},
    {"{\"a\":1}", "{\"a\": 1}", false, false, "layout counts"},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", false, false, "order counts"},
    {"{\"a\":1}", "{\"a\":1}\n", false, false, "something follows"},
    {"{\"a\":1}\n", "{\"a\":1}", false, false, "something is missing"},
    {"[0.1]", "[0.1000000000000003]", true, true, "3e-15 off"},
    {"[0.1]", "[0.1000000000000005]", false, true, "5e-15 off"},
    {"[0.1]", "[0.1000002]", false, false, "2e-6 off"},
    {"[1]", "[1.000000000000001]", false, false, "integers are exact"},
    {"[1]", "[1.0]", false, false, "and spelt as integers"},
    {"[1.0]", "[1]", true, true, "a fraction is not exact"},
    {"[-1.5]", "[1.5]", false, false, "the sign"},
    {"[0]", "[-0]", false, false, "the sign of nothing"},
    {"[5e-324]", "[0]", true, true, "one unit of a subnormal float64"},
    {"[1.5e-323]", "[5e-324]", false, true, "two units"},
    {"[4e-45]", "[1e-45]", false, false, "two units of a subnormal float32"},
    {"[1.5]", "[null]", false, false, "null is no number"},
    {"[1.5]", "[]", false, false, "nothing is no number"},
    {"[\"1.5\"]", "[\"1.5000000000000001\"]", false, false, "digits in a string"},
    {"[\"…\",2]", "[\"a\\\"b\",2]", true, true, "anything inside a string"},
    {"[\"…\"]", "[\"a\",\"b\"]", false, false, "to the end of that string only"},
    {"[\"a…c…\"]", "[\"abcd\"]", true, true, "two gaps"},
    {"[\"a…c\"]", "[\"abcd\"]", false, false, "the end of the string is told"},
    {"[…,0.5]", "[1,[2],0.50000000000000001]", true, true, "anything, then a number"},
    {"[…,0.5]", "[1,[2],0.6]", false, false, "another number"},
    {"…", "", true, true, "anything may be nothing"},
    {"sha256-…", "sha256-E5+1", true, true, "a number ends before what is none of it"},
    {"1.5e+2]", "150.0]", true, true, "and has its exponent"},
};

static void agree__tells_what_holds_from_what_does_not(void **state)
{
    char why[400];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (agree(pairs[i].expected, pairs[i].got, allowance_float64, why) !=
                pairs[i].float64 ||
            agree(pairs[i].expected, pairs[i].got, allowance_float32, why) !=
                pairs[i].float32)
            fail_msg("%s: %s and %s", pairs[i].reason, pairs[i].expected, pairs[i].got);
    }
}

static void all_shortest__finds_the_digit_too_many(void **state)
{
    char why[400];

    (void)state;
    assert_true(
        all_shortest("{\"a 0.10000000000000000001\":[0.1,1e-7,-0,5e-324]}", false, why));
    assert_false(all_shortest("[0.1,0.29999999999999999]", false, why));
    assert_false(all_shortest("[0.1,0.50]", false, why));
    assert_false(all_shortest("[1.0]", false, why));
    assert_false(all_shortest("[0.10000000149011612,0.2000000000000000111]", false, why));
    assert_true(all_shortest("[0.10000000149011612]", false, why));
    assert_true(all_shortest("[0.24472848]", true, why));
    assert_true(all_shortest("[16777216,100000000000000000000]", false, why));
}

static const struct {
    const char *head, *body;
    bool holds;
    const char *reason;
} replies[] = {
    {"Content-Type: application/json\r\nAllow: GET, HEAD\r\n", "{\"a\":0.5}\n", true,
     "as expected"},
    {"content-type: application/json\r\nallow: GET, HEAD\r\n", "{\"a\":0.5}\n", true,
     "names of headers in lower case"},
    {"Content-Type: application/json\r\n", "{\"a\":0.5}\n", false, "a header is missing"},
    {"Content-Type: application/json\r\nAllow: GET\r\n", "{\"a\":0.5}\n", false,
     "another value"},
    {"Content-Type: text/plain\r\nAllow: GET, HEAD\r\n", "{\"a\":0.5}\n", false,
     "another media type"},
    {"Content-Type: application/json\r\nAllow: GET, HEAD\r\n", "{\"a\":0.5}", false,
     "no newline at the end"},
    {"Content-Type: application/json\r\nAllow: GET, HEAD\r\n",
     "{\"a\":0.5000000000000001}\n", true, "a unit off"},
    {"Content-Type: application/json\r\nAllow: GET, HEAD\r\n",
     "{\"a\":0.50000000000000001}\n", false, "not the shortest"},
};

static void conversation_holds__looks_at_headers_and_body(void **state)
{
    char body[] = "{\"a\":0.5}\n", why[400];
    struct conversation conversation = {
        .question = {.method = "GET"},
        .status = 200,
        .header = {"Allow: GET, HEAD"},
        .body = body,
        .allowance = allowance_float64,
    };

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct answer answer = {.status = 200};
        assert_true(answer_add_head(&answer, replies[i].head, strlen(replies[i].head)));
        assert_true(answer_add_body(&answer, replies[i].body, strlen(replies[i].body)));
        if (conversation_holds(&conversation, &answer, why) != replies[i].holds)
            fail_msg("%s: %s", replies[i].reason, replies[i].body);
        answer.status = 201;
        assert_false(conversation_holds(&conversation, &answer, why));
        answer_release(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree__tells_what_holds_from_what_does_not),
        cmocka_unit_test(all_shortest__finds_the_digit_too_many),
        cmocka_unit_test(conversation_holds__looks_at_headers_and_body),
    };

    return cmocka_run_group_tests_name("agree", tests, NULL, NULL);
}
