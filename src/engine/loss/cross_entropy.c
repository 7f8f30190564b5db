/* Cross-entropy of the softmax, for labels and for distributions.
 *
 * One form covers labels, targets, class weights and smoothing:
 *
 *     u_c  = w_c ((1 - e) q_c + e / C)        q: the target, one-hot for a label
 *     base = - sum_c u_c log p_c              log p_c = (z_c - max) - log1p(rest)
 *     d base / d z_c = S p_c - u_c            S = sum_c u_c
 *
 * All terms have one sign, so nothing cancels.  In the gradient the likeliest class
 * does: there S p - u is written with 1 - p = rest / (1 + rest).  Terms with u_c = 0
 * are left out, which makes a masked class without a share count nothing, where
 * 0 * infinity would be NaN.
 *
 * With a label y, m = 1 - p_y, focal_gamma g and poly_epsilon a:
 *
 *     loss = m^g base + a w_y m
 *     d loss / d z_c = m^g (S p_c - u_c) + B (p_c - [c = y])
 *     B = p_y (g m^(g-1) base + a w_y)
 *
 * What m is off by is multiplied with g: the error of such a loss is relative to 1 + g,
 * and larger where m is subnormal.
 *
 * With targets, poly_epsilon adds a sum_c w_c q_c (1 - p_c).  And z_loss k adds a
 * penalty of k lse^2, whose gradient is 2 k lse p_c.
 *
 * Sources: torch.nn.CrossEntropyLoss (class weights, smoothing), whose results it
 * reproduces; T.-Y. Lin et al., "Focal loss for dense object detection",
 * arXiv:1708.02002; Z. Leng et al., "PolyLoss", arXiv:2204.12511; z_loss: B. Zoph et
 * al., "ST-MoE", arXiv:2202.08906. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/slab.h"
#include "engine/vmath.h"
#include "lossd/engine/loss.h"

static double weight_of(const struct batch *batch, size_t class)
{
    const double *weights = batch->class_weights.data;

    return weights ? weights[class] : 1;
}

/* Labels without smoothing touch one class only. */
static bool is_plain(const struct slab *slab)
{
    return !slab->targets && slab->batch->label_smoothing == 0;
}

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
    double q =
        shares.q ? shares.q[class] : (double)(slab->labels[row] == (int64_t) class);

    return weight_of(slab->batch, class) * (shares.a * q + shares.b);
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

/* - sum_c u_c log p_c, and S. */
static double base_of(const struct slab *slab, size_t row, double *total)
{
    size_t label = slab->labels ? (size_t)slab->labels[row] : 0;

    if (is_plain(slab)) {
        *total = weight_of(slab->batch, label);
        return *total == 0 ? 0 : term_of(slab, row, *total, label);
    }
    struct shares shares = common_shares(slab, row);
    *total = 0;
    double gaps = slab->real->gaps(slab_logits_row(slab, row), slab->classes,
                                   slab->sums.max[row], &shares, total);
    if (slab->labels) {
        double own = shares.a * weight_of(slab->batch, label);
        gaps += own == 0 ? 0 : own * slab_gap(slab, row, label);
        *total += own;
    }
    double base = gaps + *total * slab->sums.log_sum[row];
    return isfinite(base) ? base : wide_base(slab, row);
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

/* sum_c w_c q_c (1 - p_c) */
static double target_miss(const struct slab *slab, size_t row)
{
    double *misses = slab->other_row;
    size_t top = (size_t)slab->sums.top[row];

    fill_probabilities(slab, row, misses);
    for (size_t c = 0; c < slab->classes; c++)
        misses[c] = 1 - misses[c];
    misses[top] = slab_complement(slab, row, top);
    return target_mass(slab, row, misses);
}

/* S alone. */
static double total_of(const struct slab *slab, size_t row)
{
    double total = 0;

    if (is_plain(slab))
        return weight_of(slab->batch, (size_t)slab->labels[row]);
    if (slab->batch->class_weights.data) {
        base_of(slab, row, &total);
        return total;
    }
    struct shares shares = common_shares(slab, row);
    double of_truth = shares.q ? slab->real->sum(shares.q, slab->classes) : 1;
    return shares.a * of_truth + slab->batch->label_smoothing;
}

static double value_of(const struct slab *slab, size_t row)
{
    const struct batch *batch = slab->batch;
    double total = 0, value = base_of(slab, row, &total);

    if (slab->targets)
        return batch->poly_epsilon == 0
                   ? value
                   : value + batch->poly_epsilon * target_miss(slab, row);
    if (batch->focal_gamma == 0 && batch->poly_epsilon == 0)
        return value;
    size_t label = (size_t)slab->labels[row];
    double miss = slab_complement(slab, row, label);
    return power_of(miss, batch->focal_gamma) * value +
           batch->poly_epsilon * (weight_of(batch, label) * miss);
}

static double log_sum_exp(const struct slab *slab, size_t row)
{
    return slab->sums.max[row] + slab->sums.log_sum[row];
}

/* Nothing but labels and class weights: w_y times - log p_y. */
static bool is_bare(const struct slab *slab)
{
    const struct batch *batch = slab->batch;

    return is_plain(slab) && batch->focal_gamma == 0 && batch->poly_epsilon == 0 &&
           batch->z_loss == 0;
}

/* Is there something that only the label has? */
static bool has_label_terms(const struct slab *slab)
{
    return slab->labels &&
           (slab->batch->focal_gamma != 0 || slab->batch->poly_epsilon != 0);
}

/* Labels whose shares are those of no class in particular: what is true is in the label
 * alone, and rows are made all at once. */
static bool is_even(const struct slab *slab)
{
    return slab->labels &&
           (slab->batch->label_smoothing == 0 || !slab->batch->class_weights.data);
}

struct even {
    double loss[SLAB_ROWS]; /* - log p of the label */
    double gaps[SLAB_ROWS]; /* sum_c (max - z_c), when labels are smoothed */
    double p[SLAB_ROWS], miss[SLAB_ROWS], power[SLAB_ROWS]; /* of the label */
};

static void fill_losses(const struct slab *slab, struct even *even)
{
    slab->real->label_losses(slab->logits, slab->rows, slab->classes, &slab->sums,
                             slab->labels, even->loss);
    if (slab->batch->label_smoothing != 0)
        slab->real->gap_sums(slab->logits, slab->rows, slab->classes, &slab->sums,
                             even->gaps);
}

static void fill_powers(const struct slab *slab, struct even *even)
{
    if (slab->batch->focal_gamma != 0)
        slab->real->powers(even->miss, slab->rows, slab->batch->focal_gamma, even->power);
    for (size_t r = 0; slab->batch->focal_gamma == 0 && r < slab->rows; r++)
        even->power[r] = 1;
}

/* As base_of(): the label's share is 1 - e and one of e / C. */
static double even_base(const struct slab *slab, const struct even *even, size_t row)
{
    double e = slab->batch->label_smoothing;

    if (e == 0)
        return weight_of(slab->batch, (size_t)slab->labels[row]) * even->loss[row];
    return e / (double)slab->classes * even->gaps[row] + (1 - e) * even->loss[row] +
           e * slab->sums.log_sum[row];
}

static void even_values(const struct slab *slab, double *values)
{
    const struct batch *batch = slab->batch;
    struct even even;

    fill_losses(slab, &even);
    if (has_label_terms(slab))
        slab->real->misses(even.loss, slab->rows, even.miss);
    else
        memset(even.miss, 0, sizeof even.miss);
    fill_powers(slab, &even);
    for (size_t r = 0; r < slab->rows; r++) {
        double base = even_base(slab, &even, r);
        double weight = weight_of(batch, (size_t)slab->labels[r]);
        values[r] =
            even.power[r] * base + batch->poly_epsilon * (weight * even.miss[r]) + 0;
        if (!isfinite(base))
            values[r] = slab->weights[r] == 0 ? 0 : value_of(slab, r);
    }
}

/* Without any of that the losses are what they are. */
static void value(const struct slab *slab, double *values, double *penalties)
{
    bool is_plain_loss = is_bare(slab) && !slab->batch->class_weights.data;

    for (size_t r = 0; penalties && r < slab->rows; r++)
        penalties[r] = slab->batch->z_loss * log_sum_exp(slab, r) * log_sum_exp(slab, r);
    if (is_plain_loss && slab->real->label_losses(slab->logits, slab->rows, slab->classes,
                                                  &slab->sums, slab->labels, values))
        return;
    if (is_even(slab)) {
        even_values(slab, values);
        return;
    }
    for (size_t r = 0; r < slab->rows; r++)
        values[r] = slab->weights[r] == 0 ? 0 : value_of(slab, r);
}

/* ---- gradient ------------------------------------------------------------------- */

/* Of a row: d / d z_c in factors that have the scale in them. */
struct slope {
    double shares;  /* times S p_c - u_c */
    double label;   /* times p_c - [c = label] */
    double penalty; /* times p_c */
    double total;   /* S */
};

/* Where p is 0 there is no slope, however large the factor. */
static double bounded(double factor)
{
    return fmax(fmin(factor, DBL_MAX), -DBL_MAX);
}

/* g m^(g-1) base.  base / m is about w_y in a confident row, where both vanish. */
static double pull_of(double gamma, double base, double miss, double power)
{
    double ratio = base / miss;

    if (gamma == 0 || power == 0)
        return 0;
    return bounded(gamma * (isinf(ratio) ? power / miss * base : power * ratio));
}

/* What a label comes to. */
struct label_terms {
    double base, miss, power, p;
};

/* `of` is read only where there are label terms. */
static struct slope slope_of(const struct slab *slab, size_t row, double scale,
                             double penalty_scale, double total,
                             const struct label_terms *of)
{
    const struct batch *batch = slab->batch;
    struct slope slope = {.shares = scale, .total = total};

    if (penalty_scale != 0)
        slope.penalty =
            bounded(penalty_scale * 2 * batch->z_loss * log_sum_exp(slab, row));
    if (!has_label_terms(slab))
        return slope;
    double pull = pull_of(batch->focal_gamma, of->base, of->miss, of->power);
    double weight = weight_of(batch, (size_t)slab->labels[row]);
    slope.shares *= of->power;
    if (of->p > 0) /* p base vanishes with p, also where base is beyond the range */
        slope.label = bounded(scale * of->p *
                              bounded(pull + bounded(batch->poly_epsilon * weight)));
    return slope;
}

/* The same, class by class. */
static struct slope shared_slope_of(const struct slab *slab, size_t row, double scale,
                                    double penalty_scale)
{
    struct label_terms of = {0};
    double total = 0;

    if (slab->batch->focal_gamma == 0)
        total = total_of(slab, row);
    else
        of.base = base_of(slab, row, &total);
    if (has_label_terms(slab)) {
        size_t label = (size_t)slab->labels[row];
        of.miss = slab_complement(slab, row, label);
        of.power = power_of(of.miss, slab->batch->focal_gamma);
        of.p = slab_probability(slab, row, label);
    }
    return slope_of(slab, row, scale, penalty_scale, total, &of);
}

static bool has_slope(const double *scale, const double *penalty_scale, size_t row)
{
    return scale[row] != 0 || (penalty_scale && penalty_scale[row] != 0);
}

/* What probabilities are multiplied with. */
static double every(const struct slope *slope)
{
    return bounded(slope->shares * slope->total + slope->label + slope->penalty);
}

/* S p - u of a class, without cancellation. */
static double beyond_share(double total, double share, double p, double miss)
{
    return 2 * share > total ? (total - share) - total * miss : total * p - share;
}

static double element(const struct slab *slab, size_t row, const struct slope *slope,
                      size_t class)
{
    double p = slab_probability(slab, row, class);
    double miss = slab_complement_of(slab, row, class, p);
    double share = share_of(slab, row, class);
    bool is_label = slab->labels && slab->labels[row] == (int64_t) class;

    return slope->shares * beyond_share(slope->total, share, p, miss) +
           slope->penalty * p - (is_label ? slope->label * miss : -slope->label * p);
}

/* d / d z_c of poly_epsilon's sum_c w_c q_c (1 - p_c). */
static void add_target_poly(const struct slab *slab, size_t row, double scale, void *out)
{
    const double *q = slab->targets + row * slab->classes;
    const double *w = slab->batch->class_weights.data;
    double by = scale * slab->batch->poly_epsilon;
    double *p = slab->other_row, *sum = slab->row;
    void *at = slab_row_of(slab, row, out);

    fill_probabilities(slab, row, p);
    memcpy(sum, p, slab->classes * sizeof *p);
    double mass = target_mass(slab, row, sum);
    slab->real->widen(at, slab->classes, sum);
    for (size_t c = 0; c < slab->classes; c++)
        sum[c] += by * p[c] * (mass - (w ? w[c] : 1) * q[c]);
    slab->real->narrow(sum, slab->classes, at);
}

static void shared_gradient(const struct slab *slab, size_t row, double scale,
                            double penalty_scale, void *out)
{
    struct slope slope = shared_slope_of(slab, row, scale, penalty_scale);
    struct shares shares = common_shares(slab, row);
    size_t top = (size_t)slab->sums.top[row];

    shares.a *= slope.shares;
    shares.b *= slope.shares;
    slab->real->mix(slab->exps, row, slab->classes, slab->sums.factor[row], every(&slope),
                    &shares, slab_row_of(slab, row, out));
    slab_put(slab, element(slab, row, &slope, top), row, top, out);
    if (slab->labels) {
        size_t label = (size_t)slab->labels[row];
        slab_put(slab, element(slab, row, &slope, label), row, label, out);
    } else if (slab->batch->poly_epsilon != 0) {
        add_target_poly(slab, row, scale, out);
    }
}

/* Rows whose labels say all: what the labels come to at once, then each row. */
static void even_gradients(const struct slab *slab, const double *scale,
                           const double *penalty_scale, void *out)
{
    const struct batch *batch = slab->batch;
    double e = batch->label_smoothing, a = 1 - e, b = e / (double)slab->classes;
    double by[SLAB_ROWS], less[SLAB_ROWS], own[SLAB_ROWS];
    struct even even;

    fill_losses(slab, &even);
    slab->real->label_misses(slab->exps, slab->rows, slab->classes, &slab->sums,
                             slab->labels, even.miss);
    slab->real->decays(even.loss, slab->rows, even.p);
    fill_powers(slab, &even);
    for (size_t r = 0; r < slab->rows; r++) {
        double total = weight_of(batch, (size_t)slab->labels[r]);
        double share = total * (a + b), p = even.p[r], miss = even.miss[r];
        struct label_terms of = {even_base(slab, &even, r), miss, even.power[r], p};
        struct slope slope =
            slope_of(slab, r, scale[r], penalty_scale ? penalty_scale[r] : 0, total, &of);
        by[r] = every(&slope) + 0; /* -0 becomes 0 */
        less[r] = slope.shares * b;
        own[r] = slope.shares * beyond_share(total, share, p, miss) + slope.penalty * p -
                 slope.label * miss;
    }
    slab->real->scaled(slab->exps, slab->rows, slab->classes, &slab->sums, by,
                       e == 0 ? NULL : less, out);
    slab_put_labels(slab, own, out);
}

/* w_y (p_c - [c = y]): the label's element is less than nothing by what the others
 * have together. */
static void bare_gradients(const struct slab *slab, const double *scale, void *out)
{
    double by[SLAB_ROWS], own[SLAB_ROWS];

    slab->real->label_misses(slab->exps, slab->rows, slab->classes, &slab->sums,
                             slab->labels, own);
    for (size_t r = 0; r < slab->rows; r++) {
        by[r] = scale[r] * weight_of(slab->batch, (size_t)slab->labels[r]) + 0;
        own[r] *= -by[r];
    }
    slab->real->scaled(slab->exps, slab->rows, slab->classes, &slab->sums, by, NULL, out);
    slab_put_labels(slab, own, out);
}

static void gradient(const struct slab *slab, const double *scale,
                     const double *penalty_scale, void *out)
{
    if (is_bare(slab)) {
        bare_gradients(slab, scale, out);
        return;
    }
    if (is_even(slab)) {
        even_gradients(slab, scale, penalty_scale, out);
        return;
    }
    for (size_t r = 0; r < slab->rows; r++)
        if (has_slope(scale, penalty_scale, r))
            shared_gradient(slab, r, scale[r], penalty_scale ? penalty_scale[r] : 0, out);
        else
            slab_put_zeros(slab, r, out);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    value(slab, values, penalties);
    if (slab->gradient)
        gradient(slab, slab->scale, slab->penalty_scale, slab->gradient);
}

const struct loss loss_cross_entropy = {
    .name = "cross_entropy",
    .formula = "(1-p_label)^focal_gamma (-sum_c w_c ((1-e) q_c + e/C) log p_c) + "
               "poly_epsilon w_label (1-p_label) + z_loss logsumexp(z)^2, p = softmax(z)",
    .source = "torch.nn.CrossEntropyLoss",
    .options = 1u << MEMBER_class_weights | 1u << MEMBER_label_smoothing |
               1u << MEMBER_temperature | 1u << MEMBER_softcap | 1u << MEMBER_z_loss |
               1u << MEMBER_focal_gamma | 1u << MEMBER_poly_epsilon,
    .truths = TRUTH_LABELS | TRUTH_TARGETS,
    .needs_softmax = true,
    .score = score,
};
