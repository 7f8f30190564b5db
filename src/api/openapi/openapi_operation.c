/* What one route is sent and what it answers with. */
#include "api/openapi/openapi_operation.h"

#include <ctype.h>
#include <stdio.h>

#include "api/openapi/openapi_examples.h"
#include "api/openapi/openapi_schema.h"
#include "api/openapi/openapi_shared.h"
#include "api/openapi/openapi_write.h"
#include "api/path.h"
#include "api/problem.h"
#include "lossd/codec/codec.h"

/* ---- what is sent --------------------------------------------------------------- */

static void write_option(struct json *json, enum member member, const struct task *task)
{
    const struct member_info *info = &member_infos[member];

    json_open(json, '{');
    json_text_member(json, "name", info->name);
    json_text_member(json, "in", "query");
    json_text_member(json, "description", info->help);
    if (info->type == MEMBER_NAMES) {
        json_text_member(json, "style", "form");
        json_key(json, "explode");
        json_bool(json, false);
    }
    json_key(json, "schema");
    openapi_member(json, member, task);
    json_close(json, '}');
}

static bool is_option(enum member member, const struct task *task)
{
    enum member_type type = member_infos[member].type;

    return task->members >> member & 1 && type != MEMBER_ARRAY && type != MEMBER_LABELS;
}

/* Of an inference the model says which loss, and its outputs what is to be answered. */
static bool is_of_inference(enum member member)
{
    return member != MEMBER_loss && member != MEMBER_return && member != MEMBER_on_error;
}

static void write_options(const struct route *route, struct json *json)
{
    struct task whole = codec_whole_task(route->task);

    for (enum member m = 0; m < MEMBERS; m++)
        if (is_option(m, &whole) && (!route->codec || is_of_inference(m)))
            write_option(json, m, &whole);
}

static void write_segments(const struct route *route, struct json *json)
{
    const char *path = route->path;
    struct span name;

    while ((name = path_next_name(&path)).len > 0) {
        json_open(json, '{');
        json_key(json, "name");
        json_string(json, name);
        json_text_member(json, "in", "path");
        json_key(json, "required");
        json_bool(json, true);
        openapi_open(json, "schema", '{');
        json_text_member(json, "type", "string");
        json_close(json, '}');
        json_close(json, '}');
    }
}

static enum openapi_routes kind_of(const struct route *route)
{
    return route->task ? OPENAPI_SCORING : route->page ? OPENAPI_PAGES : OPENAPI_ANY;
}

static void write_parameters(const struct route *route, struct json *json)
{
    openapi_open(json, "parameters", '[');
    write_segments(route, json);
    if (route->task)
        write_options(route, json);
    openapi_parameter_refs(json, kind_of(route));
    json_close(json, ']');
}

static void write_examples(struct json *json, const struct task *task, bool replies)
{
    openapi_open(json, "examples", '{');
    for (size_t i = 0; i < openapi_example_count; i++) {
        const struct openapi_example *example = &openapi_examples[i];
        if (example->task != task)
            continue;
        openapi_open(json, example->name, '{');
        json_text_member(json, "summary", example->summary);
        json_key(json, "value");
        json_raw(json, span_of(replies ? example->reply : example->request));
        json_close(json, '}');
    }
    json_close(json, '}');
}

/* "TASK_request" or "TASK_answer" */
static void write_task_ref(struct json *json, const struct task *task, const char *what)
{
    char name[64];

    snprintf(name, sizeof name, "%s_%s", task->name, what);
    openapi_ref(json, "schemas", name);
}

/* Bytes of a file have no schema. */
static void write_other_body(struct json *json, const struct task *task, struct span type)
{
    bool is_form = span_is(type, "multipart/form-data");
    bool is_lines = memmem(type.at, type.len, "json", 4) != NULL;

    if (!is_form && !is_lines)
        return;
    openapi_open(json, "schema", '{');
    if (is_form) {
        openapi_form(json, task);
    } else {
        json_text_member(json, "type", "string");
        json_text_member(json, "description",
                         "a dataset, an object on each line: logits and label, or logits "
                         "and labels or targets of many; weight or sample_weights, and "
                         "id, if any");
    }
    json_close(json, '}');
}

/* JSON by another name is a text with JSON in it. */
static void write_body(struct json *json, const struct task *task, struct span type)
{
    bool is_json = span_is(type, "application/json");

    if (codec_for(task, type) != codec_for(task, span_of("application/json"))) {
        write_other_body(json, task, type);
        return;
    }
    openapi_open(json, "schema", '{');
    if (is_json) {
        write_task_ref(json, task, "request");
    } else {
        json_text_member(json, "type", "string");
        if (!memmem(type.at, type.len, "json", 4)) /* JSON in lines is not JSON */
            json_text_member(json, "contentMediaType", "application/json");
    }
    json_close(json, '}');
    if (is_json)
        write_examples(json, task, false);
}

/* What is in a body that is not JSON alone has no schema. */
static void write_tensors(struct json *json, struct span type)
{
    if (!span_is(type, "application/json"))
        return;
    openapi_open(json, "schema", '{');
    openapi_ref(json, "schemas", "inference_request");
    json_close(json, '}');
}

/* The key of an object that `rest`, a list like Accept-Post, has next. */
static struct span next_type(struct json *json, struct span *rest)
{
    struct span type = span_trim(span_cut(rest, ','), " ");
    char key[128];

    snprintf(key, sizeof key, "%.*s", (int)type.len, type.at);
    openapi_open(json, key, '{');
    return type;
}

static void write_request(const struct route *route, struct json *json)
{
    char types[MEDIA_TYPES_SIZE];
    struct span rest;

    route_media_types(route, types);
    rest = span_of(types);
    openapi_open(json, "requestBody", '{');
    json_key(json, "required");
    json_bool(json, true);
    openapi_open(json, "content", '{');
    while (rest.len > 0) {
        struct span type = next_type(json, &rest);
        if (route->codec)
            write_tensors(json, type);
        else
            write_body(json, route->task, type);
        json_close(json, '}');
    }
    json_close(json, '}');
    json_close(json, '}');
}

/* ---- what is answered ----------------------------------------------------------- */

static void write_answer(const struct route *route, struct json *json, struct span type)
{
    bool is_json = span_is(type, "application/json");
    bool is_scored = route->task && !route->codec;

    openapi_open(json, "schema", '{');
    if (is_json && is_scored)
        write_task_ref(json, route->task, "answer");
    else
        openapi_type(json, is_json ? route->answer : "string");
    if (span_is(type, "application/x-ndjson"))
        json_text_member(json, "description",
                         "with return=records: an object for each position, with line, "
                         "id, loss and prediction, and {\"summary\":...} at the end");
    json_close(json, '}');
    if (is_json && is_scored)
        write_examples(json, route->task, true);
}

static void write_success(const struct route *route, struct json *json)
{
    struct span rest =
        span_of(route->media_types ? route->media_types : "application/json");

    openapi_open(json, "200", '{');
    json_text_member(json, "description", route->help);
    openapi_header_refs(json, 200, kind_of(route));
    openapi_open(json, "content", '{');
    while (rest.len > 0) {
        struct span type = next_type(json, &rest);
        write_answer(route, json, type);
        json_close(json, '}');
    }
    json_close(json, '}');
    json_close(json, '}');
    if (!route->page)
        return;
    openapi_open(json, "304", '{');
    json_text_member(json, "description", "it is the one that If-None-Match names");
    openapi_header_refs(json, 200, kind_of(route));
    json_close(json, '}');
}

static bool has_model(const struct route *route)
{
    const char *path = route->path;

    return path_next_name(&path).len > 0;
}

/* It has no answer but to refuse. */
static bool always_refuses(const struct route *route)
{
    return route->answer && !*route->answer;
}

/* Whoever is here has found the route; what is said of a batch is not said elsewhere. */
static bool may_refuse(const struct api *api, const struct route *route,
                       enum err_kind kind)
{
    bool of_batch = err_phase(kind) != PHASE_TRANSPORT ||
                    kind == ERR_UNSUPPORTED_MEDIA_TYPE ||
                    kind == ERR_UNSUPPORTED_ENCODING;

    if (kind == ERR_UNKNOWN_ROUTE)
        return false;
    if (kind == ERR_UNKNOWN_MODEL)
        return has_model(route);
    if (kind == ERR_NOT_ACCEPTABLE)
        return route->task;
    if (kind == ERR_MODEL_BUILT_IN)
        return always_refuses(route);
    if (kind == ERR_UNAUTHORIZED)
        return api->settings.keys && !route->is_health;
    return route->task || !of_batch || kind == ERR_INVALID_OPTION;
}

static bool may_answer(const struct api *api, const struct route *route, unsigned status)
{
    for (enum err_kind kind = ERR_NONE + 1; kind < ERR_KINDS; kind++)
        if (problem_status(kind) == status && may_refuse(api, route, kind))
            return true;
    return false;
}

static void write_responses(const struct api *api, const struct route *route,
                            struct json *json)
{
    char key[4];

    openapi_open(json, "responses", '{');
    if (!always_refuses(route))
        write_success(route, json);
    for (unsigned status = PROBLEM_FIRST; status < PROBLEM_END; status++) {
        if (!may_answer(api, route, status))
            continue;
        snprintf(key, sizeof key, "%u", status);
        openapi_open(json, key, '{');
        openapi_ref(json, "responses", key);
        json_close(json, '}');
    }
    json_close(json, '}');
}

/* "/v1/losses" is losses, "/openapi.json" openapi_json. */
static void write_id(const struct route *route, struct json *json)
{
    static const char version[] = "/v1/";
    const char *path = route->path;
    char id[64];
    size_t len = 0;

    path += strncmp(path, version, sizeof version - 1) == 0 ? sizeof version - 1 : 1;
    for (; *path && len < sizeof id - 1; path++)
        id[len++] = isalnum((unsigned char)*path) ? *path : '_';
    id[len] = '\0';
    json_text_member(json, "operationId", len > 0 ? id : "root");
}

void openapi_operation(const struct api *api, const struct route *route,
                       struct json *json)
{
    json_open(json, '{');
    write_id(route, json);
    json_text_member(json, "summary", route->help);
    if (route->is_health && api->settings.keys) {
        openapi_open(json, "security", '[');
        json_close(json, ']');
    }
    write_parameters(route, json);
    if (route->task)
        write_request(route, json);
    write_responses(api, route, json);
    json_close(json, '}');
}
