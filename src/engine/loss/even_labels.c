/* Cross-entropy of labels alone, or smoothed evenly: a row comes to a few numbers of its
 * label, made for all rows of a slab at once, and its gradient is its probabilities times
 * one of them, less another. */
#include "engine/loss/even_labels.h"

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

static void put_gradient(const struct slab *slab, struct slopes *even)
{
    double e = slab->batch->label_smoothing;

    even->gamma = slab->batch->focal_gamma;
    even->poly = slab->batch->poly_epsilon;
    even->each = e / (double)slab->classes;
    even->share = 1 - e + even->each;
    memcpy(even->scale, slab->scale, slab->rows * sizeof *even->scale);
    fill_penalties(slab, even);
    slab->real->slopes(even, slab->rows, has_label_terms(slab));
    slab->real->scaled(slab->exps, slab->rows, slab->classes, &slab->sums, even->by,
                       e == 0 ? NULL : even->less, slab->gradient);
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
