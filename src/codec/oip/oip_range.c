/* The datatype may stand behind the data, so they are looked at when the text is complete,
 * as the doubles or labels that they have become.  A double tells every integer of up to
 * 32 bits; at either end of 64 bits it is rounded, and so is the range that it is held to. */
#include "codec/oip/oip_range.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "codec/half.h"
#include "lossd/base/excerpt.h"
#include "lossd/base/number.h"
#include "lossd/engine/place.h"

static bool is_flawed(const struct array *data, size_t index)
{
    return data->flaw != FLAW_NONE && data->flaw_index == index;
}

/* A label that no int64 can be is only in the text. */
static double number_at(const struct array *data, size_t index)
{
    assert(data->element != ELEMENT_FLOAT32); /* which no such type is read as */
    if (data->element == ELEMENT_FLOAT64)
        return ((const double *)data->data)[index];
    if (!is_flawed(data, index))
        return (double)((const int64_t *)data->data)[index];
    struct span text = span_of(data->flaw_text.text);
    return number_read_double((struct span){text.at, number_length(text)});
}

/* As it was sent, to the last digit. */
static void write_number(char out[PLACE_SIZE], const struct tensor *t, size_t index)
{
    const struct array *data = &t->data;
    int64_t integer = 0;

    if (is_flawed(data, index))
        snprintf(out, PLACE_SIZE, "%s", data->flaw_text.text);
    else if (data->element == ELEMENT_INT64)
        snprintf(out, PLACE_SIZE, "%" PRId64, ((const int64_t *)data->data)[index]);
    else if (integers_find(&t->integers, index, &integer))
        snprintf(out, PLACE_SIZE, "%" PRId64, integer);
    else
        number_words(out, number_at(data, index));
}

static bool is_of_type(const struct oip_type *type, double value)
{
    return value >= (double)type->lowest && value <= (double)type->highest &&
           value == trunc(value);
}

static void fail_number(const struct tensor *t, size_t index, struct batch *batch)
{
    struct err wrong = {.kind = ERR_NONE};
    const char *name = member_infos[t->member].name;
    char pointer[PLACE_SIZE], words[PLACE_SIZE], found[PLACE_SIZE];

    place_pointer(pointer, name, &t->header.shape, index);
    place_words(words, name, &t->header.shape, index);
    write_number(found, t, index);
    fail(&wrong, ERR_BAD_TENSOR, pointer,
         "%s is %s; %s wants an integer from %" PRId64 " to %" PRIu64, words, found,
         t->type.name, t->type.lowest, t->type.highest);
    batch_note_value(batch, t->member, &wrong);
}

/* Of labels, what is no integer is told as such. */
static void check_integers(const struct tensor *t, struct batch *batch)
{
    bool is_label = t->member == MEMBER_labels;

    for (size_t i = 0; i < t->data.count; i++) {
        double value = number_at(&t->data, i);
        if (is_of_type(&t->type, value) || (is_label && value != trunc(value)) ||
            (is_label && !isfinite(value)))
            continue;
        fail_number(t, i, batch);
        return;
    }
}

static void check_truths(const struct tensor *t, struct err *err)
{
    const char *name = member_infos[t->member].name;
    bool is_label = t->member == MEMBER_labels;
    char pointer[PLACE_SIZE], words[PLACE_SIZE];

    if (!t->truths.any || (t->type.kind == OIP_TRUTH && !is_label))
        return;
    place_pointer(pointer, name, &t->header.shape, t->truths.index);
    place_words(words, name, &t->header.shape, t->truths.index);
    fail(err, is_label ? ERR_LABEL_NOT_INTEGER : ERR_WRONG_TYPE, pointer,
         "%s is %s; %s is wanted", words, t->truths.first ? "true" : "false",
         is_label ? "an integer" : "a number");
}

void range_check(const struct tensor *t, struct batch *batch, struct err *err)
{
    check_truths(t, err);
    if (t->type.kind == OIP_INTEGER || t->type.kind == OIP_TRUTH)
        check_integers(t, batch);
}

static void note_beyond(struct array *data, size_t index, enum flaw flaw, double value)
{
    char words[PLACE_SIZE];

    if (data->flaw != FLAW_NONE && data->flaw_index <= index)
        return;
    number_words(words, value);
    data->flaw = flaw;
    data->flaw_index = index;
    data->flaw_text = excerpt_of(span_of(words));
}

/* What was noted of doubles that may become floats is of no more use: these all may. */
static void round_to_half(struct tensor *t)
{
    double *values = t->data.data;

    t->narrow = (struct json_narrow){.count = 0};
    for (size_t i = 0; i < t->data.count; i++) {
        double rounded = half_round(values[i]);
        if (isinf(rounded) && isfinite(values[i]))
            note_beyond(&t->data, i, FLAW_BEYOND_FLOAT16, values[i]);
        values[i] = rounded;
    }
}

/* A literal beyond the largest double is told by the range it was sent for. */
static void name_range(struct array *data, enum flaw beyond)
{
    if (data->flaw == FLAW_OVERFLOW)
        data->flaw = beyond;
}

static double round_label(const struct oip_type *type, int64_t label)
{
    return type->kind == OIP_HALF      ? half_round((double)label)
           : oip_type_is_float32(type) ? (double)(float)label
                                       : (double)label;
}

/* As bytes they would have been no others. */
static void round_labels(struct tensor *t)
{
    int64_t *labels = t->data.data;

    for (size_t i = 0; i < t->data.count; i++) {
        double rounded = round_label(&t->type, labels[i]);
        if (isinf(rounded))
            note_beyond(&t->data, i, FLAW_BEYOND_FLOAT16, (double)labels[i]);
        else if (rounded >= 0x1p63)
            note_beyond(&t->data, i, FLAW_BEYOND_INT64, rounded);
        else
            labels[i] = (int64_t)rounded;
    }
}

void range_round(struct tensor *t)
{
    if (t->data.element == ELEMENT_INT64 &&
        (t->type.kind == OIP_FLOAT || t->type.kind == OIP_HALF))
        round_labels(t);
    if (t->data.element != ELEMENT_FLOAT64)
        return;
    if (t->type.kind == OIP_HALF) {
        round_to_half(t);
        name_range(&t->data, FLAW_BEYOND_FLOAT16);
    } else if (oip_type_is_float32(&t->type)) {
        narrow_round(&t->narrow, &t->data);
        name_range(&t->data, FLAW_BEYOND_FLOAT32);
    }
}
