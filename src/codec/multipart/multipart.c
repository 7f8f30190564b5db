/* The format `multipart/form-data`: a form, whose fields are a batch's members.
 *
 * An array is an NPY file or JSON, or numbers with commas between them.  An option is plain
 * text, or JSON.  The field `options` holds members as an object. */
#include <stdio.h>

#include "codec/json/json_batch.h"
#include "codec/json/json_read.h"
#include "codec/multipart/multipart_read.h"
#include "codec/npy/npy_read.h"
#include "lossd/base/utf8.h"
#include "lossd/codec/codec.h"
#include "lossd/engine/option_text.h"
#include "lossd/engine/place.h"

#define BLANKS " \t\r\n"
#define OPTIONS "options"

/* Who reads the part that has begun. */
enum part_way {
    PART_SKIP,    /* nobody */
    PART_SNIFF,   /* its first byte tells */
    PART_FILE,    /* npy */
    PART_ARRAY,   /* reader, and so do these: */
    PART_OPTIONS, /* an object */
    PART_TEXT     /* it is kept */
};

struct decoder {
    struct batch *batch;
    struct arena *mem;
    struct multipart_reader parts;
    enum part_way way;
    enum part_type type;
    enum member member;
    const char *name; /* of the part, for errors */
    bool has_options;
    struct npy_reader npy;
    struct json_reader reader;
    struct json_batch json;
    struct buf text; /* of all options */
    size_t text_from;
};

/* --- JSON in a part --- */

static bool begin_json(struct decoder *d, struct err *err)
{
    if (!json_read_begin(&d->reader, &json_batch_handler, &d->json, d->batch->limits,
                         d->mem, err))
        return false;
    d->reader.array = &d->json.array;
    return true;
}

static bool begin_single(struct decoder *d, struct err *err)
{
    if (!begin_json(d, err))
        return false;
    json_read_single(&d->reader, json_batch_member(&d->json, &d->reader, d->member));
    return true;
}

/* --- what is wrong with a part --- */

/* Says of an error in the bytes of a part which part it is. */
static bool fail_part(const struct decoder *d, struct err *err)
{
    struct err inner = *err;

    if (err_phase(err->kind) != PHASE_TEXT && err->kind != ERR_UNSUPPORTED_MEDIA_TYPE)
        return false;
    snprintf(err->pointer, sizeof err->pointer, "/%s", d->name);
    snprintf(err->detail, sizeof err->detail, "in part %s, %.360s", d->name,
             inner.detail);
    return false;
}

/* --- the beginning of a part --- */

static bool begin_options(struct decoder *d, struct err *err)
{
    if (d->has_options)
        return fail(err, ERR_DUPLICATE_MEMBER, "/" OPTIONS, OPTIONS " is given twice");
    d->has_options = true;
    d->name = OPTIONS;
    d->way = PART_OPTIONS;
    if (!begin_json(d, err))
        return false;
    d->reader.what = OPTIONS;
    return true;
}

static bool begin_file(struct decoder *d)
{
    bool may_narrow = d->member == MEMBER_logits && !batch_has(d->batch, MEMBER_dtype);

    d->way = PART_FILE;
    npy_read_begin(&d->npy, d->batch, d->member, may_narrow ? &d->json.narrow : NULL,
                   d->mem);
    d->npy.what = "the file";
    d->npy.hint = "";
    return true;
}

static bool begin_array(struct decoder *d, struct err *err)
{
    d->way = PART_ARRAY;
    return begin_single(d, err);
}

static bool begin_member(struct decoder *d, struct err *err)
{
    d->name = member_infos[d->member].name;
    d->text_from = d->text.len;
    d->way = member_is_array(d->member) ? PART_SNIFF : PART_TEXT;
    if (d->way == PART_TEXT || d->type == PART_UNTYPED)
        return true;
    return d->type == PART_NPY ? begin_file(d) : begin_array(d, err);
}

static bool begin_part(void *ctx, const struct part_header *header, struct err *err)
{
    struct decoder *d = ctx;

    d->way = PART_SKIP;
    d->type = header->type;
    bool begun =
        span_is(header->name, OPTIONS)
            ? begin_options(d, err)
            : batch_begin(d->batch, header->name, false, d->mem, &d->member, err) &&
                  begin_member(d, err);
    return begun || !err_by(err, PHASE_TRANSPORT);
}

/* --- what is in it --- */

static bool sniff(struct decoder *d, char first, struct err *err)
{
    return first == '\x93' ? begin_file(d) : begin_array(d, err);
}

static bool read_part(void *ctx, struct span piece, struct err *err)
{
    struct decoder *d = ctx;

    if (d->way == PART_SNIFF && !sniff(d, piece.at[0], err))
        return false;
    switch (d->way) {
    case PART_FILE:
        return npy_read(&d->npy, piece, err) || fail_part(d, err);
    case PART_ARRAY:
    case PART_OPTIONS:
        return json_read(&d->reader, piece, err) || fail_part(d, err);
    case PART_TEXT:
        buf_add(&d->text, piece);
        return buf_ok(&d->text);
    case PART_SKIP:
    case PART_SNIFF:
        break;
    }
    return true;
}

/* --- its end --- */

/* A text for people, which may begin with anything, is JSON only if it says so. */
static bool is_json(const struct decoder *d, struct span text)
{
    return d->type == PART_JSON || (member_infos[d->member].type != MEMBER_TEXT &&
                                    text.len > 0 && span_is_blank(text.at[0], "\"[{"));
}

static bool fail_utf8(const struct decoder *d, struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", d->name);
    fail(err, ERR_WRONG_TYPE, pointer, "%s is not UTF-8; text is wanted", d->name);
    return true;
}

static bool set_plain(struct decoder *d, struct span text, struct err *err)
{
    if (!utf8_is_text(text))
        return fail_utf8(d, err);
    const char *copy = arena_text(d->mem, text, err);
    if (copy)
        option_set_text(d->batch, d->member, (struct span){copy, text.len}, d->mem, err);
    return !err_by(err, PHASE_TRANSPORT);
}

static struct span kept(const struct decoder *d)
{
    if (d->text.len == d->text_from)
        return span_of("");
    return (struct span){d->text.at + d->text_from, d->text.len - d->text_from};
}

static bool end_text(struct decoder *d, struct err *err)
{
    struct span text = kept(d);

    if (member_infos[d->member].type != MEMBER_TEXT)
        text = span_trim(text, BLANKS);
    if (!is_json(d, text))
        return set_plain(d, text, err);
    return begin_single(d, err) &&
           ((json_read(&d->reader, text, err) && json_read_end(&d->reader, err)) ||
            fail_part(d, err));
}

static bool end_options(struct decoder *d, struct err *err)
{
    return json_read_end(&d->reader, err) || d->reader.no_object || fail_part(d, err);
}

static bool end_part(void *ctx, struct err *err)
{
    struct decoder *d = ctx;

    if (d->way == PART_SNIFF && !begin_array(d, err))
        return false;
    switch (d->way) {
    case PART_FILE:
        return npy_read_end(&d->npy, err) || fail_part(d, err);
    case PART_ARRAY:
        return json_read_end(&d->reader, err) || fail_part(d, err);
    case PART_OPTIONS:
        return end_options(d, err);
    case PART_TEXT:
        return end_text(d, err);
    case PART_SKIP:
    case PART_SNIFF:
        break;
    }
    return true;
}

/* --- the body --- */

static struct decoder *multipart_begin(struct span content_type, struct batch *batch,
                                       struct arena *mem, struct err *err)
{
    static const struct multipart_handler handler = {
        .begin = begin_part, .data = read_part, .end = end_part};
    struct decoder *d = arena_zalloc(mem, 1, sizeof *d, err);

    if (!d || !multipart_read_begin(&d->parts, content_type, &handler, d, mem, err))
        return NULL;
    d->batch = batch;
    d->mem = mem;
    buf_init(&d->text, mem, batch->limits->max_text, "--max-text", err);
    d->text.what = "the text beside the arrays";
    if (!json_batch_begin(&d->json, batch, &d->reader, mem, err))
        return NULL;
    return d;
}

static bool multipart_feed(struct decoder *d, struct span piece, struct err *err)
{
    d->text.err = err;
    return multipart_read(&d->parts, piece, err);
}

static bool multipart_finish(struct decoder *d, struct err *err)
{
    return multipart_read_end(&d->parts, err) && json_batch_end(&d->json, err);
}

static const char *const multipart_media_types[] = {"multipart/form-data", NULL};

static const struct task *const multipart_tasks[] = {&task_loss, &task_softmax, NULL};

extern const struct codec codec_multipart;
const struct codec codec_multipart = {.tasks = multipart_tasks,
                                      .media_types = multipart_media_types,
                                      .has_options = true,
                                      .begin = multipart_begin,
                                      .feed = multipart_feed,
                                      .finish = multipart_finish};
