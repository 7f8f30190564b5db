/* api/request_id.c: what names a request. */
#include "api/request_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct api *api;

static int make_api(void **state)
{
    const struct api_settings settings = {.max_request_memory = 1 << 20};

    (void)state;
    api = api_new(&settings);
    return api ? 0 : -1;
}

static int end_api(void **state)
{
    (void)state;
    api_free(api);
    return 0;
}

static struct exchange with_headers(const char *request_id, const char *traceparent)
{
    struct exchange exchange;

    exchange_init(&exchange, api, NULL);
    exchange.head.request_id = span_of(request_id);
    exchange.head.traceparent = span_of(traceparent);
    request_id_choose(&exchange);
    trace_id_read(&exchange);
    return exchange;
}

static void request_id__takes_over_what_is_safe(void **state)
{
    char longest[REQUEST_ID_SIZE];

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(with_headers("Az09._:@/+-", "").request_id, "Az09._:@/+-");
    assert_string_equal(with_headers(longest, "").request_id, longest);
}

static void request_id__replaces_what_is_not(void **state)
{
    static const char *const unsafe[] = {"", "a b", "a\"b", "a\nb", "a\x80", "{}"};
    char too_long[REQUEST_ID_SIZE + 1];

    (void)state;
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++) {
        struct exchange exchange = with_headers(unsafe[i], "");
        assert_int_equal(strlen(exchange.request_id), 32);
        assert_int_equal(strspn(exchange.request_id, "0123456789abcdef"), 32);
    }
    assert_int_equal(strlen(with_headers(too_long, "").request_id), 32);
}

static void request_id__is_new_each_time(void **state)
{
    char last[REQUEST_ID_SIZE] = "";

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct exchange exchange = with_headers("", "");
        assert_string_not_equal(exchange.request_id, last);
        memcpy(last, exchange.request_id, sizeof last);
    }
}

static void trace_id__is_read_from_a_valid_traceparent(void **state)
{
    static const char id[] = "0af7651916cd43dd8448eb211c80319c";

    (void)state;
    assert_string_equal(
        with_headers("", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .trace_id,
        id);
    assert_string_equal(
        with_headers("", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")
            .trace_id,
        id);
}

static void trace_id__is_empty_for_an_invalid_one(void **state)
{
    static const char *const invalid[] = {
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_string_equal(with_headers("", invalid[i]).trace_id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_id__takes_over_what_is_safe),
        cmocka_unit_test(request_id__replaces_what_is_not),
        cmocka_unit_test(request_id__is_new_each_time),
        cmocka_unit_test(trace_id__is_read_from_a_valid_traceparent),
        cmocka_unit_test(trace_id__is_empty_for_an_invalid_one),
    };

    return cmocka_run_group_tests(tests, make_api, end_api);
}
