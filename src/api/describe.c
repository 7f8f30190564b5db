/* What the service says of itself: health, version, limits, losses, links. */
#include <math.h>

#include "api/route.h"
#include "lossd/engine/loss.h"

static void status_document(struct json *json, const char *status)
{
    json_open(json, '{');
    json_text_member(json, "status", status);
    json_close(json, '}');
}

bool describe_live(const struct api *api, struct json *json, struct err *err)
{
    (void)api, (void)err;
    status_document(json, "alive");
    return true;
}

bool api_check_ready(const struct api *api, struct err *err)
{
    return !atomic_load(&api->draining) ||
           fail(err, ERR_DRAINING, NULL,
                "this server is stopping and takes no new traffic");
}

bool describe_ready(const struct api *api, struct json *json, struct err *err)
{
    if (!api_check_ready(api, err))
        return false;
    status_document(json, "ready");
    return true;
}

bool describe_version(const struct api *api, struct json *json, struct err *err)
{
    (void)err;
    json_open(json, '{');
    json_text_member(json, "name", "lossd");
    json_text_member(json, "version", api->settings.version);
    json_text_member(json, "commit", api->settings.commit);
    json_text_member(json, "compiler", api->settings.compiler);
    json_text_member(json, "http_library", api->settings.http_library);
    json_close(json, '}');
    return true;
}

bool describe_limits(const struct api *api, struct json *json, struct err *err)
{
    (void)err;
    json_open(json, '{');
    for (size_t i = 0; i < api->settings.shown_count; i++) {
        const struct api_limit *limit = &api->settings.shown[i];
        json_key(json, limit->name);
        json_open(json, '{');
        json_key(json, "value");
        json_number(json, limit->value);
        if (limit->unit)
            json_text_member(json, "unit", limit->unit);
        json_text_member(json, "flag", limit->flag);
        json_text_member(json, "help", limit->help);
        json_close(json, '}');
    }
    json_close(json, '}');
    return true;
}

static const char *type_name(enum member_type type)
{
    switch (type) {
    case MEMBER_ARRAY:
        return "array of numbers";
    case MEMBER_LABELS:
        return "array of integers";
    case MEMBER_NUMBER:
        return "number";
    case MEMBER_INTEGER:
        return "integer";
    case MEMBER_CHOICE:
        return "name";
    case MEMBER_NAMES:
        return "array of names";
    case MEMBER_TEXT:
        return "string";
    }
    return "";
}

static void describe_range(struct json *json, const struct member_info *info)
{
    if (isfinite(info->lowest)) {
        json_key(json, info->above_lowest ? "above" : "lowest");
        json_number(json, info->lowest);
    }
    if (isfinite(info->highest)) {
        json_key(json, "highest");
        json_number(json, info->highest);
    }
}

static void describe_choices(struct json *json, const struct member_info *info)
{
    json_key(json, "choices");
    json_open(json, '[');
    for (const char *const *choice = info->choices; *choice; choice++)
        json_text(json, *choice);
    json_close(json, ']');
}

static void describe_option(struct json *json, const struct member_info *info)
{
    json_open(json, '{');
    json_text_member(json, "name", info->name);
    json_text_member(json, "type", type_name(info->type));
    json_key(json, "default");
    if (info->type == MEMBER_CHOICE)
        json_text(json, info->choices[0]);
    else
        json_number(json, info->standard);
    if (info->type == MEMBER_NUMBER || info->lowest < info->highest)
        describe_range(json, info);
    if (info->choices)
        describe_choices(json, info);
    json_text_member(json, "help", info->help);
    json_close(json, '}');
}

static void describe_loss(struct json *json, const struct loss *loss)
{
    json_open(json, '{');
    json_text_member(json, "name", loss->name);
    json_text_member(json, "formula", loss->formula);
    json_text_member(json, "source", loss->source);
    json_key(json, "takes_labels");
    json_bool(json, loss->truths & TRUTH_LABELS);
    json_key(json, "takes_targets");
    json_bool(json, loss->truths & TRUTH_TARGETS);
    json_key(json, "options");
    json_open(json, '[');
    for (enum member m = 0; m < MEMBERS; m++)
        if (loss_options(loss) >> m & 1)
            describe_option(json, &member_infos[m]);
    json_close(json, ']');
    json_close(json, '}');
}

bool describe_losses(const struct api *api, struct json *json, struct err *err)
{
    (void)api, (void)err;
    json_open(json, '{');
    json_key(json, "losses");
    json_open(json, '[');
    for (size_t i = 0; i < loss_count; i++)
        describe_loss(json, loss_table[i]);
    json_close(json, ']');
    json_close(json, '}');
    return true;
}

bool describe_banner(const struct api *api, struct json *json, struct err *err)
{
    (void)err;
    json_open(json, '{');
    json_text_member(json, "name", "lossd");
    json_text_member(json, "version", api->settings.version);
    json_key(json, "links");
    json_open(json, '{');
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].for_links)
            json_text_member(json, routes[i].path, routes[i].help);
    json_close(json, '}');
    json_close(json, '}');
    return true;
}
