/* Cross-entropy of labels alone, or smoothed evenly: a row comes to a few numbers of its
 * label, made for all rows of a slab at once, and its gradient is its probabilities times
 * one of them, less another. */
#include "engine/loss/even_labels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/kernel/slopes.h"
#include "engine/loss/focal_powers.h"
#include "engine/loss/label_terms.h"
#include "engine/loss/shared_rows.h"

static void fill(double *values, size_t rows, double value)
{
    for (size_t r = 0; r < rows; r++)
        values[r] = value;
}

/* ---- values --------------------------------------------------------------------- */

static void fill_bases(const struct slab *slab, struct slopes *even)
{
    double e = slab->batch->label_smoothing, each = e / (double)slab->classes;

    slab_label_losses(slab, even->loss);
    for (size_t r = 0; r < slab->rows; r++)
        even->weight[r] = batch_class_weight(slab->batch, (size_t)slab->labels[r]);
    if (e == 0) {
        for (size_t r = 0; r < slab->rows; r++)
            even->base[r] = even->weight[r] * even->loss[r];
        return;
    }
    slab->real->gap_sums(slab->logits, slab->rows, slab->classes, &slab->sums,
                         even->base);
    for (size_t r = 0; r < slab->rows; r++)
        even->base[r] =
            each * even->base[r] + (1 - e) * even->loss[r] + e * slab->sums.log_sum[r];
}

static void fill_powers(const struct slab *slab, struct slopes *even)
{
    slab->real->chances(even->loss, slab->rows, even->p, even->miss);
    if (slab->batch->focal_gamma == 0)
        fill(even->power, slab->rows, 1);
    else
        focal_powers(slab, even->p, even->miss, even->power);
}

static void put_excesses(const struct slopes *even, double poly, size_t rows,
                         double *values)
{
    for (size_t r = 0; r < rows; r++)
        values[r] = even->weight[r] * excess_of(even->loss[r], even->miss[r], poly) + 0;
}

static void put_values(const struct slab *slab, const struct slopes *even, double *values)
{
    double poly = slab->batch->poly_epsilon;

    if (is_excess(slab->batch))
        put_excesses(even, poly, slab->rows, values);
    else if (has_label_terms(slab))
        for (size_t r = 0; r < slab->rows; r++)
            values[r] = even->power[r] * even->base[r] +
                        poly * (even->weight[r] * even->miss[r]) + 0;
    else
        memcpy(values, even->base, slab->rows * sizeof *values);
    for (size_t r = 0; r < slab->rows; r++)
        if (!isfinite(values[r]))
            values[r] = slab->weights[r] == 0 ? 0 : shared_value(slab, r);
}

/* ---- gradient ------------------------------------------------------------------- */

static void fill_penalties(const struct slab *slab, struct slopes *even)
{
    const double *scale = slab->penalty_scale;
    double z_loss = slab->batch->z_loss;

    if (!scale)
        fill(even->penalty, slab->rows, 0);
    for (size_t r = 0; scale && r < slab->rows; r++) {
        double penalty = bounded(scale[r] * 2 * z_loss * slab_log_sum_exp(slab, r));
        even->penalty[r] = scale[r] != 0 ? penalty : 0;
    }
}

/* p_c = m q_c, where q is the softmax of the others.  False: there is nothing among them. */
static bool shares_of_others(const struct slab *slab, size_t r, double *q)
{
    const double *z = slab_logits(slab, r, slab->row);
    size_t label = (size_t)slab->labels[r];
    double next = (double)-INFINITY;

    for (size_t c = 0; c < slab->classes; c++)
        next = c != label && z[c] > next ? z[c] : next;
    if (isinf(next))
        return false;
    for (size_t c = 0; c < slab->classes; c++)
        q[c] = c == label ? (double)INFINITY : next - z[c];
    slab->real->decays(q, slab->classes, q);
    double sum = slab->real->sum(q, slab->classes);
    for (size_t c = 0; c < slab->classes; c++)
        q[c] /= sum;
    return true;
}

/* g m^(g-1) base p_c, which is g m^g base q_c: neither m^(g-1) base nor p_c has to be in the
 * range, and their product is.  Without smoothing base has a factor m. */
static void pull_steep_rows(const struct slab *slab, struct slopes *even,
                            double pulls[SLAB_ROWS])
{
    const double steep = 0x1p-100;

    for (size_t r = 0; r < slab->rows; r++) {
        bool is_steep = even->miss[r] < steep && slab->batch->label_smoothing > 0 &&
                        even->gamma > 0 && slab->scale[r] != 0;
        if (!is_steep)
            continue;
        pulls[r] = bounded(slab->scale[r] * bounded(even->gamma * even->power[r]) *
                           even->base[r]);
        even->base[r] = 0;
    }
}

/* The largest there is stands for what is larger. */
static double within(const struct slab *slab, double x)
{
    double largest = slab->batch->dtype == DTYPE_FLOAT32 ? (double)FLT_MAX : DBL_MAX;
    double below = x < largest ? x : largest;

    return below > -largest ? below : -largest;
}

static void put_steep_rows(const struct slab *slab, struct slopes *even,
                           const double pulls[SLAB_ROWS])
{
    double *q = slab->other_row;

    for (size_t r = 0; r < slab->rows; r++) {
        if (pulls[r] == 0 || !shares_of_others(slab, r, q))
            continue;
        double by = pulls[r] + even->by[r] * even->miss[r];
        for (size_t c = 0; c < slab->classes; c++)
            q[c] = within(slab, q[c] * by - even->less[r]);
        slab_put_row(slab, q, r, slab->gradient);
        even->own[r] = within(slab, even->own[r] - pulls[r]);
    }
}

static void put_gradient(const struct slab *slab, struct slopes *even)
{
    double e = slab->batch->label_smoothing, pulls[SLAB_ROWS] = {0};

    even->gamma = slab->batch->focal_gamma;
    even->poly = slab->batch->poly_epsilon;
    even->each = e / (double)slab->classes;
    even->share = 1 - e + even->each;
    memcpy(even->scale, slab->scale, slab->rows * sizeof *even->scale);
    fill_penalties(slab, even);
    pull_steep_rows(slab, even, pulls);
    slab->real->slopes(even, slab->rows, has_label_terms(slab));
    slab->real->scaled(slab->exps, slab->rows, slab->classes, &slab->sums, even->by,
                       e == 0 ? NULL : even->less, slab->gradient);
    put_steep_rows(slab, even, pulls);
    slab_put_labels(slab, even->own, slab->gradient);
}

void even_labels(const struct slab *slab, double *values)
{
    struct slopes even;

    fill_bases(slab, &even);
    if (has_label_terms(slab) || slab->gradient)
        fill_powers(slab, &even);
    put_values(slab, &even, values);
    if (slab->gradient)
        put_gradient(slab, &even);
}
