/* Routes and the state that answers them; private to this layer. */
#ifndef LOSSD_API_ROUTE_H
#define LOSSD_API_ROUTE_H

#include <stdatomic.h>

#include "api/model.h"
#include "api/page.h"
#include "lossd/api/api.h"
#include "lossd/base/json_write.h"
#include "lossd/codec/codec.h"

struct api {
    struct api_settings settings;
    _Atomic bool draining;
    uint64_t id_seed;
    _Atomic uint64_t id_count;
    struct arena mem; /* of what is written once */
    struct page openapi;
    char openapi_etag[ETAG_SIZE];
    _Atomic int64_t last_inference_ms[MODELS]; /* since 1970; 0: there was none */
};

struct route {
    const char *path;        /* with names for segments that may be any: path.h */
    const char *method;      /* "GET" or "POST"; HEAD goes where GET does */
    const struct task *task; /* of a scoring route; what its model is may say more */
    /* The one format of its bodies and answers; NULL: those that its media types say. */
    const struct codec *codec;
    /* Of a describing route: writes the document, or fills err and returns false. */
    bool (*describe)(const struct api *api, struct json *json, struct err *err);
    /* The same of the model that the address names. */
    bool (*describe_model)(struct exchange *exchange, struct json *json);
    /* Instead of that, when it is not JSON: begins `text` and writes it. */
    bool (*print)(struct exchange *exchange, struct buf *text, const char **media_type);
    /* A page that answers instead; NULL: it does not answer this request. */
    const struct page *(*page)(const struct exchange *exchange);
    bool by_accept; /* answers in the format that Accept asks for */
    bool is_probe;  /* answered whatever the load, and not logged */
    bool is_health; /* told to strangers, too */
    bool for_links; /* shown on the banner */
    const char *help;
    const char *answer;      /* its type, if it describes: see openapi_type() */
    const char *media_types; /* "text/html, application/json"; NULL: JSON alone */
};

extern const struct route routes[];
extern const size_t route_count;

/* The route of this method and path.  NULL with ERR_UNKNOWN_ROUTE or
 * ERR_METHOD_NOT_ALLOWED in `err`. */
const struct route *route_find(struct span method, struct span path, struct err *err);

/* route_name() in the order of route_index(), ending with NULL. */
const char *const *route_names(void);
/* A route of this path, whatever the method.  NULL with ERR_UNKNOWN_ROUTE in `err`. */
const struct route *route_at(struct span path, struct err *err);

/* The media types of its bodies, for Accept-Post. */
void route_media_types(const struct route *route, char out[MEDIA_TYPES_SIZE]);

/* Is it a path of the route? */
bool route_has(const struct route *route, struct span path);

/* "GET, HEAD": the methods of a path, for Allow; "" for an unknown path. */
void route_methods(struct span path, char out[32]);

/* False with `err` filled while the server is stopping. */
bool api_check_ready(const struct api *api, struct err *err);

bool describe_live(const struct api *api, struct json *json, struct err *err);
bool describe_ready(const struct api *api, struct json *json, struct err *err);
bool describe_version(const struct api *api, struct json *json, struct err *err);
bool describe_limits(const struct api *api, struct json *json, struct err *err);
bool describe_losses(const struct api *api, struct json *json, struct err *err);
bool describe_banner(const struct api *api, struct json *json, struct err *err);
bool describe_openapi(const struct api *api, struct json *json, struct err *err);

#endif
