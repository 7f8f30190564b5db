/* api/exchange.c, through the seam: what no conversation can bring about. */
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

static void begin(struct talk *talk, const char *method, const char *target,
                  struct budget *budget)
{
    const struct api_settings settings = {.max_body = 1 << 20,
                                          .max_request_memory = 1 << 20};

    talk->api = api_new(&settings);
    assert_non_null(talk->api);
    exchange_init(&talk->exchange, talk->api, budget);
    talk->exchange.head.method = span_of(method);
    talk->exchange.head.target = span_of(target);
}

static void answer(struct talk *talk)
{
    api_route(&talk->exchange);
    api_answer(&talk->exchange, NULL, &talk->response);
}

static void end(struct talk *talk)
{
    exchange_release(&talk->exchange);
    api_free(talk->api);
}

/* "" when there is no such header. */
static const char *value_of(const struct talk *talk, const char *name)
{
    const struct response *response = &talk->response;

    for (size_t i = 0; i < response->headers; i++)
        if (strcmp(response->header[i].name, name) == 0)
            return response->header[i].value;
    return "";
}

/* What the log and the metrics say is what the client was told. */
static void refusals__without_memory_are_of_one_piece(void **state)
{
    static const char *const targets[] = {"/nowhere", "/v1/loss"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct budget nothing = {.limit = 0};
        struct talk talk;
        begin(&talk, "GET", targets[i], &nothing);
        talk.exchange.retry_after_s = 7;
        answer(&talk);
        assert_int_equal(talk.response.status, 503);
        assert_non_null(memmem(talk.response.body.at, talk.response.body.len,
                               "\"code\":\"overloaded\"", 19));
        assert_int_equal(talk.exchange.err.kind, ERR_OVERLOADED);
        assert_string_equal(value_of(&talk, "Retry-After"), "7");
        assert_string_equal(value_of(&talk, "Allow"), "");
        end(&talk);
    }
}

/* A cache must not give one the format that another has asked for. */
static void metrics__vary_by_what_is_accepted(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, "GET", "/metrics", NULL);
    answer(&talk);
    assert_int_equal(talk.response.status, 200);
    assert_string_equal(value_of(&talk, "Vary"), "Accept");
    end(&talk);
    begin(&talk, "GET", "/livez", NULL);
    answer(&talk);
    assert_string_equal(value_of(&talk, "Vary"), "");
    end(&talk);
}

static void encodings__are_named_in_letters_of_any_case(void **state)
{
    static const char *const names[] = {"identity", "Identity", "IDENTITY"};
    struct talk talk;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin(&talk, "POST", "/v1/loss", NULL);
        talk.exchange.head.content_encoding = span_of(names[i]);
        assert_non_null(api_route(&talk.exchange));
        end(&talk);
    }
    begin(&talk, "POST", "/v1/loss", NULL);
    talk.exchange.head.content_encoding = span_of("identity, gzip");
    assert_null(api_route(&talk.exchange));
    assert_int_equal(talk.exchange.err.kind, ERR_UNSUPPORTED_ENCODING);
    end(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics__vary_by_what_is_accepted),
        cmocka_unit_test(encodings__are_named_in_letters_of_any_case),
        cmocka_unit_test(refusals__without_memory_are_of_one_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
