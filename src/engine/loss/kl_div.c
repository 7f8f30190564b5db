/* The divergence of S. Kullback and R. A. Leibler, of the softmax from the targets q:
 *
 *     loss = sum_c q_c (log q_c - log p_c)       log p_c = (z_c - max) - log1p(rest)
 *     d loss / d z_c = S p_c - q_c               S = sum_c q_c
 *
 * Classes with q_c = 0 count nothing, masked or not, and the q need not sum to 1.
 *
 * Where p is close to q the two logarithms cancel: such rows are computed once more, from
 * (p_c - q_c) / q_c in twice the precision.  Where the q do not sum to 1 the error is
 * relative to sum_c q_c (1 + |log (q_c / p_c)|).
 *
 * Source: torch.nn.KLDivLoss on log-probabilities; a mean is over positions, as its
 * "batchmean". */
#include <math.h>
#include <stddef.h>

#include "engine/slab.h"
#include "lossd/engine/loss.h"

/* Of halves, for the differences of logits may be beyond the range. */
static double far_divergence(const struct slab *slab, size_t row)
{
    const double *q = slab->targets + row * slab->classes;
    const double *z = slab_logits(slab, row, slab->row);
    double max = slab->sums.max[row], log_sum = slab->sums.log_sum[row];
    double *terms = slab->other_row;

    slab->real->logs(q, slab->classes, terms);
    for (size_t c = 0; c < slab->classes; c++)
        terms[c] =
            q[c] == 0 ? 0 : q[c] * ((terms[c] + log_sum) / 2 + (max / 2 - z[c] / 2));
    return 2 * slab->real->sum(terms, slab->classes);
}

/* Is the value so small that it has not the accuracy of its dtype, and the row one that
 * can be computed once more?  `total` is what its targets sum to. */
static bool is_close(const struct slab *slab, double value, double total)
{
    double large = slab->batch->dtype == DTYPE_FLOAT32 ? 1e-8 : 0.125;

    return fabs(value) < large && fabs(total - 1) < 0.01;
}

static double settled(const struct slab *slab, size_t row, double value, double total)
{
    if (isnan(value))
        return far_divergence(slab, row);
    if (!is_close(slab, value, total))
        return value;
    return slab->real->close_divergence(slab_logits(slab, row, slab->row),
                                        slab->targets + row * slab->classes,
                                        slab->classes, slab->sums.max[row]);
}

static void fill_values(const struct slab *slab, double *values, double *totals)
{
    slab->real->divergences(slab->logits, slab->rows, slab->classes, slab->sums.max,
                            slab->targets, slab->row, totals, values);
    for (size_t r = 0; r < slab->rows; r++)
        values[r] = slab->weights[r] == 0 ? 0 : settled(slab, r, values[r], totals[r]);
}

/* Of the likeliest class without cancellation. */
static void put_top(const struct slab *slab, size_t row, double total)
{
    size_t top = (size_t)slab->sums.top[row];
    double own = slab->targets[row * slab->classes + top];
    double miss = slab_complement(slab, row, top);

    if (2 * own > total)
        slab_put(slab, slab->scale[row] * ((total - own) - total * miss), row, top,
                 slab->gradient);
}

static void put_gradients(const struct slab *slab, const double *totals)
{
    const struct shares shares = {slab->targets, NULL, 1, 0};
    double by[SLAB_ROWS];

    for (size_t r = 0; r < slab->rows; r++)
        by[r] = slab->scale[r] == 0 ? 0 : slab->scale[r] * totals[r];
    slab->real->mix(slab->exps, slab->rows, slab->classes, &slab->sums, by, slab->scale,
                    &shares, slab->gradient);
    for (size_t r = 0; r < slab->rows; r++)
        if (slab->scale[r] != 0)
            put_top(slab, r, totals[r]);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    double totals[SLAB_ROWS];

    (void)penalties;
    fill_values(slab, values, totals);
    if (slab->gradient)
        put_gradients(slab, totals);
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
