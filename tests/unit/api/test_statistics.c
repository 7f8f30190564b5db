/* api/statistics.c: what is told of inferences is what there was of them. */
#include "api/statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static const char two_rows[] =
    "{\"inputs\":[{\"name\":\"logits\",\"shape\":[2,3],\"datatype\":\"FP64\",\"data\":"
    "[2,1,0,0,2,0]},{\"name\":\"labels\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":"
    "[0,1]}]}";

static const char bad_label[] =
    "{\"inputs\":[{\"name\":\"logits\",\"shape\":[3],\"datatype\":\"FP64\",\"data\":[2,1,"
    "0]},"
    "{\"name\":\"labels\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[3]}]}";

static struct meter *meter;
static struct api *api;

static int start(void **state)
{
    struct metric_labels labels = {.values = {NULL}};
    struct api_settings settings = {.limits = {.max_elements = 1000,
                                               .max_classes = 100,
                                               .max_depth = 8,
                                               .max_text = 10000},
                                    .max_body = 1 << 20,
                                    .max_request_memory = 4 << 20};

    (void)state;
    api_labels(&labels);
    meter = settings.meter = meter_new(&labels);
    api = api_new(&settings);
    return meter && api ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    api_free(api);
    meter_free(meter);
    return 0;
}

/* The document of an answer, or nothing. */
static cJSON *ask(const char *method, const char *target, const char *body,
                  unsigned status)
{
    struct exchange exchange;
    struct response response;

    exchange_init(&exchange, api, NULL);
    exchange.head.method = span_of(method);
    exchange.head.target = span_of(target);
    api_route(&exchange);
    api_feed(&exchange, span_of(body));
    api_answer(&exchange, NULL, &response);
    assert_int_equal(response.status, status);
    cJSON *document = cJSON_ParseWithLength(response.body.at, response.body.len);
    exchange_release(&exchange);
    return document;
}

static void post(const char *target, const char *body, unsigned status)
{
    cJSON_Delete(ask("POST", target, body, status));
}

static double number(const cJSON *at, const char *name, const char *within)
{
    at = cJSON_GetObjectItemCaseSensitive(at, name);
    at = within ? cJSON_GetObjectItemCaseSensitive(at, within) : at;
    assert_true(cJSON_IsNumber(at));
    return at->valuedouble;
}

static const cJSON *model_in(const cJSON *document, int index)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(document, "model_stats"),
                              index);
}

static const char *const parts[] = {"queue", "compute_input", "compute_infer",
                                    "compute_output"};

static void assert_counts(const cJSON *model, double rows, double answered,
                          double refused)
{
    const cJSON *stats = cJSON_GetObjectItemCaseSensitive(model, "inference_stats");
    double sum = 0;

    assert_true(number(model, "inference_count", NULL) == rows);
    assert_true(number(model, "execution_count", NULL) == answered);
    assert_true(number(stats, "success", "count") == answered);
    assert_true(number(stats, "fail", "count") == refused);
    assert_true((number(stats, "fail", "ns") > 0) == (refused > 0));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_true(number(stats, parts[i], "count") == answered);
        sum += number(stats, parts[i], "ns");
    }
    assert_true(number(stats, "success", "ns") == sum);
    assert_true((sum > 0) == (answered > 0));
    assert_true(number(stats, "cache_hit", "count") == 0);
    assert_true(number(stats, "cache_miss", "ns") == 0);
}

static void assert_batches(const cJSON *model, double answered)
{
    const cJSON *batch =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(model, "batch_stats"), 0);

    if (answered == 0) {
        assert_null(batch);
        return;
    }
    assert_true(number(batch, "batch_size", NULL) == 1);
    for (size_t i = 1; i < sizeof parts / sizeof *parts; i++)
        assert_true(number(batch, parts[i], "count") == answered);
}

static void statistics__begin_with_nothing(void **state)
{
    cJSON *document = ask("GET", "/v2/models/stats", "", 200);

    (void)state;
    assert_int_equal(
        cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(document, "model_stats")),
        MODELS);
    for (int i = 0; i < MODELS; i++) {
        assert_counts(model_in(document, i), 0, 0, 0);
        assert_batches(model_in(document, i), 0);
        assert_true(number(model_in(document, i), "last_inference", NULL) == 0);
    }
    cJSON_Delete(document);
}

static void statistics__count_what_was_answered_and_refused(void **state)
{
    (void)state;
    double before = (double)time(NULL) * 1000;
    post("/v2/models/nll/infer", two_rows, 200);
    post("/v2/models/nll/versions/1/infer", two_rows, 200);
    post("/v2/models/nll/infer", bad_label, 422);
    post("/v2/models/nll/infer", "{", 400);
    post("/v2/models/kl_div/infer?temperature=x", two_rows, 422);
    cJSON *nll = ask("GET", "/v2/models/nll/stats", "", 200);
    cJSON *kl_div = ask("GET", "/v2/models/kl_div/versions/1/stats", "", 200);
    assert_counts(model_in(nll, 0), 4, 2, 2);
    assert_batches(model_in(nll, 0), 2);
    assert_true(number(model_in(nll, 0), "last_inference", NULL) > before - 100);
    assert_counts(model_in(kl_div, 0), 0, 0, 1);
    cJSON_Delete(nll);
    cJSON_Delete(kl_div);
}

/* Scored, but not as a model; or asked about, but not scored; or of none. */
static void statistics__have_inferences_only(void **state)
{
    (void)state;
    post("/v1/loss?loss=nll", "{\"logits\":[-1,-2],\"labels\":0}", 200);
    post("/v1/loss?loss=nll", "{", 400);
    post("/v2/repository/models/nll/unload", "", 400);
    post("/v2/models/none/infer", two_rows, 404);
    post("/v2/models/nll/ready", "", 405);
    cJSON *document = ask("GET", "/v2/models/stats", "", 200);
    for (int i = 0; i < MODELS; i++)
        assert_counts(model_in(document, i), 0, 0, 0);
    cJSON_Delete(document);
}

/* And then its answer finds no way to the client. */
static void post_and_refuse(const char *target, const char *body)
{
    struct exchange exchange;
    struct response response;

    exchange_init(&exchange, api, NULL);
    exchange.head.method = span_of("POST");
    exchange.head.target = span_of(target);
    api_route(&exchange);
    api_feed(&exchange, span_of(body));
    api_answer(&exchange, NULL, &response);
    api_refuse(&exchange, &response);
    exchange_release(&exchange);
}

static void statistics__count_an_inference_once(void **state)
{
    (void)state;
    post_and_refuse("/v2/models/softmax/infer", "{}");
    post_and_refuse("/v2/models/nll/infer", two_rows);
    cJSON *softmax = ask("GET", "/v2/models/softmax/stats", "", 200);
    cJSON *nll = ask("GET", "/v2/models/nll/stats", "", 200);
    assert_counts(model_in(softmax, 0), 0, 0, 1);
    assert_counts(model_in(nll, 0), 2, 1, 0);
    cJSON_Delete(softmax);
    cJSON_Delete(nll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statistics__begin_with_nothing, start, stop),
        cmocka_unit_test_setup_teardown(statistics__count_what_was_answered_and_refused,
                                        start, stop),
        cmocka_unit_test_setup_teardown(statistics__have_inferences_only, start, stop),
        cmocka_unit_test_setup_teardown(statistics__count_an_inference_once, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
