/* The text, then, where the head says how long that is, the bytes of those inputs that
 * have none in it, in their order. */
#include "codec/oip/oip_place.h"
#include "codec/oip/oip_text.h"
#include "lossd/base/excerpt.h"
#include "lossd/codec/inference.h"

struct decoder {
    struct oip_text text;
    size_t text_length, text_seen;
    bool has_length, text_ended;
    size_t bytes_seen; /* behind the text */
};

static struct decoder *oip_begin(struct span content_type, struct batch *batch,
                                 struct arena *mem, struct err *err)
{
    struct decoder *d = arena_zalloc(mem, 1, sizeof *d, err);

    (void)content_type;
    return d && oip_text_begin(&d->text, batch, mem, err) ? d : NULL;
}

static void oip_set_text_length(struct decoder *d, size_t bytes)
{
    d->text_length = bytes;
    d->has_length = true;
}

static int64_t oip_timeout_ns(const struct decoder *d)
{
    return d->text.inference.timeout_ns;
}

static void oip_locate(const struct decoder *d, struct err *err)
{
    place_in_body(err, d->text.batch, d->text.tensors, d->text.count);
}

static bool end_text(struct decoder *d, struct err *err)
{
    d->text_ended = true;
    return oip_text_end(&d->text, err);
}

static bool feed_text(struct decoder *d, struct span *piece, struct err *err)
{
    size_t left = d->has_length ? d->text_length - d->text_seen : SIZE_MAX;
    struct span text = {piece->at, piece->len < left ? piece->len : left};

    *piece = (struct span){piece->at + text.len, piece->len - text.len};
    d->text_seen += text.len;
    if (!oip_text_read(&d->text, text, err))
        return false;
    return !d->has_length || d->text_seen < d->text_length || end_text(d, err);
}

/* ---- the bytes ---------------------------------------------------------------------- */

static size_t bytes_left(const struct tensor *t)
{
    return t->has_bytes ? (size_t)t->bytes - t->seen : 0;
}

static bool feed_bytes(struct decoder *d, struct span piece, struct err *err)
{
    d->bytes_seen += piece.len;
    for (size_t i = 0; i < d->text.count && piece.len > 0; i++) {
        size_t left = bytes_left(&d->text.tensors[i]);
        struct span bytes = {piece.at, piece.len < left ? piece.len : left};
        if (bytes.len == 0)
            continue;
        if (!tensor_feed(&d->text.tensors[i], bytes, err))
            return false;
        piece = (struct span){piece.at + bytes.len, piece.len - bytes.len};
    }
    return true;
}

static bool oip_feed(struct decoder *d, struct span piece, struct err *err)
{
    if (!d->text_ended && !feed_text(d, &piece, err))
        return false;
    if (piece.len == 0 || err_by(err, PHASE_SHAPE))
        return true;
    return feed_bytes(d, piece, err);
}

/* ---- the end ------------------------------------------------------------------------ */

static void check_bytes(struct decoder *d, struct err *err)
{
    size_t wanted = 0;
    char pointer[TENSOR_POINTER];

    for (size_t i = 0; i < d->text.count; i++) {
        const struct tensor *t = &d->text.tensors[i];
        tensor_pointer(pointer, t, "");
        wanted += t->has_bytes ? (size_t)t->bytes : 0;
        if (bytes_left(t) > 0) {
            fail(err, ERR_BAD_TENSOR, pointer,
                 "%zu bytes of %s follow the JSON; its binary_data_size is %zu%s",
                 t->seen, excerpt_of(t->name).text, (size_t)t->bytes,
                 d->has_length ? ""
                               : " (Inference-Header-Content-Length says where they "
                                 "begin)");
            return;
        }
    }
    if (d->bytes_seen > wanted)
        fail(err, ERR_BAD_TENSOR, NULL,
             "%zu bytes follow the JSON; the inputs have %zu by their binary_data_size",
             d->bytes_seen, wanted);
}

/* Where the first axis counts examples, some clients give each label a row of its own. */
static void drop_last_axis(struct tensor *t, struct batch *batch)
{
    unsigned rank =
        batch->logits.shape.rank ? batch->logits.shape.rank : batch->features.shape.rank;
    struct shape *shape = &batch_array(batch, t->member)->shape;

    t->is_column = member_may_be_bare(t->member) && rank > 1 && shape->rank == rank &&
                   shape->dim[rank - 1] == 1;
    shape->rank -= t->is_column;
}

static bool settle(struct decoder *d, struct err *err)
{
    struct batch *batch = d->text.batch;

    for (size_t i = 0; i < d->text.count; i++)
        if (!tensor_settle(&d->text.tensors[i], batch, d->text.mem, err))
            return false;
    for (size_t i = 0; i < d->text.count; i++)
        drop_last_axis(&d->text.tensors[i], batch);
    return true;
}

/* What is wrong with a value only, in the address say, comes after the tensors. */
static bool oip_finish(struct decoder *d, struct err *err)
{
    if (!d->text_ended && d->has_length && d->text_seen < d->text_length)
        return fail(err, ERR_BAD_HEADER, NULL,
                    "Inference-Header-Content-Length is %zu; the body has %zu bytes",
                    d->text_length, d->text_seen);
    if (!d->text_ended && !end_text(d, err))
        return false;
    if (!err_by(err, PHASE_SHAPE))
        check_bytes(d, err);
    bool settled = err_by(err, PHASE_SHAPE) || settle(d, err);
    oip_locate(d, err);
    return settled && !d->text.is_misfit;
}

static const char *const oip_media_types[] = {
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/vnd.sagemaker-triton.binary+json",
    "application/vnd.vertex-ai-triton.binary+json",
    "",
    NULL};

static const struct task *const oip_tasks[] = {&task_loss, &task_softmax, NULL};

const struct codec codec_inference = {.tasks = oip_tasks,
                                      .media_types = oip_media_types,
                                      .has_options = true,
                                      .begin = oip_begin,
                                      .feed = oip_feed,
                                      .set_text_length = oip_set_text_length,
                                      .timeout_ns = oip_timeout_ns,
                                      .finish = oip_finish,
                                      .locate = oip_locate,
                                      .answers_as = "application/json",
                                      .encode_ns = inference_encode_ns,
                                      .encode = inference_encode};
