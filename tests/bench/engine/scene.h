/* The numbers of one batch, and what is asked of it: the engine's batches and results,
 * one for each work.  All results are made once and written over again, in memory that
 * all of them share, as a numeric library's `out=` would be: page faults are not
 * measured. */
#ifndef LOSSD_BENCH_SCENE_H
#define LOSSD_BENCH_SCENE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../noise.h"
#include "lossd/base/arena.h"
#include "lossd/base/pool.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/score.h"

enum { NOISE_LOGITS = 1 << 20 }; /* of their own; more repeat them */

struct scene {
    enum dtype dtype;
    size_t rows, classes, count;
    size_t size; /* bytes of a logit */
    struct arena mem;
    void *logits, *out;
    int64_t *labels;
    double *targets; /* [rows, classes], made when first asked for */
    double *weights; /* [classes] */
};

/* What is asked of a batch. */
struct work {
    const struct loss *loss; /* NULL: the softmax */
    bool has_targets;
    enum member option; /* given at a value that is not its default; MEMBERS: none */
    const char *outputs[3];
};

/* A batch and its result, to be scored again and again. */
struct scored {
    struct batch batch;
    struct result result;
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
    size_t drawn = scene->count < NOISE_LOGITS ? scene->count : NOISE_LOGITS;

    scene->logits = scene_room(scene, scene->count, scene->size);
    scene->out = scene_room(scene, scene->count, scene->size);
    scene->labels = scene_room(scene, scene->rows, sizeof *scene->labels);
    scene->weights = scene_room(scene, scene->classes, sizeof *scene->weights);
    for (size_t i = 0; i < drawn; i++) {
        double z = noise_logit(&noise);
        if (scene->dtype == DTYPE_FLOAT32)
            ((float *)scene->logits)[i] = (float)z;
        else
            ((double *)scene->logits)[i] = z;
    }
    for (size_t i = drawn; i < scene->count; i += drawn)
        memcpy((char *)scene->logits + i * scene->size, scene->logits,
               (scene->count - i < drawn ? scene->count - i : drawn) * scene->size);
    for (size_t n = 0; n < scene->rows; n++)
        scene->labels[n] = noise_label(&noise, scene->classes);
    for (size_t c = 0; c < scene->classes; c++)
        scene->weights[c] = 0.5 + noise_share(&noise);
}

static inline double *scene_targets(struct scene *scene)
{
    struct noise noise = {scene->count + 1};

    if (scene->targets)
        return scene->targets;
    scene->targets = scene_room(scene, scene->count, sizeof *scene->targets);
    for (size_t n = 0; n < scene->rows; n++) {
        double *row = scene->targets + n * scene->classes, sum = 0;
        for (size_t c = 0; c < scene->classes; c++)
            sum += row[c] = noise_share(&noise);
        for (size_t c = 0; c < scene->classes; c++)
            row[c] /= sum;
    }
    return scene->targets;
}

static inline struct array *scene_member(struct batch *batch, const char *name,
                                         struct err *err)
{
    enum member member;

    if (!batch_begin(batch, span_of(name), false, NULL, &member, err))
        scene_fail(err);
    return batch_array(batch, member);
}

static inline void scene_option(struct batch *batch, const char *name, struct value value,
                                struct err *err)
{
    enum member member;

    if (!batch_begin(batch, span_of(name), false, NULL, &member, err) ||
        !batch_set(batch, member, value, err))
        scene_fail(err);
}

static inline void scene_outputs(struct batch *batch, const struct work *work,
                                 struct err *err)
{
    enum { MOST = sizeof work->outputs / sizeof *work->outputs };
    struct span names[MOST];
    size_t count = 0;

    for (size_t i = 0; i < MOST && work->outputs[i]; i++)
        names[count++] = span_of(work->outputs[i]);
    scene_option(batch, "return",
                 (struct value){.type = VALUE_NAMES, .names = names, .count = count},
                 err);
}

static inline void scene_array(struct batch *batch, const char *name,
                               enum element element, struct shape shape, void *data,
                               struct err *err)
{
    struct array *array = scene_member(batch, name, err);

    *array = (struct array){.element = element, .shape = shape, .count = 1, .data = data};
    for (unsigned d = 0; d < shape.rank; d++)
        array->count *= shape.dim[d];
}

/* An option of the loss: a weight for each class, or a number that is not the
 * default. */
static inline void scene_loss_option(struct scene *scene, struct batch *batch,
                                     enum member option, struct err *err)
{
    const struct member_info *info = &member_infos[option];
    bool is_share = info->type == MEMBER_NUMBER && info->highest <= 1;

    if (info->type == MEMBER_ARRAY) {
        scene_array(batch, info->name, ELEMENT_FLOAT64,
                    (struct shape){1, {scene->classes}}, scene->weights, err);
        return;
    }
    scene_option(batch, info->name,
                 (struct value){.type = VALUE_NUMBER,
                                .number = is_share ? 0.125 : 2,
                                .is_integer = !is_share,
                                .integer = is_share ? 0 : 2},
                 err);
}

static inline void scene_truth(struct scene *scene, const struct work *work,
                               struct batch *batch, struct err *err)
{
    scene_option(batch, "loss",
                 (struct value){.type = VALUE_TEXT, .text = span_of(work->loss->name)},
                 err);
    if (work->has_targets)
        scene_array(batch, "targets", ELEMENT_FLOAT64,
                    (struct shape){2, {scene->rows, scene->classes}},
                    scene_targets(scene), err);
    else
        scene_array(batch, "labels", ELEMENT_INT64, (struct shape){1, {scene->rows}},
                    scene->labels, err);
    if (work->option < MEMBERS)
        scene_loss_option(scene, batch, work->option, err);
}

/* Fills the batch of some work as a codec would.  `width`: pool_width() of the widest
 * pool that will score. */
static inline void scene_prepare(struct scene *scene, const struct work *work,
                                 size_t width, struct scored *scored)
{
    static const struct limits limits = {.max_elements = SIZE_MAX,
                                         .max_classes = SIZE_MAX,
                                         .max_confusion = SIZE_MAX,
                                         .max_depth = SIZE_MAX,
                                         .max_text = SIZE_MAX};
    bool is_float = scene->dtype == DTYPE_FLOAT32;
    struct batch *batch = &scored->batch;
    struct result *result = &scored->result;
    struct err err = {0};

    batch_init(batch, work->loss ? &task_loss : &task_softmax, &limits);
    scene_option(batch, "dtype",
                 (struct value){.type = VALUE_TEXT,
                                .text = span_of(is_float ? "float32" : "float64")},
                 &err);
    scene_outputs(batch, work, &err);
    scene_array(batch, "logits", is_float ? ELEMENT_FLOAT32 : ELEMENT_FLOAT64,
                (struct shape){2, {scene->rows, scene->classes}}, scene->logits, &err);
    if (work->loss)
        scene_truth(scene, work, batch, &err);
    if (!batch_check(batch, &err) ||
        !result_init(result, batch, width, &scene->mem, &err))
        scene_fail(&err);
    void **arrays[] = {&result->probabilities, &result->log_probabilities,
                       &result->gradient};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (*arrays[i])
            *arrays[i] = scene->out;
}

static inline void scene_init(struct scene *scene, enum dtype dtype, size_t rows,
                              size_t classes)
{
    *scene = (struct scene){.dtype = dtype,
                            .rows = rows,
                            .classes = classes,
                            .count = rows * classes,
                            .size = dtype == DTYPE_FLOAT32 ? 4 : 8};
    arena_init(&scene->mem, SIZE_MAX, "", NULL);
    scene_numbers(scene);
}

static inline void scene_release(struct scene *scene)
{
    arena_release(&scene->mem);
}

/* ---- the same as a contender of a race ------------------------------------------- */

struct engine_run {
    struct scored *scored;
    struct pool *pool;
};

/* The result is made from the same room each time; its counts begin at 0. */
static inline void run_engine(void *ctx)
{
    const struct engine_run *run = ctx;
    struct result result = run->scored->result;

    score(&run->scored->batch, &result, run->pool);
}

#endif
