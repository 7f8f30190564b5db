/* The format `application/x-npy`: one array, the logits, in and one out.  Options are all
 * in the address. */
#include <string.h>

#include "codec/npy/npy_read.h"
#include "codec/npy/npy_write.h"
#include "lossd/codec/codec.h"

struct decoder {
    struct npy_reader reader;
};

static struct decoder *npy_begin(struct span content_type, struct batch *batch,
                                 struct arena *mem, struct err *err)
{
    struct decoder *d = arena_alloc(mem, 1, sizeof *d, err);
    enum member member;

    (void)content_type;
    if (!d || !batch_begin(batch, span_of("logits"), false, mem, &member, err))
        return NULL;
    npy_read_begin(&d->reader, batch, member, NULL, mem);
    return d;
}

static bool npy_feed(struct decoder *d, struct span piece, struct err *err)
{
    return npy_read(&d->reader, piece, err);
}

static bool npy_finish(struct decoder *d, struct err *err)
{
    return npy_read_end(&d->reader, err);
}

/* What is missing is not to be put into the same file. */
static void npy_locate(const struct decoder *d, struct err *err)
{
    bool labels = strcmp(err->pointer, "/labels") == 0;

    (void)d;
    if (err->kind != ERR_MISSING_MEMBER ||
        (!labels && strcmp(err->pointer, "/targets") != 0))
        return;
    err->kind = ERR_NONE;
    fail(err, ERR_MISSING_MEMBER, labels ? "/labels" : "/targets",
         "%s is missing, for which an NPY file has no room; a form (multipart/form-data) "
         "has a part for each array, and softmax needs one only",
         labels ? "labels" : "targets");
}

static const char *const npy_media_types[] = {"application/x-npy", NULL};

static const struct task *const npy_tasks[] = {&task_loss, &task_softmax, NULL};

extern const struct codec codec_npy;
const struct codec codec_npy = {.tasks = npy_tasks,
                                .media_types = npy_media_types,
                                .begin = npy_begin,
                                .feed = npy_feed,
                                .finish = npy_finish,
                                .locate = npy_locate,
                                .answers_as = "application/x-npy",
                                .can_encode = npy_can_write,
                                .encode = npy_write};
