/* The format `application/json`: a request's members into a batch.  The reading is
 * json_read.c's, the arrays json_array.c's; here is who gets what. */
#include "json_encode.h"
#include "json_read.h"
#include "json_value.h"
#include "lossd/codec/codec.h"

struct decoder {
    struct json_reader reader;
    struct batch *batch;
    struct arena *mem;
    struct json_array array;   /* the one that is being read */
    struct json_narrow narrow; /* of the logits */
    enum member member;        /* the one whose value comes next */
};

static enum element element_of(const struct batch *batch, enum member member)
{
    if (member_infos[member].type == MEMBER_LABELS)
        return ELEMENT_INT64;
    if (member == MEMBER_logits && batch->dtype == DTYPE_FLOAT32)
        return ELEMENT_FLOAT32;
    return ELEMENT_FLOAT64;
}

static enum json_way take_array(struct decoder *d, enum member member)
{
    bool may_narrow = member == MEMBER_logits && !batch_has(d->batch, MEMBER_dtype);

    json_array_begin_member(&d->array, d->batch, member, element_of(d->batch, member),
                            may_narrow ? &d->narrow : NULL, d->mem);
    return JSON_TAKE;
}

static enum json_way read_name(void *ctx, struct json_reader *reader, struct span name,
                               struct err *err)
{
    struct decoder *d = ctx;

    reader->bare_tokens = span_is(name, member_infos[MEMBER_logits].name);
    if (!batch_begin(d->batch, name, false, d->mem, &d->member, err))
        return JSON_SKIP;
    enum member_type type = member_infos[d->member].type;
    /* for an option it is out of every range, which says more than bad syntax */
    if (type == MEMBER_NUMBER)
        reader->bare_tokens = true;
    return type == MEMBER_ARRAY || type == MEMBER_LABELS ? take_array(d, d->member)
                                                         : JSON_COPY;
}

static bool read_text(void *ctx, struct span text, struct err *err)
{
    struct decoder *d = ctx;
    struct value value;

    if (!json_value(text, d->mem, &value, err))
        return false;
    batch_set(d->batch, d->member, value, err); /* what it says is in err */
    return true;
}

static struct decoder *json_begin(struct batch *batch, struct arena *mem, struct err *err)
{
    static const struct json_handler handler = {.name = read_name, .text = read_text};
    struct decoder *d = arena_zalloc(mem, 1, sizeof *d, err);

    if (!d)
        return NULL;
    d->batch = batch;
    d->mem = mem;
    if (!json_read_begin(&d->reader, &handler, d, batch->limits, mem, err))
        return NULL;
    d->reader.array = &d->array;
    return d;
}

static bool json_feed(struct decoder *d, struct span piece, struct err *err)
{
    return json_read(&d->reader, piece, err);
}

static bool json_finish(struct decoder *d, struct err *err)
{
    struct array *logits = &d->batch->logits;

    if (!json_read_end(&d->reader, err))
        return false;
    if (d->batch->dtype == DTYPE_FLOAT32 && logits->element == ELEMENT_FLOAT64)
        return narrow_array(&d->narrow, logits, d->mem, err);
    return true;
}

static const char *const json_media_types[] = {
    "application/json", "application/x-www-form-urlencoded", "text/plain", "", NULL};

static const struct task *const json_tasks[] = {&task_loss, &task_softmax, NULL};

extern const struct codec codec_json;
const struct codec codec_json = {.tasks = json_tasks,
                                 .media_types = json_media_types,
                                 .begin = json_begin,
                                 .feed = json_feed,
                                 .finish = json_finish,
                                 .encode = json_encode};
