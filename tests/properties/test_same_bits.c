/* The same row gives the same bits: on any number of threads, in any batch, at any
 * place of it, along any axis, with any kernel.  The reduced loss does not depend
 * on the order of the rows. */
#include "../unit/engine/made.h"
#include "../unit/engine/random.h"

#include <stdlib.h>

#include "engine/kernel.h"
#include "lossd/base/pool.h"

enum { MANY_ROWS = 10000 };

static const uint32_t all_outputs = (UINT32_C(1) << OUTPUTS) - 1;

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
    bool with_targets, weighted;
    double label_smoothing;
    int64_t axis; /* 1: rows are contiguous; 0: they are columns */
};

static struct made score_numbers(const struct numbers *n, const struct way *way)
{
    struct made made = make(&task_loss);
    struct shape shape =
        way->axis ? SHAPE(n->rows, n->classes) : SHAPE(n->classes, n->rows);

    make_doubles(&made, "logits", shape, n->logits);
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

/* Row i of `a` is row j of `b`, to the bit. */
static void assert_same_row(const struct made *a, size_t i, const struct made *b,
                            size_t j, size_t classes)
{
    const struct result *x = &a->result, *y = &b->result;
    size_t bytes = classes * sizeof(double);

    assert_memory_equal((const double *)x->probabilities + i * classes,
                        (const double *)y->probabilities + j * classes, bytes);
    assert_memory_equal((const double *)x->log_probabilities + i * classes,
                        (const double *)y->log_probabilities + j * classes, bytes);
    assert_memory_equal((const double *)x->gradient + i * classes,
                        (const double *)y->gradient + j * classes, bytes);
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
    {NULL, false, false, 0, 1},
    {NULL, false, true, 0.1, 1},
    {NULL, true, false, 0, 1},
    {NULL, true, true, 0.2, 1},
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
                way.pool = pool_new(threads[t], 4);
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

static void score__gives_a_row_the_same_bits_alone_and_in_a_batch(void **state)
{
    (void)state;
    struct numbers n = draw(7, MANY_ROWS, 13);
    struct made all = score_numbers(&n, &ways[1]);

    for (size_t i = 0; i < n.rows; i += 1 + i % 7) {
        struct numbers one = {1,
                              n.classes,
                              n.logits + i * n.classes,
                              n.targets + i * n.classes,
                              n.sample_weights + i,
                              n.class_weights,
                              n.labels + i};
        struct made alone = score_numbers(&one, &ways[1]);
        assert_same_row(&alone, 0, &all, i, n.classes);
        unmake(&alone);
    }
    unmake(&all);
    discard(&n);
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

static void transpose(double *out, const double *in, size_t rows, size_t columns)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            out[j * rows + i] = in[i * columns + j];
}

static void score__gives_the_same_bits_along_any_axis(void **state)
{
    (void)state;
    for (size_t w = 0; w < LENGTH(ways); w++) {
        struct numbers n = draw(9 + w, 301, 37), columns = draw(9 + w, 301, 37);
        struct way way = ways[w];
        transpose(columns.logits, n.logits, n.rows, n.classes);
        transpose(columns.targets, n.targets, n.rows, n.classes);
        way.axis = 0;
        struct made a = score_numbers(&n, &ways[w]), b = score_numbers(&columns, &way);
        void *arrays[] = {b.result.probabilities, b.result.log_probabilities,
                          b.result.gradient};
        for (size_t i = 0; i < LENGTH(arrays); i++) {
            double *copy = room(n.rows * n.classes);
            memcpy(copy, arrays[i], n.rows * n.classes * sizeof(double));
            transpose(arrays[i], copy, n.classes, n.rows);
            free(copy);
        }
        assert_same(&a, &b, &n);
        unmake(&a);
        unmake(&b);
        discard(&n);
        discard(&columns);
    }
}

static void kernels__all_give_the_same_bits(void **state)
{
    const struct kernel *kernels[4];
    size_t count = kernels_here(kernels);

    (void)state;
    if (count < 2) {
        print_message("skipped: this processor runs one kernel only\n");
        skip();
    }
    for (size_t classes = 1; classes < 400; classes += 1 + classes / 9) {
        struct numbers n = draw(classes, 20, classes);
        double *exps = room(classes), *first = room(classes * 2),
               *out = room(classes * 2);
        float *narrow = room(classes), *narrow_first = room(classes);
        for (size_t r = 0; r < n.rows; r++) {
            for (size_t k = 0; k < count; k++) {
                struct row row;
                double *into = k ? out : first;
                kernels[k]->softmax(n.logits + r * classes, classes, exps, &row);
                kernels[k]->probabilities(&row, 0.7, into);
                kernels[k]->log_probabilities(&row, into + classes);
                kernels[k]->narrow(into, classes, k ? narrow : narrow_first);
                if (k == 0)
                    continue;
                assert_memory_equal(out, first, classes * 2 * sizeof(double));
                assert_memory_equal(narrow, narrow_first, classes * sizeof(float));
            }
        }
        free(exps);
        free(first);
        free(out);
        free(narrow);
        free(narrow_first);
        discard(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__gives_the_same_bits_for_any_thread_count),
        cmocka_unit_test(score__gives_a_row_the_same_bits_alone_and_in_a_batch),
        cmocka_unit_test(score__does_not_see_the_order_of_rows),
        cmocka_unit_test(score__gives_the_same_bits_along_any_axis),
        cmocka_unit_test(kernels__all_give_the_same_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
