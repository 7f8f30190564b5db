/* An inference through the seam whose answer is bytes, which no conversation can show: the
 * request is that of Triton's Python client for logits and labels, to the byte. */
#include "lossd/api/api.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lossd/engine/loss.h"

enum { ANSWER_MAX = 1 << 20 };

static const char recorded[] =
    "{\"inputs\":[{\"name\":\"logits\",\"shape\":[2,2],\"datatype\":\"FP32\","
    "\"parameters\":{\"binary_data_size\":16}},{\"name\":\"labels\",\"shape\":[2],"
    "\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":16}}],"
    "\"parameters\":{\"binary_data_output\":true}}"
    "\x00\x00\x80\x3F\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00";

static const char answered[] =
    "{\"model_name\":\"cross_entropy\",\"model_version\":\"1\",\"id\":\"\",\"outputs\":["
    "{\"name\":\"loss\",\"datatype\":\"FP64\",\"shape\":[1],"
    "\"parameters\":{\"binary_data_size\":8}},"
    "{\"name\":\"probabilities\",\"datatype\":\"FP32\",\"shape\":[2,2],"
    "\"parameters\":{\"binary_data_size\":16}}]}\n";

static struct api *new_api(void)
{
    const struct api_settings settings = {.limits = {.max_elements = 100000,
                                                     .max_classes = 100,
                                                     .max_confusion = 10,
                                                     .max_depth = 16,
                                                     .max_text = 10000},
                                          .max_body = 1 << 20,
                                          .max_request_memory = 8 << 20};
    struct api *api = api_new(&settings);

    assert_non_null(api);
    return api;
}

struct talk {
    struct exchange exchange;
    struct response response;
    char *body; /* of the answer */
    size_t len;
};

static void read_body(struct talk *talk)
{
    struct response *response = &talk->response;
    size_t n;

    talk->body = malloc(ANSWER_MAX);
    assert_non_null(talk->body);
    talk->len = response->body.len;
    if (!response->fill) {
        memcpy(talk->body, response->body.at, talk->len);
        return;
    }
    talk->len = 0;
    while ((n = response->fill(response->ctx, NULL, talk->body + talk->len, 300)) > 0)
        talk->len += n;
}

/* The body in two pieces. */
static void ask_at(struct talk *talk, struct api *api, const char *target,
                   struct span body, const char *length, size_t cut)
{
    exchange_init(&talk->exchange, api, NULL);
    talk->exchange.head.method = span_of("POST");
    talk->exchange.head.target = span_of(target);
    talk->exchange.head.inference_header_length = span_of(length);
    api_route(&talk->exchange);
    api_feed(&talk->exchange, (struct span){body.at, cut});
    api_feed(&talk->exchange, (struct span){body.at + cut, body.len - cut});
    api_answer(&talk->exchange, NULL, &talk->response);
    read_body(talk);
}

static void ask_model(struct talk *talk, struct api *api, const char *model,
                      struct span body, const char *length, size_t cut)
{
    char target[64];

    snprintf(target, sizeof target, "/v2/models/%s/infer", model);
    ask_at(talk, api, target, body, length, cut);
}

static void ask(struct talk *talk, struct api *api, struct span body, const char *length,
                size_t cut)
{
    ask_model(talk, api, "cross_entropy", body, length, cut);
}

static void end(struct talk *talk)
{
    free(talk->body);
    exchange_release(&talk->exchange);
}

/* NULL when there is no such header. */
static const char *value_of(const struct talk *talk, const char *name)
{
    for (size_t i = 0; i < talk->response.headers; i++)
        if (strcmp(talk->response.header[i].name, name) == 0)
            return talk->response.header[i].value;
    return NULL;
}

static void assert_answered(const struct talk *talk)
{
    const double wanted[] = {(log1p(exp(1)) + log1p(exp(-1))) / 2};
    const float low = (float)(1 / (1 + exp(1))), high = (float)(1 / (1 + exp(-1)));
    const float probabilities[] = {low, high, low, high};
    const size_t text = sizeof answered - 1;
    double loss;
    float found[4];
    char length[24];

    snprintf(length, sizeof length, "%zu", text);
    assert_int_equal(talk->response.status, 200);
    assert_string_equal(value_of(talk, "Content-Type"), "application/octet-stream");
    assert_string_equal(value_of(talk, "Inference-Header-Content-Length"), length);
    assert_int_equal(talk->len, text + sizeof loss + sizeof found);
    assert_memory_equal(talk->body, answered, text);
    memcpy(&loss, talk->body + text, sizeof loss);
    memcpy(found, talk->body + text + sizeof loss, sizeof found);
    assert_true(fabs(loss - wanted[0]) <= 1e-6);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabsf(found[i] - probabilities[i]) <= 1e-6f);
}

static void inference__answers_the_recorded_bytes_wherever_they_are_cut(void **state)
{
    const struct span body = {recorded, sizeof recorded - 1};
    struct api *api = new_api();

    (void)state;
    for (size_t cut = 0; cut <= body.len; cut++) {
        struct talk talk;
        ask(&talk, api, body, "226", cut);
        assert_answered(&talk);
        end(&talk);
    }
    api_free(api);
}

static void inference__refuses_the_recorded_bytes_when_one_is_missing(void **state)
{
    struct api *api = new_api();

    (void)state;
    for (size_t len = 0; len < sizeof recorded - 1; len++) {
        struct talk talk;
        ask(&talk, api, (struct span){recorded, len}, "226", len / 2);
        assert_int_equal(talk.response.status, 400);
        assert_null(value_of(&talk, "Inference-Header-Content-Length"));
        end(&talk);
    }
    api_free(api);
}

/* Thousands of numbers as text, of which the length has to be told before they are
 * written. */
static size_t write_large(char *out, unsigned rows)
{
    size_t len = (size_t)sprintf(
        out,
        "{\"inputs\":[{\"name\":\"logits\",\"shape\":[%u,3],\"datatype\":\"FP64\","
        "\"data\":[",
        rows);

    for (unsigned i = 0; i < 3 * rows; i++)
        len += (size_t)sprintf(out + len, "%s%u.%u", i ? "," : "", i % 7, i % 10);
    len += (size_t)sprintf(out + len,
                           "]},{\"name\":\"labels\",\"shape\":[%u],\"datatype\":\"INT8\","
                           "\"data\":[",
                           rows);
    for (unsigned i = 0; i < rows; i++)
        len += (size_t)sprintf(out + len, "%s%u", i ? "," : "", i % 3);
    return len +
           (size_t)sprintf(out + len,
                           "]}],\"outputs\":[{\"name\":\"probabilities\"},{\"name\":"
                           "\"predictions\",\"parameters\":{\"binary_data\":true}}]}");
}

static size_t text_length(const struct talk *talk)
{
    return strtoul(value_of(talk, "Inference-Header-Content-Length"), NULL, 10);
}

/* The first binary_data_size of the answer. */
static size_t told_size(const struct talk *talk)
{
    static const char key[] = "binary_data_size\":";
    const char *at = memmem(talk->body, talk->len, key, sizeof key - 1);

    assert_non_null(at);
    return strtoul(at + sizeof key - 1, NULL, 10);
}

static void inference__tells_how_long_the_text_is_before_it_is_written(void **state)
{
    enum { ROWS = 2000 };
    char *body = malloc(ANSWER_MAX);
    struct api *api = new_api();
    struct talk talk;

    (void)state;
    assert_non_null(body);
    size_t len = write_large(body, ROWS);
    ask(&talk, api, (struct span){body, len}, "", len);
    assert_int_equal(talk.response.status, 200);
    assert_non_null(talk.response.fill);
    size_t text = text_length(&talk);
    assert_int_equal(talk.len, text + ROWS * sizeof(int64_t));
    assert_memory_equal(talk.body + text - 4, "}]}\n", 4);
    int64_t first;
    memcpy(&first, talk.body + text, sizeof first);
    assert_int_equal(first, 2);
    end(&talk);
    api_free(api);
    free(body);
}

static const char ranked[] =
    "{\"inputs\":[{\"name\":\"logits\",\"shape\":[2,3],\"datatype\":\"FP32\",\"data\":"
    "[0,-Infinity,0,-Infinity,-Infinity,7]},{\"name\":\"labels\",\"shape\":[2],"
    "\"datatype\":\"INT8\",\"data\":[0,2]}],\"outputs\":[{\"name\":\"probabilities\","
    "\"parameters\":{\"binary_data\":true,\"classification\":2}},{\"name\":"
    "\"predictions\",\"parameters\":{\"binary_data\":true}}]}";

static const char ranked_answer[] =
    "{\"model_name\":\"cross_entropy\",\"model_version\":\"1\",\"id\":\"\",\"outputs\":["
    "{\"name\":\"probabilities\",\"datatype\":\"BYTES\",\"shape\":[2,2],"
    "\"parameters\":{\"binary_data_size\":32}},"
    "{\"name\":\"predictions\",\"datatype\":\"INT64\",\"shape\":[2],"
    "\"parameters\":{\"binary_data_size\":16}}]}\n"
    "\x05\0\0\0"
    "0.5:0"
    "\x05\0\0\0"
    "0.5:2"
    "\x03\0\0\0"
    "1:2"
    "\x03\0\0\0"
    "0:0"
    "\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0";

static void inference__writes_a_classification_in_bytes(void **state)
{
    struct api *api = new_api();
    struct talk talk;

    (void)state;
    ask(&talk, api, span_of(ranked), "", 0);
    assert_int_equal(talk.response.status, 200);
    assert_int_equal(talk.len, sizeof ranked_answer - 1);
    assert_memory_equal(talk.body, ranked_answer, talk.len);
    end(&talk);
    api_free(api);
}

static const char reversed[] =
    "{\"inputs\":[{\"name\":\"logits\",\"shape\":[2,2],\"datatype\":\"FP64\",\"data\":"
    "[1,1,0,-Infinity]}],\"outputs\":[{\"name\":\"predictions\",\"parameters\":{"
    "\"binary_data\":true}},{\"name\":\"logsumexp\"},{\"name\":\"probabilities\","
    "\"parameters\":{\"binary_data\":true,\"classification\":1}}]}";

static const char reversed_answer[] =
    "{\"model_name\":\"softmax\",\"model_version\":\"1\",\"id\":\"\",\"outputs\":["
    "{\"name\":\"predictions\",\"datatype\":\"INT64\",\"shape\":[2],"
    "\"parameters\":{\"binary_data_size\":16}},"
    "{\"name\":\"logsumexp\",\"datatype\":\"FP64\",\"shape\":[2],"
    "\"data\":[1.6931471805599454,0]},"
    "{\"name\":\"probabilities\",\"datatype\":\"BYTES\",\"shape\":[2,1],"
    "\"parameters\":{\"binary_data_size\":16}}]}\n"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\x05\0\0\0"
    "0.5:0"
    "\x03\0\0\0"
    "1:0";

static void inference__writes_outputs_in_the_order_they_are_asked_for(void **state)
{
    struct api *api = new_api();
    struct talk talk;

    (void)state;
    ask_model(&talk, api, "softmax", span_of(reversed), "", 0);
    assert_int_equal(talk.response.status, 200);
    assert_int_equal(talk.len, sizeof reversed_answer - 1);
    assert_memory_equal(talk.body, reversed_answer, talk.len);
    end(&talk);
    api_free(api);
}

/* More than is written at once, in pieces that end anywhere. */
static void inference__writes_a_large_classification(void **state)
{
    enum { ROWS = 2000 };
    static const char wanted[] =
        "],\"outputs\":[{\"name\":\"probabilities\",\"parameters\":{\"binary_data\":%s,"
        "\"classification\":3}}]}";
    char *body = malloc(ANSWER_MAX);
    struct api *api = new_api();

    (void)state;
    assert_non_null(body);
    for (int in_bytes = 0; in_bytes <= 1; in_bytes++) {
        struct talk talk;
        write_large(body, ROWS);
        char *tail = strstr(body, "],\"outputs\"");
        tail += sprintf(tail, wanted, in_bytes ? "true" : "false");
        ask(&talk, api, (struct span){body, (size_t)(tail - body)}, "", 1000);
        assert_int_equal(talk.response.status, 200);
        assert_non_null(talk.response.fill);
        size_t colons = 0, text = in_bytes ? text_length(&talk) : 0;
        for (size_t i = text; i + 1 < talk.len; i++)
            colons +=
                talk.body[i] == ':' && talk.body[i + 1] >= '0' && talk.body[i + 1] <= '2';
        assert_int_equal(colons, 3 * ROWS);
        if (in_bytes)
            assert_int_equal(told_size(&talk), talk.len - text);
        end(&talk);
    }
    api_free(api);
    free(body);
}

/* Where it is answered depends on what that will cost, before the tensors are looked at. */
static void inference__is_expected_to_cost_what_it_has(void **state)
{
    static const char format[] =
        "{\"inputs\":[{\"name\":\"logits\",\"shape\":[1000,10],\"datatype\":\"INT8\","
        "\"parameters\":{\"binary_data_size\":10000}}],\"outputs\":[{\"name\":"
        "\"probabilities\",\"parameters\":{\"classification\":%d}}]}";
    struct api *api = new_api();
    int64_t cost[3];
    char text[300];

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct exchange exchange;
        exchange_init(&exchange, api, NULL);
        exchange.head.method = span_of("POST");
        exchange.head.target = span_of("/v2/models/softmax/infer");
        sprintf(text, format, (int[]){0, 1, 10}[i]);
        api_route(&exchange);
        assert_true(api_feed(&exchange, span_of(text)));
        cost[i] = api_cost_ns(&exchange);
        exchange_release(&exchange);
    }
    assert_true(cost[0] > 10000);
    assert_true(cost[1] > cost[0] + 10000);
    assert_true(cost[2] > 100 * 10000);
    api_free(api);
}

/* ---- every output of every model --------------------------------------------------- */

#define OF_LOGITS \
    "{\"name\":\"logits\",\"shape\":[1,2],\"datatype\":\"FP64\",\"data\":[1,2]}"
#define OF_FEATURES                                                               \
    "{\"name\":\"features\",\"shape\":[1,1],\"datatype\":\"FP64\",\"data\":[1]}," \
    "{\"name\":\"W\",\"shape\":[2,1],\"datatype\":\"FP64\",\"data\":[0.5,0.25]}"
#define OF_BIAS \
    OF_FEATURES ",{\"name\":\"b\",\"shape\":[2],\"datatype\":\"FP64\",\"data\":[0,1]}"
#define LABELS ",{\"name\":\"labels\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[0]}"
#define TARGETS \
    ",{\"name\":\"targets\",\"shape\":[1,2],\"datatype\":\"FP64\",\"data\":[0,1]}"

static const char *const scores[] = {OF_LOGITS, OF_FEATURES, OF_BIAS};
static const char *const truths[] = {"", LABELS, TARGETS};

/* As many elements as its shape says, and at least one. */
static void assert_whole(const cJSON *output)
{
    const cJSON *shape = cJSON_GetObjectItem(output, "shape"), *dim;
    int count = 1;

    cJSON_ArrayForEach(dim, shape) count *= dim->valueint;
    assert_true(cJSON_GetArraySize(shape) > 0);
    assert_true(count > 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(output, "data")), count);
}

/* Is it answered?  Else it is refused. */
static bool answers(struct api *api, const char *model, const char *score,
                    const char *truth, enum output output, bool in_bytes)
{
    struct talk talk;
    char body[1000];

    snprintf(body, sizeof body,
             "{\"inputs\":[%s%s],\"outputs\":[{\"name\":\"%s\",\"parameters\":{"
             "\"binary_data\":%s}}]}",
             score, truth, output_names[output], in_bytes ? "true" : "false");
    ask_model(&talk, api, model, span_of(body), "", 0);
    unsigned status = talk.response.status;
    if (status == 200 && !in_bytes) {
        cJSON *answer = cJSON_ParseWithLength(talk.body, talk.len);
        const cJSON *outputs = cJSON_GetObjectItem(answer, "outputs");
        assert_int_equal(cJSON_GetArraySize(outputs), 1);
        assert_whole(cJSON_GetArrayItem(outputs, 0));
        cJSON_Delete(answer);
    } else if (status == 200) {
        assert_true(talk.len > text_length(&talk));
    } else {
        assert_in_range(status, 400, 422);
    }
    end(&talk);
    return status == 200;
}

static unsigned count_answers(struct api *api, const char *model)
{
    unsigned count = 0;

    for (size_t s = 0; s < 3; s++)
        for (size_t t = 0; t < 3; t++)
            for (enum output o = 0; o < OUTPUTS; o++) {
                bool is_answered = answers(api, model, scores[s], truths[t], o, false);
                assert_int_equal(answers(api, model, scores[s], truths[t], o, true),
                                 is_answered);
                count += is_answered;
            }
    return count;
}

/* What is not there can be asked for: gradient_b without b, say. */
static void inference__answers_any_output_whole_or_not_at_all(void **state)
{
    struct api *api = new_api();

    (void)state;
    assert_true(count_answers(api, "softmax") > 0);
    for (size_t i = 0; i < loss_count; i++)
        assert_true(count_answers(api, loss_table[i]->name) > 0);
    api_free(api);
}

/* ---- single precision as text and as bytes ------------------------------------------ */

enum { SINGLES = 6 };

static uint64_t seed = 1;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

/* From 0 to 1; the middle of two floats, to which a double is rounded, or close to it. */
static void draw_single(char text[40])
{
    float low = (float)draw(1 << 23) / (float)(1 << 23);
    double value = ((double)low + (double)nextafterf(low, 2)) / 2;
    size_t len = (size_t)sprintf(text, "%.30f", value);

    if (draw(2))
        snprintf(text, 40, "%.17g", (double)draw(1 << 30) / 1e9 / 2);
    else if (draw(2))
        text[len - 1] = '1';
}

struct singles {
    char text[SINGLES][40];
    float bytes[SINGLES];
};

static void draw_singles(struct singles *singles)
{
    for (size_t i = 0; i < SINGLES; i++) {
        draw_single(singles->text[i]);
        singles->bytes[i] = strtof(singles->text[i], NULL);
    }
}

/* Its members in any order.  Returns the end. */
static char *write_input(char *out, const char *name, const char *shape,
                         const struct singles *singles, bool in_bytes)
{
    char member[4][400];
    size_t first = draw(4), len = (size_t)sprintf(member[3], "\"data\":");

    sprintf(member[0], "\"name\":\"%s\"", name);
    sprintf(member[1], "\"datatype\":\"FP32\"");
    sprintf(member[2], "\"shape\":%s", shape);
    for (size_t i = 0; i < SINGLES; i++)
        len += (size_t)sprintf(member[3] + len, "%c%s", i ? ',' : '[', singles->text[i]);
    strcpy(member[3] + len, "]");
    if (in_bytes)
        sprintf(member[3], "\"parameters\":{\"binary_data_size\":%zu}",
                sizeof singles->bytes);
    return out + sprintf(out, "{%s,%s,%s,%s},", member[first], member[(first + 1) % 4],
                         member[(first + 2) % 4], member[(first + 3) % 4]);
}

static const char *const single_inputs[][2] = {
    {"logits", "[1,6]"}, {"targets", "[1,6]"}, {"pos_weight", "[6]"}};
enum { SINGLE_INPUTS = sizeof single_inputs / sizeof single_inputs[0] };

static void ask_singles(struct talk *talk, struct api *api,
                        const struct singles singles[SINGLE_INPUTS], const char *dtype,
                        bool in_bytes)
{
    char body[4000] = "{\"inputs\":[", target[64], length[24];
    char *end = body + strlen(body);

    for (size_t i = 0; i < SINGLE_INPUTS; i++)
        end = write_input(end, single_inputs[i][0], single_inputs[i][1], &singles[i],
                          in_bytes);
    end +=
        sprintf(end - 1, "],\"outputs\":[{\"name\":\"loss\"},{\"name\":\"gradient\"}]}");
    sprintf(length, "%d", (int)(end - 1 - body));
    for (size_t i = 0; in_bytes && i < SINGLE_INPUTS; i++)
        memcpy(end - 1 + i * sizeof singles->bytes, singles[i].bytes,
               sizeof singles->bytes);
    end += in_bytes ? SINGLE_INPUTS * sizeof singles->bytes : 0;
    sprintf(target, "/v2/models/bce_with_logits/infer?dtype=%s", dtype);
    ask_at(talk, api, target, (struct span){body, (size_t)(end - 1 - body)},
           in_bytes ? length : "", 0);
}

static void inference__takes_the_text_of_floats_for_their_bytes(void **state)
{
    struct singles singles[SINGLE_INPUTS];
    struct api *api = new_api();

    (void)state;
    for (size_t n = 0; n < 500; n++) {
        const char *dtype = draw(2) ? "float64" : "float32";
        struct talk text, bytes;
        for (size_t i = 0; i < SINGLE_INPUTS; i++)
            draw_singles(&singles[i]);
        ask_singles(&text, api, singles, dtype, false);
        ask_singles(&bytes, api, singles, dtype, true);
        assert_int_equal(text.response.status, 200);
        assert_int_equal(text.len, bytes.len);
        assert_memory_equal(text.body, bytes.body, text.len);
        end(&text);
        end(&bytes);
    }
    api_free(api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inference__answers_the_recorded_bytes_wherever_they_are_cut),
        cmocka_unit_test(inference__refuses_the_recorded_bytes_when_one_is_missing),
        cmocka_unit_test(inference__tells_how_long_the_text_is_before_it_is_written),
        cmocka_unit_test(inference__writes_a_classification_in_bytes),
        cmocka_unit_test(inference__writes_outputs_in_the_order_they_are_asked_for),
        cmocka_unit_test(inference__writes_a_large_classification),
        cmocka_unit_test(inference__is_expected_to_cost_what_it_has),
        cmocka_unit_test(inference__answers_any_output_whole_or_not_at_all),
        cmocka_unit_test(inference__takes_the_text_of_floats_for_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
