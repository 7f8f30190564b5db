/* Every rank and every class axis: where rows are found and results put. */
#include "made.h"
#include "random.h"

enum { CELLS_MAX = 6561 }; /* 3^8 */

static const char all_outputs[] =
    "loss,losses,probabilities,log_probabilities,logsumexp,gradient,predictions";

/* ---- axes ------------------------------------------------------------------------------ */

static void score__takes_the_class_axis_in_the_middle(void **state)
{
    (void)state;
    double logits[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}; /* [2,3,2] */
    int64_t labels[] = {0, 1, 2, 1};
    struct made made = make(&task_loss);

    make_number(&made, "axis", 1);
    make_labels(&made, SHAPE(2, 2), labels);
    make_doubles(&made, "logits", SHAPE(2, 3, 2), logits);
    make_return(&made, all_outputs);
    make_text(&made, "reduction", "none");
    assert_scores(&made, NULL);
    assert_int_equal(made.batch.classes, 3);
    assert_int_equal(made.batch.positions, 4);
    assert_near(made.result.losses[0], 2.4076059644443804, 4e-15); /* 1 2 3, label 0 */
    assert_near(made.result.losses[1], 10.000045400960277, 4e-15); /* 10 20 30, label 1 */
    assert_near(made.result.losses[2], 0.4076059644443804, 4e-15); /* 4 5 6, label 2 */
    assert_near(made.result.losses[3], 10.000045400960277, 4e-15); /* 40 50 60, label 1 */
    assert_near(doubles(made.result.probabilities)[0], 0.09003057317038046, 4e-15);
    assert_near(doubles(made.result.probabilities)[2], 0.24472847105479767, 4e-15);
    assert_near(doubles(made.result.probabilities)[10], 0.6652409557748219, 4e-15);
    assert_near(made.result.logsumexp[3], 60.000045400960275, 4e-15);
    assert_int_equal(made.result.predictions[1], 2);
    unmake(&made);
}

/* Where class c of position n stands, by counting through all indices. */
static size_t cell_of(const struct shape *shape, unsigned axis, size_t n, size_t c)
{
    size_t index[RANK_MAX], cell = 0;

    for (unsigned d = shape->rank; d-- > 0;) {
        index[d] = d == axis ? c : n % shape->dim[d];
        n = d == axis ? n : n / shape->dim[d];
    }
    for (unsigned d = 0; d < shape->rank; d++)
        cell = cell * shape->dim[d] + index[d];
    return cell;
}

/* The same rows one after another, and with the class axis anywhere. */
static void compare_axis(struct random *random, const struct shape *shape, unsigned axis,
                         bool from_end)
{
    static double apart[CELLS_MAX], together[CELLS_MAX];
    static int64_t labels[CELLS_MAX];
    size_t classes = shape->dim[axis], cells = 1;
    struct shape positions = {0};
    struct made made = make(&task_loss), plain = make(&task_loss);

    for (unsigned d = 0; d < shape->rank; d++) {
        cells *= shape->dim[d];
        if (d != axis)
            positions.dim[positions.rank++] = shape->dim[d];
    }
    size_t count = cells / classes;
    for (size_t n = 0; n < count; n++) {
        labels[n] = (int64_t)random_below(random, classes);
        for (size_t c = 0; c < classes; c++)
            apart[cell_of(shape, axis, n, c)] = together[n * classes + c] =
                random_normal(random);
    }
    make_doubles(&made, "logits", *shape, apart);
    make_labels(&made, positions, labels);
    make_number(&made, "axis", from_end ? (double)axis - shape->rank : axis);
    make_return(&made, all_outputs);
    make_doubles(&plain, "logits", SHAPE(count, classes), together);
    make_labels(&plain, SHAPE(count), labels);
    make_return(&plain, all_outputs);
    assert_scores(&made, NULL);
    assert_scores(&plain, NULL);
    assert_true(made.result.loss == plain.result.loss);
    for (size_t n = 0; n < count; n++) {
        assert_true(made.result.losses[n] == plain.result.losses[n]);
        assert_true(made.result.logsumexp[n] == plain.result.logsumexp[n]);
        assert_int_equal(made.result.predictions[n], plain.result.predictions[n]);
        for (size_t c = 0; c < classes; c++) {
            size_t a = cell_of(shape, axis, n, c), b = n * classes + c;
            assert_int_equal(a, batch_row(&made.batch, n) + c * made.batch.inner);
            assert_true(doubles(made.result.probabilities)[a] ==
                        doubles(plain.result.probabilities)[b]);
            assert_true(doubles(made.result.log_probabilities)[a] ==
                        doubles(plain.result.log_probabilities)[b]);
            assert_true(doubles(made.result.gradient)[a] ==
                        doubles(plain.result.gradient)[b]);
        }
    }
    unmake(&made);
    unmake(&plain);
}

static void score__takes_every_rank_and_every_axis(void **state)
{
    (void)state;
    struct random random = {1};

    for (unsigned rank = 1; rank <= RANK_MAX; rank++)
        for (unsigned axis = 0; axis < rank; axis++)
            for (int round = 0; round < 8; round++) {
                struct shape shape = {.rank = rank};
                for (unsigned d = 0; d < rank; d++)
                    shape.dim[d] = 1 + random_below(&random, rank > 6 ? 2 : 3);
                compare_axis(&random, &shape, axis, round % 2);
            }
}

/* ---- targets, in any layout --------------------------------------------------------------- */

static void targets__stand_where_their_logits_do(void **state)
{
    (void)state;
    double logits[] = {1, 2, 5, 3, 3, 4}, targets[] = {0.25, 1, 0.75, 0, 0, 0};
    struct made made = make(&task_loss);

    /* columns 1 5 3 and 2 3 4 as rows of three classes: [3,2], axis 0 */
    make_doubles(&made, "logits", SHAPE(3, 2), logits);
    make_doubles(&made, "targets", SHAPE(3, 2), targets);
    make_number(&made, "axis", 0);
    make_return(&made, "losses,gradient");
    assert_scores(&made, NULL);
    double lse = log(exp(1) + exp(5) + exp(3));
    assert_near(made.result.losses[0], lse - 0.25 * 1 - 0.75 * 5, 1e-13);
    assert_near(made.result.losses[1], log(exp(2) + exp(3) + exp(4)) - 2, 1e-13);
    assert_near(doubles(made.result.gradient)[0], (exp(1 - lse) - 0.25) / 2, 1e-13);
    assert_near(doubles(made.result.gradient)[2], (exp(5 - lse) - 0.75) / 2, 1e-13);
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__takes_the_class_axis_in_the_middle),
        cmocka_unit_test(score__takes_every_rank_and_every_axis),
        cmocka_unit_test(targets__stand_where_their_logits_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
