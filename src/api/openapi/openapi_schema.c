/* The schemas: of members and of requests made of them, of answers, of descriptions. */
#include "api/openapi/openapi_schema.h"

#include <math.h>
#include <stdio.h>

#include "api/openapi/openapi_record.h"
#include "api/openapi/openapi_write.h"
#include "api/problem.h"
#include "api/route.h"

/* ---- members -------------------------------------------------------------------- */

static void write_range(struct json *json, const struct member_info *info)
{
    if (info->type != MEMBER_NUMBER && info->lowest == info->highest)
        return;
    if (isfinite(info->lowest)) {
        json_key(json, info->above_lowest ? "exclusiveMinimum" : "minimum");
        json_number(json, info->lowest);
    }
    if (isfinite(info->highest)) {
        json_key(json, "maximum");
        json_number(json, info->highest);
    }
}

static void write_number(struct json *json, const struct member_info *info,
                         const char *type)
{
    json_text_member(json, "type", type);
    write_range(json, info);
    if (isnan(info->standard))
        return;
    json_key(json, "default");
    json_number(json, info->standard);
}

static void write_element(struct json *json, enum member member)
{
    const struct member_info *info = &member_infos[member];

    json_open(json, '{');
    json_text_member(json, "type", info->type == MEMBER_LABELS ? "integer" : "number");
    write_range(json, info);
    json_close(json, '}');
    if (member != MEMBER_logits)
        return;
    json_open(json, '{');
    json_text_member(json, "const", "-Infinity");
    json_close(json, '}');
}

/* What has the shape of the labels is a bare number for logits of rank 1. */
static bool may_be_bare(enum member member)
{
    return member == MEMBER_labels || member == MEMBER_sample_weights;
}

/* An array of any rank has elements, or arrays like itself, in it. */
static void write_nested(struct json *json, enum member member)
{
    json_text_member(json, "type", "array");
    json_key(json, "minItems");
    json_uint(json, 1);
    openapi_open(json, "items", '{');
    if (may_be_bare(member)) {
        openapi_ref(json, "schemas", member_infos[member].name);
    } else {
        openapi_open(json, "anyOf", '[');
        write_element(json, member);
        json_open(json, '{');
        openapi_ref(json, "schemas", member_infos[member].name);
        json_close(json, '}');
        json_close(json, ']');
    }
    json_close(json, '}');
}

static void write_array(struct json *json, enum member member)
{
    if (!may_be_bare(member)) {
        write_nested(json, member);
        return;
    }
    openapi_open(json, "anyOf", '[');
    write_element(json, member);
    json_open(json, '{');
    write_nested(json, member);
    json_close(json, '}');
    json_close(json, ']');
}

static void write_names(struct json *json, const char *key, uint32_t bits)
{
    openapi_open(json, key, '[');
    for (enum output o = 0; o < OUTPUTS; o++)
        if (bits >> o & 1)
            json_text(json, output_names[o]);
    json_close(json, ']');
}

static void write_outputs(struct json *json, const struct task *task)
{
    json_text_member(json, "type", "array");
    openapi_open(json, "items", '{');
    json_text_member(json, "type", "string");
    write_names(json, "enum", task->outputs);
    json_close(json, '}');
    write_names(json, "default", task->standard_outputs);
}

static void write_enum(struct json *json, const char *const *names)
{
    json_text_member(json, "type", "string");
    openapi_open(json, "enum", '[');
    for (; *names; names++)
        json_text(json, *names);
    json_close(json, ']');
}

void openapi_member(struct json *json, enum member member, const struct task *task)
{
    const struct member_info *info = &member_infos[member];

    json_open(json, '{');
    switch (info->type) {
    case MEMBER_ARRAY:
    case MEMBER_LABELS:
        write_array(json, member);
        break;
    case MEMBER_NUMBER:
        write_number(json, info, "number");
        break;
    case MEMBER_INTEGER:
        write_number(json, info, "integer");
        break;
    case MEMBER_CHOICE:
        write_enum(json, info->choices);
        json_text_member(json, "default", info->choices[0]);
        break;
    case MEMBER_NAMES:
        write_outputs(json, task);
        break;
    case MEMBER_TEXT:
        json_text_member(json, "type", "string");
        json_key(json, "maxLength");
        json_number(json, info->highest);
        break;
    }
    json_text_member(json, "description", info->help);
    json_close(json, '}');
}

/* ---- requests ------------------------------------------------------------------- */

static void write_required(struct json *json, const char *a, const char *b)
{
    json_open(json, '{');
    openapi_open(json, "required", '[');
    json_text(json, a);
    if (b)
        json_text(json, b);
    json_close(json, ']');
    json_close(json, '}');
}

static void write_not(struct json *json, const char *const names[])
{
    json_open(json, '{');
    openapi_open(json, "not", '{');
    openapi_open(json, "anyOf", '[');
    for (; *names; names++)
        write_required(json, *names, NULL);
    json_close(json, ']');
    json_close(json, '}');
    json_close(json, '}');
}

/* The one, and nothing of the other. */
static void write_way(struct json *json, const char *a, const char *b,
                      const char *const others[])
{
    json_open(json, '{');
    openapi_open(json, "allOf", '[');
    write_required(json, a, b);
    write_not(json, others);
    json_close(json, ']');
    json_close(json, '}');
}

static void write_logits(struct json *json, const struct task *task)
{
    static const char *const of_model[] = {"features", "W", "b", NULL}, *const given[] = {
                                                                            "logits",
                                                                            NULL};

    if (!(task->members >> MEMBER_features & 1)) {
        write_required(json, "logits", NULL);
        return;
    }
    write_way(json, "logits", NULL, of_model);
    write_way(json, "features", "W", given);
}

/* One way of saying the logits, and one of saying what is true. */
static void write_ways(struct json *json, const struct task *task)
{
    openapi_open(json, "allOf", '[');
    json_open(json, '{');
    openapi_open(json, "oneOf", '[');
    write_logits(json, task);
    json_close(json, ']');
    json_close(json, '}');
    if (task->needs_truth) {
        json_open(json, '{');
        openapi_open(json, "oneOf", '[');
        write_required(json, "labels", NULL);
        write_required(json, "targets", NULL);
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_members(struct json *json, const struct task *task)
{
    json_text_member(json, "type", "object");
    openapi_open(json, "properties", '{');
    for (enum member m = 0; m < MEMBERS; m++) {
        if (!(task->members >> m & 1))
            continue;
        json_key(json, member_infos[m].name);
        if (member_infos[m].type == MEMBER_NAMES) {
            openapi_member(json, m, task);
            continue;
        }
        json_open(json, '{');
        openapi_ref(json, "schemas", member_infos[m].name);
        json_close(json, '}');
    }
    json_close(json, '}');
    json_key(json, "additionalProperties");
    json_bool(json, false);
    write_ways(json, task);
}

/* The fields of a form: arrays are files, or texts of JSON, and all else is text. */
void openapi_form(struct json *json, const struct task *task)
{
    json_text_member(json, "type", "object");
    openapi_open(json, "properties", '{');
    for (enum member m = 0; m < MEMBERS; m++) {
        if (!(task->members >> m & 1))
            continue;
        openapi_open(json, member_infos[m].name, '{');
        if (member_is_array(m)) {
            json_text_member(json, "type", "string");
            json_text_member(json, "format", "binary");
            json_text_member(json, "description", "an NPY file, or JSON");
        } else if (member_infos[m].type == MEMBER_NAMES) {
            json_text_member(json, "type", "string");
            json_text_member(json, "description", member_infos[m].help);
        } else {
            openapi_ref(json, "schemas", member_infos[m].name);
        }
        json_close(json, '}');
    }
    json_close(json, '}');
}

static void write_alternative(struct json *json, const char *type)
{
    json_open(json, '{');
    openapi_type(json, type);
    json_close(json, '}');
}

/* Without logits it is states that are sent, or one. */
static void write_request(struct json *json, const struct task *task)
{
    if (task->members >> MEMBER_logits & 1) {
        write_members(json, task);
        return;
    }
    openapi_open(json, "anyOf", '[');
    write_alternative(json, "[#state");
    write_alternative(json, "#state");
    json_close(json, ']');
}

/* ---- all of them ---------------------------------------------------------------- */

static bool is_new(const struct task *task, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (routes[i].task == task)
            return false;
    return true;
}

static void open_schema_of(struct json *json, const struct task *task, const char *what)
{
    char name[64];

    snprintf(name, sizeof name, "%s_%s", task->name, what);
    openapi_open(json, name, '{');
}

void openapi_schemas(const struct api *api, struct json *json)
{
    openapi_open(json, "schemas", '{');
    for (enum member m = 0; m < MEMBERS; m++) {
        json_key(json, member_infos[m].name);
        openapi_member(json, m, &task_loss);
    }
    for (size_t i = 0; i < route_count; i++) {
        const struct task *task = routes[i].task;
        if (!task || !is_new(task, i))
            continue;
        open_schema_of(json, task, "request");
        write_request(json, task);
        json_close(json, '}');
        open_schema_of(json, task, "answer");
        openapi_answer(json, task);
        json_close(json, '}');
    }
    openapi_records(api, json);
    openapi_open(json, "problem_code", '{');
    write_enum(json, problem_codes());
    json_close(json, '}');
    json_close(json, '}');
}
