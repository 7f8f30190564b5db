/* The document as a whole, and its paths. */
#include "api/openapi/openapi.h"

#include "api/openapi/openapi_operation.h"
#include "api/openapi/openapi_schema.h"
#include "api/openapi/openapi_shared.h"
#include "api/openapi/openapi_write.h"

enum { TEXT_MAX = 1 << 20 };

static void write_info(const struct api *api, struct json *json)
{
    openapi_open(json, "info", '{');
    json_text_member(json, "title", "lossd");
    json_text_member(json, "summary",
                     "Logits and labels in, probabilities and averaged loss out");
    json_text_member(
        json, "description",
        "HEAD works wherever GET does. Nothing is stored: any request can be "
        "sent to any server, and sent again. What is not a 2xx is a problem "
        "document (RFC 9457).");
    json_text_member(json, "version", api->settings.version);
    openapi_open(json, "license", '{');
    json_text_member(json, "name", "MIT");
    json_text_member(json, "identifier", "MIT");
    json_close(json, '}');
    json_close(json, '}');
}

static void write_servers(struct json *json)
{
    openapi_open(json, "servers", '[');
    json_open(json, '{');
    json_text_member(json, "url", "/");
    json_close(json, '}');
    json_close(json, ']');
}

static void write_security(const struct api *api, struct json *json)
{
    openapi_open(json, "security", '[');
    if (api->settings.keys) {
        json_open(json, '{');
        openapi_open(json, "bearer", '[');
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_method(const struct api *api, const struct route *route,
                         struct json *json)
{
    bool reads = span_is(span_of(route->method), "GET");

    json_key(json, reads ? "get" : "post");
    openapi_operation(api, route, json);
}

static void write_paths(const struct api *api, struct json *json)
{
    openapi_open(json, "paths", '{');
    for (size_t i = 0; i < route_count; i++) {
        openapi_open(json, routes[i].path, '{');
        write_method(api, &routes[i], json);
        json_close(json, '}');
    }
    json_close(json, '}');
}

static void write_components(const struct api *api, struct json *json)
{
    openapi_open(json, "components", '{');
    openapi_schemas(api, json);
    openapi_shared(json);
    openapi_open(json, "securitySchemes", '{');
    openapi_open(json, "bearer", '{');
    json_text_member(json, "type", "http");
    json_text_member(json, "scheme", "bearer");
    json_text_member(json, "description", "wanted where the server has keys");
    json_close(json, '}');
    json_close(json, '}');
    json_close(json, '}');
}

bool describe_openapi(const struct api *api, struct json *json, struct err *err)
{
    (void)err;
    json_open(json, '{');
    json_text_member(json, "openapi", "3.1.0");
    write_info(api, json);
    write_servers(json);
    write_security(api, json);
    write_paths(api, json);
    write_components(api, json);
    json_close(json, '}');
    return true;
}

bool openapi_make(struct api *api)
{
    struct err err = {.kind = ERR_NONE};
    struct buf text;

    arena_init(&api->mem, TEXT_MAX, NULL, NULL);
    buf_init(&text, &api->mem, TEXT_MAX, NULL, &err);
    struct json json = json_into(&text, false);
    describe_openapi(api, &json, &err);
    buf_char(&text, '\n');
    etag_of(buf_span(&text), api->openapi_etag);
    api->openapi = (struct page){.media_type = "application/json",
                                 .text = buf_span(&text),
                                 .etag = api->openapi_etag};
    return buf_ok(&text);
}

const struct page *openapi_page(const struct exchange *exchange)
{
    return exchange->wishes.pretty ? NULL : &exchange->api->openapi;
}
