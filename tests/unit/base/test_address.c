/* base/address.c: where to listen, as settings say it. */
#include "lossd/base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void address__is_a_port_a_host_or_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port, *path;
    } rows[] = {
        {"8080", "127.0.0.1", "8080", ""},
        {"0", "127.0.0.1", "0", ""},
        {"0.0.0.0:65535", "0.0.0.0", "65535", ""},
        {"localhost:80", "localhost", "80", ""},
        {"[::1]:8080", "::1", "8080", ""},
        {"[127.0.0.1]:80", "127.0.0.1", "80", ""},
        {"[fe80::1%eth0]:1", "fe80::1%eth0", "1", ""},
        {"unix:/run/lossd.sock", "", "", "/run/lossd.sock"},
        {"unix:@lossd", "", "", "@lossd"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct address address;
        struct err err = {.kind = ERR_NONE};
        assert_true(address_read(span_of(rows[i].text), &address, &err));
        assert_string_equal(address.host, rows[i].host);
        assert_string_equal(address.port, rows[i].port);
        assert_string_equal(address.path, rows[i].path);
    }
}

static void address__that_is_none_is_named(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "foo",
                                        "foo:",
                                        "65536",
                                        "-1",
                                        "host:65536",
                                        ":80",
                                        "::1:80",
                                        "[]:80",
                                        "unix:",
                                        "unix:/",
                                        "unix:x",
                                        "1e3",
                                        "80:host",
                                        "\"127.0.0.1\":80",
                                        "a b:80",
                                        "a/b:80",
                                        "a\t:80",
                                        "[::1;]:80",
                                        "[::1%]:80",
                                        "unix:/much/too/long/for/the/kernel/which/takes/"
                                        "a/hundred/and/eight/bytes/of/a/path/"
                                        "and/this/one/has/more/than/that.sock"};

    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct address address;
        struct err err = {.kind = ERR_NONE};
        char wanted[200];
        assert_false(address_read(span_of(texts[i]), &address, &err));
        assert_int_equal(err.kind, ERR_INVALID_OPTION);
        snprintf(wanted, sizeof wanted, "\"%.120s", texts[i]);
        assert_non_null(strstr(err.detail, wanted));
        assert_non_null(strstr(err.detail, "unix:/path"));
    }
}

static void addresses__have_commas_between(void **state)
{
    (void)state;
    struct span rest = span_of(",a,,bc,"), text;

    assert_true(address_next(&rest, &text));
    assert_true(span_is(text, "a"));
    assert_true(address_next(&rest, &text));
    assert_true(span_is(text, "bc"));
    assert_false(address_next(&rest, &text));
    assert_false(address_next(&rest, &text));
}

static void addresses__that_clash_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *list, *second, *first;
    } rows[] = {
        {"127.0.0.1:8080,127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8080"},
        {"8080,0.0.0.0:80,127.0.0.1:8080", "127.0.0.1:8080", "8080"},
        {"127.0.0.1:08080,8080", "8080", "127.0.0.1:08080"},
        {"localhost:80,unix:/a,localhost:80", "localhost:80", "localhost:80"},
        {"0.0.0.0:80,127.0.0.1:80", "127.0.0.1:80", "0.0.0.0:80"},
        {"127.0.0.1:80,[::]:80", "[::]:80", "127.0.0.1:80"},
        {"[::1]:80,[0:0:0:0:0:0:0:1]:80", "[0:0:0:0:0:0:0:1]:80", "[::1]:80"},
        {"unix:/a,80,unix:/a", "unix:/a", "unix:/a"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct err err = {.kind = ERR_NONE};
        char wanted[200];
        assert_false(addresses_check_apart(rows[i].list, &err));
        assert_int_equal(err.kind, ERR_INVALID_OPTION);
        snprintf(wanted, sizeof wanted,
                 "cannot listen on %s: %s, which is asked for too, takes that address",
                 rows[i].second, rows[i].first);
        assert_string_equal(err.detail, wanted);
    }
}

static void addresses__are_apart_by_host_port_or_path(void **state)
{
    (void)state;
    static const char *const lists[] = {"",
                                        "80",
                                        "80,81",
                                        "0,0,[::]:0,0.0.0.0:0",
                                        "127.0.0.1:80,127.0.0.2:80",
                                        "[::1]:80,0.0.0.0:80,localhost:80",
                                        "unix:/a,unix:/b,unix:@a",
                                        "foo,foo"};

    for (size_t i = 0; i < LENGTH(lists); i++) {
        struct err err = {.kind = ERR_NONE};
        assert_true(addresses_check_apart(lists[i], &err));
        assert_int_equal(err.kind, ERR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address__is_a_port_a_host_or_a_path),
        cmocka_unit_test(address__that_is_none_is_named),
        cmocka_unit_test(addresses__have_commas_between),
        cmocka_unit_test(addresses__that_clash_are_named),
        cmocka_unit_test(addresses__are_apart_by_host_port_or_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
