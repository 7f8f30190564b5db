/* The format `application/x-ndjson`: a dataset of any length, a record on each line, in the
 * memory of one of them and of a block of rows.
 *
 * A record is an object with the members of a batch that are arrays; one of a single
 * position may say `label` and `weight`. */
#include "codec/json/json_records.h"

#include <stdio.h>
#include <string.h>

#include "codec/json/json_batch.h"
#include "codec/json/json_encode.h"
#include "codec/json/json_fault.h"
#include "codec/json/json_sequence.h"
#include "lossd/base/utf8.h"
#include "lossd/codec/codec.h"
#include "lossd/engine/dataset.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/place.h"

enum { LINES_ROOM = 4096 };

/* Members that a record of a single position may call by a name of its own. */
enum { OWN_LABEL, OWN_WEIGHT, OWN_NAMES };

static const struct own_name {
    const char *name;
    enum member member;
} own_names[OWN_NAMES] = {
    [OWN_LABEL] = {"label", MEMBER_labels},
    [OWN_WEIGHT] = {"weight", MEMBER_sample_weights},
};

struct decoder {
    struct json_sequence sequence;
    struct json_values values;
    struct arena *mem;
    struct dataset dataset;
    struct batch record;
    struct json_batch json;
    bool says_own[OWN_NAMES];
    struct err fault; /* why a record was passed over last */
};

/* ---- names of a single position ------------------------------------------------- */

static const char *usual_name(const struct own_name *own)
{
    return member_infos[own->member].name;
}

static enum json_way fail_both(const struct own_name *own, struct json_reader *reader,
                               struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", own->name);
    fail(err, ERR_CONFLICTING_MEMBERS, pointer,
         "%s and %s are both given; one of them is wanted", own->name, usual_name(own));
    reader->bare_tokens = false;
    return JSON_SKIP;
}

static enum json_way read_name(void *ctx, struct json_reader *reader, struct span name,
                               struct err *err)
{
    struct decoder *d = ctx;

    for (size_t i = 0; i < OWN_NAMES; i++) {
        const struct own_name *own = &own_names[i];
        bool is_own = span_is(name, own->name);
        if (!is_own && !span_is(name, usual_name(own)))
            continue;
        if (batch_has(&d->record, own->member) && d->says_own[i] != is_own)
            return fail_both(own, reader, err);
        d->says_own[i] = is_own;
        name = span_of(usual_name(own));
    }
    return json_batch_name(&d->json, reader, name, err);
}

static bool read_text(void *ctx, struct span text, struct err *err)
{
    struct decoder *d = ctx;

    return json_batch_text(&d->json, text, err);
}

/* Does the text begin with the name, and not with a longer one? */
static bool begins_with(const char *text, const char *name)
{
    size_t len = strlen(name);

    return strncmp(text, name, len) == 0 && strchr("/ [", text[len]);
}

/* Says the record's own name where an error is of the member: in the sender's words. */
static void call_it(struct err *err, const struct own_name *own)
{
    const char *usual = usual_name(own);
    size_t len = strlen(usual);
    struct err as_told = *err;

    if (begins_with(as_told.pointer + 1, usual))
        snprintf(err->pointer, sizeof err->pointer, "/%s%s", own->name,
                 as_told.pointer + 1 + len);
    if (begins_with(as_told.detail, usual))
        snprintf(err->detail, sizeof err->detail, "%s%s", own->name,
                 as_told.detail + len);
}

/* ---- what is wrong ---------------------------------------------------------------- */

/* A syntax error knows its place, as does a line that is too long. */
static void add_place(const struct decoder *d, struct err *err)
{
    const struct json_place *place = &d->sequence.value_place;

    for (size_t i = 0; i < OWN_NAMES; i++)
        if (d->says_own[i])
            call_it(err, &own_names[i]);
    if (err->has_position)
        return;
    struct err as_told = *err;
    snprintf(err->detail, sizeof err->detail, "line %zu: %.350s", place->line,
             as_told.detail);
    json_fault_place(place, err);
}

static void keep_error(struct records *records, const struct err *err)
{
    if (records->errors++ >= SKIPPED_MAX)
        return;
    struct skipped *kept = &records->skipped[records->errors - 1];
    *kept = (struct skipped){.kind = err->kind, .line = err->line, .offset = err->offset};
    size_t len = strlen(err->pointer);
    if (len < sizeof kept->pointer)
        memcpy(kept->pointer, err->pointer, len + 1);
    len = utf8_fit(span_of(err->detail), SKIPPED_DETAIL - 1);
    snprintf(kept->detail, sizeof kept->detail, "%.*s", (int)len, err->detail);
}

/* What all records share is at its end, the memory of the request, say; a ceiling that
 * this one breaks is not. */
static bool ends_all(const struct decoder *d, const struct err *err)
{
    bool is_ceiling = err->kind == ERR_TOO_LARGE && err->flag != d->mem->limit_flag;

    return err_by(err, PHASE_TRANSPORT) && !is_ceiling;
}

/* Is the record passed over?  Then there is no error. */
static bool skip(void *ctx, struct err *err)
{
    struct decoder *d = ctx;
    struct batch *whole = d->dataset.whole;

    if (ends_all(d, err))
        return false;
    add_place(d, err);
    if (whole->on_error != ON_ERROR_SKIP)
        return false;
    keep_error(whole->records, err);
    d->fault = *err;
    *err = (struct err){0};
    return true;
}

/* Reading goes on where another line begins.  There was none. */
static bool fail_only_line(const struct err *fault, struct err *err)
{
    *err = *fault;
    snprintf(err->detail, sizeof err->detail,
             "%.200s; on_error=skip goes on with the next line, and there is none: "
             "records want lines of their own (curl -d takes line breaks out, "
             "--data-binary leaves them in)",
             fault->detail);
    return false;
}

/* Behind what was passed over at the end of the text there may have been more records,
 * which are not lost without a word. */
static bool tell_rest(struct decoder *d, struct err *err)
{
    const struct json_rest *rest = &d->sequence.rest;
    struct records *records = d->dataset.whole->records;
    struct err told = d->fault;

    if (!rest->may_hold || rest->to == rest->from)
        return true;
    if (d->fault.line == 1)
        return fail_only_line(&d->fault, err);
    snprintf(told.detail, sizeof told.detail,
             "%.300s; the rest of the line, %zu bytes from there on, was passed over",
             d->fault.detail, rest->to - rest->from);
    records->errors--; /* it is the last of them */
    keep_error(records, &told);
    return true;
}

/* ---- records ------------------------------------------------------------------------ */

static bool begin_record(void *ctx, struct json_reader *reader, struct err *err)
{
    static const struct json_handler handler = {.name = read_name, .text = read_text};
    struct decoder *d = ctx;

    d->record = d->dataset.record;
    memset(d->says_own, 0, sizeof d->says_own);
    if (!json_batch_begin(&d->json, &d->record, reader, d->mem, err))
        return false;
    reader->handler = &handler;
    reader->ctx = d;
    reader->what = "the record";
    return true;
}

static bool add_record(struct decoder *d, struct err *err)
{
    bool is_first = d->dataset.whole->classes == 0;

    /* its members are judged before what is wrong in one of them */
    if (d->sequence.reader.no_object || !json_batch_end(&d->json, err) ||
        !dataset_add(&d->dataset, &d->record, d->mem, err))
        return false;
    if (is_first) /* what it settles is there for all */
        json_sequence_keep(&d->sequence);
    return true;
}

static bool end_record(void *ctx, struct err *err)
{
    struct decoder *d = ctx;

    return add_record(d, err) || skip(d, err);
}

/* ---- positions ---------------------------------------------------------------------- */

/* One line for each position of a record. */
static bool write_lines(void *ctx, const struct batch *record,
                        const struct result *result, struct err *err)
{
    const struct decoder *d = ctx;
    struct buf *lines = &d->dataset.whole->records->lines;
    size_t each = record->loss->is_elementwise ? record->classes : 1;

    (void)err; /* it is the buffer's */
    for (size_t n = 0; n < record->positions && buf_ok(lines); n++) {
        struct json json = json_into(lines, false);
        json_open(&json, '{');
        json_key(&json, "line");
        json_uint(&json, d->sequence.value_place.line);
        if (batch_has(record, MEMBER_id)) {
            json_key(&json, "id");
            json_string(&json, record->id);
        }
        json_key(&json, "loss");
        if (each > 1)
            json_open(&json, '[');
        for (size_t i = 0; i < each; i++)
            json_number(&json, result->losses[n * each + i]);
        if (each > 1)
            json_close(&json, ']');
        json_key(&json, "prediction");
        json_uint(&json, (uint64_t)result->predictions[n]);
        json_close(&json, '}');
        buf_char(lines, '\n');
    }
    return buf_ok(lines);
}

/* ---- all of them ---------------------------------------------------------------------- */

static bool make_room(struct decoder *d, struct batch *whole, struct err *err)
{
    struct records *records = arena_alloc(d->mem, 1, sizeof *records, err);

    whole->records = records;
    if (!records || !dataset_init(&d->dataset, whole, d->mem, err))
        return false;
    records->errors = 0;
    buf_init(&records->lines, d->mem, SIZE_MAX / 4, NULL, err);
    if (!batch_wants(whole, OUTPUT_RECORDS))
        return true;
    d->dataset.scored = write_lines;
    d->dataset.ctx = d;
    return buf_room(&records->lines, LINES_ROOM);
}

static struct decoder *records_begin(struct span content_type, struct batch *batch,
                                     struct arena *mem, struct err *err)
{
    (void)content_type;
    if (err->kind != ERR_NONE)
        return NULL;
    struct decoder *d = arena_zalloc(mem, 1, sizeof *d, err);
    if (!d)
        return NULL;
    d->mem = mem;
    d->values = (struct json_values){.begin = begin_record,
                                     .end = end_record,
                                     .skip = skip,
                                     .what = "a record",
                                     .max_line = batch->limits->max_line};
    json_sequence_begin(&d->sequence, &d->values, d, mem);
    return make_room(d, batch, err) ? d : NULL;
}

static bool records_feed(struct decoder *d, struct span piece, struct err *err)
{
    return json_sequence_read(&d->sequence, piece, err);
}

/* Where all were passed over, something is wrong that all of them share. */
static bool check_kept(const struct batch *whole, struct err *err)
{
    const struct records *records = whole->records;

    return whole->classes > 0 || records->errors == 0 ||
           fail(err, ERR_EMPTY_BATCH, NULL,
                "all records were passed over, %zu of them; the first: %s",
                records->errors, records->skipped[0].detail);
}

static bool records_finish(struct decoder *d, struct err *err)
{
    return json_sequence_end(&d->sequence, err) && tell_rest(d, err) &&
           check_kept(d->dataset.whole, err) && dataset_finish(&d->dataset, d->mem, err);
}

/* ---- the answer ------------------------------------------------------------------------ */

void json_add_skipped(struct json *json, struct records *records)
{
    json_key(json, "errors");
    json_open(json, '[');
    for (size_t i = 0; i < records->errors && i < SKIPPED_MAX; i++) {
        struct skipped *error = &records->skipped[i];
        json_open(json, '{');
        json_key(json, "line");
        json_uint(json, error->line);
        json_key(json, "offset");
        json_uint(json, error->offset);
        json_text_member(json, "code", err_code(error->kind));
        if (*error->pointer) {
            json_key(json, "pointer");
            json_string(json, utf8_show_nuls(error->pointer));
        }
        json_text_member(json, "detail", error->detail);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_key(json, "error_count");
    json_uint(json, records->errors);
}

/* Without them it is no lines but one object. */
static bool records_can_encode(const struct batch *batch, struct err *err)
{
    return batch_wants(batch, OUTPUT_RECORDS) ||
           fail(err, ERR_NOT_ACCEPTABLE, NULL,
                "lines are what return=records answers to a dataset; other answers are "
                "application/json");
}

static const struct task *const records_tasks[] = {&task_loss, NULL};

static const char *const records_media_types[] = {"application/x-ndjson",
                                                  "application/jsonl", NULL};

extern const struct codec codec_records;
const struct codec codec_records = {.tasks = records_tasks,
                                    .media_types = records_media_types,
                                    .becomes = &task_dataset,
                                    .begin = records_begin,
                                    .feed = records_feed,
                                    .finish = records_finish,
                                    .answers_as = "application/x-ndjson",
                                    .can_encode = records_can_encode,
                                    .encode = json_encode};
