/* What is wrong with a tensor is found when the text is complete, for a text that is not
 * JSON is nothing else. */
#include "codec/oip/oip_text.h"

#include <stdio.h>

#include "codec/json/json_read.h"
#include "codec/json/json_value.h"
#include "codec/oip/oip_parameters.h"
#include "codec/oip/oip_place.h"
#include "lossd/base/excerpt.h"
#include "lossd/engine/place.h"

/* With more of them some name is given twice, or is no member's. */
enum { TENSORS_MAX = 16 };

/* ---- names -------------------------------------------------------------------------- */

static struct tensor *current(struct oip_text *d)
{
    return &d->tensors[d->count - 1];
}

static enum json_way enter(struct oip_text *d, enum oip_scope scope)
{
    d->entered = scope;
    d->index = 0;
    return JSON_ENTER;
}

/* They are to an inference what `return` is to others, and have its place among the
 * members. */
static enum json_way begin_outputs(struct oip_text *d, struct err *err)
{
    enum member member;

    batch_begin(d->batch, span_of("return"), false, d->mem, &member, err);
    return enter(d, OIP_OUTPUT);
}

static enum json_way take_data(struct oip_text *d, struct json_reader *reader,
                               struct err *err)
{
    reader->bare_tokens = true;
    return tensor_begin_data(current(d), &d->array, d->batch, d->mem, err) ? JSON_TAKE
                                                                           : JSON_SKIP;
}

static enum json_way take_name(void *ctx, struct json_reader *reader, struct span name,
                               struct err *err)
{
    struct oip_text *d = ctx;
    unsigned *seen = d->scope == OIP_TOP ? &d->seen_at_top : &d->seen;

    if (!oip_name_take(d->scope, d->index, name, seen, &d->value, err))
        return JSON_SKIP;
    reader->bare_tokens = d->value == OIP_PARAMETERS;
    switch ((unsigned)d->value) {
    case OIP_INPUTS:
        return enter(d, OIP_INPUT);
    case OIP_OUTPUTS:
        return begin_outputs(d, err);
    case OIP_DATA:
        return take_data(d, reader, err);
    case OIP_MODEL_NAME:
    case OIP_MODEL_VERSION:
        return JSON_SKIP;
    default:
        return JSON_COPY;
    }
}

/* ---- values ------------------------------------------------------------------------- */

static bool read_id(struct oip_text *d, const struct value *value, struct err *err)
{
    enum member member;

    if (batch_begin(d->batch, span_of("id"), false, d->mem, &member, err))
        batch_set(d->batch, member, *value, err);
    return !err_by(err, PHASE_TRANSPORT);
}

/* A string that says what the object is. */
static void read_word(struct oip_text *d, const struct value *value, struct span *out,
                      struct err *err)
{
    const char *member = d->value == OIP_NAME ? "name" : "datatype";
    char words[OIP_PLACE_SIZE], object[OIP_PLACE_SIZE], pointer[POINTER_SIZE];

    if (value->type == VALUE_TEXT) {
        *out = value->text;
        return;
    }
    oip_words(words, d->scope, d->index);
    oip_pointer(object, d->scope, d->index);
    place_member(pointer, object, span_of(member));
    fail(err, ERR_WRONG_TYPE, pointer, "the %s of %s is %s; a string is wanted", member,
         words, value->kind);
}

static void take_size(struct tensor *t, const struct value *value, struct err *err)
{
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, "parameters/binary_data_size");
    t->has_bytes = true;
    t->bytes = value->integer;
    if (value->type != VALUE_NUMBER || !value->is_integer)
        fail(err, ERR_WRONG_TYPE, pointer,
             "the binary_data_size of inputs[%zu] is %s; an integer is wanted", t->index,
             excerpt_of(value->text).text);
}

static bool take_input_parameter(void *ctx, struct span name, const struct value *value,
                                 struct err *err)
{
    struct oip_text *d = ctx;

    if (span_is(name, "binary_data_size"))
        take_size(current(d), value, err);
    else if (span_is(name, "shared_memory_region"))
        oip_fail_shared(OIP_INPUT, d->index, &d->shared);
    else
        return ignored_add(&d->ignored, OIP_INPUT, d->index, name);
    return true;
}

static bool take_output_parameter(void *ctx, struct span name, const struct value *value,
                                  struct err *err)
{
    struct oip_text *d = ctx;

    if (span_is(name, "shared_memory_region"))
        oip_fail_shared(OIP_OUTPUT, d->index, &d->shared);
    else if (!output_take(&d->output, name, value, err))
        return ignored_add(&d->ignored, OIP_OUTPUT, d->index, name);
    return true;
}

static bool read_parameters(struct oip_text *d, struct span text, struct err *err)
{
    char words[OIP_PLACE_SIZE], pointer[OIP_PLACE_SIZE];
    struct parameter_reader reader = {take_output_parameter, d, words, pointer};

    if (span_is(text, "null"))
        return true;
    if (d->scope == OIP_TOP)
        return options_read(&d->options, text, err);
    if (d->scope == OIP_INPUT)
        reader.take = take_input_parameter;
    oip_words(words, d->scope, d->index);
    oip_pointer(pointer, d->scope, d->index);
    return parameters_read(text, &reader, d->batch->limits, d->mem, err) ||
           !err_by(err, PHASE_TRANSPORT);
}

static bool read_string(struct oip_text *d, struct span text, struct err *err)
{
    struct value value;

    if (!json_value(text, d->mem, &value, err))
        return false;
    if (d->value == OIP_ID)
        return span_is(text, "null") || read_id(d, &value, err);
    if (d->scope == OIP_OUTPUT) {
        read_word(d, &value, &d->output.name, err);
    } else if (d->value == OIP_NAME) {
        read_word(d, &value, &current(d)->name, err);
        tensor_name(current(d), d->batch);
    } else {
        read_word(d, &value, &current(d)->datatype, err);
        tensor_type(current(d));
    }
    return true;
}

static bool take_text(void *ctx, struct span text, struct err *err)
{
    struct oip_text *d = ctx;

    if (d->value == OIP_PARAMETERS)
        return read_parameters(d, text, err);
    if (d->value != OIP_SHAPE)
        return read_string(d, text, err);
    tensor_read_shape(current(d), text, err); /* what it says is in err */
    return true;
}

/* ---- objects ------------------------------------------------------------------------ */

static bool open_object(void *ctx, struct err *err)
{
    struct oip_text *d = ctx;

    (void)err;
    d->scope = d->entered;
    d->seen = 0;
    d->output = (struct wanted_output){.index = d->index};
    if (d->scope == OIP_OUTPUT)
        return true;
    if (d->count < TENSORS_MAX)
        d->count++;
    *current(d) = (struct tensor){.index = d->index};
    d->array.is_null = false;
    return true;
}

static bool has(const struct oip_text *d, enum oip_name name)
{
    return d->seen >> name & 1;
}

/* A tensor of other models, or an option, which is a member, too, but not an input. */
static void fail_member(const struct tensor *t, enum member member,
                        const struct task *task, struct err *err)
{
    const char *name = member_infos[member].name;
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, "name");
    if (member_is_array(member))
        fail(err, ERR_UNKNOWN_MEMBER, pointer,
             "inputs[%zu] is named %s, which is not an input of the model %s", t->index,
             name, task->name);
    else
        fail(err, ERR_UNKNOWN_MEMBER, pointer,
             "inputs[%zu] is named %s, which is no tensor; options go into parameters",
             t->index, name);
}

/* MEMBERS when it is none at all. */
static enum member find_member(struct span name)
{
    enum member m = 0;

    while (m < MEMBERS && !span_is(name, member_infos[m].name))
        m++;
    return m;
}

static bool begin_member(struct oip_text *d, struct tensor *t, struct err *err)
{
    struct err found = {.kind = ERR_NONE};
    char pointer[TENSOR_POINTER];
    enum member member = find_member(t->name);

    if (member != MEMBERS && !t->is_member) {
        fail_member(t, member, d->batch->task, err);
        return true;
    }
    tensor_pointer(pointer, t, "name");
    if (batch_begin(d->batch, t->name, false, d->mem, &member, &found) && t->is_member)
        batch_array(d->batch, member)->count = tensor_expected(t, d->batch->limits);
    return options_note(&found, pointer, err);
}

static bool close_input(struct oip_text *d, struct err *err)
{
    struct tensor *t = current(d);
    char pointer[TENSOR_POINTER];

    t->has_data = has(d, OIP_DATA) && !d->array.is_null;
    tensor_pointer(pointer, t, "");
    if (!has(d, OIP_SHAPE))
        oip_name_missing(OIP_INPUT, d->index, "shape", err);
    if (!has(d, OIP_DATATYPE))
        oip_name_missing(OIP_INPUT, d->index, "datatype", err);
    if (!t->has_data && !t->has_bytes)
        oip_name_missing(OIP_INPUT, d->index, "data", err);
    if (t->has_data && t->has_bytes)
        fail(err, ERR_CONFLICTING_MEMBERS, pointer,
             "inputs[%zu] has data and a binary_data_size; one of them is wanted",
             t->index);
    if (has(d, OIP_NAME))
        return !t->name.at || begin_member(d, t, err);
    oip_name_missing(OIP_INPUT, d->index, "name", err);
    return true;
}

static void close_output(struct oip_text *d, struct err *err)
{
    struct err wrong = {.kind = ERR_NONE};

    if (!has(d, OIP_NAME))
        oip_name_missing(OIP_OUTPUT, d->index, "name", err);
    else if (d->output.name.at &&
             !output_want(&d->output, d->batch->task, &d->inference, &wrong))
        batch_note_value(d->batch, MEMBER_return, &wrong);
}

static bool close_object(void *ctx, struct err *err)
{
    struct oip_text *d = ctx;
    bool goes_on = true;

    if (d->scope == OIP_INPUT)
        goes_on = close_input(d, err);
    else
        close_output(d, err);
    d->scope = OIP_TOP;
    d->index++;
    return goes_on;
}

static void note_misfit(void *ctx, const char *what, bool has_begun, struct err *err)
{
    struct oip_text *d = ctx;
    const char *name = d->entered == OIP_INPUT ? "inputs" : "outputs";
    char pointer[OIP_PLACE_SIZE], words[OIP_PLACE_SIZE];

    if (!has_begun && d->entered == OIP_OUTPUT && strcmp(what, "null") == 0)
        return;
    d->is_misfit = true;
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (has_begun)
        oip_pointer(pointer, d->entered, d->index);
    if (has_begun)
        oip_words(words, d->entered, d->index);
    fail(err, ERR_WRONG_TYPE, pointer, "%s is %s; %s is wanted", has_begun ? words : name,
         what, has_begun ? "an object" : "an array of objects");
}

/* ---- all of it ---------------------------------------------------------------------- */

bool oip_text_begin(struct oip_text *d, struct batch *batch, struct arena *mem,
                    struct err *err)
{
    static const struct json_handler handler = {.name = take_name,
                                                .text = take_text,
                                                .open = open_object,
                                                .close = close_object,
                                                .misfit = note_misfit};

    *d = (struct oip_text){
        .batch = batch, .mem = mem, .has_return = batch_has(batch, MEMBER_return)};
    if (!json_read_begin(&d->reader, &handler, d, batch->limits, mem, err))
        return false;
    d->reader.array = &d->array;
    ignored_begin(&d->ignored, batch->limits, mem, err);
    d->options = (struct options){batch, &d->inference, mem, &d->ignored};
    d->tensors = arena_alloc(mem, TENSORS_MAX, sizeof *d->tensors, err);
    batch->inference = &d->inference;
    return d->tensors != NULL;
}

static void locate(const struct oip_text *d, struct err *err)
{
    place_in_body(err, d->batch, d->tensors, d->count);
}

bool oip_text_read(struct oip_text *d, struct span piece, struct err *err)
{
    bool goes_on = json_read(&d->reader, piece, err);

    locate(d, err);
    return goes_on;
}

bool oip_text_end(struct oip_text *d, struct err *err)
{
    if (!json_read_end(&d->reader, err))
        return false;
    if (!(d->seen_at_top >> OIP_INPUTS & 1))
        fail(err, ERR_MISSING_MEMBER, "/inputs", "the body has no inputs");
    locate(d, err);
    if (d->has_return) /* in the address: its answer has what no tensor can hold */
        fail(err, ERR_UNKNOWN_MEMBER, "/return",
             "return is not a member of an inference; its outputs say what is to be "
             "answered");
    for (size_t i = 0; i < d->count; i++)
        tensor_check(&d->tensors[i], d->batch, err);
    if (d->shared.kind != ERR_NONE)
        fail(err, d->shared.kind, d->shared.pointer, "%s", d->shared.detail);
    d->inference.ignored = buf_span(&d->ignored.names);
    inference_settle_outputs(&d->inference, d->batch);
    for (size_t i = 0; i < d->count && !err_by(err, PHASE_SHAPE); i++)
        if (d->tensors[i].has_bytes)
            tensor_begin_bytes(&d->tensors[i], d->batch, d->mem);
    return !err_by(err, PHASE_TRANSPORT);
}
