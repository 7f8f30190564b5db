/* One batch and everything that is done to it: the engine's batches and results, one
 * for each operation, and the yardstick's room.  All results are made once and written
 * over again, as a numeric library's `out=` would be: page faults are not measured. */
#ifndef LOSSD_BENCH_SCENE_H
#define LOSSD_BENCH_SCENE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../noise.h"
#include "lossd/base/arena.h"
#include "lossd/base/pool.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"

enum operation { SOFTMAX, LOSS, LOSS_GRADIENT, LOG_SOFTMAX, OPERATIONS };

static const char *const operation_names[OPERATIONS] = {"softmax", "loss",
                                                        "loss+gradient", "log-softmax"};

struct scene {
    enum dtype dtype;
    size_t rows, classes, count;
    size_t size; /* bytes of a logit */
    struct arena mem;
    void *logits, *out;
    int64_t *labels;
    struct batch batch[OPERATIONS];
    struct result result[OPERATIONS];
};

static inline void scene_fail(const struct err *err)
{
    fprintf(stderr, "bench_engine: %s\n", err->detail);
    exit(1);
}

static inline void *scene_room(struct scene *scene, size_t count, size_t size)
{
    struct err err = {0};
    char *room = arena_alloc(&scene->mem, count + 64 / size, size, &err);

    if (!room)
        scene_fail(&err);
    return room + (64 - (uintptr_t)room % 64) % 64;
}

static inline void scene_numbers(struct scene *scene)
{
    struct noise noise = {scene->count};

    scene->logits = scene_room(scene, scene->count, scene->size);
    scene->out = scene_room(scene, scene->count, scene->size);
    scene->labels = scene_room(scene, scene->rows, sizeof *scene->labels);
    for (size_t i = 0; i < scene->count; i++) {
        double z = noise_logit(&noise);
        if (scene->dtype == DTYPE_FLOAT32)
            ((float *)scene->logits)[i] = (float)z;
        else
            ((double *)scene->logits)[i] = z;
    }
    for (size_t n = 0; n < scene->rows; n++)
        scene->labels[n] = noise_label(&noise, scene->classes);
}

static inline struct array *scene_member(struct batch *batch, const char *name,
                                         struct err *err)
{
    enum member member;

    if (!batch_begin(batch, span_of(name), false, &member, err))
        scene_fail(err);
    return batch_array(batch, member);
}

static inline void scene_option(struct batch *batch, const char *name, struct value value,
                                struct err *err)
{
    enum member member;

    if (!batch_begin(batch, span_of(name), false, &member, err) ||
        !batch_set(batch, member, value, err))
        scene_fail(err);
}

static inline void scene_outputs(struct batch *batch, enum operation operation,
                                 struct err *err)
{
    static const char *const wanted[OPERATIONS][2] = {
        [SOFTMAX] = {"probabilities"},
        [LOSS] = {"loss"},
        [LOSS_GRADIENT] = {"loss", "gradient"},
        [LOG_SOFTMAX] = {"log_probabilities"}};
    struct span names[2] = {span_of(wanted[operation][0]), span_of(wanted[operation][1])};

    scene_option(batch, "return",
                 (struct value){.type = VALUE_NAMES,
                                .names = names,
                                .count = names[1].len > 0 ? 2 : 1},
                 err);
}

/* Fills the batch of one operation as a codec would. */
static inline void scene_batch(struct scene *scene, enum operation operation,
                               size_t width)
{
    static const struct limits limits = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    bool is_loss = operation == LOSS || operation == LOSS_GRADIENT;
    bool is_float = scene->dtype == DTYPE_FLOAT32;
    struct batch *batch = &scene->batch[operation];
    struct err err = {0};

    batch_init(batch, is_loss ? &task_loss : &task_softmax, &limits);
    scene_option(batch, "dtype",
                 (struct value){.type = VALUE_TEXT,
                                .text = span_of(is_float ? "float32" : "float64")},
                 &err);
    scene_outputs(batch, operation, &err);
    *scene_member(batch, "logits", &err) =
        (struct array){.element = is_float ? ELEMENT_FLOAT32 : ELEMENT_FLOAT64,
                       .shape = {2, {scene->rows, scene->classes}},
                       .count = scene->count,
                       .data = scene->logits};
    if (is_loss)
        *scene_member(batch, "labels", &err) = (struct array){.element = ELEMENT_INT64,
                                                              .shape = {1, {scene->rows}},
                                                              .count = scene->rows,
                                                              .data = scene->labels};
    if (!batch_check(batch, &err) ||
        !result_init(&scene->result[operation], batch, width, &scene->mem, &err))
        scene_fail(&err);
}

/* `width`: pool_width() of the widest pool that will score. */
static inline void scene_init(struct scene *scene, enum dtype dtype, size_t rows,
                              size_t classes, size_t width)
{
    *scene = (struct scene){.dtype = dtype,
                            .rows = rows,
                            .classes = classes,
                            .count = rows * classes,
                            .size = dtype == DTYPE_FLOAT32 ? 4 : 8};
    arena_init(&scene->mem, SIZE_MAX, "", NULL);
    scene_numbers(scene);
    for (enum operation o = 0; o < OPERATIONS; o++)
        scene_batch(scene, o, width);
}

static inline void scene_release(struct scene *scene)
{
    arena_release(&scene->mem);
}

/* The result is made from the same room each time; its counts begin at 0. */
static inline void scene_score(struct scene *scene, enum operation operation,
                               struct pool *pool)
{
    struct result result = scene->result[operation];

    score(&scene->batch[operation], &result, pool);
}

#endif
