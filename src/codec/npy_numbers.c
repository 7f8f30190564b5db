#include "npy_numbers.h"

#include <math.h>

#include "lossd/base/excerpt.h"
#include "lossd/engine/place.h"
#include "npy_fortran.h"

enum {
    BLOCK = 256,
    FIRST_CAPACITY = 64,
    FOR_OTHERS = 1 << 16 /* bytes of what is reserved that the array leaves alone */
};

void npy_numbers_begin(struct npy_numbers *n, const struct npy_header *header,
                       struct array *out, struct arena *mem)
{
    *n = (struct npy_numbers){.header = header, .out = out, .mem = mem};
}

static size_t element_size(const struct npy_numbers *n)
{
    return n->out->element == ELEMENT_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* Room grows with what has arrived: what a header promises costs its sender nothing. */
static bool make_room(struct npy_numbers *n, size_t more, struct err *err)
{
    size_t size = element_size(n), reserved = arena_reserve_left(n->mem);
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

static bool all_finite(const struct array *array, size_t from, size_t count)
{
    bool finite = true;

    if (array->element == ELEMENT_FLOAT32)
        for (size_t i = 0; i < count; i++)
            finite &= isfinite(((const float *)array->data)[from + i]);
    else
        for (size_t i = 0; i < count; i++)
            finite &= isfinite(((const double *)array->data)[from + i]);
    return finite;
}

/* A number as it was sent; those that are no integers lose nothing. */
static double number_at(const struct npy_numbers *n, const char *at)
{
    double value;

    npy_type_read(n->header->type, n->header->is_swapped, at, 1, ELEMENT_FLOAT64, &value);
    return value;
}

static void note_flaw(struct array *array, enum flaw flaw, size_t index, double value)
{
    char words[PLACE_SIZE];

    if (array->flaw != FLAW_NONE && array->flaw_index < index)
        return;
    number_words(words, value);
    array->flaw = flaw;
    array->flaw_index = index;
    array->flaw_text = excerpt_of(span_of(words));
}

/* What stands at `at` became `index`th of the array, and is no finite number there. */
static void judge(struct npy_numbers *n, const char *at, size_t index)
{
    double value = number_at(n, at);

    if (value == -(double)INFINITY) {
        n->out->has_minus_infinity = true;
        return;
    }
    if (n->header->is_fortran)
        index = npy_fortran_index(&n->header->shape, index);
    note_flaw(n->out,
              isnan(value)   ? FLAW_NAN
              : isinf(value) ? FLAW_INFINITE
                             : FLAW_OVERFLOW,
              index, value);
}

static void judge_block(struct npy_numbers *n, const char *at, size_t from, size_t count)
{
    struct array block = {.element = n->out->element, .data = n->out->data};

    if (all_finite(&block, from, count))
        return;
    for (size_t i = 0; i < count; i++)
        if (!all_finite(&block, from + i, 1))
            judge(n, at + i * n->header->type->size, from + i);
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
                      (char *)out->data + out->count * element_size(n));
        judge_block(n, at, out->count, block);
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

bool npy_numbers_end(struct npy_numbers *n, struct err *err)
{
    n->out->shape = n->header->shape;
    return !n->header->is_fortran || npy_fortran_turn(n->out, n->mem, err);
}
