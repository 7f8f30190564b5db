/* api/exchange.c, through the seam: what no conversation can bring about. */
#include "lossd/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* after ours: it has a macro by the name of fail() */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../system/compressed.h"

enum { SMALL = 1000 };

/* A question and its answer. */
struct talk {
    struct api *api;
    struct exchange exchange;
    struct response response;
};

static void begin(struct talk *talk, const char *method, const char *target,
                  struct budget *budget)
{
    const struct api_settings settings = {.limits = {.max_elements = 100,
                                                     .max_classes = 100,
                                                     .max_confusion = 10,
                                                     .max_depth = 8,
                                                     .max_line = 1000,
                                                     .max_text = 1000},
                                          .max_body = 1 << 20,
                                          .max_dataset = 1 << 20,
                                          .max_request_memory = 1 << 20,
                                          .small_body = SMALL};

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
        assert_true(api_route(&talk.exchange));
        end(&talk);
    }
    begin(&talk, "POST", "/v1/loss", NULL);
    talk.exchange.head.content_encoding = span_of("identity, gzip");
    assert_false(api_route(&talk.exchange));
    assert_int_equal(talk.exchange.err.kind, ERR_UNSUPPORTED_ENCODING);
    end(&talk);
}

/* Whatever its method: "answers POST, not GET" would be said of another address. */
static void administrators__are_told_where_everything_else_is(void **state)
{
    static const char *const questions[][2] = {
        {"GET", "/v1/losses"},   {"POST", "/v1/loss"}, {"GET", "/v1/loss"},
        {"OPTIONS", "/v1/loss"}, {"GET", "/"},         {"GET", "/nowhere"}};
    struct talk talk;
    char said[300];

    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        begin(&talk, questions[i][0], questions[i][1], NULL);
        talk.exchange.health_only = true;
        answer(&talk);
        assert_int_equal(talk.response.status, 404);
        assert_string_equal(value_of(&talk, "Allow"), "");
        snprintf(said, sizeof said,
                 "there is no %s at this address, where /livez, /readyz and /metrics "
                 "tell how the service is; all else is where it listens by --listen, or "
                 "by --host and --port",
                 questions[i][1]);
        assert_string_equal(talk.exchange.err.detail, said);
        end(&talk);
    }
    begin(&talk, "POST", "/livez", NULL);
    talk.exchange.health_only = true;
    answer(&talk);
    assert_int_equal(talk.response.status, 405);
    assert_string_equal(value_of(&talk, "Allow"), "GET, HEAD");
    end(&talk);
}

/* ---- compressed bodies ------------------------------------------------------------- */

static void begin_compressed(struct talk *talk, const char *coding)
{
    begin(talk, "POST", "/v1/loss", NULL);
    talk->exchange.head.content_encoding = span_of(coding);
    talk->exchange.head.has_content_length = true;
    talk->exchange.head.content_length = SMALL;
    assert_true(api_route(&talk->exchange));
}

static void compressed_bodies__are_not_known_to_be_small(void **state)
{
    struct talk talk;

    (void)state;
    begin_compressed(&talk, "identity");
    assert_true(api_is_small(&talk.exchange));
    assert_false(api_is_compressed(&talk.exchange));
    end(&talk);
    begin_compressed(&talk, "gzip");
    assert_false(api_is_small(&talk.exchange));
    assert_true(api_is_compressed(&talk.exchange));
    end(&talk);
}

static int64_t expected_of(const char *coding)
{
    struct talk talk;

    begin_compressed(&talk, coding);
    int64_t expected = api_expected_ns(&talk.exchange, SMALL);
    end(&talk);
    return expected;
}

/* First for what is usual, then for what there was. */
static void compressed_bodies__are_expected_to_cost_what_comes_out_of_them(void **state)
{
    struct compressed body = compressed_bomb("", " ", 1 << 20);
    int64_t plain = expected_of("identity"), before = expected_of("gzip");
    struct talk talk;

    (void)state;
    assert_true(before > 2 * plain);
    begin_compressed(&talk, "gzip");
    assert_true(api_feed(&talk.exchange, (struct span){body.at, body.len}));
    assert_true(api_expected_ns(&talk.exchange, SMALL) > 1000 * plain);
    end(&talk);
    free(body.at);
}

static void compressed_bodies__are_counted_as_they_came(void **state)
{
    struct compressed body = compressed_gzip(span_of("{\"logits\":[0,0],\"labels\":0}"));
    struct talk talk;

    (void)state;
    begin_compressed(&talk, "gzip");
    assert_true(api_feed(&talk.exchange, (struct span){body.at, body.len}));
    api_answer(&talk.exchange, NULL, &talk.response);
    assert_int_equal(talk.response.status, 200);
    assert_int_equal(talk.exchange.body_bytes, body.len);
    end(&talk);
    free(body.at);
}

/* ---- formats of answers --------------------------------------------------------- */

#define NPY "application/x-npy"
#define HEADER \
    "\x93NUMPY\x01\x00\x37\x00{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}"

/* [7,7] as a file. */
static const char sevens[] = HEADER "\7\7";

static void ask_for(struct talk *talk, const char *target, const char *type,
                    const char *accept)
{
    begin(talk, "POST", target, NULL);
    talk->exchange.head.content_type = span_of(type);
    talk->exchange.head.accept = span_of(accept);
}

static void answers__are_in_the_format_that_is_asked_for(void **state)
{
    struct talk talk;
    double half = 0.5;

    (void)state;
    ask_for(&talk, "/v1/softmax", NPY, NPY);
    assert_true(api_route(&talk.exchange));
    assert_true(api_feed(&talk.exchange, (struct span){sevens, sizeof sevens - 1}));
    api_answer(&talk.exchange, NULL, &talk.response);
    assert_int_equal(talk.response.status, 200);
    assert_string_equal(value_of(&talk, "Content-Type"), NPY);
    assert_string_equal(value_of(&talk, "Vary"), "Accept");
    assert_int_equal(talk.response.body.len, 128 + 16);
    assert_memory_equal(talk.response.body.at + 128, &half, sizeof half);
    assert_memory_equal(talk.response.body.at + 136, &half, sizeof half);
    end(&talk);
    ask_for(&talk, "/v1/softmax", NPY, "*/*");
    assert_true(api_route(&talk.exchange));
    assert_true(api_feed(&talk.exchange, (struct span){sevens, sizeof sevens - 1}));
    api_answer(&talk.exchange, NULL, &talk.response);
    assert_string_equal(value_of(&talk, "Content-Type"), "application/json");
    assert_string_equal(value_of(&talk, "Vary"), "Accept");
    assert_true(span_is(talk.response.body, "{\"probabilities\":[0.5,0.5]}\n"));
    end(&talk);
}

/* Who is told before it sends a body need not send it. */
static void answers__that_cannot_be_are_refused_by_the_head_where_it_tells(void **state)
{
    static const struct {
        const char *target, *type, *accept;
        bool is_refused;
    } cases[] = {
        {"/v1/loss", "", "text/html", true},
        {"/v1/softmax", NPY, "application/json;q=0", true},
        {"/v1/softmax", NPY, "application/json;q=0, */*", false},
        {"/v1/loss", NPY, NPY, true},
        {"/v1/loss?return=gradient", NPY, NPY, false},
        {"/v1/softmax?return=probabilities,predictions", NPY, NPY, true},
        {"/v1/loss?return=loss", "", NPY, true},
        {"/v1/loss?return=losses", "", NPY, false},
        {"/v1/loss", "", NPY, false},             /* the body may say */
        {"/v1/loss?return=lost", "", NPY, false}, /* which is worse */
        {"/v1/loss?lost=1", NPY, NPY, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk talk;
        ask_for(&talk, cases[i].target, cases[i].type, cases[i].accept);
        bool refused = !api_route(&talk.exchange);
        if (refused != cases[i].is_refused)
            fail_msg("%s, Accept %s", cases[i].target, cases[i].accept);
        api_answer(&talk.exchange, NULL, &talk.response);
        assert_int_equal(talk.response.status == 406, refused);
        assert_string_equal(value_of(&talk, "Vary"), refused ? "Accept" : "");
        assert_string_equal(value_of(&talk, "Content-Type"), "application/problem+json");
        end(&talk);
    }
}

/* ---- answers that are long ------------------------------------------------------- */

enum { RECORDS = 6000 };

/* Asks for the losses of so many records; they are fed one by one. */
static void ask_of_records(struct talk *talk, size_t records)
{
    static const char record[] = "{\"logits\":[2,1],\"label\":0}\n";

    begin(talk, "POST", "/v1/loss?return=records", NULL);
    talk->exchange.head.content_type = span_of("application/x-ndjson");
    assert_true(api_route(&talk->exchange));
    for (size_t i = 0; i < records; i++)
        assert_true(api_feed(&talk->exchange, span_of(record)));
    api_answer(&talk->exchange, NULL, &talk->response);
    assert_int_equal(talk->response.status, 200);
}

/* Before others stands only the next of its pieces, however long it is. */
static void a_dataset__is_expected_to_take_what_a_piece_takes(void **state)
{
    struct talk talk;

    (void)state;
    ask_of_records(&talk, 1);
    int64_t piece = api_expected_ns(&talk.exchange, UINT64_C(1) << 24);
    assert_true(piece > api_expected_ns(&talk.exchange, 1));
    assert_true(api_expected_ns(&talk.exchange, UINT64_C(1) << 40) == piece);
    end(&talk);
}

/* Their lines take more than a quarter of the memory there is, and what they were grown
 * from a quarter: for a copy, which grows, too, there is none. */
static void answers__of_records_are_sent_from_where_their_lines_are(void **state)
{
    struct talk talk;
    char some[4096];
    size_t len = 0, lines = 0, n;

    (void)state;
    ask_of_records(&talk, RECORDS);
    assert_non_null(talk.response.fill);
    while ((n = talk.response.fill(talk.response.ctx, NULL, some, sizeof some)) > 0) {
        for (size_t i = 0; i < n; i++)
            lines += some[i] == '\n';
        len += n;
    }
    assert_int_equal(lines, RECORDS + 1);
    assert_in_range(len, (1 << 20) / 4, 1 << 20);
    end(&talk);
}

static void answers__of_few_records_are_one_text(void **state)
{
    struct talk talk;

    (void)state;
    ask_of_records(&talk, 10);
    assert_null(talk.response.fill);
    assert_true(talk.response.body.len > 0);
    end(&talk);
}

static void api_answer__is_ready_nowhere_while_draining(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
    } cases[] = {{"/readyz", 503},
                 {"/v2/health/ready", 503},
                 {"/v2/models/nll/ready", 503},
                 {"/v2/models/nll/versions/1/ready", 503},
                 {"/v2/health/live", 200},
                 {"/v2/models/nll", 200}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk talk;
        begin(&talk, "GET", cases[i].target, NULL);
        api_set_draining(talk.api, true);
        answer(&talk);
        assert_int_equal(talk.response.status, cases[i].status);
        if (strcmp(cases[i].target, "/v2/health/live") == 0)
            assert_int_equal(
                memcmp(talk.response.body.at, "{\"live\":true,\"ready\":false}", 27), 0);
        end(&talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_answer__is_ready_nowhere_while_draining),
        cmocka_unit_test(metrics__vary_by_what_is_accepted),
        cmocka_unit_test(answers__are_in_the_format_that_is_asked_for),
        cmocka_unit_test(answers__that_cannot_be_are_refused_by_the_head_where_it_tells),
        cmocka_unit_test(a_dataset__is_expected_to_take_what_a_piece_takes),
        cmocka_unit_test(answers__of_records_are_sent_from_where_their_lines_are),
        cmocka_unit_test(answers__of_few_records_are_one_text),
        cmocka_unit_test(administrators__are_told_where_everything_else_is),
        cmocka_unit_test(encodings__are_named_in_letters_of_any_case),
        cmocka_unit_test(compressed_bodies__are_not_known_to_be_small),
        cmocka_unit_test(compressed_bodies__are_expected_to_cost_what_comes_out_of_them),
        cmocka_unit_test(compressed_bodies__are_counted_as_they_came),
        cmocka_unit_test(refusals__without_memory_are_of_one_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
