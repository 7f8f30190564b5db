/* Datasets line by line: nanoseconds a record, read, scored and answered, beside a loop of
 * cJSON over the lines, which only reads their numbers.
 *
 *     bench_records [CLASSES]...     10 and 1000, or what is named */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "../noise.h"
#include "../timing.h"
#include "lossd/api/api.h"

enum { LOGITS = 200000, LOGIT_ROOM = 12, LINE_ROOM = 64, PIECE = 32768 };

struct dataset_text {
    size_t classes, records;
    char *text;
    size_t len;
};

struct way {
    const struct dataset_text *set;
    struct api *api;
    const char *target;
};

static volatile double sink; /* so that reading is of use */

static void give_up(const char *what)
{
    fprintf(stderr, "bench_records: %s\n", what);
    exit(1);
}

static struct dataset_text write_set(size_t classes)
{
    struct dataset_text set = {.classes = classes, .records = LOGITS / classes};
    char *text = malloc(set.records * (classes * LOGIT_ROOM + LINE_ROOM)), *at = text;
    struct noise noise = {classes};

    if (!text)
        give_up("out of memory");
    for (size_t i = 0; i < set.records; i++) {
        at += sprintf(at, "{\"logits\":[");
        for (size_t c = 0; c < classes; c++)
            at += sprintf(at, "%s%.4f", c ? "," : "", noise_logit(&noise));
        at += sprintf(at, "],\"label\":%lld}\n", (long long)noise_label(&noise, classes));
    }
    set.text = text;
    set.len = (size_t)(at - text);
    return set;
}

/* ---- the two ways ----------------------------------------------------------------- */

static void ask(void *ctx)
{
    const struct way *way = ctx;
    struct exchange exchange;
    struct response response;
    struct span rest = {way->set->text, way->set->len};

    exchange_init(&exchange, way->api, NULL);
    exchange.head.method = span_of("POST");
    exchange.head.target = span_of(way->target);
    exchange.head.content_type = span_of("application/x-ndjson");
    bool wanted = api_route(&exchange);
    while (wanted && rest.len > 0) {
        size_t n = rest.len < PIECE ? rest.len : PIECE;
        wanted = api_feed(&exchange, (struct span){rest.at, n});
        rest = (struct span){rest.at + n, rest.len - n};
    }
    api_answer(&exchange, NULL, &response);
    if (response.status != 200)
        give_up(exchange.err.detail);
    exchange_release(&exchange);
}

static void read_with_cjson(void *ctx)
{
    const struct way *way = ctx;
    const char *at = way->set->text, *end = at + way->set->len;
    double sum = 0;

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        cJSON *tree = cJSON_ParseWithLength(at, (size_t)(stop - at));
        const cJSON *number;
        cJSON_ArrayForEach(number, cJSON_GetObjectItemCaseSensitive(tree, "logits"))
        {
            sum += number->valuedouble;
        }
        cJSON_Delete(tree);
        at = stop + 1;
    }
    sink = sum;
}

/* ---- all of them ------------------------------------------------------------------- */

static struct api *make_api(void)
{
    const struct api_settings settings = {.limits = {.max_elements = SIZE_MAX,
                                                     .max_classes = SIZE_MAX,
                                                     .max_depth = 64,
                                                     .max_line = SIZE_MAX / 2,
                                                     .max_text = 1 << 20},
                                          .max_body = SIZE_MAX / 2,
                                          .max_dataset = SIZE_MAX / 2,
                                          .max_request_memory = SIZE_MAX / 2};
    struct api *api = api_new(&settings);

    if (!api)
        give_up("out of memory");
    return api;
}

static void measure(struct api *api, size_t classes)
{
    struct dataset_text set = write_set(classes);
    struct way ways[] = {{&set, api, "/v1/loss?return=loss"},
                         {&set, api, "/v1/loss?return=loss,metrics"},
                         {&set, api, "/v1/loss?return=loss,records"},
                         {&set, NULL, NULL}};
    struct contender contenders[] = {
        {.name = "loss", .run = ask, .ctx = &ways[0]},
        {.name = "loss,metrics", .run = ask, .ctx = &ways[1]},
        {.name = "loss,records", .run = ask, .ctx = &ways[2]},
        {.name = "cJSON reads", .run = read_with_cjson, .ctx = &ways[3]}};
    enum { COUNT = sizeof contenders / sizeof contenders[0] };

    race(contenders, COUNT, (struct race){2, 15, 40});
    for (size_t i = 0; i < COUNT; i++)
        printf("%5zu classes  %-13s %9.0f ns a record %7.2f\n", classes,
               contenders[i].name, contenders[i].least / (double)set.records,
               contenders[i].least / contenders[COUNT - 1].least);
    free(set.text);
}

int main(int argc, char *argv[])
{
    struct api *api = make_api();

    puts("               return=                     (1: cJSON's loop)");
    for (int i = 1; i < argc; i++)
        measure(api, (size_t)atoi(argv[i]));
    if (argc == 1) {
        measure(api, 10);
        measure(api, 1000);
    }
    api_free(api);
    return 0;
}
