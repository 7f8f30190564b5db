#include "lossd/codec/codec.h"

#include "lossd/base/accept.h"
#include "lossd/codec/mime.h"

#define CODEC(name) extern const struct codec codec_##name;
#include "codec/codecs.def"
#undef CODEC

static const struct codec *const codecs[] = {
#define CODEC(name) &codec_##name,
#include "codec/codecs.def"
#undef CODEC
};

enum { CODECS = sizeof codecs / sizeof codecs[0] };

static bool reads(const struct codec *codec, struct span type)
{
    for (const char *const *name = codec->media_types; *name; name++)
        if (span_is_caseless(type, *name))
            return true;
    return false;
}

static bool is_for(const struct codec *codec, const struct task *task)
{
    const struct task *const *known = codec->tasks;

    while (*known && *known != task)
        known++;
    return *known;
}

bool codec_reads(const struct codec *codec, struct span content_type)
{
    struct span type = mime_type(content_type);
    bool of_nothing = type.len == 0 && content_type.len > 0 &&
                      memchr(content_type.at, ';', content_type.len);

    return !of_nothing && reads(codec, type.len > 0 ? type : span_of(""));
}

const struct codec *codec_for(const struct task *task, struct span content_type)
{
    for (size_t i = 0; i < CODECS; i++)
        if (is_for(codecs[i], task) && codec_reads(codecs[i], content_type))
            return codecs[i];
    return NULL;
}

struct task codec_whole_task(const struct task *task)
{
    struct task whole = *task;

    for (size_t i = 0; i < CODECS; i++) {
        const struct task *other = codecs[i]->becomes;
        if (!other || !is_for(codecs[i], task))
            continue;
        whole.members |= other->members;
        whole.outputs |= other->outputs;
    }
    return whole;
}

static bool can_hold(const struct codec *codec, const struct batch *batch)
{
    struct err ignored = {0};

    return !batch || !codec->can_encode || codec->can_encode(batch, &ignored);
}

const struct codec *codec_for_answer(struct span accept, const struct batch *batch)
{
    const struct codec *best = NULL;
    struct acceptance of_best = {ACCEPT_NOTHING, 0};

    for (size_t i = 0; i < CODECS; i++) {
        if (!codecs[i]->answers_as)
            continue;
        struct acceptance here = accept_find(accept, codecs[i]->answers_as);
        if (here.quality == 0 || (best && !accept_prefers(here, of_best)) ||
            !can_hold(codecs[i], batch))
            continue;
        best = codecs[i];
        of_best = here;
    }
    return best;
}

static void add_type(struct buf *list, const char *type)
{
    if (list->len > 0)
        buf_text(list, ", ");
    buf_text(list, type);
}

void codec_media_types(const struct task *task, char out[MEDIA_TYPES_SIZE])
{
    struct buf list;

    buf_over(&list, out, MEDIA_TYPES_SIZE - 1);
    for (size_t i = 0; i < CODECS; i++)
        for (const char *const *name = codecs[i]->media_types; *name; name++)
            if (is_for(codecs[i], task) && **name)
                add_type(&list, *name);
    out[list.len] = '\0';
}

void codec_own_media_types(const struct codec *codec, char out[MEDIA_TYPES_SIZE])
{
    struct buf list;

    buf_over(&list, out, MEDIA_TYPES_SIZE - 1);
    for (const char *const *name = codec->media_types; *name; name++)
        if (**name)
            add_type(&list, *name);
    out[list.len] = '\0';
}

void codec_answer_types(char out[MEDIA_TYPES_SIZE])
{
    struct buf list;

    buf_over(&list, out, MEDIA_TYPES_SIZE - 1);
    for (size_t i = 0; i < CODECS; i++)
        if (codecs[i]->answers_as)
            add_type(&list, codecs[i]->answers_as);
    out[list.len] = '\0';
}
