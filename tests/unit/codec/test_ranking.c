/* codec/ranking.c against a plain sort of each row. */
#include "codec/ranking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../engine/random.h"

enum { OUTER = 2, INNER_MAX = 3, CLASSES_MAX = 40 };

static double values[OUTER * INNER_MAX * CLASSES_MAX];
static float slim[OUTER * INNER_MAX * CLASSES_MAX];

struct ranked {
    double value;
    size_t class;
};

/* The highest value first, of equal ones the first class. */
static int compare(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return a->class < b->class ? -1 : 1;
}

/* [OUTER, classes, inner], with few values, so that there are many ties. */
static void fill(struct batch *batch, size_t classes, size_t inner, struct random *random)
{
    *batch = (struct batch){.axis = 1,
                            .classes = classes,
                            .positions = OUTER * inner,
                            .inner = inner,
                            .logits.shape = {3, {OUTER, classes, inner}}};
    for (size_t i = 0; i < OUTER * classes * inner; i++)
        slim[i] = (float)(values[i] = (double)random_below(random, 9) / 4 - 1);
}

static void assert_row(const struct batch *batch, const struct ranking *ranking,
                       size_t kept, size_t row)
{
    struct ranked sorted[CLASSES_MAX];
    size_t outer = row / batch->inner, in = row % batch->inner;
    char wanted[64], found[RANKED_MAX + 1];

    for (size_t c = 0; c < batch->classes; c++)
        sorted[c] =
            (struct ranked){values[(outer * batch->classes + c) * batch->inner + in], c};
    qsort(sorted, batch->classes, sizeof *sorted, compare);
    for (size_t i = 0; i < kept; i++) {
        size_t index = (outer * kept + i) * batch->inner + in;
        snprintf(wanted, sizeof wanted, "%g:%zu", sorted[i].value, sorted[i].class);
        found[ranking_write(ranking, index, found)] = '\0';
        assert_string_equal(found, wanted);
    }
}

static void assert_ranked(const struct batch *batch, bool is_float, size_t most)
{
    size_t kept = most < batch->classes ? most : batch->classes;
    struct err err = {.kind = ERR_NONE};
    struct arena mem;

    arena_init(&mem, SIZE_MAX, NULL, NULL);
    const struct ranking *ranking =
        ranking_new(batch, is_float ? (const void *)slim : (const void *)values, is_float,
                    most, &mem, &err);
    assert_non_null(ranking);
    assert_int_equal(ranking->count, batch->positions * kept);
    assert_int_equal(ranking->shape.dim[1], kept);
    for (size_t row = 0; row < batch->positions; row++)
        assert_row(batch, ranking, kept, row);
    arena_release(&mem);
}

static void ranking_new__sorts_each_row(void **state)
{
    struct random random = {1};
    struct batch batch;

    (void)state;
    for (size_t classes = 1; classes <= CLASSES_MAX; classes++)
        for (size_t most = 1; most <= classes + 1; most++)
            for (size_t inner = 1; inner <= INNER_MAX; inner += 2) {
                fill(&batch, classes, inner, &random);
                assert_ranked(&batch, false, most);
                assert_ranked(&batch, true, most);
            }
}

static void ranking_new__counts_the_axis_from_behind(void **state)
{
    struct random random = {2};
    struct batch batch;

    (void)state;
    fill(&batch, 5, 2, &random);
    batch.axis = -2;
    assert_ranked(&batch, false, 3);
}

static void ranking_bytes__is_what_is_written(void **state)
{
    struct random random = {3};
    struct err err = {.kind = ERR_NONE};
    struct batch batch;
    struct arena mem;
    char text[RANKED_BYTES_MAX];
    size_t bytes = 0;

    (void)state;
    fill(&batch, 12, 1, &random);
    values[3] = -1.7976931348623157e308;
    arena_init(&mem, SIZE_MAX, NULL, NULL);
    const struct ranking *ranking =
        ranking_new(&batch, values, false, SIZE_MAX, &mem, &err);
    for (size_t i = 0; i < ranking->count; i++)
        bytes += ranking_write_bytes(ranking, i, text);
    assert_int_equal(ranking_bytes(ranking), bytes);
    arena_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranking_new__sorts_each_row),
        cmocka_unit_test(ranking_new__counts_the_axis_from_behind),
        cmocka_unit_test(ranking_bytes__is_what_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
