#include "codec/json/json_batch.h"

#include "codec/json/json_read.h"
#include "codec/json/json_value.h"

static enum json_way take_array(struct json_batch *json, enum member member)
{
    bool may_narrow = member == MEMBER_logits && !batch_has(json->batch, MEMBER_dtype);

    json_array_begin_member(&json->array, json->batch, member,
                            batch_element(json->batch, member),
                            may_narrow ? &json->narrow : NULL, json->mem);
    return JSON_TAKE;
}

static enum json_way read_name(void *ctx, struct json_reader *reader, struct span name,
                               struct err *err)
{
    return json_batch_name(ctx, reader, name, err);
}

static bool read_text(void *ctx, struct span text, struct err *err)
{
    return json_batch_text(ctx, text, err);
}

const struct json_handler json_batch_handler = {.name = read_name, .text = read_text};

bool json_batch_begin(struct json_batch *json, struct batch *batch,
                      struct json_reader *reader, struct arena *mem, struct err *err)
{
    *json = (struct json_batch){.batch = batch, .mem = mem};
    if (!json_read_begin(reader, &json_batch_handler, json, batch->limits, mem, err))
        return false;
    reader->array = &json->array;
    return true;
}

enum json_way json_batch_member(struct json_batch *json, struct json_reader *reader,
                                enum member member)
{
    json->member = member;
    /* for an option it is out of every range, which says more than bad syntax */
    reader->bare_tokens =
        member == MEMBER_logits || member_infos[member].type == MEMBER_NUMBER;
    return member_is_array(member) ? take_array(json, member) : JSON_COPY;
}

enum json_way json_batch_name(struct json_batch *json, struct json_reader *reader,
                              struct span name, struct err *err)
{
    enum member member;

    reader->bare_tokens = span_is(name, member_infos[MEMBER_logits].name);
    if (!batch_begin(json->batch, name, false, json->mem, &member, err))
        return JSON_SKIP;
    return json_batch_member(json, reader, member);
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
