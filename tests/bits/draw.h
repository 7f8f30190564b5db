/* A batch drawn at random, the same one on every machine: for a loss that need not be
 * named, with each of its options given half of the time.
 *
 * Only integers are drawn.  What becomes of them is exact, or one rounding that IEEE
 * 754 decides, so no compiler and no C library has a say in what is scored. */
#ifndef LOSSD_BITS_DRAW_H
#define LOSSD_BITS_DRAW_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/engine/random.h"
#include "lossd/base/arena.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"

enum { DRAW_LOGITS = 4096, DRAW_ROWS = 40, DRAW_DEPTH = 64, CONFUSION_CLASSES = 64 };

enum row_kind {
    ROW_SPREAD,    /* bell-shaped, its width up to 32 */
    ROW_CONFIDENT, /* one class far above the others */
    ROW_EQUAL,
    ROW_TIES, /* small integers, zeros of both signs */
    ROW_OFFSET,
    ROW_MASKED, /* some classes are -Infinity */
    ROW_HUGE,
    ROW_LARGEST, /* as far as the type goes */
    ROW_SUBNORMAL,
    ROW_ANY, /* any finite bits */
    ROW_KINDS
};

struct draw {
    struct random *random;
    struct batch *batch;
    struct arena *mem;
    const struct loss *loss; /* NULL: the softmax alone */
    bool is_float, by_columns, is_linear, has_biases;
    size_t rows, classes;
    double *logits; /* [rows, classes], row-major whatever the axis */
    size_t *open;   /* a class of each row that is not masked */
};

/* ---- numbers ------------------------------------------------------------------- */

/* Bell-shaped between -4 and 4: the sum of four integers of 50 bits. */
static inline double draw_bell(struct random *random)
{
    int64_t sum = -(INT64_C(1) << 51);

    for (int i = 0; i < 4; i++)
        sum += (int64_t)(random_bits(random) >> 14);
    return (double)sum * 0x1p-49;
}

/* 0, 1/16, ... 4; 0 more often. */
static inline double draw_weight(struct random *random)
{
    return random_below(random, 8) ? (double)random_below(random, 65) * 0x1p-4 : 0;
}

static inline double draw_any(struct random *random, bool is_float)
{
    uint32_t bits;
    float value;

    if (!is_float)
        return random_finite(random);
    do {
        bits = (uint32_t)random_bits(random);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return (double)value;
}

/* ---- rows ------------------------------------------------------------------------ */

static inline double draw_logit(const struct draw *draw, enum row_kind kind)
{
    struct random *random = draw->random;

    switch (kind) {
    case ROW_TIES:
        return ((double)random_below(random, 5) - 2) * (random_below(random, 2) ? 1 : -1);
    case ROW_OFFSET:
        return draw_bell(random) + 10000;
    case ROW_HUGE:
        return draw_bell(random) * 0x1p100;
    case ROW_LARGEST:
        return draw_bell(random) * (draw->is_float ? 0x1p125 : 0x1p1021);
    case ROW_SUBNORMAL:
        return draw_bell(random) * (draw->is_float ? 0x1p-140 : 0x1p-1065);
    case ROW_ANY:
        return draw_any(random, draw->is_float);
    default:
        return draw_bell(random);
    }
}

static inline void draw_row(const struct draw *draw, enum row_kind kind, size_t row)
{
    struct random *random = draw->random;
    double *logits = draw->logits + row * draw->classes;
    double width = (double)(1 << random_below(random, 6));
    size_t open = random_below(random, draw->classes);

    for (size_t c = 0; c < draw->classes; c++) {
        logits[c] = draw_logit(draw, kind) * (kind == ROW_SPREAD ? width : 1);
        if (kind == ROW_EQUAL)
            logits[c] = logits[0];
        if (kind == ROW_MASKED && c != open && random_below(random, 2))
            logits[c] = -INFINITY;
    }
    if (kind == ROW_CONFIDENT)
        logits[open] += (double)random_below(random, 800);
    draw->open[row] = open;
}

/* Rows of one kind, or of all: then the batch has a slab of very different ones. */
static inline void draw_rows(const struct draw *draw)
{
    size_t kinds = random_below(draw->random, 2) ? 1 : ROW_KINDS;
    size_t first = random_below(draw->random, ROW_KINDS);

    for (size_t r = 0; r < draw->rows; r++)
        draw_row(draw,
                 (enum row_kind)((first + random_below(draw->random, kinds)) % ROW_KINDS),
                 r);
}

/* ---- members ----------------------------------------------------------------------- */

static inline void draw_fail(const struct err *err)
{
    fprintf(stderr, "bits: %s\n", err->detail);
    exit(2);
}

static inline void *draw_room(const struct draw *draw, size_t count, size_t size)
{
    struct err err = {0};
    void *room = arena_alloc(draw->mem, count, size, &err);

    if (!room)
        draw_fail(&err);
    return room;
}

static inline enum member draw_begin(const struct draw *draw, const char *name)
{
    struct err err = {0};
    enum member member = MEMBERS;

    if (!batch_begin(draw->batch, span_of(name), false, draw->mem, &member, &err))
        draw_fail(&err);
    return member;
}

static inline void draw_option(const struct draw *draw, const char *name,
                               struct value value)
{
    struct err err = {0};

    if (!batch_set(draw->batch, draw_begin(draw, name), value, &err))
        draw_fail(&err);
}

static inline void draw_number(const struct draw *draw, const char *name, double number,
                               bool is_integer)
{
    draw_option(draw, name,
                (struct value){.type = VALUE_NUMBER,
                               .number = number,
                               .is_integer = is_integer,
                               .integer = is_integer ? (int64_t)number : 0});
}

static inline void draw_name(const struct draw *draw, const char *name, const char *text)
{
    draw_option(draw, name, (struct value){.type = VALUE_TEXT, .text = span_of(text)});
}

static inline struct array *draw_array(const struct draw *draw, const char *name,
                                       enum element element, struct shape shape,
                                       void *data)
{
    struct array *array = batch_array(draw->batch, draw_begin(draw, name));

    *array = (struct array){.element = element, .shape = shape, .count = 1, .data = data};
    for (unsigned d = 0; d < shape.rank; d++)
        array->count *= shape.dim[d];
    return array;
}

/* What holds for each logit, laid out along the axis that was drawn. */
static inline struct array *draw_matrix(const struct draw *draw, const char *name,
                                        bool is_float, const double *from)
{
    size_t rows = draw->rows, classes = draw->classes;
    double *wide = draw_room(draw, rows * classes, sizeof *wide);
    float *narrow = (float *)(void *)wide;
    bool masks = false;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < classes; c++) {
            size_t at = draw->by_columns ? c * rows + r : r * classes + c;
            double value = from[r * classes + c];
            masks |= value == -INFINITY;
            if (is_float)
                narrow[at] = (float)value;
            else
                wide[at] = value;
        }
    struct shape shape = draw->by_columns ? (struct shape){2, {classes, rows}}
                                          : (struct shape){2, {rows, classes}};
    struct array *array =
        draw_array(draw, name, is_float ? ELEMENT_FLOAT32 : ELEMENT_FLOAT64, shape, wide);
    array->has_minus_infinity = masks;
    return array;
}

static inline void draw_weights(const struct draw *draw, const char *name, size_t count)
{
    double *weights = draw_room(draw, count, sizeof *weights);

    for (size_t i = 0; i < count; i++)
        weights[i] = draw_weight(draw->random);
    draw_array(draw, name, ELEMENT_FLOAT64, (struct shape){1, {count}}, weights);
}

static inline void draw_labels(const struct draw *draw)
{
    int64_t *labels = draw_room(draw, draw->rows, sizeof *labels);

    for (size_t r = 0; r < draw->rows; r++) {
        size_t label = random_below(draw->random, draw->classes);
        if (draw->logits[r * draw->classes + label] == -INFINITY)
            label = draw->open[r];
        labels[r] = random_below(draw->random, 8) ? (int64_t)label : -100;
    }
    draw_array(draw, "labels", ELEMENT_INT64, (struct shape){1, {draw->rows}}, labels);
}

/* Instead of logits: features, weights and biases, some of them zero; half of the arrays
 * hold what float32 can, of which products are made another way. */
static inline void draw_factor(const struct draw *draw, const char *name,
                               struct shape shape)
{
    struct array *array = draw_array(draw, name, ELEMENT_FLOAT64, shape, NULL);
    double *data = draw_room(draw, array->count, sizeof *data);
    bool has_floats = random_below(draw->random, 2);

    for (size_t i = 0; i < array->count; i++) {
        double value = random_below(draw->random, 8) ? draw_bell(draw->random) : 0;
        data[i] = has_floats ? (double)(float)value : value;
    }
    array->data = data;
}

static inline void draw_model(const struct draw *draw)
{
    size_t depth = 1 + random_below(draw->random, DRAW_DEPTH);

    draw_factor(draw, "features", (struct shape){2, {draw->rows, depth}});
    draw_factor(draw, "W", (struct shape){2, {draw->classes, depth}});
    if (draw->has_biases)
        draw_factor(draw, "b", (struct shape){1, {draw->classes}});
    if (random_below(draw->random, 2))
        draw_number(draw, "l2", draw_weight(draw->random), false);
    memset(draw->logits, 0, draw->rows * draw->classes * sizeof *draw->logits);
    memset(draw->open, 0, draw->rows * sizeof *draw->open);
}

/* Rows that sum to 1, or for an elementwise loss numbers from 0 to 1; nothing for a
 * class that is masked. */
static inline void draw_targets(const struct draw *draw)
{
    size_t count = draw->rows * draw->classes;
    double *targets = draw_room(draw, count, sizeof *targets);

    for (size_t r = 0; r < draw->rows; r++) {
        double *row = targets + r * draw->classes, sum = 0;
        for (size_t c = 0; c < draw->classes; c++) {
            bool is_open = draw->logits[r * draw->classes + c] != -INFINITY;
            bool counts =
                c == draw->open[r] || (is_open && random_below(draw->random, 2));
            row[c] = counts ? (double)(random_bits(draw->random) >> 44) + 1 : 0;
            sum += row[c];
        }
        for (size_t c = 0; c < draw->classes; c++)
            row[c] = draw->loss->is_elementwise ? row[c] * 0x1p-20 : row[c] / sum;
    }
    draw_matrix(draw, "targets", false, targets);
}

/* A number of the option's range: from its lower end a share of 1, 4, ... 64, or all
 * the way up. */
static inline void draw_loss_option(const struct draw *draw, enum member member)
{
    const struct member_info *info = &member_infos[member];
    struct random *random = draw->random;
    double lowest = info->lowest < -4 ? -4 : info->lowest;
    double reach = (double)(1 << 2 * random_below(random, 4));
    size_t step = random_below(random, 65);

    if (info->type == MEMBER_INTEGER) {
        size_t choices = (size_t)(info->highest - info->lowest) + 1;
        draw_number(draw, info->name,
                    info->lowest + (double)random_below(random, choices), true);
        return;
    }
    if (info->type == MEMBER_ARRAY) {
        draw_weights(draw, info->name, draw->classes);
        return;
    }
    if (info->type != MEMBER_NUMBER) {
        fprintf(stderr, "bits: %s is an option now: this must learn to draw it\n",
                info->name);
        exit(2);
    }
    if (reach > info->highest - lowest)
        reach = info->highest - lowest;
    if (info->above_lowest && step == 0)
        step = 1;
    draw_number(draw, info->name, lowest + reach * ((double)step * 0x1p-6), false);
}

/* ---- a batch ------------------------------------------------------------------------- */

static inline void draw_outputs(const struct draw *draw)
{
    struct span names[OUTPUTS];
    size_t count = 0;

    for (enum output o = 0; o < OUTPUTS; o++) {
        bool of_model = o >= OUTPUT_LOGITS && o <= OUTPUT_GRADIENT_B;
        if (!(draw->batch->task->outputs >> o & 1) || (of_model && !draw->is_linear) ||
            (o == OUTPUT_GRADIENT_B && !draw->has_biases) ||
            random_below(draw->random, 8) == 0 ||
            (o >= OUTPUT_METRICS && draw->loss->is_elementwise) ||
            (o == OUTPUT_CONFUSION && draw->classes > CONFUSION_CLASSES))
            continue;
        names[count++] = span_of(output_names[o]);
    }
    draw_option(draw, "return",
                (struct value){.type = VALUE_NAMES, .names = names, .count = count});
}

static inline void draw_truth(const struct draw *draw)
{
    static const char *const reductions[] = {"mean", "sum", "none"};
    struct random *random = draw->random;
    unsigned truths = draw->loss->truths;

    draw_name(draw, "loss", draw->loss->name);
    draw_name(draw, "reduction", reductions[random_below(random, 3)]);
    if (truths & TRUTH_TARGETS && (truths == TRUTH_TARGETS || random_below(random, 2)))
        draw_targets(draw);
    else
        draw_labels(draw);
    if (random_below(random, 2))
        draw_weights(draw, "sample_weights", draw->rows);
    if (random_below(random, 4) == 0)
        draw_number(draw, "divisor", (double)(1 + random_below(random, 1000)) * 0x1p-3,
                    false);
    for (enum member m = 0; m < MEMBERS; m++)
        if (draw->loss->options >> m & 1 && random_below(random, 3) == 0)
            draw_loss_option(draw, m);
}

/* `loss` NULL: a softmax.  All the batch points to is in `mem`. */
static inline void draw_batch(struct random *random, const struct loss *loss,
                              bool is_float, size_t classes, struct arena *mem,
                              struct batch *batch)
{
    static const struct limits limits = {.max_elements = SIZE_MAX,
                                         .max_classes = SIZE_MAX,
                                         .max_confusion = CONFUSION_CLASSES};
    size_t fit = 1 + DRAW_LOGITS / classes;
    struct draw draw = {.random = random,
                        .batch = batch,
                        .mem = mem,
                        .loss = loss,
                        .is_float = is_float,
                        .by_columns = random_below(random, 4) == 0,
                        .classes = classes};

    draw.is_linear = loss && random_below(random, 4) == 0;
    draw.has_biases = random_below(random, 2);
    draw.by_columns &= !draw.is_linear; /* its classes are on the last axis */
    draw.rows = 1 + random_below(random, fit < DRAW_ROWS ? fit : DRAW_ROWS);
    draw.logits = draw_room(&draw, draw.rows * classes, sizeof *draw.logits);
    draw.open = draw_room(&draw, draw.rows, sizeof *draw.open);
    batch_init(batch, loss ? &task_loss : &task_softmax, &limits);
    draw_name(&draw, "dtype", is_float ? "float32" : "float64");
    draw_number(&draw, "axis", draw.by_columns ? 0 : -1, true);
    if (draw.is_linear) {
        draw_model(&draw);
    } else {
        draw_rows(&draw);
        draw_matrix(&draw, "logits", is_float, draw.logits);
    }
    if (loss)
        draw_truth(&draw);
    else
        for (enum member m = 0; m < MEMBERS; m++)
            if (batch->task->members >> m & 1 && member_infos[m].type == MEMBER_NUMBER &&
                random_below(random, 3) == 0)
                draw_loss_option(&draw, m);
    draw_outputs(&draw);
}

#endif
