/* The metrics, y being the true class of a position (with targets, the one with the
 * largest share, the first of equals) and n the number of positions kept:
 *
 *     accuracy          share of positions whose largest logit is y's, the first of
 *                       equals; top5: that has fewer than 5 classes before it
 *     nll               mean of -log p_y, or of -sum_c q_c log p_c with targets q
 *     perplexity, bits  exp(nll), nll / ln 2
 *     brier             mean of sum_c (p_c - q_c)^2, q one-hot for a label
 *     confidence        mean of the largest probability
 *     entropy           mean of -sum_c p_c log p_c
 *     ece               sum over bins of n_b / n |accuracy_b - confidence_b|
 *     mce               the largest of those differences
 *
 * Bin b of B has confidences in (b / B, (b + 1) / B].
 *
 * Sources: C. Guo et al., "On calibration of modern neural networks",
 * arXiv:1706.04599 (ece, mce); G. W. Brier, "Verification of forecasts expressed in
 * terms of probability", 1950. */
#include "lossd/engine/summary.h"

#include <math.h>
#include <string.h>

#include "engine/kernel/confidences.h"
#include "engine/kernel/vmath.h"
#include "engine/slab.h"
#include "lossd/engine/loss.h"

enum { TOP = 5 };

/* Rows whose low parts, at most 2^51 each, fit in one number. */
enum { PENDING_MAX = 4095 };

#define LN2 0x1.62e42fefa39efp-1

/* ---- targets -------------------------------------------------------------------- */

/* Class by class, for gaps beyond the range. */
static double wide_nll(const struct slab *slab, size_t row)
{
    const double *q = slab->targets + row * slab->classes;
    double max = slab->sums.max[row], log_sum = slab->sums.log_sum[row], sum = 0;

    for (size_t c = 0; c < slab->classes; c++)
        if (q[c] > 0)
            sum += q[c] * max - q[c] * slab_logit(slab, row, c) + q[c] * log_sum;
    return sum;
}

static void fill_nlls(const struct slab *slab, double *nll)
{
    const struct shares shares = {slab->targets, NULL, 1, 0};
    double totals[SLAB_ROWS];

    slab->real->gaps(slab->logits, slab->rows, slab->classes, slab->sums.max, &shares,
                     nll, totals);
    for (size_t r = 0; r < slab->rows; r++)
        nll[r] = isfinite(nll[r]) ? nll[r] + totals[r] * slab->sums.log_sum[r]
                                  : wide_nll(slab, r);
}

/* ---- bins ----------------------------------------------------------------------- */

void summary_init(struct summary *summary, struct bin *bins, size_t count)
{
    *summary = (struct summary){.bin_count = count, .bins = bins};
    for (size_t i = 0; i < count; i++)
        bins[i] = (struct bin){.above = (double)i / (double)count};
}

void summary_settle(struct summary *summary)
{
    for (size_t i = 0; i < summary->bin_count; i++) {
        struct bin *bin = &summary->bins[i];
        struct tally *tally = &bin->tally;
        bin->confidence +=
            ((confidence_sum)tally->confidence[0] << (CONFIDENCE_BITS - HIGH_BITS)) +
            (confidence_sum)tally->confidence[1];
        tally->confidence[0] = tally->confidence[1] = 0;
    }
    summary->pending = 0;
}

static void add_confidences(struct summary *summary, const struct slab *slab,
                            const int64_t *truth, const bool *kept)
{
    const struct confidences of = {.value = slab->sums.peak,
                                   .top = slab->sums.top,
                                   .truth = truth,
                                   .kept = kept,
                                   .bins = summary->bins,
                                   .bin_count = summary->bin_count};

    if (summary->pending + slab->rows > PENDING_MAX)
        summary_settle(summary);
    summary->pending += slab->rows;
    slab->real->count_confidences(&of, slab->rows);
}

/* ---- rows ----------------------------------------------------------------------- */

static void add_moments(struct summary *summary, const struct slab *slab,
                        const bool *kept)
{
    const struct moments *moments = slab->sums.moments;
    size_t rows = slab->rows;

    if (slab->targets) {
        fill_nlls(slab, moments->nll);
        slab->real->briers(slab->exps, rows, slab->classes, &slab->sums, slab->targets,
                           slab->row, moments->brier);
    }
    summary->top5 += slab->real->keep_moments(moments, kept, rows, TOP);
    if (!losses_are_nll(slab->batch))
        exact_sum_add_all(&summary->nll, moments->nll, rows);
    exact_sum_add_all(&summary->brier, moments->brier, rows);
    exact_sum_add_all(&summary->entropy, moments->entropy, rows);
}

void summary_add(struct summary *summary, const struct slab *slab, const int64_t *truth,
                 const bool *kept)
{
    if (slab->sums.moments)
        add_moments(summary, slab, kept);
    for (size_t r = 0; kept && r < slab->rows; r++)
        summary->count += kept[r];
    summary->count += kept ? 0 : (int64_t)slab->rows;
    add_confidences(summary, slab, truth, kept);
}

void summary_merge(struct summary *summary, struct summary *other)
{
    summary_settle(summary);
    summary_settle(other);
    summary->count += other->count;
    summary->top5 += other->top5;
    exact_sum_merge(&summary->nll, &other->nll);
    exact_sum_merge(&summary->brier, &other->brier);
    exact_sum_merge(&summary->entropy, &other->entropy);
    for (size_t i = 0; i < summary->bin_count; i++) {
        summary->bins[i].tally.rows[0] += other->bins[i].tally.rows[0];
        summary->bins[i].tally.rows[1] += other->bins[i].tally.rows[1];
        summary->bins[i].confidence += other->bins[i].confidence;
    }
}

/* ---- what they come to ------------------------------------------------------------ */

/* |number right - sum of confidences| of a bin. */
static confidence_sum difference(const struct bin *bin)
{
    confidence_sum correct = (confidence_sum)bin->tally.rows[1] << CONFIDENCE_BITS;

    return correct > bin->confidence ? correct - bin->confidence
                                     : bin->confidence - correct;
}

static double number_of(confidence_sum sum)
{
    return (double)sum * CONFIDENCE_UNIT;
}

struct metrics summary_metrics(struct summary *summary)
{
    double n = (double)summary->count, worst = 0;
    confidence_sum confidence = 0, differences = 0;
    int64_t correct = 0;

    summary_settle(summary);
    if (summary->count == 0) {
#define METRIC(name) (double)NAN,
        return (struct metrics){METRICS(METRIC)};
#undef METRIC
    }
    for (size_t i = 0; i < summary->bin_count; i++) {
        const struct bin *bin = &summary->bins[i];
        correct += bin->tally.rows[1];
        confidence += bin->confidence;
        differences += difference(bin);
        if (bin->tally.rows[0] > 0)
            worst = fmax(worst, number_of(difference(bin)) / (double)bin->tally.rows[0]);
    }
    double nll = exact_sum_over(&summary->nll, n);
    return (struct metrics){
        .accuracy = (double)correct / n,
        .top5_accuracy = (double)summary->top5 / n,
        .nll = nll,
        .perplexity = EXPS_SCALE / exp_scaled(-nll, 0),
        .bits = nll / LN2,
        .brier = exact_sum_value(&summary->brier) / n,
        .ece = number_of(differences) / n,
        .mce = worst,
        .mean_confidence = number_of(confidence) / n,
        .mean_entropy = exact_sum_value(&summary->entropy) / n,
    };
}

void summary_calibration(struct summary *summary, struct calibration *out)
{
    summary_settle(summary);
    out->edges[summary->bin_count] = 1;
    for (size_t i = 0; i < summary->bin_count; i++) {
        const struct bin *bin = &summary->bins[i];
        double n = (double)bin->tally.rows[0];
        out->edges[i] = bin->above;
        out->count[i] = bin->tally.rows[0];
        out->accuracy[i] =
            bin->tally.rows[0] ? (double)bin->tally.rows[1] / n : (double)NAN;
        out->confidence[i] =
            bin->tally.rows[0] ? number_of(bin->confidence) / n : (double)NAN;
    }
}
