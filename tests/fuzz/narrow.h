/* An API with limits so low that short inputs go beyond them. */
#ifndef LOSSD_TESTS_NARROW_H
#define LOSSD_TESTS_NARROW_H

#include "lossd/api/api.h"
#include "lossd/api/keyring.h"
#include "lossd/http/server.h"
#include "target.h"

#define NARROW_ORIGIN "https://app.example"

static inline struct meter *narrow_meter(void)
{
    static const char *const facts[] = {"0", NULL};
    struct metric_labels labels = {0};

    for (int label = 0; label < METRIC_LABELS; label++)
        labels.values[label] = facts;
    api_labels(&labels);
    server_labels(&labels);
    struct meter *meter = meter_new(&labels);
    require(meter != NULL, "there is memory");
    return meter;
}

/* `keys` may be NULL. */
static inline struct api *narrow_api(size_t request_memory, struct meter *meter,
                                     struct keyring *keys)
{
    static const struct api_limit shown[] = {
        {"max_body", "--max-body", 3000, "bytes", "most"}};
    struct api_settings settings = {
        .limits = {.max_elements = 3000,
                   .max_classes = 1000,
                   .max_confusion = 20,
                   .max_depth = 16,
                   .max_line = 500,
                   .max_text = 1024},
        .max_body = 3000,
        .max_dataset = 4000,
        .max_request_memory = request_memory,
        .small_body = 1024,
        .server_timing = true,
        .keys = keys,
        .cors_origin = NARROW_ORIGIN,
        .shown = shown,
        .shown_count = 1,
        .version = "0",
        .commit = "0",
        .compiler = "0",
        .http_library = server_library(),
        .meter = meter,
    };
    struct api *api = api_new(&settings);

    require(api != NULL, "there is memory");
    return api;
}

#endif
