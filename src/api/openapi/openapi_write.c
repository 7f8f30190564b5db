#include "api/openapi/openapi_write.h"

void openapi_ref(struct json *json, const char *kind, const char *name)
{
    char text[128];
    struct buf ref;

    buf_over(&ref, text, sizeof text);
    buf_format(&ref, "#/components/%s/%s", kind, name);
    json_key(json, "$ref");
    json_string(json, buf_span(&ref));
}

static void type_within(struct json *json, const char *of, const char *key,
                        const char *type)
{
    json_text_member(json, "type", of);
    openapi_open(json, key, '{');
    openapi_type(json, type);
    json_close(json, '}');
}

void openapi_type(struct json *json, const char *type)
{
    switch (*type) {
    case '\0':
        break;
    case '?':
        openapi_open(json, "type", '[');
        json_text(json, type + 1);
        json_text(json, "null");
        json_close(json, ']');
        break;
    case '[':
        type_within(json, "array", "items", type + 1);
        break;
    case '{':
        type_within(json, "object", "additionalProperties", type + 1);
        break;
    case '#':
        openapi_ref(json, "schemas", type + 1);
        break;
    default:
        json_text_member(json, "type", type);
    }
}
