#include "codec/npy/npy_numbers.h"

#include <math.h>

#include "codec/npy/npy_fortran.h"
#include "lossd/base/excerpt.h"
#include "lossd/base/number.h"
#include "lossd/engine/place.h"

enum {
    BLOCK = 256,
    FIRST_CAPACITY = 64,
    FOR_OTHERS = 1 << 16 /* bytes of what is reserved that the array leaves alone */
};

void npy_numbers_begin(struct npy_numbers *n, enum member member,
                       const struct npy_header *header, struct array *out,
                       struct json_narrow *narrow, struct arena *mem)
{
    *n = (struct npy_numbers){
        .member = member, .header = header, .out = out, .narrow = narrow, .mem = mem};
}

/* Room grows with what has arrived: what a header promises costs its sender nothing. */
static bool make_room(struct npy_numbers *n, size_t more, struct err *err)
{
    size_t size = array_element_size(n->out), reserved = arena_reserve_left(n->mem);
    size_t needed = n->out->count + more, capacity = n->capacity + n->capacity / 2;

    if (needed <= n->capacity)
        return true;
    if (capacity < needed + FIRST_CAPACITY)
        capacity = needed + FIRST_CAPACITY;
    if (reserved > FOR_OTHERS && capacity < (reserved - FOR_OTHERS) / size)
        capacity = (reserved - FOR_OTHERS) / size;
    if (capacity > n->header->count)
        capacity = n->header->count;
    void *data = arena_resize(n->mem, n->out->data, capacity * size, err);
    if (!data)
        return false;
    n->out->data = data;
    n->capacity = capacity;
    return true;
}

/* Where the number that comes `index`th will stand. */
static size_t place_of(const struct npy_numbers *n, size_t index)
{
    return n->header->is_fortran ? npy_fortran_index(&n->header->shape, index) : index;
}

/* --- what the numbers are --- */

/* Is there no number among them that has to be looked at again? */
static bool all_plain(const struct array *array, size_t from, size_t count)
{
    bool plain = true;

    if (array->element == ELEMENT_FLOAT32)
        for (size_t i = 0; i < count; i++)
            plain &= isfinite(((const float *)array->data)[from + i]);
    else if (array->element == ELEMENT_INT64)
        for (size_t i = 0; i < count; i++)
            plain &= ((const int64_t *)array->data)[from + i] != INT64_MIN;
    else
        for (size_t i = 0; i < count; i++)
            plain &= isfinite(((const double *)array->data)[from + i]);
    return plain;
}

/* A number as it was sent; those that are no integers lose nothing. */
static double number_at(const struct npy_numbers *n, const char *at)
{
    double value;

    npy_type_read(n->header->type, n->header->is_swapped, at, 1, ELEMENT_FLOAT64, &value);
    return value;
}

static struct excerpt words_of(double value)
{
    char words[PLACE_SIZE];

    number_words(words, value);
    return excerpt_of(span_of(words));
}

static void note_flaw(struct npy_numbers *n, enum flaw flaw, size_t index, const char *at)
{
    struct array *array = n->out;

    if (array->flaw != FLAW_NONE && array->flaw_index < index)
        return;
    array->flaw = flaw;
    array->flaw_index = index;
    array->flaw_text = npy_type_words(n->header->type, n->header->is_swapped, at);
}

static void note_fraction(struct npy_numbers *n, size_t index, struct excerpt text)
{
    if (n->has_fraction && n->fraction_index < index)
        return;
    n->has_fraction = true;
    n->fraction_index = index;
    n->fraction_text = text;
}

/* As json_array.c judges labels. */
static void judge_label(struct npy_numbers *n, double value, const char *at, size_t index)
{
    if (npy_type_is_truth(n->header->type))
        note_fraction(n, index, excerpt_of(span_of(value != 0 ? "true" : "false")));
    else if (!isfinite(value) || value != trunc(value))
        note_fraction(n, index, words_of(value));
    else if (value != -0x1p63)
        note_flaw(n, FLAW_BEYOND_INT64, index, at);
}

/* What stands at `at` is to be the element at `index`, and is no finite number there. */
static void judge(struct npy_numbers *n, const char *at, size_t index)
{
    double value = number_at(n, at);

    if (n->out->element == ELEMENT_INT64)
        judge_label(n, value, at, index);
    else if (value == -(double)INFINITY && n->member == MEMBER_logits)
        n->out->has_minus_infinity = true;
    else
        note_flaw(n,
                  isnan(value)   ? FLAW_NAN
                  : isinf(value) ? FLAW_INFINITE
                                 : FLAW_OVERFLOW,
                  index, at);
}

static void judge_block(struct npy_numbers *n, const char *at, size_t from, size_t count)
{
    struct array block = {.element = n->out->element, .data = n->out->data};

    if (all_plain(&block, from, count))
        return;
    for (size_t i = 0; i < count; i++)
        if (!all_plain(&block, from + i, 1))
            judge(n, at + i * n->header->type->size, place_of(n, from + i));
}

/* Doubles that may become floats. */
static bool note_block(struct npy_numbers *n, const char *at, size_t from, size_t count,
                       struct err *err)
{
    const double *values = (const double *)n->out->data + from;
    const struct npy_header *header = n->header;

    for (size_t i = 0; i < count; i++) {
        float right;
        if (!number_rounds_twice(values[i]) || !isfinite(values[i]))
            continue;
        npy_type_read(header->type, header->is_swapped, at + i * header->type->size, 1,
                      ELEMENT_FLOAT32, &right);
        if (!narrow_note_float(n->narrow, place_of(n, from + i),
                               span_of(words_of(values[i]).text), values[i], right,
                               n->mem, err))
            return false;
    }
    return true;
}

static bool add_numbers(struct npy_numbers *n, const char *at, size_t count,
                        struct err *err)
{
    struct array *out = n->out;

    if (!make_room(n, count, err))
        return false;
    for (size_t block; count > 0; count -= block) {
        block = count < BLOCK ? count : BLOCK;
        npy_type_read(n->header->type, n->header->is_swapped, at, block, out->element,
                      (char *)out->data + out->count * array_element_size(n->out));
        judge_block(n, at, out->count, block);
        if (n->narrow && !note_block(n, at, out->count, block, err))
            return false;
        out->count += block;
        at += block * n->header->type->size;
    }
    return true;
}

/* Completes the number that the piece before ended in, if there was one. */
static bool feed_cut(struct npy_numbers *n, struct span *data, struct err *err)
{
    size_t size = n->header->type->size;

    if (n->cut_len == 0)
        return true;
    size_t missing = size - n->cut_len, taken = data->len < missing ? data->len : missing;
    memcpy(n->cut + n->cut_len, data->at, taken);
    *data = (struct span){data->at + taken, data->len - taken};
    n->cut_len += taken;
    if (n->cut_len < size)
        return true;
    n->cut_len = 0;
    return add_numbers(n, n->cut, 1, err);
}

bool npy_numbers_feed(struct npy_numbers *n, struct span data, struct err *err)
{
    size_t size = n->header->type->size;

    if (!feed_cut(n, &data, err))
        return false;
    size_t whole = data.len / size, rest = data.len % size;
    if (whole > 0 && !add_numbers(n, data.at, whole, err))
        return false;
    if (rest > 0) {
        memcpy(n->cut, data.at + whole * size, rest);
        n->cut_len = rest;
    }
    return true;
}

static void fail_fraction(const struct npy_numbers *n, struct err *err)
{
    const char *name = member_infos[n->member].name;
    char pointer[PLACE_SIZE], words[PLACE_SIZE];

    place_pointer(pointer, name, &n->header->shape, n->fraction_index);
    place_words(words, name, &n->header->shape, n->fraction_index);
    fail(err, ERR_LABEL_NOT_INTEGER, pointer, "%s is %s; an integer is wanted", words,
         n->fraction_text.text);
}

bool npy_numbers_end(struct npy_numbers *n, struct err *err)
{
    n->out->shape = n->header->shape;
    if (n->has_fraction)
        fail_fraction(n, err);
    return !n->header->is_fortran || npy_fortran_turn(n->out, n->mem, err);
}
