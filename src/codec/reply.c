#include "codec/reply.h"
#include "codec/reply_parts.h"

#include <assert.h>

enum { MEASURE_STEP = 4096 };

struct reply *reply_new(bool pretty, struct arena *mem, struct err *err)
{
    struct reply *reply = arena_zalloc(mem, 1, sizeof *reply, err);

    if (!reply)
        return NULL;
    reply->mem = mem;
    reply->err = err;
    reply->end = &reply->first;
    buf_init(&reply->text, mem, SIZE_MAX / 4, NULL, err);
    reply->json = json_into(&reply->text, pretty);
    reply->here.pretty = pretty;
    return reply;
}

struct json *reply_json(struct reply *reply)
{
    return &reply->json;
}

static void add_part(struct reply *reply, const struct part *part)
{
    struct part *kept = arena_alloc(reply->mem, 1, sizeof *kept, reply->err);

    if (!kept) {
        reply->failed = true;
        return;
    }
    *kept = *part;
    *reply->end = kept;
    reply->end = &kept->next;
}

/* The text since the last array is a part. */
static void cut_text(struct reply *reply)
{
    if (reply->text.len > reply->text_to)
        add_part(reply, &(struct part){.kind = PART_TEXT,
                                       .from = reply->text_to,
                                       .to = reply->text.len});
    reply->text_to = reply->text.len;
}

void reply_text(struct reply *reply, struct span text)
{
    if (text.len > 0)
        add_part(reply,
                 &(struct part){.kind = PART_TEXT, .data = text.at, .to = text.len});
}

void reply_array(struct reply *reply, enum reply_numbers numbers, const void *data,
                 const struct shape *shape)
{
    json_before_value(&reply->json);
    cut_text(reply);
    size_t count = shape_count(shape);
    assert(data && count > 0);
    add_part(reply, &(struct part){.kind = PART_ARRAY,
                                   .numbers = numbers,
                                   .data = data,
                                   .shape = *shape,
                                   .count = count,
                                   .depth = reply->json.depth});
}

struct reply *reply_of_bytes(struct span head, enum reply_numbers numbers,
                             const void *data, size_t count, struct arena *mem,
                             struct err *err)
{
    struct reply *reply = reply_new(false, mem, err);

    if (!reply)
        return NULL;
    buf_add(&reply->text, head);
    cut_text(reply);
    add_part(reply,
             &(struct part){
                 .kind = PART_BYTES, .numbers = numbers, .data = data, .count = count});
    reply->here.part = reply->first;
    return buf_ok(&reply->text) && !reply->failed ? reply : NULL;
}

bool reply_is_whole(const struct reply *reply)
{
    return buf_ok(&reply->text) && !reply->failed;
}

bool reply_end(struct reply *reply)
{
    buf_char(&reply->text, '\n');
    cut_text(reply);
    reply->here.part = reply->first;
    return reply_is_whole(reply);
}

/* How long the text is, where numbers of it are still to be written. */
static size_t measure(struct reply *reply)
{
    const struct cursor start = reply->here;
    char some[MEASURE_STEP];
    size_t length = 0, n;

    while ((n = reply_fill(reply, NULL, some, sizeof some)) > 0)
        length += n;
    reply->here = start;
    return length;
}

void reply_bytes(struct reply *reply, enum reply_numbers numbers, const void *data,
                 size_t count)
{
    if (reply->text_length == 0)
        reply->text_length = measure(reply);
    add_part(reply,
             &(struct part){
                 .kind = PART_BYTES, .numbers = numbers, .data = data, .count = count});
}

size_t reply_text_length(const struct reply *reply)
{
    return reply->text_length;
}
