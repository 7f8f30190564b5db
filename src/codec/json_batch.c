#include "json_batch.h"

#include "json_value.h"

static enum element element_of(const struct batch *batch, enum member member)
{
    if (member_infos[member].type == MEMBER_LABELS)
        return ELEMENT_INT64;
    if (member == MEMBER_logits && batch->dtype == DTYPE_FLOAT32)
        return ELEMENT_FLOAT32;
    return ELEMENT_FLOAT64;
}

static enum json_way take_array(struct json_batch *json, enum member member)
{
    bool may_narrow = member == MEMBER_logits && !batch_has(json->batch, MEMBER_dtype);

    json_array_begin_member(&json->array, json->batch, member,
                            element_of(json->batch, member),
                            may_narrow ? &json->narrow : NULL, json->mem);
    return JSON_TAKE;
}

bool json_batch_begin(struct json_batch *json, struct batch *batch,
                      struct json_reader *reader, const struct json_handler *handler,
                      void *ctx, struct arena *mem, struct err *err)
{
    *json = (struct json_batch){.batch = batch, .mem = mem};
    if (!json_read_begin(reader, handler, ctx, batch->limits, mem, err))
        return false;
    reader->array = &json->array;
    return true;
}

enum json_way json_batch_name(struct json_batch *json, struct json_reader *reader,
                              struct span name, struct err *err)
{
    reader->bare_tokens = span_is(name, member_infos[MEMBER_logits].name);
    if (!batch_begin(json->batch, name, false, json->mem, &json->member, err))
        return JSON_SKIP;
    enum member_type type = member_infos[json->member].type;
    /* for an option it is out of every range, which says more than bad syntax */
    if (type == MEMBER_NUMBER)
        reader->bare_tokens = true;
    return type == MEMBER_ARRAY || type == MEMBER_LABELS ? take_array(json, json->member)
                                                         : JSON_COPY;
}

bool json_batch_text(struct json_batch *json, struct span text, struct err *err)
{
    struct value value;

    if (!json_value(text, json->mem, &value, err))
        return false;
    batch_set(json->batch, json->member, value, err); /* what it says is in err */
    return true;
}

bool json_batch_end(struct json_batch *json, struct err *err)
{
    struct array *logits = &json->batch->logits;

    if (json->batch->dtype == DTYPE_FLOAT32 && logits->element == ELEMENT_FLOAT64)
        return narrow_array(&json->narrow, logits, json->mem, err);
    return true;
}
