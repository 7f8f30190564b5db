/* Members may come in any order, also the data before what says how to read them.  Then
 * they are read as float64, with notes of what float32 would have made of them, and
 * become labels or float32 when the input is complete. */
#include "codec/oip/oip_tensor.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "codec/oip/oip_range.h"
#include "lossd/base/excerpt.h"
#include "lossd/base/number.h"
#include "lossd/engine/place.h"

void tensor_pointer(char out[TENSOR_POINTER], const struct tensor *t, const char *name)
{
    snprintf(out, TENSOR_POINTER, "/inputs/%zu%s%s", t->index, *name ? "/" : "", name);
}

/* The same without the slash at its beginning; it has to live on. */
static const char *path_of(const struct tensor *t, const char *name, struct arena *mem,
                           struct err *err)
{
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, name);
    return arena_text(mem, span_of(pointer + 1), err);
}

static bool is_array(enum member member)
{
    enum member_type type = member_infos[member].type;

    return type == MEMBER_ARRAY || type == MEMBER_LABELS;
}

void tensor_name(struct tensor *t, const struct batch *batch)
{
    for (enum member m = 0; m < MEMBERS && !t->is_member; m++)
        if (batch->task->members >> m & 1 && is_array(m) &&
            span_is(t->name, member_infos[m].name)) {
            t->member = m;
            t->is_member = true;
        }
}

void tensor_type(struct tensor *t)
{
    t->has_type = oip_type_find(t->datatype, &t->type);
}

/* What decides how precise the answer is. */
static bool sets_dtype(const struct tensor *t)
{
    return t->member == MEMBER_logits || t->member == MEMBER_features;
}

static enum dtype dtype_of(const struct tensor *t, const struct batch *batch)
{
    if (batch_has(batch, MEMBER_dtype))
        return (enum dtype)batch->dtype;
    return t->type.is_single ? DTYPE_FLOAT32 : DTYPE_FLOAT64;
}

static enum element element_of(const struct tensor *t, const struct batch *batch)
{
    if (t->member == MEMBER_labels)
        return ELEMENT_INT64;
    return t->member == MEMBER_logits && dtype_of(t, batch) == DTYPE_FLOAT32
               ? ELEMENT_FLOAT32
               : ELEMENT_FLOAT64;
}

/* ---- from the text ------------------------------------------------------------------ */

static bool fail_size(const struct tensor *t, struct span size, struct err *err)
{
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, "shape");
    return fail(err, ERR_WRONG_TYPE, pointer,
                "the shape of inputs[%zu] has %s; integers of 0 and more are wanted",
                t->index, excerpt_of(size).text);
}

bool tensor_read_shape(struct tensor *t, struct span text, struct err *err)
{
    static const char blanks[] = " \t\r\n";
    struct shape *shape = &t->header.shape;
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, "shape");
    if (*text.at != '[')
        return fail(
            err, ERR_WRONG_TYPE, pointer,
            "the shape of inputs[%zu] is no array; an array of integers is wanted",
            t->index);
    struct span rest = span_trim((struct span){text.at + 1, text.len - 2}, blanks);
    while (rest.len > 0) {
        struct span size = span_trim(span_cut(&rest, ','), blanks);
        int64_t value = -1;
        if (number_length(size) != size.len || !number_read_integer(size, &value) ||
            value < 0)
            return fail_size(t, size, err);
        if (shape->rank == RANK_MAX)
            return fail(err, ERR_SHAPE_MISMATCH, pointer,
                        "the shape of inputs[%zu] has more than %d dimensions", t->index,
                        RANK_MAX);
        shape->dim[shape->rank++] = (size_t)value;
    }
    t->has_shape = true;
    return true;
}

/* What is not as precise as its type says is looked at as it came. */
static bool is_read_late(const struct tensor *t)
{
    return !t->is_member ||
           (t->member == MEMBER_logits && (!t->has_type || t->type.kind != OIP_FLOAT));
}

static bool may_be_truths(const struct tensor *t)
{
    return !t->has_type || t->type.kind == OIP_TRUTH;
}

static bool may_be_float32(const struct tensor *t)
{
    return !t->has_type || oip_type_is_float32(&t->type);
}

bool tensor_begin_data(struct tensor *t, struct json_array *array,
                       const struct batch *batch, struct arena *mem, struct err *err)
{
    bool late = is_read_late(t);
    enum element element = late ? ELEMENT_FLOAT64 : element_of(t, batch);
    const char *name =
        t->is_member ? member_infos[t->member].name : path_of(t, "data", mem, err);

    if (!name)
        return false;
    json_array_begin(array, name, &t->data, element, batch->limits->max_elements, mem);
    array->may_be_null = true;
    array->is_logits = late || t->member == MEMBER_logits;
    if (late || (element == ELEMENT_FLOAT64 && may_be_float32(t)))
        array->narrow = &t->narrow;
    array->integers = t->is_member ? NULL : &t->integers;
    array->truths = may_be_truths(t) ? &t->truths : NULL;
    return true;
}

size_t tensor_expected(const struct tensor *t, const struct limits *limits)
{
    uint64_t bytes = t->bytes > 0 ? (uint64_t)t->bytes : 0;
    uint64_t count = t->has_data   ? t->data.count
                     : t->has_type ? bytes / t->type.bytes->size
                                   : 0;

    return count < limits->max_elements ? (size_t)count : limits->max_elements;
}

/* ---- is it sound? -------------------------------------------------------------------- */

/* A dimension of 0 hides none that is too large. */
static bool count_numbers(struct tensor *t, const struct limits *limits, struct err *err)
{
    size_t most = limits->max_elements, all = 1;
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, "shape");
    t->header.count = 1;
    for (unsigned d = 0; d < t->header.shape.rank; d++) {
        size_t size = t->header.shape.dim[d], counted = size > 0 ? size : 1;
        if (counted > most / all)
            return fail_limit(err, ERR_TOO_LARGE, pointer, most, "--max-elements",
                              "%s has more than %zu numbers", excerpt_of(t->name).text,
                              most);
        all *= counted;
        t->header.count *= size;
    }
    return true;
}

static bool same_shape(const struct shape *a, const struct shape *b)
{
    return a->rank == b->rank &&
           (a->rank == 0 || memcmp(a->dim, b->dim, a->rank * sizeof a->dim[0]) == 0);
}

/* Nested as its shape says, or one list of as many. */
static void check_data(struct tensor *t, struct err *err)
{
    const struct shape *shape = &t->header.shape;
    char pointer[TENSOR_POINTER], said[PLACE_SIZE], found[PLACE_SIZE];

    t->is_flat = t->data.shape.rank <= 1;
    if (t->is_flat ? t->data.count == t->header.count : same_shape(&t->data.shape, shape))
        return;
    tensor_pointer(pointer, t, "data");
    shape_words(said, shape);
    shape_words(found, &t->data.shape);
    fail(err, ERR_SHAPE_MISMATCH, pointer,
         "the data of %s have the shape %s; %s, or one list of %zu numbers, is wanted",
         excerpt_of(t->name).text, found, said, t->header.count);
}

static void check_bytes(struct tensor *t, struct err *err)
{
    const size_t size = t->type.bytes->size, wanted = t->header.count * size;
    char pointer[TENSOR_POINTER], shape[PLACE_SIZE];

    if (t->bytes >= 0 && (uint64_t)t->bytes == wanted)
        return;
    tensor_pointer(pointer, t, "parameters/binary_data_size");
    shape_words(shape, &t->header.shape);
    fail(err, ERR_BAD_TENSOR, pointer,
         "the binary_data_size of %s is %" PRId64 "; %s of shape %s has %zu bytes",
         excerpt_of(t->name).text, t->bytes, t->type.name, shape, wanted);
}

static void check_type(struct tensor *t, struct err *err)
{
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, "datatype");
    if (!t->has_type && t->datatype.at)
        fail(err, ERR_BAD_TENSOR, pointer,
             "the datatype of %s is %s; one of %s is wanted", excerpt_of(t->name).text,
             excerpt_of(t->datatype).text, oip_type_names());
    if (t->has_type && t->type.kind == OIP_BFLOAT16 && t->has_data)
        fail(err, ERR_BAD_TENSOR, pointer,
             "the data of %s are text, which %s cannot be; bytes behind it and their "
             "binary_data_size are wanted",
             excerpt_of(t->name).text, t->type.name);
}

/* The engine takes a number for what has the shape of a row's labels only. */
static void check_rank(struct tensor *t, struct err *err)
{
    char pointer[TENSOR_POINTER];

    tensor_pointer(pointer, t, "shape");
    if (t->header.shape.rank == 0 && t->is_member && t->member != MEMBER_labels &&
        t->member != MEMBER_sample_weights)
        fail(err, ERR_WRONG_TYPE, pointer,
             "%s is a number, of shape []; an array of numbers is wanted",
             member_infos[t->member].name);
}

void tensor_check(struct tensor *t, struct batch *batch, struct err *err)
{
    check_type(t, err);
    if (!t->has_shape || !count_numbers(t, batch->limits, err))
        return;
    check_rank(t, err);
    if (t->has_bytes && !t->has_data && t->has_type)
        check_bytes(t, err);
    else if (t->has_data)
        check_data(t, err);
    if (t->has_data && t->is_member && t->has_type && !err_by(err, PHASE_SHAPE))
        range_check(t, batch, err);
}

/* ---- behind the text ----------------------------------------------------------------- */

void tensor_begin_bytes(struct tensor *t, const struct batch *batch, struct arena *mem)
{
    t->data = (struct array){.element = element_of(t, batch)};
    t->header.type = t->type.bytes;
    t->header.rank = t->header.shape.rank;
    npy_numbers_begin(&t->numbers, t->member, &t->header, &t->data, NULL, mem);
}

bool tensor_feed(struct tensor *t, struct span bytes, struct err *err)
{
    t->seen += bytes.len;
    return npy_numbers_feed(&t->numbers, bytes, err);
}

/* ---- a member of the batch ------------------------------------------------------------ */

/* True, or the label is none. */
static bool check_label(const struct tensor *t, size_t index, double value,
                        struct err *err)
{
    char pointer[PLACE_SIZE], words[PLACE_SIZE], found[PLACE_SIZE];
    bool is_flawed = t->data.flaw != FLAW_NONE && t->data.flaw_index == index;

    if (fabs(value) < 0x1p63 && value == trunc(value))
        return true;
    place_pointer(pointer, "labels", &t->data.shape, index);
    place_words(words, "labels", &t->data.shape, index);
    number_words(found, value);
    return fail(err, ERR_LABEL_NOT_INTEGER, pointer, "%s is %s; an integer is wanted",
                words, is_flawed ? t->data.flaw_text.text : found);
}

/* An integer that is too large for a label: which one is told in its turn. */
static bool is_beyond(double value)
{
    return fabs(value) >= 0x1p63 && isfinite(value);
}

static void note_beyond(struct array *data, size_t index, double value)
{
    char words[PLACE_SIZE];

    if (data->flaw != FLAW_NONE && data->flaw_index < index)
        return;
    number_words(words, value);
    data->flaw = FLAW_BEYOND_INT64;
    data->flaw_index = index;
    data->flaw_text = excerpt_of(span_of(words));
}

/* What the double stands for.  False: it is no label. */
static bool read_label(struct tensor *t, size_t index, double value, int64_t *label,
                       struct err *err)
{
    *label = 0;
    if (integers_find(&t->integers, index, label))
        return true;
    if (is_beyond(value))
        note_beyond(&t->data, index, value);
    else if (check_label(t, index, value, err))
        *label = (int64_t)value;
    else
        return false;
    return true;
}

/* False: one of them is none. */
static bool become_labels(struct tensor *t, struct err *err)
{
    for (size_t i = 0; i < t->data.count; i++) {
        char *place = (char *)t->data.data + i * sizeof(double);
        double value;
        int64_t label;
        memcpy(&value, place, sizeof value);
        if (!read_label(t, i, value, &label, err))
            return false;
        memcpy(place, &label, sizeof label);
    }
    t->data.element = ELEMENT_INT64;
    return true;
}

/* Only a class can be masked: elsewhere it is a flaw like any other. */
static void forbid_minus_infinity(struct array *data)
{
    const double *values = data->data;
    size_t end = data->flaw != FLAW_NONE ? data->flaw_index : data->count, i = 0;

    if (!data->has_minus_infinity || data->element != ELEMENT_FLOAT64)
        return;
    while (i < end && values[i] != -(double)INFINITY)
        i++;
    data->has_minus_infinity = false;
    if (i == end)
        return;
    data->flaw = FLAW_INFINITE;
    data->flaw_index = i;
    data->flaw_text = excerpt_of(span_of("-Infinity"));
}

/* What was read as doubles becomes what it is; it is rounded once and for all, to floats
 * directly, or as what it was sent.  False: no memory. */
static bool settle_text(struct tensor *t, const struct batch *batch, struct arena *mem,
                        struct err *err)
{
    bool becomes_float =
        t->member == MEMBER_logits && element_of(t, batch) != t->data.element;

    if (t->member == MEMBER_labels && t->data.element != ELEMENT_INT64 &&
        !become_labels(t, err))
        return true;
    if (!becomes_float || !oip_type_is_float32(&t->type))
        range_round(t);
    return !becomes_float || narrow_array(&t->narrow, &t->data, mem, err);
}

bool tensor_settle(struct tensor *t, struct batch *batch, struct arena *mem,
                   struct err *err)
{
    t->data.shape = t->header.shape;
    if (t->has_bytes && !t->has_data && !npy_numbers_end(&t->numbers, err))
        return false;
    if (sets_dtype(t))
        batch->dtype = dtype_of(t, batch);
    if (t->has_data && !settle_text(t, batch, mem, err))
        return false;
    if (t->member != MEMBER_logits)
        forbid_minus_infinity(&t->data);
    *batch_array(batch, t->member) = t->data;
    return true;
}
