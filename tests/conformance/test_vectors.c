/* The conformance vectors of others, asked for over HTTP: each is a test of its own.
 *
 * An argument is a pattern of the names to run:
 *
 *     build/tests/conformance/test_vectors '*edge*' */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../system/conformance.h"
#include "../system/service.h"
#include "../system/vector.h"
#include "../system/without.h"

static struct service service;
static struct client *client;

/* ---- what is answered otherwise than PyTorch does --------------------------- */

enum outcome {
    NOTHING, /* there is nothing to average: null, divisor 0, gradient 0 */
    REFUSED,
    ZERO,   /* PyTorch's NaN is exactly 0 */
    ENTROPY /* PyTorch's NaN is the sum without the terms 0 * -Infinity */
};

/* Section 7 of the API.  A vector that PyTorch answers with something that is not
 * finite, or that may be refused, must be named here. */
static const struct policy {
    const char *name;
    enum outcome outcome;
    const char *code, *pointer;
} policies[] = {
    {"torch_s_edge_all_ignored_mean", NOTHING, NULL, NULL},
    {"torch_s_edge_all_ignored_weight_smoothing_mean", NOTHING, NULL, NULL},
    {"torch_s_edge_zero_weight_sum_mean", NOTHING, NULL, NULL},
    {"torch_s_edge_masked_row_ignored_none", ZERO, NULL, NULL},
    {"torch_s_edge_masked_onehot_none", ENTROPY, NULL, NULL},
    {"torch_s_edge_masked_target_none", REFUSED, "masked_label", "/labels/0"},
    {"torch_s_edge_masked_smoothing_none", REFUSED, "masked_label", "/logits/0/2"},
    {"torch_s_edge_negative_weight_mean", REFUSED, "invalid_option", "/class_weights/0"},
    {"torch_s_edge_unnormalised_target_mean", REFUSED, "invalid_option", "/targets/0"},
};

static const struct policy *find_policy(const struct vector *vector)
{
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++)
        if (strcmp(policies[i].name, vector->name) == 0)
            return &policies[i];
    return NULL;
}

static bool needs_policy(const struct vector *vector)
{
    return vector_has_tag(vector, "nonfinite-output") ||
           vector_has_tag(vector, "negative-weight") ||
           vector_has_tag(vector, "unnormalised-target");
}

/* ---- checks ----------------------------------------------------------------- */

static const cJSON *answered(const struct vector *vector, const cJSON *json,
                             const char *output)
{
    return cJSON_GetObjectItemCaseSensitive(json, vector_member(vector, output));
}

static void assert_output(const struct vector *vector, const cJSON *json,
                          const char *output)
{
    const cJSON *tensor = vector_output(vector, output);
    char why[400];

    if (tensor && !tensor_holds(vector, tensor, answered(vector, json, output), why))
        fail_msg("%s: %s: %s", vector->name, output, why);
}

static void assert_text(const cJSON *json, const char *member, const char *expected)
{
    const char *got =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, member));

    assert_non_null(got);
    assert_string_equal(got, expected);
}

static void assert_nothing_to_average(const struct vector *vector, const cJSON *json)
{
    const cJSON *gradient = answered(vector, json, "gradient");

    assert_true(cJSON_IsNull(answered(vector, json, "loss")));
    assert_true(cJSON_GetNumberValue(answered(vector, json, "divisor")) == 0);
    for (size_t i = 0; i < tensor_count(vector_output(vector, "gradient")); i++)
        assert_true(nested_number(gradient, i) == 0);
    assert_output(vector, json, "probabilities");
}

/* An element of an output whose expected value is NaN in the vector. */
static double wanted_by_policy(const struct vector *vector, enum outcome outcome,
                               size_t position)
{
    const cJSON *probabilities = vector_output(vector, "probabilities");
    const cJSON *target = vector_input(vector, "target");
    size_t classes = 4; /* of the one vector with this outcome, [3,4] */
    double loss = 0;

    if (outcome == ZERO)
        return 0;
    for (size_t i = position * classes; i < (position + 1) * classes; i++)
        if (tensor_number(target, i) > 0)
            loss -= tensor_number(target, i) * log(tensor_number(probabilities, i));
    return loss;
}

static void assert_finite_instead(const struct vector *vector, const cJSON *json,
                                  enum outcome outcome)
{
    static const char *const outputs[] = {"loss", "gradient", "probabilities"};

    for (size_t o = 0; o < sizeof outputs / sizeof outputs[0]; o++) {
        const cJSON *tensor = vector_output(vector, outputs[o]);
        for (size_t i = 0; i < tensor_count(tensor); i++) {
            double want = tensor_number(tensor, i), allowed = 0;
            double got = nested_number(answered(vector, json, outputs[o]), i);
            if (isnan(want))
                want = wanted_by_policy(vector, outcome, i);
            if (want != 0)
                allowed = vector->atol + vector->rtol * fabs(want);
            if (!(fabs(got - want) <= allowed))
                fail_msg("%s: %s, element %zu: %.17g is wanted, got %.17g", vector->name,
                         outputs[o], i, want, got);
        }
    }
}

static void assert_policy(const struct vector *vector, const struct answer *answer,
                          const cJSON *json)
{
    const struct policy *policy = find_policy(vector);

    if (!policy)
        fail_msg("%s: PyTorch's answer is not ours, and which is ours is not stated",
                 vector->name);
    assert_int_equal(answer->status, policy->outcome == REFUSED ? 422 : 200);
    switch (policy->outcome) {
    case NOTHING:
        assert_nothing_to_average(vector, json);
        break;
    case REFUSED:
        assert_text(json, "code", policy->code);
        assert_text(json, "pointer", policy->pointer);
        break;
    case ZERO:
    case ENTROPY:
        assert_finite_instead(vector, json, policy->outcome);
        break;
    }
}

static void vector_is_reproduced(void **state)
{
    const struct vector *vector = *state;
    struct question question = vector_question(vector);
    struct answer answer;
    char why[200];

    assert_non_null(question.body);
    if (!client_ask(client, &question, &answer, why))
        fail_msg("%s: no answer: %s", vector->name, why);
    cJSON *json = cJSON_Parse(answer.body);
    assert_non_null(json);
    if (needs_policy(vector)) {
        assert_policy(vector, &answer, json);
    } else {
        const cJSON *output;
        if (answer.status != 200)
            fail_msg("%s: %u %s", vector->name, answer.status, answer.body);
        cJSON_ArrayForEach(output, cJSON_GetObjectItem(vector->json, "outputs"))
            assert_output(vector, json, output->string);
    }
    cJSON_Delete(json);
    answer_release(&answer);
    free((void *)(uintptr_t)question.body);
}

/* ---- all of them ------------------------------------------------------------ */

enum { REASONS = 16 };

/* How many vectors are out of reach, by reason. */
static struct {
    const char *text;
    unsigned count;
} reasons[REASONS];

static void count_reason(const char *text)
{
    size_t i = 0;

    while (i < REASONS - 1 && reasons[i].text && strcmp(reasons[i].text, text) != 0)
        i++;
    if (!reasons[i].text)
        reasons[i].text = strdup(text);
    reasons[i].count++;
}

static int start(void **state)
{
    (void)state;
    if (!service_start(&service, NULL))
        return -1;
    client = client_new(service.port);
    return client ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    client_free(client);
    return service_stop(&service);
}

/* Reads the files into vectors and tests; returns how many are to be run. */
static size_t read_all(const glob_t *paths, struct vector *vectors,
                       struct CMUnitTest *tests)
{
    size_t count = 0;

    for (size_t i = 0; i < paths->gl_pathc; i++) {
        struct vector *vector = &vectors[count];
        if (!vector_read(vector, paths->gl_pathv[i])) {
            fprintf(stderr, "%s is no vector\n", paths->gl_pathv[i]);
            exit(1);
        }
        const char *reason = vector_out_of_reach(vector);
        if (reason) {
            count_reason(reason);
            vector_release(vector);
            continue;
        }
        tests[count++] =
            (struct CMUnitTest){vector->name, vector_is_reproduced, NULL, NULL, vector};
    }
    return count;
}

static void print_summary(size_t ran, size_t all)
{
    printf("%zu of %zu vectors run\n", ran, all);
    if (ran == all)
        return;
    printf("skipped: %zu vectors the API has no request for:", all - ran);
    for (size_t i = 0; i < REASONS && reasons[i].text; i++) {
        printf("%s %u %s", i > 0 ? "," : "", reasons[i].count, reasons[i].text);
        free((void *)(uintptr_t)reasons[i].text);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    char pattern[4096];
    glob_t paths;

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    snprintf(pattern, sizeof pattern, "%s/{onnx,torch}/*.json", conformance_folder());
    if (glob(pattern, GLOB_BRACE, NULL, &paths) != 0) {
        snprintf(pattern, sizeof pattern,
                 "no conformance vectors in %.3000s (LOSSD_CONFORMANCE names another "
                 "folder)",
                 conformance_folder());
        return run_without("vectors", pattern);
    }
    struct vector *vectors = calloc(paths.gl_pathc, sizeof vectors[0]);
    struct CMUnitTest *tests = calloc(paths.gl_pathc, sizeof tests[0]);
    if (!vectors || !tests)
        return 1;
    size_t count = read_all(&paths, vectors, tests);
    int failed = _cmocka_run_group_tests("conformance", tests, count, start, stop);
    print_summary(count, paths.gl_pathc);
    for (size_t i = 0; i < count; i++)
        vector_release(&vectors[i]);
    free(vectors);
    free(tests);
    globfree(&paths);
    return failed != 0;
}
