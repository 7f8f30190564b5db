/* The same request with a memory limit of 0, then a little more, until it is
 * answered: every failure on the way is a well-formed problem of a known kind,
 * nothing stays in the budget, and the answer at last is the one that a request
 * with plenty gets. */
#include "lossd/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "../system/compressed.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { TEXT_MAX = 4 << 20, STEP = 1024, PLENTY = 64 << 20 };

static char *text_of_body, *text_of_answer, *text_of_plenty;

static int make_texts(void **state)
{
    (void)state;
    text_of_body = malloc(TEXT_MAX);
    text_of_answer = malloc(TEXT_MAX);
    text_of_plenty = malloc(TEXT_MAX);
    return text_of_body && text_of_answer && text_of_plenty ? 0 : -1;
}

static int free_texts(void **state)
{
    (void)state;
    free(text_of_body);
    free(text_of_answer);
    free(text_of_plenty);
    return 0;
}

/* ---- the kinds of request -------------------------------------------------------- */

static void everything_returned(char *out)
{
    strcpy(out, "{\"id\":\"t\",\"logits\":[[2,1,0.1],[0.5,2.5,0.3],[1,-Infinity,0]],"
                "\"labels\":[0,1,2],\"class_weights\":[1,2,3],\"sample_weights\":[1,1,2],"
                "\"temperature\":2,\"return\":[\"loss\",\"losses\",\"probabilities\","
                "\"log_probabilities\",\"logsumexp\",\"gradient\",\"predictions\"]}");
}

static void large_float32(char *out)
{
    size_t len = (size_t)sprintf(out, "{\"logits\":[");

    for (int i = 0; i < 300; i++) {
        len += (size_t)sprintf(out + len, "%s[", i ? "," : "");
        for (int c = 0; c < 50; c++)
            len += (size_t)sprintf(out + len, "%s%.6f", c ? "," : "",
                                   (double)((i * 7919 + c * 104729) % 1000) / 77);
        len += (size_t)sprintf(out + len, "]");
    }
    len += (size_t)sprintf(out + len, "],\"targets\":[");
    for (int i = 0; i < 300; i++) {
        len += (size_t)sprintf(out + len, "%s[1", i ? "," : "");
        for (int c = 1; c < 50; c++)
            len += (size_t)sprintf(out + len, ",0");
        len += (size_t)sprintf(out + len, "]");
    }
    sprintf(out + len, "],\"return\":[\"loss\",\"gradient\"],\"dtype\":\"float32\"}");
}

static void refused_with_names(char *out)
{
    strcpy(out,
           "{\"logits\":[[1,2],[3,4]],\"labels\":[0,9],\"return\":[\"loss\",\"probs\"],"
           "\"id\":\"\\u00e9\\u0000\"}");
}

#define STATE                                                                           \
    "{\"version\":1,\"loss\":\"hinge\",\"reduction\":\"mean\",\"classes\":2,\"count\":" \
    "1,"                                                                                \
    "\"ignored\":0,\"losses\":\"0x40000p-18\",\"nll\":\"0x40000p-18\",\"brier\":"       \
    "\"0x40000p-18\",\"entropy\":\"0x20000p-18\",\"top5\":1,\"ece_bins\":2,"            \
    "\"bin_count\":[0,1],\"bin_correct\":[0,1],\"bin_confidence\":[\"0x0p-90\","        \
    "\"0x30000000000000000000000p-90\"],\"class_support\":[1,0],\"class_predicted\":"   \
    "[1,0],\"class_correct\":[1,0]}"

enum { STATES = 1000 };

/* The first is wrong, the rest is read for its syntax. */
static void states_refused(char *out)
{
    size_t len = (size_t)sprintf(out, "[{\"version\":2}");

    for (int i = 0; i < STATES; i++)
        len += (size_t)sprintf(out + len, ",%s", STATE);
    strcpy(out + len, "]");
}

static void states_in_an_array(char *out)
{
    size_t len = 0;

    for (int i = 0; i < STATES; i++)
        len += (size_t)sprintf(out + len, "%c%s", i ? ',' : '[', STATE);
    strcpy(out + len, "]");
}

static void states_line_by_line(char *out)
{
    size_t len = 0;

    for (int i = 0; i < STATES; i++)
        len += (size_t)sprintf(out + len, "%s\n", STATE);
}

/* The first hundreds are wrong, and every tenth after them. */
static void dataset_with_errors(char *out)
{
    size_t len = 0;

    for (int i = 0; i < 1500; i++)
        len += (size_t)sprintf(
            out + len, "{\"logits\":[%d,1,%d],\"label\":%d,\"%s\":%d}\n", i % 7, i % 5,
            i % 10 ? i % 3 : 3, i < 500 ? "what" : "weight", i % 4);
}

#define FIELD(name) "--b\r\nContent-Disposition: form-data; name=" name "\r\n\r\n"

static void form_of_everything(char *out)
{
    char *at = out + sprintf(out, FIELD("logits") "[[0.5,1.5]");

    for (int i = 0; i < 999; i++)
        at += sprintf(at, ",[%d.25,%d]", i, i % 7);
    at += sprintf(at, "]\r\n" FIELD("labels") "1");
    for (int i = 0; i < 999; i++)
        at += sprintf(at, ",%d", i % 2);
    at += sprintf(at, "\r\n" FIELD("options") "{\"temperature\":2,\"id\":\"t\"}\r\n");
    at += sprintf(at, FIELD("dtype") "float32\r\n" FIELD("return") "loss,gradient");
    sprintf(at, "\r\n--b--\r\n");
}

static void inference(char *out)
{
    strcpy(out,
           "{\"inputs\":[{\"name\":\"logits\",\"shape\":[2,3],\"datatype\":\"FP32\","
           "\"data\":[[2,1,0.1],[0.5,2.5,0.3]]},{\"data\":[0,1],\"shape\":[2,1],"
           "\"name\":\"labels\",\"datatype\":\"INT64\"}],\"id\":\"t\",\"parameters\":{"
           "\"reduction\":\"none\",\"unknown\":[1,\"two\"]},\"outputs\":[{\"name\":"
           "\"loss\"},"
           "{\"name\":\"gradient\",\"parameters\":{\"binary_data\":false}},{\"name\":"
           "\"probabilities\",\"parameters\":{\"binary_data\":true,\"classification\":2}"
           "}]}");
}

static const struct {
    void (*write)(char *out);
    unsigned status;      /* of the untroubled answer */
    const char *encoding; /* of the body */
    const char *target;
    const char *media_type;
} kinds[] = {
    {everything_returned, 200, "", "/v1/loss?axis=-1&id=t", ""},
    {large_float32, 200, "", "/v1/loss?axis=-1", ""},
    {refused_with_names, 422, "", "/v1/loss?axis=-1", ""},
    {everything_returned, 200, "gzip", "/v1/loss?axis=-1&id=t", ""},
    {large_float32, 200, "deflate", "/v1/loss?axis=-1", ""},
    {states_in_an_array, 200, "", "/v1/merge?return=loss,metrics,per_class,state", ""},
    {states_line_by_line, 200, "", "/v1/merge", ""},
    {states_refused, 422, "", "/v1/merge", ""},
    {dataset_with_errors, 200, "", "/v1/loss?on_error=skip&return=loss,records,per_class",
     "application/x-ndjson"},
    {dataset_with_errors, 200, "gzip", "/v1/loss?on_error=skip", "application/x-ndjson"},
    {dataset_with_errors, 422, "", "/v1/loss", "application/x-ndjson"},
    {inference, 200, "", "/v2/models/cross_entropy/infer?axis=-1", ""},
    {form_of_everything, 200, "", "/v1/loss?axis=-1", "multipart/form-data; boundary=b"},
    {form_of_everything, 200, "gzip", "/v1/loss?axis=-1",
     "multipart/form-data; boundary=b"}};

/* A body as it is sent; its text to be freed. */
struct body {
    size_t kind;
    struct compressed sent;
};

static struct body body_of(size_t kind)
{
    struct body body = {.kind = kind};

    kinds[kind].write(text_of_body);
    if (*kinds[kind].encoding)
        body.sent = compressed_as(kinds[kind].encoding, span_of(text_of_body));
    else
        body.sent = (struct compressed){strdup(text_of_body), strlen(text_of_body)};
    return body;
}

/* ---- one attempt ------------------------------------------------------------------ */

static size_t read_response(const struct response *response, char *out)
{
    size_t len = 0, n;

    if (!response->fill) {
        memcpy(out, response->body.at, response->body.len);
        return response->body.len;
    }
    while ((n = response->fill(response->ctx, NULL, out + len, 4096)) > 0)
        len += n;
    return len;
}

/* Feeds in pieces of 777 bytes, so that what is kept between pieces is tried too. */
static unsigned attempt(const struct body *body, size_t limit, struct budget *budget,
                        char *out, size_t *len, enum err_kind *kind)
{
    const struct api_settings settings = {
        .limits = {.max_elements = 1 << 20,
                   .max_classes = 1 << 16,
                   .max_confusion = 64,
                   .max_depth = 64,
                   .max_line = TEXT_MAX,
                   .max_text = 1 << 20},
        .max_body = TEXT_MAX,
        .max_dataset = TEXT_MAX,
        .max_request_memory = limit,
        .server_timing = true,
    };
    struct api *api = api_new(&settings);
    struct exchange exchange;
    struct response response;

    assert_non_null(api);
    exchange_init(&exchange, api, budget);
    exchange.head.method = span_of("POST");
    exchange.head.target = span_of(kinds[body->kind].target);
    exchange.head.content_type = span_of(kinds[body->kind].media_type);
    exchange.head.request_id = span_of("always-the-same");
    exchange.head.content_encoding = span_of(kinds[body->kind].encoding);
    bool wanted = api_route(&exchange);
    for (size_t at = 0, size = body->sent.len; wanted && at < size; at += 777)
        wanted = api_feed(&exchange, (struct span){body->sent.at + at,
                                                   size - at < 777 ? size - at : 777});
    api_answer(&exchange, NULL, &response);
    *len = read_response(&response, out);
    *kind = exchange.err.kind;
    exchange_release(&exchange);
    api_free(api);
    return response.status;
}

static void assert_well_formed_problem(const char *text, size_t len, unsigned status,
                                       enum err_kind kind)
{
    cJSON *problem = cJSON_ParseWithLength(text, len);

    assert_non_null(problem);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(problem, "code")->valuestring,
                        problem_code(kind));
    assert_true(cJSON_GetObjectItemCaseSensitive(problem, "status")->valuedouble ==
                status);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(problem, "detail"));
    assert_int_equal(text[len - 1], '\n');
    cJSON_Delete(problem);
}

/* ---- tests ------------------------------------------------------------------------ */

static void answer__comes_or_is_a_problem_at_every_memory_limit(void **state)
{
    (void)state;
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        struct budget budget = {.limit = SIZE_MAX};
        enum err_kind kind;
        size_t plenty_len, len, failures = 0;
        struct body body = body_of(k);
        unsigned wanted =
            attempt(&body, PLENTY, &budget, text_of_plenty, &plenty_len, &kind);
        assert_int_equal(wanted, kinds[k].status);
        for (size_t limit = 0;; limit += STEP) {
            unsigned status = attempt(&body, limit, &budget, text_of_answer, &len, &kind);
            assert_int_equal(atomic_load(&budget.used), 0);
            if (status == wanted && len == plenty_len)
                break;
            /* with no room even for a problem, the one that needs none */
            if (status == 503 && kind == ERR_TOO_LARGE)
                kind = ERR_OVERLOADED;
            assert_well_formed_problem(text_of_answer, len, status, kind);
            assert_true(kind == ERR_TOO_LARGE || kind == ERR_OVERLOADED);
            failures++;
            assert_in_range(limit, 0, PLENTY);
        }
        assert_memory_equal(text_of_answer, text_of_plenty, plenty_len);
        assert_in_range(failures, 2, SIZE_MAX);
        free(body.sent.at);
    }
}

static void answer__comes_or_is_a_problem_at_every_budget(void **state)
{
    (void)state;
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        enum err_kind kind;
        size_t plenty_len, len, failures = 0;
        struct budget unlimited = {.limit = SIZE_MAX};
        struct body body = body_of(k);
        unsigned wanted =
            attempt(&body, PLENTY, &unlimited, text_of_plenty, &plenty_len, &kind);
        assert_int_equal(wanted, kinds[k].status);
        for (size_t limit = 0;; limit += 4 * STEP) {
            struct budget budget = {.limit = limit};
            unsigned status =
                attempt(&body, PLENTY, &budget, text_of_answer, &len, &kind);
            assert_int_equal(atomic_load(&budget.used), 0);
            if (status == wanted && len == plenty_len)
                break;
            assert_int_equal(status, 503);
            assert_well_formed_problem(text_of_answer, len, status, ERR_OVERLOADED);
            failures++;
            assert_in_range(limit, 0, PLENTY);
        }
        assert_in_range(failures, 2, SIZE_MAX);
        free(body.sent.at);
    }
}

/* More of them need no more memory. */
static void states_and_records__are_read_in_the_memory_of_one(void **state)
{
    enum { LITTLE = 160 << 10 };

    (void)state;
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        struct budget budget = {.limit = SIZE_MAX};
        struct body body = body_of(k);
        enum err_kind kind;
        size_t len;
        bool is_one_by_one = kinds[k].write == states_in_an_array ||
                             kinds[k].write == states_line_by_line ||
                             kinds[k].write == states_refused;
        if (is_one_by_one)
            assert_int_equal(attempt(&body, LITTLE, &budget, text_of_answer, &len, &kind),
                             kinds[k].status);
        free(body.sent.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer__comes_or_is_a_problem_at_every_memory_limit),
        cmocka_unit_test(answer__comes_or_is_a_problem_at_every_budget),
        cmocka_unit_test(states_and_records__are_read_in_the_memory_of_one),
    };

    return cmocka_run_group_tests(tests, make_texts, free_texts);
}
