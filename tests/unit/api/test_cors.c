/* api/cors.c, through the seam: which answers have which headers. */
#include "lossd/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* after ours: it has a macro by the name of fail() */
#include <cmocka.h>

#include <string.h>

/* A question and its answer. */
struct talk {
    struct api *api;
    struct exchange exchange;
    struct response response;
};

static void ask(struct talk *talk, const char *setting, const char *method,
                const char *origin, const char *wanted_method)
{
    const struct api_settings settings = {
        .max_body = 1 << 20, .max_request_memory = 1 << 20, .cors_origin = setting};

    talk->api = api_new(&settings);
    assert_non_null(talk->api);
    exchange_init(&talk->exchange, talk->api, NULL);
    talk->exchange.head.method = span_of(method);
    talk->exchange.head.target = span_of("/livez");
    talk->exchange.head.origin = span_of(origin);
    talk->exchange.head.access_control_request_method = span_of(wanted_method);
    api_route(&talk->exchange);
    api_answer(&talk->exchange, NULL, &talk->response);
}

static void end(struct talk *talk)
{
    exchange_release(&talk->exchange);
    api_free(talk->api);
}

static const char *header(const struct talk *talk, const char *name)
{
    for (size_t i = 0; i < talk->response.headers; i++)
        if (strcmp(talk->response.header[i].name, name) == 0)
            return talk->response.header[i].value;
    return NULL;
}

static bool has_cors_headers(const struct talk *talk)
{
    for (size_t i = 0; i < talk->response.headers; i++)
        if (strncmp(talk->response.header[i].name, "Access-Control-", 15) == 0)
            return true;
    return false;
}

static void cors__is_off_by_default(void **state)
{
    static const char *const off[] = {NULL, ""};
    struct talk talk;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        ask(&talk, off[i], "GET", "https://a.example", NULL);
        assert_int_equal(talk.response.status, 200);
        assert_false(has_cors_headers(&talk));
        assert_null(header(&talk, "Vary"));
        end(&talk);
        ask(&talk, off[i], "OPTIONS", "https://a.example", "GET");
        assert_int_equal(talk.response.status, 405);
        assert_false(has_cors_headers(&talk));
        end(&talk);
    }
}

static void cors__lets_the_origin_read_answers_and_problems(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "DELETE"};
    struct talk talk;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        ask(&talk, "https://a.example", methods[i], "https://a.example", NULL);
        assert_int_equal(talk.response.status, i < 2 ? 200 : 405);
        assert_string_equal(header(&talk, "Access-Control-Allow-Origin"),
                            "https://a.example");
        assert_string_equal(header(&talk, "Access-Control-Expose-Headers"),
                            "X-Request-ID, Retry-After, Server-Timing, "
                            "Inference-Header-Content-Length");
        assert_string_equal(header(&talk, "Vary"), "Origin");
        end(&talk);
    }
}

static void cors__lets_nobody_else(void **state)
{
    static const char *const others[] = {NULL,
                                         "null",
                                         "http://a.example",
                                         "https://a.example:8443",
                                         "https://a.example.org",
                                         "https://b.a.example",
                                         "https://A.example",
                                         "*"};
    struct talk talk;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ask(&talk, "https://a.example", "GET", others[i], NULL);
        assert_false(has_cors_headers(&talk));
        /* a cache must not give this answer to the origin */
        assert_string_equal(header(&talk, "Vary"), "Origin");
        end(&talk);
        ask(&talk, "https://a.example", "OPTIONS", others[i], "GET");
        assert_int_equal(talk.response.status, 405);
        end(&talk);
    }
}

static void cors__lets_every_page_with_a_star(void **state)
{
    static const char *const origins[] = {"null", "http://localhost:3000"};
    struct talk talk;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        ask(&talk, "*", "GET", origins[i], NULL);
        assert_string_equal(header(&talk, "Access-Control-Allow-Origin"), "*");
        end(&talk);
        ask(&talk, "*", "OPTIONS", origins[i], "GET");
        assert_int_equal(talk.response.status, 204);
        assert_string_equal(header(&talk, "Access-Control-Allow-Origin"), "*");
        end(&talk);
    }
    ask(&talk, "*", "GET", NULL, NULL);
    assert_false(has_cors_headers(&talk));
    end(&talk);
}

static void cors__answers_a_preflight_without_a_body(void **state)
{
    struct talk talk;

    (void)state;
    ask(&talk, "https://a.example", "OPTIONS", "https://a.example", "GET");
    assert_int_equal(talk.response.status, 204);
    assert_int_equal(talk.response.body.len, 0);
    assert_null(talk.response.fill);
    assert_null(header(&talk, "Content-Type"));
    assert_string_equal(header(&talk, "Access-Control-Allow-Methods"), "GET, HEAD, POST");
    assert_string_equal(header(&talk, "Access-Control-Max-Age"), "7200");
    assert_non_null(
        strstr(header(&talk, "Access-Control-Allow-Headers"), "Content-Type"));
    assert_null(header(&talk, "Access-Control-Allow-Credentials"));
    assert_non_null(header(&talk, "X-Request-ID"));
    end(&talk);
}

static void cors__takes_only_options_for_a_preflight(void **state)
{
    struct talk talk;

    (void)state;
    ask(&talk, "https://a.example", "GET", "https://a.example", "GET");
    assert_int_equal(talk.response.status, 200);
    assert_null(header(&talk, "Access-Control-Allow-Methods"));
    end(&talk);
    ask(&talk, "https://a.example", "OPTIONS", "https://a.example", NULL);
    assert_int_equal(talk.response.status, 405);
    assert_string_equal(header(&talk, "Allow"), "GET, HEAD");
    end(&talk);
}

static void api_check_origin__wants_what_a_browser_would_send(void **state)
{
    static const char *const good[] = {"",
                                       "*",
                                       "https://a.example",
                                       "http://localhost:3000",
                                       "http://[::1]:3000",
                                       "http://127.0.0.1",
                                       "chrome-extension://abcdefgh"};
    static const char *const bad[] = {"null",
                                      "a.example",
                                      "https://",
                                      "://a.example",
                                      "https:/a.example",
                                      "https:",
                                      "https",
                                      "https://a.example/",
                                      "https://a.example/x",
                                      "https://A.example",
                                      "HTTPS://a.example",
                                      "https://*.example",
                                      "https://a.example,https://b.example",
                                      "**"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct err err = {0};
        assert_true(api_check_origin(good[i], &err));
        assert_int_equal(err.kind, ERR_NONE);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        if (api_check_origin(bad[i], &err))
            fail_msg("%s is taken", bad[i]);
        assert_non_null(strstr(err.detail, bad[i]));
        assert_non_null(strstr(err.detail, "--cors-origin"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cors__is_off_by_default),
        cmocka_unit_test(cors__lets_the_origin_read_answers_and_problems),
        cmocka_unit_test(cors__lets_nobody_else),
        cmocka_unit_test(cors__lets_every_page_with_a_star),
        cmocka_unit_test(cors__answers_a_preflight_without_a_body),
        cmocka_unit_test(cors__takes_only_options_for_a_preflight),
        cmocka_unit_test(api_check_origin__wants_what_a_browser_would_send),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
