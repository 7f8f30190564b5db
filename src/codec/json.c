/* The format `application/json`: a request's members into a batch, a result into
 * an object.  The reading is json_read.c's, the arrays json_array.c's; here is who
 * gets what, and the order of the answer. */
#include "json_metrics.h"
#include "json_read.h"
#include "json_value.h"
#include "lossd/codec/codec.h"
#include "reply.h"

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

    json_array_begin(&d->array, member, batch_array(d->batch, member),
                     element_of(d->batch, member), may_narrow ? &d->narrow : NULL,
                     d->batch->limits->max_elements, d->mem);
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

/* --- the answer --- */

static enum reply_numbers dtype_numbers(const struct batch *batch)
{
    return batch->dtype == DTYPE_FLOAT32 ? REPLY_FLOATS : REPLY_DOUBLES;
}

static void add_array(struct reply *reply, enum output output, enum reply_numbers numbers,
                      const void *data, const struct shape *shape)
{
    json_key(reply_json(reply), output_names[output]);
    reply_array(reply, numbers, data, shape);
}

static void add_loss(struct reply *reply, const struct batch *batch,
                     const struct result *result)
{
    if (batch->reduction == REDUCTION_NONE) {
        add_array(reply, OUTPUT_LOSS, REPLY_DOUBLES, result->losses, result->loss_shape);
    } else {
        json_key(reply_json(reply), output_names[OUTPUT_LOSS]);
        json_number(reply_json(reply), result->loss);
    }
}

static void add_output(struct reply *reply, enum output output, const struct batch *batch,
                       const struct result *result)
{
    const struct shape *logits = &batch->logits.shape,
                       *positions = &batch->position_shape;
    bool is_float = batch->dtype == DTYPE_FLOAT32;
    enum reply_numbers rounded = is_float ? REPLY_DOUBLES_AS_FLOATS : REPLY_DOUBLES;

    switch (output) {
    case OUTPUT_LOSS:
        add_loss(reply, batch, result);
        break;
    case OUTPUT_LOSSES:
        add_array(reply, output, rounded, result->losses, result->loss_shape);
        break;
    case OUTPUT_PROBABILITIES:
        add_array(reply, output, dtype_numbers(batch), result->probabilities, logits);
        break;
    case OUTPUT_LOG_PROBABILITIES:
        add_array(reply, output, dtype_numbers(batch), result->log_probabilities, logits);
        break;
    case OUTPUT_LOGSUMEXP:
        add_array(reply, output, rounded, result->logsumexp, positions);
        break;
    case OUTPUT_GRADIENT:
        add_array(reply, output, dtype_numbers(batch), result->gradient, logits);
        break;
    case OUTPUT_LOGITS:
        add_array(reply, output, dtype_numbers(batch), result->logits, logits);
        break;
    case OUTPUT_GRADIENT_FEATURES:
        add_array(reply, output, dtype_numbers(batch), result->gradient_features,
                  &batch->features.shape);
        break;
    case OUTPUT_GRADIENT_W:
        add_array(reply, output, dtype_numbers(batch), result->gradient_W,
                  &batch->W.shape);
        break;
    case OUTPUT_GRADIENT_B:
        add_array(reply, output, dtype_numbers(batch), result->gradient_b,
                  &batch->b.shape);
        break;
    case OUTPUT_METRICS:
        json_add_metrics(reply, &result->metrics);
        break;
    case OUTPUT_PER_CLASS:
        json_add_per_class(reply, &result->per_class, batch->classes);
        break;
    case OUTPUT_CONFUSION:
        add_array(reply, output, REPLY_INTEGERS, result->confusion,
                  &(struct shape){2, {batch->classes, batch->classes}});
        break;
    case OUTPUT_CALIBRATION:
        json_add_calibration(reply, &result->calibration);
        break;
    case OUTPUT_PREDICTIONS:
        add_array(reply, output, REPLY_INTEGERS, result->predictions, positions);
        break;
    case OUTPUTS:
        break;
    }
}

static void add_totals(struct json *json, const struct batch *batch,
                       const struct result *result)
{
    if (batch_wants(batch, OUTPUT_LOSS)) {
        json_key(json, "loss_sum");
        json_number(json, result->loss_sum);
        json_key(json, "divisor");
        json_number(json, result->divisor);
    }
    if (batch_has(batch, MEMBER_labels) || batch_has(batch, MEMBER_targets)) {
        json_key(json, "count");
        json_uint(json, result->count);
        json_key(json, "ignored");
        json_uint(json, result->ignored);
    }
}

static void add_warnings(struct json *json, const struct result *result)
{
    if (!result->warnings[0])
        return;
    json_key(json, "warnings");
    json_open(json, '[');
    for (const char *const *warning = result->warnings; *warning; warning++)
        json_text(json, *warning);
    json_close(json, ']');
}

static struct reply *json_encode(const struct batch *batch, const struct result *result,
                                 bool pretty, struct arena *mem, struct err *err)
{
    struct reply *reply = reply_new(pretty, mem, err);

    if (!reply)
        return NULL;
    struct json *json = reply_json(reply);
    json_open(json, '{');
    if (batch_has(batch, MEMBER_id)) {
        json_key(json, "id");
        json_string(json, batch->id);
    }
    for (enum output output = 0; output < OUTPUTS; output++)
        if (batch_wants(batch, output))
            add_output(reply, output, batch, result);
    add_totals(json, batch, result);
    add_warnings(json, result);
    json_close(json, '}');
    return reply_end(reply) ? reply : NULL;
}

static const char *const json_media_types[] = {
    "application/json", "application/x-www-form-urlencoded", "text/plain", "", NULL};

extern const struct codec codec_json;
const struct codec codec_json = {.media_types = json_media_types,
                                 .begin = json_begin,
                                 .feed = json_feed,
                                 .finish = json_finish,
                                 .encode = json_encode};
