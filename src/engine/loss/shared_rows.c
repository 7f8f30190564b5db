/* Cross-entropy of rows whose classes have shares of their own: targets, or smoothed
 * labels with class weights. */
#include "engine/loss/shared_rows.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/kernel/slopes.h"
#include "engine/kernel/vmath.h"
#include "engine/loss/focal_powers.h"
#include "engine/loss/label_terms.h"

/* The shares that all classes have: all but the label's own. */
static struct shares common_shares(const struct slab *slab, size_t row)
{
    const struct batch *batch = slab->batch;
    double e = batch->label_smoothing;

    return (struct shares){
        .q = slab->targets ? slab->targets + row * slab->classes : NULL,
        .w = batch->class_weights.data,
        .a = 1 - e,
        .b = e / (double)slab->classes,
    };
}

static double share_of(const struct slab *slab, size_t row, size_t class)
{
    struct shares shares = common_shares(slab, row);
    assert(shares.q || slab->labels);
    double q =
        shares.q ? shares.q[class] : (double)(slab->labels[row] == (int64_t) class);

    return batch_class_weight(slab->batch, class) * (shares.a * q + shares.b);
}

/* `share` times - log p.  The gap may be beyond the largest double where its
 * product with the share is not. */
static double term_of(const struct slab *slab, size_t row, double share, size_t class)
{
    double gap = slab_gap(slab, row, class);

    if (isinf(gap))
        return share * slab->sums.max[row] - share * slab_logit(slab, row, class);
    return share * (gap + slab->sums.log_sum[row]);
}

/* Class by class, for gaps beyond the range. */
static double wide_base(const struct slab *slab, size_t row)
{
    for (size_t c = 0; c < slab->classes; c++) {
        double share = share_of(slab, row, c);
        slab->row[c] = share == 0 ? 0 : term_of(slab, row, share, c);
    }
    return slab->real->sum(slab->row, slab->classes);
}

/* What rows' shares come to: - sum_c u_c log p_c, and S. */
struct bases {
    double base[SLAB_ROWS], total[SLAB_ROWS];
};

/* Of some rows, the first of them `row`. */
static void fill_bases(const struct slab *slab, size_t row, size_t rows,
                       struct bases *bases)
{
    const struct shares shares = common_shares(slab, row);

    slab->real->gaps(slab_logits_row(slab, row), rows, slab->classes,
                     slab->sums.max + row, &shares, bases->base, bases->total);
    for (size_t i = 0; slab->labels && i < rows; i++) {
        size_t label = (size_t)slab->labels[row + i];
        double own = shares.a * batch_class_weight(slab->batch, label);
        bases->base[i] += own == 0 ? 0 : own * slab_gap(slab, row + i, label);
        bases->total[i] += own;
    }
    for (size_t i = 0; i < rows; i++) {
        bases->base[i] += bases->total[i] * slab->sums.log_sum[row + i];
        if (!isfinite(bases->base[i]))
            bases->base[i] = wide_base(slab, row + i);
    }
}

/* p_c of a row, near enough to be added to or taken from something near 1. */
static void fill_probabilities(const struct slab *slab, size_t row, double *p)
{
    const double *z = slab_logits(slab, row, slab->row);
    double max = slab->sums.max[row], peak = slab->sums.peak[row];

    for (size_t c = 0; c < slab->classes; c++)
        p[c] = max - z[c];
    slab->real->decays(p, slab->classes, p);
    for (size_t c = 0; c < slab->classes; c++)
        p[c] *= peak;
}

/* terms[c] becomes w_c q_c times itself; returns their sum. */
static double target_mass(const struct slab *slab, size_t row, double *terms)
{
    const double *q = slab->targets + row * slab->classes;
    const double *w = slab->batch->class_weights.data;

    for (size_t c = 0; c < slab->classes; c++)
        terms[c] *= q[c];
    for (size_t c = 0; w && c < slab->classes; c++)
        terms[c] *= w[c];
    return slab->real->sum(terms, slab->classes);
}

static void fill_misses(const struct slab *slab, size_t row, double *misses)
{
    size_t top = (size_t)slab->sums.top[row];

    fill_probabilities(slab, row, misses);
    for (size_t c = 0; c < slab->classes; c++)
        misses[c] = 1 - misses[c];
    misses[top] = slab_complement(slab, row, top);
}

/* sum_c w_c q_c (1 - p_c) */
static double target_miss(const struct slab *slab, size_t row)
{
    fill_misses(slab, row, slab->other_row);
    return target_mass(slab, row, slab->other_row);
}

/* The whole value of targets, of terms that do not cancel. */
static double target_excess(const struct slab *slab, size_t row)
{
    const double *q = slab->targets + row * slab->classes;
    double *terms = slab->other_row, poly = slab->batch->poly_epsilon;

    fill_misses(slab, row, terms);
    for (size_t c = 0; c < slab->classes; c++) {
        double x = slab_gap(slab, row, c) + slab->sums.log_sum[row];
        terms[c] = q[c] == 0 ? 0 : excess_of(x, terms[c], poly);
    }
    return target_mass(slab, row, terms);
}

static double label_power(const struct slab *slab, size_t row, double miss)
{
    if (slab->batch->focal_gamma == 0)
        return 1;
    double p = slab_probability(slab, row, (size_t)slab->labels[row]);
    return focal_power(slab, row, p, miss);
}

static double value_of(const struct slab *slab, size_t row, double base)
{
    const struct batch *batch = slab->batch;
    double excess =
        slab->targets && is_excess(batch) ? target_excess(slab, row) : (double)INFINITY;

    if (isfinite(excess))
        return excess;
    if (slab->targets)
        return batch->poly_epsilon == 0
                   ? base
                   : base + batch->poly_epsilon * target_miss(slab, row);
    if (batch->focal_gamma == 0 && batch->poly_epsilon == 0)
        return base;
    size_t label = (size_t)slab->labels[row];
    double miss = slab_complement(slab, row, label);
    return label_power(slab, row, miss) * base +
           batch->poly_epsilon * (batch_class_weight(batch, label) * miss);
}

double shared_value(const struct slab *slab, size_t row)
{
    struct bases of_row;

    if (is_plain(slab->batch)) {
        size_t label = (size_t)slab->labels[row];
        double weight = batch_class_weight(slab->batch, label);
        return value_of(slab, row, weight == 0 ? 0 : term_of(slab, row, weight, label));
    }
    fill_bases(slab, row, 1, &of_row);
    return value_of(slab, row, of_row.base[0]);
}

/* ---- gradient ------------------------------------------------------------------- */

/* Of a row: d / d z_c in factors that have the scale in them. */
struct slope {
    double shares;  /* times S p_c - u_c */
    double label;   /* times p_c - [c = label] */
    double penalty; /* times p_c */
    double total;   /* S */
};

/* As slopes.h has it for all rows. */
static struct slope slope_of(const struct slab *slab, size_t row, double base,
                             double total)
{
    const struct batch *batch = slab->batch;
    double scale = slab->scale[row];
    double penalty_scale = slab->penalty_scale ? slab->penalty_scale[row] : 0;
    struct slope slope = {.shares = scale, .total = total};

    if (scale == 0 && penalty_scale == 0)
        return (struct slope){0, 0, 0, 0};
    if (penalty_scale != 0)
        slope.penalty =
            bounded(penalty_scale * 2 * batch->z_loss * slab_log_sum_exp(slab, row));
    if (!has_label_terms(slab))
        return slope;
    size_t label = (size_t)slab->labels[row];
    double p = slab_probability(slab, row, label);
    double miss = slab_complement(slab, row, label);
    double power = label_power(slab, row, miss);
    double pull = pull_of(batch->focal_gamma, base, miss, power);
    double poly = bounded(batch->poly_epsilon * batch_class_weight(batch, label));
    slope.shares *= power;
    if (p > 0) /* p base vanishes with p, also where base is beyond the range */
        slope.label = bounded(scale * p * bounded(pull + poly));
    return slope;
}

/* What probabilities are multiplied with. */
static double every(const struct slope *slope)
{
    return bounded(slope->shares * slope->total + slope->label + slope->penalty);
}

/* S less the share of a class.  Where that leaves little, what the others have is added
 * up. */
static double others_of(const struct slab *slab, size_t row, size_t class, double total)
{
    const double few = 1.0 / 16;
    double others = total - share_of(slab, row, class), *u = slab->row;

    if (others > few * total)
        return others;
    struct shares shares = common_shares(slab, row);
    for (size_t c = 0; c < slab->classes; c++)
        u[c] = (shares.q ? shares.a * shares.q[c] : 0) + shares.b;
    if (slab->labels)
        u[slab->labels[row]] += shares.a;
    for (size_t c = 0; shares.w && c < slab->classes; c++)
        u[c] *= shares.w[c];
    u[class] = 0;
    return slab->real->sum(u, slab->classes);
}

/* S p - u of a class, without cancellation. */
static double beyond_own(const struct slab *slab, size_t row, size_t class, double total,
                         double p, double miss)
{
    double share = share_of(slab, row, class);

    return 2 * share > total ? others_of(slab, row, class, total) - total * miss
                             : total * p - share;
}

static double element(const struct slab *slab, size_t row, const struct slope *slope,
                      size_t class)
{
    double p = slab_probability(slab, row, class);
    double miss = slab_complement_of(slab, row, class, p);
    bool is_label = slab->labels && slab->labels[row] == (int64_t) class;

    return slope->shares * beyond_own(slab, row, class, slope->total, p, miss) +
           slope->penalty * p - (is_label ? slope->label * miss : -slope->label * p);
}

/* d / d z_c of poly_epsilon's sum_c w_c q_c (1 - p_c), which is p_c (M - w_c q_c) with
 * M = sum_k w_k q_k p_k; of the likeliest class without cancellation. */
static void add_target_poly(const struct slab *slab, size_t row, double scale, void *out)
{
    const double *q = slab->targets + row * slab->classes;
    const double *w = slab->batch->class_weights.data;
    size_t top = (size_t)slab->sums.top[row];
    double by = scale * slab->batch->poly_epsilon, of_top = (w ? w[top] : 1) * q[top];
    double *p = slab->other_row, *sum = slab->row;
    void *at = slab_row_of(slab, row, out);

    fill_probabilities(slab, row, p);
    memcpy(sum, p, slab->classes * sizeof *p);
    double mass = target_mass(slab, row, sum);
    sum[top] = 0;
    double others = slab->real->sum(sum, slab->classes);
    slab->real->widen(at, slab->classes, sum);
    double own =
        sum[top] + by * p[top] * (others - of_top * slab_complement(slab, row, top));
    for (size_t c = 0; c < slab->classes; c++)
        sum[c] += by * p[c] * (mass - (w ? w[c] : 1) * q[c]);
    sum[top] = own;
    slab->real->narrow(sum, slab->classes, at);
}

static void put_own(const struct slab *slab, size_t row, const struct slope *slope)
{
    size_t top = (size_t)slab->sums.top[row];

    slab_put(slab, element(slab, row, slope, top), row, top, slab->gradient);
    if (slab->labels) {
        size_t label = (size_t)slab->labels[row];
        slab_put(slab, element(slab, row, slope, label), row, label, slab->gradient);
    } else if (slab->batch->poly_epsilon != 0) {
        add_target_poly(slab, row, slab->scale[row], slab->gradient);
    }
}

static void put_gradients(const struct slab *slab, const struct bases *bases)
{
    const struct shares shares = common_shares(slab, 0);
    size_t rows = slab->rows;
    struct slope slopes[SLAB_ROWS];
    double by[SLAB_ROWS], scale[SLAB_ROWS];

    for (size_t r = 0; r < rows; r++) {
        slopes[r] = slope_of(slab, r, bases->base[r], bases->total[r]);
        by[r] = every(&slopes[r]);
        scale[r] = slopes[r].shares;
    }
    slab->real->mix(slab->exps, rows, slab->classes, &slab->sums, by, scale, &shares,
                    slab->gradient);
    for (size_t r = 0; r < rows; r++)
        if (by[r] != 0 || scale[r] != 0)
            put_own(slab, r, &slopes[r]);
}

void shared_rows(const struct slab *slab, double *values)
{
    struct bases bases;

    fill_bases(slab, 0, slab->rows, &bases);
    for (size_t r = 0; r < slab->rows; r++)
        values[r] = slab->weights[r] == 0 ? 0 : value_of(slab, r, bases.base[r]);
    if (slab->gradient)
        put_gradients(slab, &bases);
}
