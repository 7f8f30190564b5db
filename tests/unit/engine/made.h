/* A batch made by hand, and its result: what the tests of the engine have in
 * common.  Members are set the way a codec sets them, one after another:
 *
 *     struct made made = make(&task_loss);
 *     make_doubles(&made, "logits", SHAPE(1, 3), (double[]){1, 2, 3});
 *     make_labels(&made, SHAPE(1), (int64_t[]){2});
 *     make_number(&made, "label_smoothing", 0.1);
 *     assert_scores(&made, NULL);
 *     ... made.result.loss ...
 *     unmake(&made);
 *
 * Arrays are the caller's and must live as long as the batch. */
#ifndef LOSSD_TESTS_MADE_H
#define LOSSD_TESTS_MADE_H

#include "lossd/base/number.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/score.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What a codec has found before. */
static inline void report(struct err *err, enum err_kind kind, const char *detail)
{
    fail(err, kind, "/x", "%s", detail);
}

#include <cmocka.h> /* last: it has a macro called fail */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define SHAPE(...)                                                                \
    ((struct shape){(unsigned)(sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t)), \
                    {__VA_ARGS__}})
#define SHAPE_SCALAR ((struct shape){0, {0}})

static const struct limits made_limits = {.max_elements = (size_t)1 << 32,
                                          .max_classes = (size_t)1 << 24,
                                          .max_confusion = 1000,
                                          .max_depth = 64,
                                          .max_text = (size_t)1 << 20};

struct made {
    struct batch batch;
    struct result result;
    struct arena mem;
    struct err err;
};

static inline struct made make(const struct task *task)
{
    struct made made = {.err = {.kind = ERR_NONE}};

    batch_init(&made.batch, task, &made_limits);
    arena_init(&made.mem, SIZE_MAX, "--max-request-memory", NULL);
    return made;
}

static inline void unmake(struct made *made)
{
    arena_release(&made->mem);
}

static inline enum member make_begin(struct made *made, const char *name)
{
    enum member member = MEMBERS;

    if (!batch_begin(&made->batch, span_of(name), false, &made->mem, &member, &made->err))
        fail_msg("%s: %s", name, made->err.detail);
    return member;
}

static inline struct array *make_array(struct made *made, const char *name,
                                       enum element element, struct shape shape,
                                       void *data)
{
    struct array *array = batch_array(&made->batch, make_begin(made, name));

    *array = (struct array){.element = element, .shape = shape, .count = 1, .data = data};
    for (unsigned d = 0; d < shape.rank; d++)
        array->count *= shape.dim[d];
    for (size_t i = 0; i < array->count && element != ELEMENT_INT64; i++) {
        double value =
            element == ELEMENT_FLOAT32 ? (double)((float *)data)[i] : ((double *)data)[i];
        array->has_minus_infinity |= value == -INFINITY;
    }
    return array;
}

static inline struct array *make_doubles(struct made *made, const char *name,
                                         struct shape shape, double *data)
{
    return make_array(made, name, ELEMENT_FLOAT64, shape, data);
}

static inline struct array *make_floats(struct made *made, const char *name,
                                        struct shape shape, float *data)
{
    return make_array(made, name, ELEMENT_FLOAT32, shape, data);
}

static inline struct array *make_labels(struct made *made, struct shape shape,
                                        int64_t *data)
{
    return make_array(made, "labels", ELEMENT_INT64, shape, data);
}

/* Marks an element as a codec does. */
static inline void make_flaw(struct array *array, enum flaw flaw, size_t index,
                             const char *text)
{
    array->flaw = flaw;
    array->flaw_index = index;
    snprintf(array->flaw_text.text, sizeof array->flaw_text.text, "%s", text);
}

/* logits [2,3] and labels [0,0]: sound as they are. */
static inline struct made make_sound(void)
{
    static double logits[] = {1, 2, 3, 4, 5, 6};
    static int64_t labels[] = {0, 0};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 3), logits);
    make_labels(&made, SHAPE(2), labels);
    return made;
}

static inline bool make_value(struct made *made, const char *name, struct value value)
{
    return batch_set(&made->batch, make_begin(made, name), value, &made->err);
}

/* The spelling lives until as many numbers have been made as a batch has members. */
static inline struct value number_value(double number)
{
    static char texts[MEMBERS][NUMBER_TEXT_MAX + 1];
    static unsigned made;
    char *text = texts[made++ % MEMBERS];
    struct value value = {.type = VALUE_NUMBER, .number = number, .kind = "a number"};

    text[number_write_double(text, number)] = '\0';
    value.text = span_of(text);
    value.is_integer = fabs(number) < 0x1p53 && number == trunc(number);
    value.integer = value.is_integer ? (int64_t)number : 0;
    return value;
}

static inline struct value text_value(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .text = span_of(text), .kind = "a string"};
}

/* "a,b,c" */
static inline struct value names_value(const char *list, struct span *names)
{
    struct value value = {
        .type = VALUE_NAMES, .text = span_of(list), .names = names, .kind = "an array"};

    while (*list) {
        size_t length = strcspn(list, ",");
        names[value.count++] = (struct span){list, length};
        list += length + (list[length] == ',');
    }
    return value;
}

static inline bool make_number(struct made *made, const char *name, double number)
{
    return make_value(made, name, number_value(number));
}

static inline bool make_text(struct made *made, const char *name, const char *text)
{
    return make_value(made, name, text_value(text));
}

static inline bool make_return(struct made *made, const char *list)
{
    struct span names[OUTPUTS];

    return make_value(made, "return", names_value(list, names));
}

static inline void assert_scores(struct made *made, struct pool *pool)
{
    if (!batch_check(&made->batch, &made->err))
        fail_msg("refused: %s", made->err.detail);
    assert_true(result_init(&made->result, &made->batch, pool_width(pool), &made->mem,
                            &made->err));
    score(&made->batch, &made->result, pool);
}

/* The batch is refused, so and with these words. */
static inline void assert_refused(struct made *made, enum err_kind kind,
                                  const char *pointer, const char *detail)
{
    if (batch_check(&made->batch, &made->err))
        fail_msg("accepted; wanted: %s", detail);
    assert_string_equal(made->err.detail, detail);
    assert_string_equal(made->err.pointer, pointer);
    assert_int_equal(made->err.kind, kind);
}

/* Equal but for the last bits. */
static inline void assert_near(double found, double wanted, double relative)
{
    if (!(fabs(found - wanted) <= relative * fabs(wanted)))
        fail_msg("%.17g is not %.17g within %g", found, wanted, relative);
}

/* 0, and not -0. */
static inline void assert_zero(double found)
{
    assert_true(found == 0 && !signbit(found));
}

static inline const double *doubles(const void *array)
{
    return array;
}

#endif
