/* api/openapi*.c: the document and the tables it is made of say the same. */
#include "api/openapi/openapi.h"
#include "api/openapi/openapi_examples.h"
#include "api/problem.h"
#include "lossd/api/keyring.h"
#include "lossd/codec/codec.h"
#include "lossd/engine/loss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static const struct api_limit shown[] = {
    {"max_body", "--max-body", 1 << 20, "bytes", "most"}};

static struct api *new_api(struct keyring *keys)
{
    const struct api_settings settings = {
        .limits = {.max_elements = 1000,
                   .max_classes = 100,
                   .max_depth = 8,
                   .max_text = 10000},
        .max_body = 1 << 20,
        .max_request_memory = 4 << 20,
        .keys = keys,
        .shown = shown,
        .shown_count = 1,
        .version = "1.0.0",
    };
    struct api *api = api_new(&settings);

    assert_non_null(api);
    return api;
}

static cJSON *document_of(const struct api *api)
{
    cJSON *document = cJSON_ParseWithLength(api->openapi.text.at, api->openapi.text.len);

    assert_non_null(document);
    return document;
}

/* What is at "a/b/c", where ~1 is a slash, in it. */
static const cJSON *find(const cJSON *at, const char *path)
{
    char key[256];

    while (at && *path) {
        size_t len = 0;
        for (; *path && *path != '/'; path++)
            if (path[0] == '~' && path[1] == '1')
                key[len++] = '/', path++;
            else
                key[len++] = *path;
        key[len] = '\0';
        at = cJSON_GetObjectItemCaseSensitive(at, key);
        path += *path == '/';
    }
    return at;
}

static bool lists(const cJSON *array, const char *text)
{
    const cJSON *item = NULL;

    cJSON_ArrayForEach(item, array)
    {
        if (strcmp(item->valuestring, text) == 0)
            return true;
    }
    return false;
}

static void openapi__has_every_route_and_nothing_else(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    const cJSON *paths = find(document, "paths"), *path = NULL, *operation = NULL;
    size_t operations = 0;

    (void)state;
    cJSON_ArrayForEach(path, paths)
    {
        cJSON_ArrayForEach(operation, path)
        {
            const char *method = strcmp(operation->string, "get") == 0 ? "GET" : "POST";
            struct err err = {0};
            operations++;
            if (!route_find(span_of(method), span_of(path->string), &err))
                fail_msg("%s", err.detail);
        }
    }
    assert_int_equal(operations, route_count);
    for (size_t i = 0; i < route_count; i++)
        assert_non_null(cJSON_GetObjectItemCaseSensitive(paths, routes[i].path));
    cJSON_Delete(document);
    api_free(api);
}

static void openapi__gives_every_operation_a_name_of_its_own(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    const char *names[64];
    const cJSON *path = NULL;
    size_t count = 0;

    (void)state;
    cJSON_ArrayForEach(path, find(document, "paths"))
    {
        names[count] = find(path->child, "operationId")->valuestring;
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(names[i], names[count]);
        assert_in_range(++count, 1, 63);
    }
    cJSON_Delete(document);
    api_free(api);
}

static bool has_parameter(const cJSON *document, const char *path, const char *name)
{
    const cJSON *paths = find(document, "paths"), *parameter = NULL;
    const cJSON *route = cJSON_GetObjectItemCaseSensitive(paths, path);

    cJSON_ArrayForEach(parameter, find(route, "post/parameters"))
    {
        const cJSON *named = find(parameter, "name");
        if (named && strcmp(named->valuestring, name) == 0)
            return true;
    }
    return false;
}

/* What the model or the outputs say is not told in the address. */
static void openapi__lists_what_an_address_may_say(void **state)
{
    static const char infer[] = "/v2/models/{model}/infer", loss[] = "/v1/loss";
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);

    (void)state;
    assert_true(has_parameter(document, infer, "dtype"));
    assert_true(has_parameter(document, infer, "temperature"));
    assert_true(has_parameter(document, loss, "dtype"));
    assert_true(has_parameter(document, loss, "loss"));
    assert_true(has_parameter(document, loss, "return"));
    assert_false(has_parameter(document, infer, "loss"));
    assert_false(has_parameter(document, infer, "return"));
    assert_false(has_parameter(document, infer, "on_error"));
    cJSON_Delete(document);
    api_free(api);
}

static size_t check_refs(const cJSON *document, const cJSON *at)
{
    const cJSON *child = NULL;
    size_t count = 0;

    cJSON_ArrayForEach(child, at)
    {
        if (child->string && strcmp(child->string, "$ref") == 0) {
            count++;
            assert_memory_equal(child->valuestring, "#/", 2);
            if (!find(document, child->valuestring + 2))
                fail_msg("there is no %s", child->valuestring);
        }
        count += check_refs(document, child);
    }
    return count;
}

static void openapi__refers_to_what_is_there(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);

    (void)state;
    assert_in_range(check_refs(document, document), 100, SIZE_MAX);
    cJSON_Delete(document);
    api_free(api);
}

static void openapi__lists_what_the_tables_list(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    const cJSON *schemas = find(document, "components/schemas");
    const cJSON *request = find(schemas, "loss_request/properties");

    (void)state;
    for (enum member m = 0; m < MEMBERS; m++) {
        if (!(task_loss.members >> m & 1))
            continue;
        assert_non_null(find(request, member_infos[m].name));
        assert_string_equal(
            find(find(schemas, member_infos[m].name), "description")->valuestring,
            member_infos[m].help);
    }
    for (size_t i = 0; i < loss_count; i++)
        assert_true(lists(find(schemas, "loss/enum"), loss_table[i]->name));
    for (enum output o = 0; o < OUTPUTS; o++) {
        if (!(task_loss.outputs >> o & 1))
            continue;
        const cJSON *answer = find(schemas, "loss_answer/properties");
        assert_true(lists(find(schemas, "return/items/enum"), output_names[o]));
        assert_true(*find(find(answer, output_names[o]), "description")->valuestring !=
                    '\0');
    }
    for (enum err_kind kind = ERR_NONE + 1; kind < ERR_KINDS; kind++) {
        char status[24];
        snprintf(status, sizeof status, "responses/%u", problem_status(kind));
        assert_true(lists(find(schemas, "problem_code/enum"), problem_code(kind)));
        assert_non_null(strstr(
            find(find(find(document, "components"), status), "description")->valuestring,
            problem_code(kind)));
    }
    assert_non_null(find(schemas, "limits/properties/max_body"));
    cJSON_Delete(document);
    api_free(api);
}

static void openapi__tells_ranges_and_defaults(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    const cJSON *schemas = find(document, "components/schemas");

    (void)state;
    assert_true(find(schemas, "temperature/exclusiveMinimum")->valuedouble == 0);
    assert_true(find(schemas, "temperature/default")->valuedouble == 1);
    assert_null(find(schemas, "temperature/maximum"));
    assert_true(find(schemas, "label_smoothing/maximum")->valuedouble == 1);
    assert_true(find(schemas, "ignore_index/default")->valuedouble == -100);
    assert_null(find(schemas, "ignore_index/minimum"));
    assert_null(find(schemas, "softcap/default"));
    assert_string_equal(find(schemas, "reduction/default")->valuestring, "mean");
    assert_false(
        lists(find(schemas, "softmax_request/properties/return/items/enum"), "gradient"));
    cJSON_Delete(document);
    api_free(api);
}

static void openapi__takes_every_media_type(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    const cJSON *content = find(document, "paths/~1v1~1loss/post/requestBody/content");
    char types[MEDIA_TYPES_SIZE];

    (void)state;
    codec_media_types(&task_loss, types);
    struct span rest = span_of(types);
    for (int i = 0; rest.len > 0; i++) {
        struct span type = span_trim(span_cut(&rest, ','), " ");
        assert_true(span_is(type, cJSON_GetArrayItem(content, i)->string));
    }
    cJSON_Delete(document);
    api_free(api);
}

/* Beside JSON: fields of a form, lines, and what is answered to lines alone. */
static void openapi__describes_forms_and_datasets(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    const cJSON *bodies = find(document, "paths/~1v1~1loss/post/requestBody/content");
    const cJSON *answer = find(document, "components/schemas/loss_answer/properties");
    const cJSON *other = find(document, "components/schemas/softmax_answer/properties");

    (void)state;
    assert_non_null(
        find(bodies, "multipart~1form-data/schema/properties/class_weights/format"));
    assert_non_null(
        find(bodies, "multipart~1form-data/schema/properties/temperature/$ref"));
    assert_non_null(find(bodies, "application~1x-ndjson/schema/description"));
    assert_string_equal(find(answer, "errors/items/$ref")->valuestring,
                        "#/components/schemas/record_error");
    assert_non_null(find(answer, "error_count"));
    assert_null(find(other, "error_count"));
    cJSON_Delete(document);
    api_free(api);
}

static bool refers_to(const cJSON *parameters, const char *name)
{
    const cJSON *parameter;

    cJSON_ArrayForEach(parameter, parameters)
    {
        const cJSON *ref = cJSON_GetObjectItem(parameter, "$ref");
        if (ref && strstr(ref->valuestring, name))
            return true;
    }
    return false;
}

/* What a client would wait for in vain, or not look for. */
static void openapi__tells_of_each_route_what_it_answers(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    const cJSON *paths = find(document, "paths");
    const cJSON *unload = find(paths, "~1v2~1repository~1models~1{model}~1unload/post");
    const cJSON *page = find(paths, "~1docs/get"), *loss = find(paths, "~1v1~1loss/post");

    (void)state;
    assert_null(find(unload, "responses/200"));
    assert_non_null(find(unload, "responses/400"));
    assert_non_null(find(page, "responses/304/headers/ETag"));
    assert_non_null(find(page, "responses/200/headers/ETag"));
    assert_null(find(page, "responses/406"));
    assert_null(find(page, "responses/200/headers/Server-Timing"));
    assert_true(refers_to(find(page, "parameters"), "If-None-Match"));
    assert_false(refers_to(find(loss, "parameters"), "If-None-Match"));
    assert_non_null(find(loss, "responses/406"));
    assert_non_null(find(loss, "responses/200/headers/Server-Timing"));
    assert_null(find(loss, "responses/200/headers/ETag"));
    assert_int_equal(
        cJSON_GetArraySize(find(document, "components/schemas/merge_request/anyOf")), 2);
    cJSON_Delete(document);
    api_free(api);
}

static void openapi__takes_logits_or_a_linear_model_and_labels_or_targets(void **state)
{
    struct api *api = new_api(NULL);
    cJSON *document = document_of(api);
    char *ways =
        cJSON_PrintUnformatted(find(document, "components/schemas/loss_request/allOf"));

    (void)state;
    assert_string_equal(
        ways,
        "[{\"oneOf\":[{\"allOf\":[{\"required\":[\"logits\"]},{\"not\":{\"anyOf\":["
        "{\"required\":[\"features\"]},{\"required\":[\"W\"]},{\"required\":[\"b\"]}]"
        "}}]},{\"allOf\":[{\"required\":[\"features\",\"W\"]},{\"not\":{\"anyOf\":["
        "{\"required\":[\"logits\"]}]}}]}]},{\"oneOf\":[{\"required\":[\"labels\"]},"
        "{\"required\":[\"targets\"]}]}]");
    cJSON_free(ways);
    cJSON_Delete(document);
    api_free(api);
}

static void openapi__wants_a_key_where_the_server_does(void **state)
{
    struct err err = {0};
    struct keyring *keys = keyring_new("tests/conversations/15_access.keys", &err);
    struct api *open = new_api(NULL), *closed = new_api(keys);
    cJSON *without = document_of(open), *with = document_of(closed);

    (void)state;
    assert_non_null(keys);
    assert_int_equal(cJSON_GetArraySize(find(without, "security")), 0);
    assert_null(find(without, "paths/~1v1~1loss/post/responses/401"));
    assert_int_equal(cJSON_GetArraySize(find(with, "security")), 1);
    assert_non_null(find(with, "paths/~1v1~1loss/post/responses/401"));
    assert_null(find(with, "paths/~1v1~1loss/post/security"));
    assert_non_null(find(with, "paths/~1livez/get/security"));
    assert_null(find(with, "paths/~1livez/get/responses/401"));
    cJSON_Delete(without);
    cJSON_Delete(with);
    api_free(open);
    api_free(closed);
    keyring_free(keys);
}

static void assert_answer(struct api *api, const struct openapi_example *example)
{
    struct exchange exchange;
    struct response response;
    char path[64];

    snprintf(path, sizeof path, "/v1/%s", example->task->name);
    exchange_init(&exchange, api, NULL);
    exchange.head.method = span_of("POST");
    exchange.head.target = span_of(path);
    assert_true(api_route(&exchange));
    assert_true(api_feed(&exchange, span_of(example->request)));
    api_answer(&exchange, NULL, &response);
    assert_int_equal(response.body.len, strlen(example->reply) + 1);
    assert_memory_equal(response.body.at, example->reply, strlen(example->reply));
    exchange_release(&exchange);
}

static void openapi_examples__are_answered_so(void **state)
{
    struct api *api = new_api(NULL);

    (void)state;
    for (size_t i = 0; i < openapi_example_count; i++)
        assert_answer(api, &openapi_examples[i]);
    api_free(api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openapi__has_every_route_and_nothing_else),
        cmocka_unit_test(openapi__gives_every_operation_a_name_of_its_own),
        cmocka_unit_test(openapi__lists_what_an_address_may_say),
        cmocka_unit_test(openapi__refers_to_what_is_there),
        cmocka_unit_test(openapi__lists_what_the_tables_list),
        cmocka_unit_test(openapi__tells_ranges_and_defaults),
        cmocka_unit_test(openapi__takes_every_media_type),
        cmocka_unit_test(openapi__describes_forms_and_datasets),
        cmocka_unit_test(openapi__tells_of_each_route_what_it_answers),
        cmocka_unit_test(openapi__takes_logits_or_a_linear_model_and_labels_or_targets),
        cmocka_unit_test(openapi__wants_a_key_where_the_server_does),
        cmocka_unit_test(openapi_examples__are_answered_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
