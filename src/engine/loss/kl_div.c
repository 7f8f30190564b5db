/* The divergence of S. Kullback and R. A. Leibler, of the softmax from the targets q:
 *
 *     loss = sum_c q_c (log q_c - log p_c)       log p_c = (z_c - max) - log1p(rest)
 *     d loss / d z_c = S p_c - q_c               S = sum_c q_c
 *
 * Classes with q_c = 0 count nothing, masked or not, and the q need not sum to 1.
 *
 * Where p is close to q the two logarithms cancel, and what is left of the rounding of
 * p is no smaller for it: the error is relative to sum_c q_c (|log q_c| + |log p_c|),
 * not to the loss.
 *
 * Source: torch.nn.KLDivLoss on log-probabilities; a mean is over positions, as its
 * "batchmean". */
#include <math.h>
#include <stddef.h>

#include "engine/slab.h"
#include "lossd/engine/loss.h"

/* sum_c q_c (max - z_c) where a difference is beyond the range: half of it is not. */
static double wide_gaps(const struct slab *slab, size_t row)
{
    const double *q = slab->targets + row * slab->classes;
    const double *z = slab_logits(slab, row, slab->row);
    double half = slab->sums.max[row] / 2, *terms = slab->other_row;

    for (size_t c = 0; c < slab->classes; c++)
        terms[c] = q[c] == 0 ? 0 : q[c] * (half - z[c] / 2);
    return 2 * slab->real->sum(terms, slab->classes);
}

/* - sum_c q_c log p_c */
static double cross_of(const struct slab *slab, size_t row)
{
    const struct shares shares = {slab->targets + row * slab->classes, NULL, 1, 0};
    double total = 0;
    double gaps = slab->real->gaps(slab_logits_row(slab, row), slab->classes,
                                   slab->sums.max[row], &shares, &total);

    if (isinf(gaps))
        gaps = wide_gaps(slab, row);
    return gaps + total * slab->sums.log_sum[row];
}

/* sum_c q_c log q_c of `rows` rows, which have room for their terms. */
static void fill_own(const struct slab *slab, size_t row, size_t rows, double *terms,
                     double *sums)
{
    const double *q = slab->targets + row * slab->classes;
    size_t count = rows * slab->classes;

    slab->real->logs(q, count, terms);
    for (size_t i = 0; i < count; i++)
        terms[i] *= q[i];
    for (size_t r = 0; r < rows; r++)
        sums[r] = slab->real->sum(terms + r * slab->classes, slab->classes);
}

/* Of all rows; several at a time where they are too short for vectors. */
static void fill_own_sums(const struct slab *slab, double *sums)
{
    enum { ROOM = 256 };
    double few[ROOM];
    size_t together = ROOM / slab->classes;
    double *terms = together > 1 ? few : slab->other_row;

    if (together == 0)
        together = 1;
    for (size_t r = 0; r < slab->rows; r += together) {
        size_t left = slab->rows - r;
        fill_own(slab, r, left < together ? left : together, terms, sums + r);
    }
}

static void put_gradient(const struct slab *slab, size_t row)
{
    double scale = slab->scale[row];
    const double *q = slab->targets + row * slab->classes;
    size_t top = (size_t)slab->sums.top[row];
    struct shares shares = {q, NULL, scale, 0};
    double total = slab->real->sum(q, slab->classes);
    double miss = slab_complement(slab, row, top);

    slab->real->mix(slab->exps, row, slab->classes, slab->sums.factor[row], scale * total,
                    &shares, slab_row_of(slab, row, slab->gradient));
    if (2 * q[top] > total)
        slab_put(slab, scale * ((total - q[top]) - total * miss), row, top,
                 slab->gradient);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    (void)penalties;
    fill_own_sums(slab, values);
    for (size_t r = 0; r < slab->rows; r++) {
        values[r] = slab->weights[r] == 0 ? 0 : values[r] + cross_of(slab, r);
        if (slab->gradient && slab->scale[r] == 0)
            slab_put_zeros(slab, r, slab->gradient);
        else if (slab->gradient)
            put_gradient(slab, r);
    }
}

const struct loss loss_kl_div = {
    .name = "kl_div",
    .formula = "sum_c q_c (log q_c - log p_c), p = softmax(z)",
    .source = "torch.nn.KLDivLoss (batchmean)",
    .options = 1u << MEMBER_temperature | 1u << MEMBER_softcap,
    .truths = TRUTH_TARGETS,
    .target_rule = TARGETS_MEASURE,
    .needs_softmax = true,
    .score = score,
};
