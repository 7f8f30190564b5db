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
 * can be computed once more? */
static bool is_close(const struct slab *slab, size_t row, double value)
{
    const double *q = slab->targets + row * slab->classes;
    double large = slab->batch->dtype == DTYPE_FLOAT32 ? 1e-8 : 0.125;

    return fabs(value) < large && fabs(slab->real->sum(q, slab->classes) - 1) < 0.01;
}

static double divergence_of(const struct slab *slab, size_t row)
{
    const double *q = slab->targets + row * slab->classes;
    const double *z = slab_logits(slab, row, slab->row);
    double max = slab->sums.max[row];
    double value = slab->real->divergence(z, q, slab->classes, max);

    if (isnan(value))
        return far_divergence(slab, row);
    if (!is_close(slab, row, value))
        return value;
    return slab->real->close_divergence(z, q, slab->classes, max);
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
    for (size_t r = 0; r < slab->rows; r++) {
        values[r] = slab->weights[r] == 0 ? 0 : divergence_of(slab, r);
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
