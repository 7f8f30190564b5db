/* A format: bytes into a batch, as they arrive, and a result into bytes.
 *
 * The formats are the rows of codecs.def. */
#ifndef LOSSD_CODEC_CODEC_H
#define LOSSD_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/buf.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"

struct decoder;
struct reply;

struct codec {
    const struct task *const *tasks; /* what it reads bodies for; ends with NULL */
    const char *const *media_types;  /* of bodies; ends with NULL; "" is none at all */
    bool has_options;                /* a body may say more than what the numbers are */

    /* What the batch's task becomes by it, for which a body of any length is read in the
     * same memory; NULL: it stays what it is, and the body is limited. */
    const struct task *becomes;

    /* Begins to read a body of that Content-Type, one of `media_types` with whatever
     * parameters, into `batch`, which knows its task and may hold members of the address
     * already.  NULL: no memory, or the type lacks a parameter (ERR_BAD_HEADER). */
    struct decoder *(*begin)(struct span content_type, struct batch *batch,
                             struct arena *mem, struct err *err);

    /* The next piece of the body, cut anywhere.  `piece` is not kept.  False when
     * reading on is of no use (text that is not of this format, a ceiling);
     * other errors are noted in `err`, the text is checked to its end, and the
     * answer is true. */
    bool (*feed)(struct decoder *decoder, struct span piece, struct err *err);

    /* Before the first piece: bytes of tensors follow so many of text.  NULL: the format
     * has no such bodies. */
    void (*set_text_length)(struct decoder *decoder, size_t bytes);

    /* For how long the request will wait for a thread, each time, by what has been read; 0:
     * that says nothing of it.  NULL: no body does. */
    int64_t (*timeout_ns)(const struct decoder *decoder);

    /* The body is complete.  False with `err` filled when it ended too early;
     * otherwise true, and `err` may hold an error noted on the way. */
    bool (*finish)(struct decoder *decoder, struct err *err);

    /* Turns what an error points to in the batch into what that is in the body.  NULL:
     * it is the same. */
    void (*locate)(const struct decoder *decoder, struct err *err);

    const char *answers_as; /* media type of an answer; NULL: there are none */

    /* Can the answer to the batch be written so?  False: ERR_NOT_ACCEPTABLE, with what
     * to ask for instead.  NULL: every answer can. */
    bool (*can_encode)(const struct batch *batch, struct err *err);

    /* What it costs to prepare the answer besides writing its numbers, about, in
     * nanoseconds of one core; the batch need not be sound.  NULL: nothing. */
    int64_t (*encode_ns)(const struct batch *batch);

    /* Prepares the answer.  NULL: no memory. */
    struct reply *(*encode)(const struct batch *batch, const struct result *result,
                            bool pretty, struct arena *mem, struct err *err);
};

/* The format of a Content-Type header (parameters and case do not matter) in a request for
 * the task, NULL when there is none.  An empty span is a request without the header. */
const struct codec *codec_for(const struct task *task, struct span content_type);

/* Does the format read bodies of that Content-Type? */
bool codec_reads(const struct codec *codec, struct span content_type);

/* The task, and all that formats make of it: what an address may ask for. */
struct task codec_whole_task(const struct task *task);

/* The media types of all formats of the task, for Accept-Post: "application/json, ...",
 * as much of it as goes into `out`, terminated. */
enum { MEDIA_TYPES_SIZE = 512 };
void codec_media_types(const struct task *task, char out[MEDIA_TYPES_SIZE]);

/* The same of one format. */
void codec_own_media_types(const struct codec *codec, char out[MEDIA_TYPES_SIZE]);

/* The format of answers that an Accept header asks for, NULL when it allows none.  An
 * empty span is a request without the header; where several are equally welcome, the
 * first row of codecs.def.  It can hold the answer to the batch; NULL: there is none yet. */
const struct codec *codec_for_answer(struct span accept, const struct batch *batch);

/* The media types of all answers, likewise. */
void codec_answer_types(char out[MEDIA_TYPES_SIZE]);

/* The next bytes of the answer into out[0..capacity); returns how many, 0 at
 * the end.  `capacity` must be at least REPLY_ROOM; where there is much of it, the
 * pool helps.  The batch, the result and the arena must live until the end. */
enum { REPLY_ROOM = 256 };
size_t reply_fill(struct reply *reply, struct pool *pool, char *out, size_t capacity);

/* The bytes of text that the bytes of tensors follow in the answer, 0 when none do. */
size_t reply_text_length(const struct reply *reply);

#endif
