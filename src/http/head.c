#include "http/head.h"

#include <string.h>
#include <strings.h>

#include "http/talk.h"
#include "http/vet.h"

enum {
    RECORD_SIZE = 64 /* bytes of the library's for a header or argument, without text */
};

/* "http://host/path" is "/path" to us, and "http://host?query" is "/", for which nobody asks
 * anything. */
static struct span origin_form(struct span target)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);
        if (target.len < len || strncasecmp(target.at, schemes[i], len) != 0)
            continue;
        while (len < target.len && target.at[len] != '/' && target.at[len] != '?')
            len++;
        return len < target.len && target.at[len] == '/'
                   ? (struct span){target.at + len, target.len - len}
                   : span_of("/");
    }
    return target;
}

static enum MHD_Result see_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                  size_t key_size, const char *value, size_t value_size)
{
    (void)kind;
    vet_header(cls, (struct span){key, key_size}, (struct span){value, value_size});
    return MHD_YES;
}

/* From its method to the end of its headers; later libraries read lines another way, and
 * show us all of them. */
static struct span block_of(struct MHD_Connection *mhd, const char *method)
{
#if MHD_VERSION < 0x00097700
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return (struct span){method, info ? info->header_size : 0};
#else
    (void)mhd, (void)method;
    return (struct span){NULL, 0};
#endif
}

bool head_read(struct talk *talk, const char *method, const char *version,
               bool *expects_continue)
{
    struct exchange *exchange = &talk->exchange;
    struct vetting vetting = vet_begin(&exchange->head, talk->joined, &exchange->err);

    exchange->head.method = span_of(method);
    if (talk->target)
        exchange->head.target = origin_form(span_of(talk->target));
    else
        fail(&exchange->err, ERR_OVERLOADED, NULL, "there is no memory for the address");
    vet_method(&vetting, exchange->head.method);
    vet_block(&vetting, block_of(talk->mhd, method), span_of(version));
    int headers =
        MHD_get_connection_values_n(talk->mhd, MHD_HEADER_KIND, see_header, &vetting);
    talk->head_size = vetting.block.len + (size_t)headers * RECORD_SIZE;
    talk->head_end = vetting.block.len > 0 ? vetting.block.at + vetting.block.len : NULL;
    talk->chunked = vetting.chunked;
    talk->user_agent = vetting.user_agent;
    *expects_continue = vetting.expects_continue;
    return vet_end(&vetting, span_of(version));
}

void head_look(struct talk *talk)
{
    struct exchange *exchange = &talk->exchange;
    struct vetting vetting = vet_begin(&exchange->head, talk->joined, &exchange->err);

    if (talk->target)
        exchange->head.target = origin_form(span_of(talk->target));
    MHD_get_connection_values_n(talk->mhd, MHD_HEADER_KIND, see_header, &vetting);
    talk->user_agent = vetting.user_agent;
}

static enum MHD_Result add_record(void *room, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    (void)name;
    (void)value;
    *(size_t *)room += name_size + value_size + RECORD_SIZE;
    return MHD_YES;
}

size_t head_room(const struct talk *talk)
{
    static const enum MHD_ValueKind kinds[] = {MHD_GET_ARGUMENT_KIND, MHD_COOKIE_KIND,
                                               MHD_FOOTER_KIND};
    size_t room = talk->head_size;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        MHD_get_connection_values_n(talk->mhd, kinds[i], add_record, &room);
    return room;
}
