/* A body read by the codec, whole or in pieces: what the tests of reading have in
 * common.
 *
 *     struct decoded whole = decode(text);
 *     struct decoded cut = decode_cut(text, 7, 9);
 *     assert_same(&whole, &cut);
 *     decoded_free(&whole);
 *
 * Each piece lies in an allocation of its own size, so that AddressSanitizer sees
 * a look or a write beyond it. */
#ifndef LOSSD_TESTS_DECODED_H
#define LOSSD_TESTS_DECODED_H

#include "lossd/base/number.h"
#include "lossd/codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* last: it has a macro called fail */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct limits decoded_limits = {.max_elements = 1 << 24,
                                             .max_classes = 1 << 20,
                                             .max_confusion = 1000,
                                             .max_depth = 64,
                                             .max_text = 1 << 16};

/* Content-Type of what is read. */
static const char *decoded_type = "";

struct decoded {
    struct arena mem;
    struct err err;
    struct batch batch;
    bool fed;      /* every feed() said true */
    bool finished; /* finish() was asked and said true */
};

/* One piece, in memory of exactly its size. */
static inline bool feed_piece(struct decoder *decoder, struct span piece, struct err *err)
{
    char *copy = malloc(piece.len > 0 ? piece.len : 1);

    assert_non_null(copy);
    memcpy(copy, piece.at, piece.len);
    const struct codec *codec = codec_for(&task_loss, span_of(decoded_type));
    bool fed = codec->feed(decoder, (struct span){copy, piece.len}, err);
    free(copy);
    return fed;
}

/* Fills `d` from the text in pieces: `step` bytes each, or cut at the ascending
 * offsets `cuts` when step is 0. */
static inline void decode_into(struct decoded *d, const struct task *task,
                               const struct limits *limits, size_t memory,
                               struct span text, size_t step, const size_t *cuts,
                               size_t cut_count)
{
    const struct codec *codec = codec_for(&task_loss, span_of(decoded_type));
    size_t at = 0, cut = 0;

    *d = (struct decoded){.fed = true};
    arena_init(&d->mem, memory, "--max-request-memory", NULL);
    batch_init(&d->batch, task, limits);
    struct decoder *decoder =
        codec->begin(span_of(decoded_type), &d->batch, &d->mem, &d->err);
    d->fed = decoder != NULL;
    while (d->fed && at < text.len) {
        size_t to = step ? at + step : cut < cut_count ? cuts[cut++] : text.len;
        if (to > text.len)
            to = text.len;
        d->fed = feed_piece(decoder, (struct span){text.at + at, to - at}, &d->err);
        at = to;
    }
    if (d->fed)
        d->finished = codec->finish(decoder, &d->err);
}

static inline struct decoded decode_steps(struct span text, size_t step)
{
    struct decoded d;

    decode_into(&d, &task_loss, &decoded_limits, SIZE_MAX, text, step, NULL, 0);
    return d;
}

static inline struct decoded decode_cut(struct span text, size_t first, size_t second)
{
    struct decoded d;

    decode_into(&d, &task_loss, &decoded_limits, SIZE_MAX, text, 0,
                (size_t[]){first, second}, 2);
    return d;
}

static inline struct decoded decode(struct span text)
{
    return decode_steps(text, SIZE_MAX / 2);
}

static inline void decoded_free(struct decoded *d)
{
    arena_release(&d->mem);
}

static inline void assert_same_array(const struct array *a, const struct array *b)
{
    assert_int_equal(a->shape.rank, b->shape.rank);
    assert_memory_equal(a->shape.dim, b->shape.dim, sizeof a->shape.dim);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->element, b->element);
    assert_int_equal(a->flaw, b->flaw);
    assert_int_equal(a->flaw_index, b->flaw_index);
    assert_int_equal(a->has_minus_infinity, b->has_minus_infinity);
    assert_string_equal(a->flaw_text.text, b->flaw_text.text);
    if (a->count > 0)
        assert_memory_equal(a->data, b->data,
                            a->count * (a->element == ELEMENT_FLOAT32 ? 4 : 8));
}

static inline void assert_same_error(const struct err *a, const struct err *b)
{
    if (a->kind != b->kind || strcmp(a->detail, b->detail) != 0)
        print_error("\"%s\"\n\"%s\"\n", a->detail, b->detail);
    assert_int_equal(a->kind, b->kind);
    assert_string_equal(a->detail, b->detail);
    assert_string_equal(a->pointer, b->pointer);
    assert_int_equal(a->has_position, b->has_position);
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->line, b->line);
    assert_int_equal(a->column, b->column);
    assert_int_equal(a->limit, b->limit);
}

/* The same batch, or the same error. */
static inline void assert_same(const struct decoded *a, const struct decoded *b)
{
    assert_same_error(&a->err, &b->err);
    assert_int_equal(a->finished, b->finished);
    assert_same_error(&a->batch.bad_option, &b->batch.bad_option);
    if (!a->finished)
        return;
    assert_same_array(&a->batch.logits, &b->batch.logits);
    assert_same_array(&a->batch.labels, &b->batch.labels);
    assert_same_array(&a->batch.targets, &b->batch.targets);
    assert_same_array(&a->batch.class_weights, &b->batch.class_weights);
    assert_same_array(&a->batch.sample_weights, &b->batch.sample_weights);
    assert_int_equal(a->batch.given, b->batch.given);
    assert_int_equal(a->batch.members, b->batch.members);
    assert_memory_equal(a->batch.order, b->batch.order, sizeof a->batch.order);
    assert_int_equal(a->batch.reduction, b->batch.reduction);
    assert_int_equal(a->batch.dtype, b->batch.dtype);
    assert_int_equal(a->batch.axis, b->batch.axis);
    assert_int_equal(a->batch.ignore_index, b->batch.ignore_index);
    assert_memory_equal(&a->batch.temperature, &b->batch.temperature, sizeof(double));
    assert_int_equal(a->batch.outputs, b->batch.outputs);
    assert_true(span_equal(a->batch.id, b->batch.id));
}

/* Cut in two at each byte, and read byte by byte, the text gives the same. */
static inline void assert_cuts_do_not_matter(struct span text,
                                             const struct decoded *whole)
{
    for (size_t at = 0; at <= text.len; at++) {
        struct decoded cut = decode_cut(text, at, text.len);
        assert_same(whole, &cut);
        decoded_free(&cut);
    }
    for (size_t step = 1; step <= 3; step++) {
        struct decoded drip = decode_steps(text, step);
        assert_same(whole, &drip);
        decoded_free(&drip);
    }
}

#endif
