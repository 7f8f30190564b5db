/* The format `application/json`: one object, whose members are a batch's. */
#include "codec/json/json_batch.h"
#include "codec/json/json_encode.h"
#include "codec/json/json_read.h"
#include "lossd/codec/codec.h"

struct decoder {
    struct json_reader reader;
    struct json_batch json;
};

static struct decoder *json_begin(struct span content_type, struct batch *batch,
                                  struct arena *mem, struct err *err)
{
    struct decoder *d = arena_alloc(mem, 1, sizeof *d, err);

    (void)content_type;
    if (!d || !json_batch_begin(&d->json, batch, &d->reader, mem, err))
        return NULL;
    return d;
}

static bool json_feed(struct decoder *d, struct span piece, struct err *err)
{
    return json_read(&d->reader, piece, err);
}

static bool json_finish(struct decoder *d, struct err *err)
{
    return json_read_end(&d->reader, err) && json_batch_end(&d->json, err);
}

/* Lines are no document. */
static bool json_can_encode(const struct batch *batch, struct err *err)
{
    return !batch_wants(batch, OUTPUT_RECORDS) ||
           fail(err, ERR_NOT_ACCEPTABLE, NULL,
                "return=records answers a dataset with lines, application/x-ndjson; "
                "other answers are application/json");
}

static const char *const json_media_types[] = {
    "application/json", "application/x-www-form-urlencoded", "text/plain", "", NULL};

static const struct task *const json_tasks[] = {&task_loss, &task_softmax, NULL};

extern const struct codec codec_json;
const struct codec codec_json = {.tasks = json_tasks,
                                 .media_types = json_media_types,
                                 .has_options = true,
                                 .begin = json_begin,
                                 .feed = json_feed,
                                 .finish = json_finish,
                                 .answers_as = "application/json",
                                 .can_encode = json_can_encode,
                                 .encode = json_encode};
