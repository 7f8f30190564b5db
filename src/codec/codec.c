#include "lossd/codec/codec.h"

#include <pthread.h>
#include <strings.h>

#define CODEC(name) extern const struct codec codec_##name;
#include "codecs.def"
#undef CODEC

static const struct codec *const codecs[] = {
#define CODEC(name) &codec_##name,
#include "codecs.def"
#undef CODEC
};

enum { CODECS = sizeof codecs / sizeof codecs[0] };

/* "Text/Plain ; charset=utf-8" is "Text/Plain". */
static struct span without_parameters(struct span type)
{
    const char *semicolon = type.len ? memchr(type.at, ';', type.len) : NULL;

    if (semicolon)
        type.len = (size_t)(semicolon - type.at);
    return span_trim(type, " \t");
}

static bool reads(const struct codec *codec, struct span type)
{
    for (const char *const *name = codec->media_types; *name; name++)
        if (strlen(*name) == type.len && strncasecmp(*name, type.at, type.len) == 0)
            return true;
    return false;
}

const struct codec *codec_for(struct span content_type)
{
    struct span type = without_parameters(content_type);

    if (type.len == 0 && content_type.len > 0 &&
        memchr(content_type.at, ';', content_type.len))
        return NULL; /* parameters of nothing */
    if (type.len == 0)
        type = span_of("");
    for (size_t i = 0; i < CODECS; i++)
        if (reads(codecs[i], type))
            return codecs[i];
    return NULL;
}

static char media_types[512];

static void list_media_types(void)
{
    struct buf list;

    buf_over(&list, media_types, sizeof media_types - 1);
    for (size_t i = 0; i < CODECS; i++) {
        for (const char *const *name = codecs[i]->media_types; *name; name++) {
            if (**name == '\0')
                continue;
            if (list.len > 0)
                buf_text(&list, ", ");
            buf_text(&list, *name);
        }
    }
}

const char *codec_media_types(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, list_media_types);
    return media_types;
}
