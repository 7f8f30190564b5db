/* The format of a body for merging: states, in an array or one behind the other.  Each is
 * read into room that the next one has again, checked, and added to what the batch has.
 *
 * An error in one of them says which, and the text is still read to its end. */
#include <stdio.h>

#include "codec/json/json_array.h"
#include "codec/json/json_fault.h"
#include "codec/json/json_read.h"
#include "codec/json/json_sent.h"
#include "codec/json/json_sequence.h"
#include "codec/json/json_value.h"
#include "lossd/codec/codec.h"
#include "lossd/codec/mime.h"
#include "lossd/engine/merge.h"

struct decoder {
    struct json_sequence sequence;
    struct batch *batch;
    struct arena *mem;
    struct json_array array;
    size_t row;         /* whose value comes next, SENT_ROWS for */
    enum member member; /* this option */
    struct batch part;  /* the options of the state that is being read, */
    bool is_unsound;    /* some of them wrong */
    struct sent sent;
    struct err
        refusal; /* of a state before it, if any: the rest is read for its syntax */
};

static bool is_refused(const struct decoder *d)
{
    return d->refusal.kind != ERR_NONE;
}

/* ---- a member ------------------------------------------------------------------ */

static enum json_way read_option(struct decoder *d, struct span name, struct err *err)
{
    if (!batch_begin(&d->part, name, false, d->mem, &d->member, err))
        return JSON_SKIP;
    if (member_infos[d->member].type != MEMBER_ARRAY)
        return JSON_COPY;
    json_array_begin_member(&d->array, &d->part, d->member, ELEMENT_FLOAT64, NULL,
                            d->mem);
    return JSON_TAKE;
}

static enum json_way read_name(void *ctx, struct json_reader *reader, struct span name,
                               struct err *err)
{
    struct decoder *d = ctx;

    (void)reader;
    if (is_refused(d))
        return JSON_SKIP;
    if (span_is(name, "state"))
        fail(err, ERR_UNKNOWN_MEMBER, "/state",
             "unknown member \"state\"; of an answer only what it has there is wanted");
    d->row = sent_row(name);
    if (d->row == SENT_ROWS)
        return read_option(d, name, err);
    if (!sent_begin(&d->sent, d->row, err))
        return JSON_SKIP;
    struct array *array = sent_array(&d->sent, d->row);
    if (!array)
        return JSON_COPY;
    json_array_begin(&d->array, sent_name(d->row), array, ELEMENT_FLOAT64,
                     d->batch->limits->max_elements, d->mem);
    return JSON_TAKE;
}

static bool read_text(void *ctx, struct span text, struct err *err)
{
    struct decoder *d = ctx;
    struct value value;

    if (!json_value(text, d->mem, &value, err))
        return false;
    if (d->row == SENT_ROWS)
        d->is_unsound |= !batch_set(&d->part, d->member, value, err);
    else
        sent_set(&d->sent, d->row, &value, err);
    return true;
}

/* Says of an error that is not the text's own which state it is in. */
static void add_place(const struct json_sequence *sequence, struct err *err)
{
    struct err inner = *err;

    if (err->has_position || (err_by(err, PHASE_TEXT) && !err->pointer[0]))
        return;
    if (sequence->is_array &&
        snprintf(err->pointer, sizeof err->pointer, "/%zu%s", sequence->count - 1,
                 inner.pointer) >= (int)sizeof err->pointer)
        err->pointer[0] = '\0'; /* a part of it would point elsewhere */
    snprintf(err->detail, sizeof err->detail, "states[%zu]: %.350s", sequence->count - 1,
             inner.detail);
    if (!sequence->is_array)
        json_fault_place(&sequence->value_place, err);
}

/* ---- all of them ----------------------------------------------------------------- */

static bool begin_state(void *ctx, struct json_reader *reader, struct err *err)
{
    static const struct json_handler handler = {.name = read_name, .text = read_text};
    struct decoder *d = ctx;

    sent_init(&d->sent);
    d->is_unsound = false;
    batch_init(&d->part, &task_state, d->batch->limits);
    if (!json_read_begin(reader, &handler, d, d->batch->limits, d->mem, err))
        return false;
    reader->what = "the state";
    reader->array = &d->array;
    return true;
}

static bool is_object(const struct err *err)
{
    return err->kind != ERR_WRONG_TYPE || err->pointer[0];
}

static bool add_state(struct decoder *d, struct err *err)
{
    bool is_unsound = d->is_unsound || d->part.bad_option.kind != ERR_NONE;
    struct state state;

    return is_object(err) && sent_check(&d->sent, is_unsound ? NULL : &d->part, err) &&
           sent_state(&d->sent, &d->part, d->mem, &state, err) &&
           merge_add(d->batch, &d->part, &state, d->mem, err);
}

static bool end_state(void *ctx, struct err *err)
{
    struct decoder *d = ctx;

    if (is_refused(d)) {
        *err = d->refusal;
        return true;
    }
    bool is_first = !d->batch->state;
    if (!add_state(d, err))
        add_place(&d->sequence, err);
    if (is_first && d->batch->state) /* which all are added to */
        json_sequence_keep(&d->sequence);
    if (err->kind != ERR_NONE)
        d->refusal = *err;
    return !err_by(err, PHASE_TRANSPORT);
}

/* Of which there may be none. */
static bool is_of_lines(struct span type)
{
    return span_is_caseless(type, "application/x-ndjson") ||
           span_is_caseless(type, "application/jsonl");
}

static struct decoder *states_begin(struct span content_type, struct batch *batch,
                                    struct arena *mem, struct err *err)
{
    static const struct json_values values = {
        .begin = begin_state, .end = end_state, .what = "a state"};
    struct decoder *d = arena_zalloc(mem, 1, sizeof *d, err);

    if (!d)
        return NULL;
    d->batch = batch;
    d->mem = mem;
    d->refusal = *err;
    json_sequence_begin(&d->sequence, &values, d, mem);
    d->sequence.needs_value = !is_of_lines(mime_type(content_type));
    return d;
}

static bool states_feed(struct decoder *d, struct span piece, struct err *err)
{
    return json_sequence_read(&d->sequence, piece, err);
}

static bool states_finish(struct decoder *d, struct err *err)
{
    return json_sequence_end(&d->sequence, err);
}

static const struct task *const states_tasks[] = {&task_merge, NULL};

static const char *const states_media_types[] = {"application/json",
                                                 "application/x-ndjson",
                                                 "application/jsonl",
                                                 "application/x-www-form-urlencoded",
                                                 "text/plain",
                                                 "",
                                                 NULL};

extern const struct codec codec_states;
const struct codec codec_states = {.tasks = states_tasks,
                                   .media_types = states_media_types,
                                   .begin = states_begin,
                                   .feed = states_feed,
                                   .finish = states_finish};
