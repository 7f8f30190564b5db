/* The multi-class hinge of J. Weston and C. Watkins, y being the label:
 *
 *     m_j = max(0, margin - z_y + z_j), j other than y
 *     loss = w_y / C sum_j m_j^p                         p is 1 or 2
 *     d loss / d z_j = w_y / C p m_j^(p-1) [m_j > 0]     d / d z_y = - their sum
 *
 * At m_j = 0 the gradient is 0.  What rounding takes from z_j - z_y and from its sum
 * with the margin is given back: near the margin it would be all there is.
 *
 * Source: torch.nn.MultiMarginLoss, which divides by C as here, and a mean by the
 * count of positions. */
#include <math.h>

#include "engine/kernel/vmath.h"
#include "engine/slab.h"
#include "lossd/engine/loss.h"

/* m_j; where it is infinite there is no tail. */
static inline double short_of(double margin, double other, double own)
{
    double d = other - own, sum = margin + d;
    double tail = difference_tail(margin, -d, sum) + difference_tail(other, own, d);
    double m = sum + (tail - tail == 0 ? tail : 0);

    return m > 0 ? m : 0;
}

static double weight_of(const struct slab *slab, size_t row)
{
    return batch_class_weight(slab->batch, (size_t)slab->labels[row]) /
           (double)slab->classes;
}

/* ---- beyond the range of the dtype ---------------------------------------------- */

/* sum_j m_j^p of logits and margin that are all made smaller by `unit`. */
static double wide_sum(const struct slab *slab, size_t row, double unit)
{
    const double *z = slab_logits(slab, row, slab->row);
    size_t label = (size_t)slab->labels[row];
    double margin = slab->batch->margin * unit, own = z[label] * unit;
    double *m = slab->other_row;

    for (size_t j = 0; j < slab->classes; j++)
        m[j] = short_of(margin, z[j] * unit, own);
    for (size_t j = 0; slab->batch->p == 2 && j < slab->classes; j++)
        m[j] *= m[j];
    m[label] = 0;
    return slab->real->sum(m, slab->classes);
}

/* A sum may be beyond the range where a mean over classes is not. */
static double wide_value(const struct slab *slab, size_t row)
{
    const double small = 0x1p-60;
    double weight = weight_of(slab, row);

    if (weight == 0 || slab->weights[row] == 0)
        return 0;
    double sum = wide_sum(slab, row, 1);
    if (!isinf(sum))
        return weight * sum;
    sum = weight * wide_sum(slab, row, small) / small;
    return slab->batch->p == 2 ? sum / small : sum;
}

static void put_wide_gradient(const struct slab *slab, size_t row, double scale)
{
    const double *z = slab_logits(slab, row, slab->row);
    size_t label = (size_t)slab->labels[row];
    double margin = slab->batch->margin, own = z[label], *out = slab->other_row;
    bool squared = slab->batch->p == 2;

    for (size_t j = 0; j < slab->classes; j++) {
        double m = short_of(margin, z[j], own);
        out[j] = scale * (squared ? 2 * m : (double)(m > 0));
    }
    out[label] = 0;
    out[label] = -slab->real->sum(out, slab->classes);
    slab_put_row(slab, out, row, slab->gradient);
}

/* ---- within it ------------------------------------------------------------------- */

/* Scales that the dtype is too narrow for are left to doubles. */
static bool is_wide(double scale)
{
    double size = fabs(scale);

    return size != 0 && !(size >= 0x1p-100 && size <= 0x1p100);
}

/* What the kernel has left: the label's element, rows that are 0, and wide ones. */
static void finish_gradient(const struct slab *slab, const double *by,
                            const double *slopes)
{
    double own[SLAB_ROWS];

    for (size_t r = 0; r < slab->rows; r++)
        own[r] = -by[r] * slopes[r];
    slab_put_labels(slab, own, slab->gradient);
    for (size_t r = 0; r < slab->rows; r++)
        if (by[r] == 0)
            slab_put_zeros(slab, r, slab->gradient);
        else if (is_wide(by[r]) || !isfinite(slopes[r]))
            put_wide_gradient(slab, r, by[r]);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    double by[SLAB_ROWS], slopes[SLAB_ROWS];
    struct margins margins = {slab->batch->margin, slab->batch->p == 2, slab->labels, by};

    (void)penalties;
    for (size_t r = 0; slab->gradient && r < slab->rows; r++)
        by[r] = slab->scale[r] * weight_of(slab, r) + 0;
    slab->real->shortfalls(slab->logits, slab->rows, slab->classes, &margins, values,
                           slopes, slab->gradient);
    for (size_t r = 0; r < slab->rows; r++)
        values[r] = isfinite(values[r]) ? weight_of(slab, r) * values[r] + 0
                                        : wide_value(slab, r);
    if (slab->gradient)
        finish_gradient(slab, by, slopes);
}

const struct loss loss_hinge = {
    .name = "hinge",
    .formula =
        "w_label / C sum_j max(0, margin - z_label + z_j)^p, j other than the label",
    .source = "torch.nn.MultiMarginLoss",
    .options = 1u << MEMBER_class_weights | 1u << MEMBER_margin | 1u << MEMBER_p |
               1u << MEMBER_temperature | 1u << MEMBER_softcap,
    .truths = TRUTH_LABELS,
    .ignores_weights = true,
    .needs_row = true,
    .score = score,
};
