/* The same row gives the same bits: on any number of threads, in any batch, at any
 * place of it, along any axis.  The reduced loss does not depend on the order of the
 * rows. */
#include "../unit/engine/made.h"
#include "../unit/engine/random.h"

#include <stdlib.h>

#include "lossd/base/pool.h"

enum { MANY_NUMBERS = 60000 };

/* All that every batch can be asked for. */
static const uint32_t all_outputs =
    UINT32_C(1) << OUTPUT_LOSS | UINT32_C(1) << OUTPUT_LOSSES |
    UINT32_C(1) << OUTPUT_PROBABILITIES | UINT32_C(1) << OUTPUT_LOG_PROBABILITIES |
    UINT32_C(1) << OUTPUT_LOGSUMEXP | UINT32_C(1) << OUTPUT_GRADIENT |
    UINT32_C(1) << OUTPUT_PREDICTIONS;

struct numbers {
    size_t rows, classes;
    double *logits, *targets, *sample_weights, *class_weights;
    int64_t *labels;
};

static void *room(size_t count)
{
    void *piece = calloc(count, sizeof(double));

    assert_non_null(piece);
    return piece;
}

static struct numbers draw(uint64_t seed, size_t rows, size_t classes)
{
    struct random random = {seed};
    struct numbers n = {.rows = rows, .classes = classes};

    n.logits = room(rows * classes);
    n.targets = room(rows * classes);
    n.sample_weights = room(rows);
    n.class_weights = room(classes);
    n.labels = room(rows);
    for (size_t i = 0; i < rows * classes; i++)
        n.logits[i] = random_normal(&random) * ((i / classes) % 3 ? 3 : 60);
    for (size_t i = 0; i < rows; i++) {
        n.labels[i] =
            random_below(&random, 9) ? (int64_t)random_below(&random, classes) : -100;
        n.sample_weights[i] = random_within(&random, 0, 2);
        n.targets[i * classes + random_below(&random, classes)] += 0.25;
        n.targets[i * classes + random_below(&random, classes)] += 0.75;
    }
    for (size_t i = 0; i < classes; i++)
        n.class_weights[i] = random_within(&random, 0, 2);
    return n;
}

static void discard(struct numbers *n)
{
    free(n->logits);
    free(n->targets);
    free(n->sample_weights);
    free(n->class_weights);
    free(n->labels);
}

/* How a batch is asked for. */
struct way {
    struct pool *pool;
    bool is_float, with_targets, weighted;
    double label_smoothing;
    int64_t axis; /* 1: rows are contiguous; 0: they are columns */
};

static struct made score_numbers(const struct numbers *n, const struct way *way)
{
    struct made made = make(&task_loss);
    struct shape shape =
        way->axis ? SHAPE(n->rows, n->classes) : SHAPE(n->classes, n->rows);

    if (way->is_float) {
        float *narrow =
            arena_alloc(&made.mem, n->rows * n->classes, sizeof *narrow, &made.err);
        assert_non_null(narrow);
        for (size_t i = 0; i < n->rows * n->classes; i++)
            narrow[i] = (float)n->logits[i];
        make_text(&made, "dtype", "float32");
        make_floats(&made, "logits", shape, narrow);
    } else {
        make_doubles(&made, "logits", shape, n->logits);
    }
    if (way->with_targets)
        make_doubles(&made, "targets", shape, n->targets);
    else
        make_labels(&made, SHAPE(n->rows), n->labels);
    if (way->weighted) {
        make_doubles(&made, "class_weights", SHAPE(n->classes), n->class_weights);
        make_doubles(&made, "sample_weights", SHAPE(n->rows), n->sample_weights);
    }
    make_number(&made, "label_smoothing", way->label_smoothing);
    made.batch.axis = way->axis;
    made.batch.outputs = all_outputs;
    made.batch.reduction = REDUCTION_SUM; /* so that a gradient is the row's own */
    assert_true(batch_check(&made.batch, &made.err));
    assert_true(result_init(&made.result, &made.batch, pool_width(way->pool), &made.mem,
                            &made.err));
    score(&made.batch, &made.result, way->pool);
    return made;
}

static void assert_same_totals(const struct made *a, const struct made *b)
{
    assert_memory_equal(&a->result.loss, &b->result.loss, sizeof(double));
    assert_memory_equal(&a->result.divisor, &b->result.divisor, sizeof(double));
    assert_int_equal(a->result.count, b->result.count);
}

static size_t size_of(const struct made *made)
{
    return made->batch.dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* Row i of `a` is row j of `b`, to the bit. */
static void assert_same_row(const struct made *a, size_t i, const struct made *b,
                            size_t j, size_t classes)
{
    const struct result *x = &a->result, *y = &b->result;
    size_t bytes = classes * size_of(a);

    assert_memory_equal((const char *)x->probabilities + i * bytes,
                        (const char *)y->probabilities + j * bytes, bytes);
    assert_memory_equal((const char *)x->log_probabilities + i * bytes,
                        (const char *)y->log_probabilities + j * bytes, bytes);
    assert_memory_equal((const char *)x->gradient + i * bytes,
                        (const char *)y->gradient + j * bytes, bytes);
    assert_memory_equal(x->losses + i, y->losses + j, sizeof(double));
    assert_memory_equal(x->logsumexp + i, y->logsumexp + j, sizeof(double));
    assert_int_equal(x->predictions[i], y->predictions[j]);
}

static void assert_same(const struct made *a, const struct made *b,
                        const struct numbers *n)
{
    assert_same_totals(a, b);
    for (size_t i = 0; i < n->rows; i++)
        assert_same_row(a, i, b, i, n->classes);
}

static const struct way ways[] = {
    {.axis = 1},
    {.axis = 1, .weighted = true, .label_smoothing = 0.1},
    {.axis = 1, .with_targets = true},
    {.axis = 1, .with_targets = true, .weighted = true, .label_smoothing = 0.2},
    {.axis = 1, .is_float = true},
    {.axis = 1, .is_float = true, .weighted = true, .label_smoothing = 0.1},
    {.axis = 1, .is_float = true, .with_targets = true},
};

static void score__gives_the_same_bits_for_any_thread_count(void **state)
{
    static const size_t threads[] = {1, 2, 8};
    static const size_t classes[] = {2, 10, 131, 3001};

    (void)state;
    for (size_t c = 0; c < LENGTH(classes); c++) {
        struct numbers n = draw(c + 1, 120000 / classes[c], classes[c]);
        for (size_t w = 0; w < LENGTH(ways); w++) {
            struct made alone = score_numbers(&n, &ways[w]);
            for (size_t t = 0; t < LENGTH(threads); t++) {
                struct way way = ways[w];
                way.pool = pool_new(threads[t], 0);
                assert_non_null(way.pool);
                struct made shared = score_numbers(&n, &way);
                assert_same(&alone, &shared, &n);
                unmake(&shared);
                pool_free(way.pool);
            }
            unmake(&alone);
        }
        discard(&n);
    }
}

static void rows_are_the_same_alone(const struct numbers *n, const struct way *way)
{
    struct made all = score_numbers(n, way);

    for (size_t i = 0; i < n->rows; i += 1 + i % 7) {
        struct numbers one = {1,
                              n->classes,
                              n->logits + i * n->classes,
                              n->targets + i * n->classes,
                              n->sample_weights + i,
                              n->class_weights,
                              n->labels + i};
        struct made alone = score_numbers(&one, way);
        assert_same_row(&alone, 0, &all, i, n->classes);
        unmake(&alone);
    }
    unmake(&all);
}

static void score__gives_a_row_the_same_bits_alone_and_in_a_batch(void **state)
{
    static const size_t classes[] = {1, 13, 48, 129, 257, 1001};

    (void)state;
    for (size_t c = 0; c < LENGTH(classes); c++) {
        struct numbers n = draw(c + 7, MANY_NUMBERS / classes[c], classes[c]);
        for (size_t w = 0; w < LENGTH(ways); w++)
            rows_are_the_same_alone(&n, &ways[w]);
        discard(&n);
    }
}

static void score__does_not_see_the_order_of_rows(void **state)
{
    (void)state;
    struct numbers n = draw(8, 5000, 11), turned = draw(8, 5000, 11);

    for (size_t i = 0; i < n.rows; i++) {
        size_t from = (i * 1237 + 11) % n.rows; /* 1237 and 5000 share no factor */
        memcpy(turned.logits + i * n.classes, n.logits + from * n.classes,
               n.classes * sizeof(double));
        turned.labels[i] = n.labels[from];
        turned.sample_weights[i] = n.sample_weights[from];
    }
    struct made a = score_numbers(&n, &ways[1]), b = score_numbers(&turned, &ways[1]);
    assert_same_totals(&a, &b);
    for (size_t i = 0; i < n.rows; i++)
        assert_same_row(&b, i, &a, (i * 1237 + 11) % n.rows, n.classes);
    unmake(&a);
    unmake(&b);
    discard(&n);
    discard(&turned);
}

static void transpose(void *out, const void *in, size_t rows, size_t columns, size_t size)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            memcpy((char *)out + (j * rows + i) * size,
                   (const char *)in + (i * columns + j) * size, size);
}

static void score__gives_the_same_bits_along_any_axis(void **state)
{
    (void)state;
    for (size_t w = 0; w < LENGTH(ways); w++) {
        struct numbers n = draw(9 + w, 301, 37), columns = draw(9 + w, 301, 37);
        struct way way = ways[w];
        transpose(columns.logits, n.logits, n.rows, n.classes, sizeof(double));
        transpose(columns.targets, n.targets, n.rows, n.classes, sizeof(double));
        way.axis = 0;
        struct made a = score_numbers(&n, &ways[w]), b = score_numbers(&columns, &way);
        void *arrays[] = {b.result.probabilities, b.result.log_probabilities,
                          b.result.gradient};
        for (size_t i = 0; i < LENGTH(arrays); i++) {
            void *copy = room(n.rows * n.classes);
            memcpy(copy, arrays[i], n.rows * n.classes * size_of(&b));
            transpose(arrays[i], copy, n.classes, n.rows, size_of(&b));
            free(copy);
        }
        assert_same(&a, &b, &n);
        unmake(&a);
        unmake(&b);
        discard(&n);
        discard(&columns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__gives_the_same_bits_for_any_thread_count),
        cmocka_unit_test(score__gives_a_row_the_same_bits_alone_and_in_a_batch),
        cmocka_unit_test(score__does_not_see_the_order_of_rows),
        cmocka_unit_test(score__gives_the_same_bits_along_any_axis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
