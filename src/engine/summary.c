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

#include "engine/confidences.h"
#include "engine/slab.h"
#include "engine/vmath.h"

enum { TOP = 5 };

/* Pending rows of a bin are counted in the low half of a number, those that are correct
 * in the high half; and so many that their low parts, at most 2^51 each, fit in one. */
enum { PENDING_MAX = 4095 };
#define CORRECT (INT64_C(1) << 32)

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

static double target_nll(const struct slab *slab, size_t row)
{
    const struct shares shares = {slab->targets + row * slab->classes, NULL, 1, 0};
    double total, gaps = slab->real->gaps(slab_logits_row(slab, row), slab->classes,
                                          slab->sums.max[row], &shares, &total);

    return isfinite(gaps) ? gaps + total * slab->sums.log_sum[row] : wide_nll(slab, row);
}

/* Where p and q are both near 1, their difference is that of 1 - q and 1 - p. */
static double target_brier(const struct slab *slab, size_t row)
{
    const double *q = slab->targets + row * slab->classes;
    const struct shares shares = {q, NULL, 1, 0};
    size_t top = (size_t)slab->sums.top[row];
    double peak = slab->sums.peak[row], miss = slab->sums.rest[row] * peak;

    slab->real->mix(slab->exps, row, slab->classes, slab->sums.factor[row], 1, &shares,
                    slab->other_row);
    slab->real->widen(slab->other_row, slab->classes, slab->row);
    slab->row[top] = q[top] > 0.5 ? (1 - q[top]) - miss : peak - q[top];
    for (size_t c = 0; c < slab->classes; c++)
        slab->row[c] *= slab->row[c];
    return slab->real->sum(slab->row, slab->classes);
}

/* ---- bins ----------------------------------------------------------------------- */

void summary_init(struct summary *summary, struct bin *bins, size_t count)
{
    *summary = (struct summary){.bin_count = count, .bins = bins};
    for (size_t i = 0; i <= count; i++)
        bins[i] = (struct bin){.above = (double)i / (double)count};
}

void summary_settle(struct summary *summary)
{
    for (size_t i = 0; i < summary->bin_count; i++) {
        struct bin *bin = &summary->bins[i];
        bin->count += bin->tally & (CORRECT - 1);
        bin->correct += bin->tally / CORRECT;
        bin->confidence += ((confidence_sum)bin->high << (CONFIDENCE_BITS - HIGH_BITS)) +
                           (confidence_sum)bin->low;
        bin->tally = bin->high = bin->low = 0;
    }
    summary->pending = 0;
}

/* A confidence is in the bin that begins at its nearest edge, or in the one before. */
static void add_confidences(struct summary *summary, const struct slab *slab,
                            struct confidences *of, const bool *right, size_t rows)
{
    if (summary->pending + rows > PENDING_MAX)
        summary_settle(summary);
    summary->pending += rows;
    of->bins = (double)summary->bin_count;
    slab->real->confidences(of, rows);
    for (size_t r = 0; r < rows; r++) {
        int64_t edge = of->edge[r];
        int64_t is_before = of->value[r] <= summary->bins[edge].above;
        struct bin *bin = &summary->bins[edge - is_before];
        bin->tally += 1 + right[r] * CORRECT;
        bin->high += of->high[r];
        bin->low += of->low[r];
    }
}

/* ---- rows ----------------------------------------------------------------------- */

static void measure_targets(const struct slab *slab)
{
    const struct moments *moments = slab->sums.moments;

    for (size_t r = 0; r < slab->rows; r++) {
        moments->nll[r] = target_nll(slab, r);
        moments->brier[r] = target_brier(slab, r);
    }
}

/* The rows that are kept, side by side; returns how many. */
static size_t keep_moments(const struct moments *of, const bool *kept, size_t rows)
{
    size_t count = 0;

    for (size_t r = 0; r < rows; r++) {
        of->nll[count] = of->nll[r];
        of->brier[count] = of->brier[r];
        of->entropy[count] = of->entropy[r];
        of->rank[count] = of->rank[r];
        count += kept[r];
    }
    return count;
}

static size_t keep_confidences(double *value, bool *right, const bool *kept, size_t rows)
{
    size_t count = 0;

    for (size_t r = 0; r < rows; r++) {
        value[count] = value[r];
        right[count] = right[r];
        count += kept[r];
    }
    return count;
}

static void add_moments(struct summary *summary, const struct slab *slab,
                        const bool *kept)
{
    const struct moments *moments = slab->sums.moments;
    size_t rows = slab->rows;

    if (slab->targets)
        measure_targets(slab);
    if (kept)
        rows = keep_moments(moments, kept, rows);
    exact_sum_add_all(&summary->nll, moments->nll, rows);
    exact_sum_add_all(&summary->brier, moments->brier, rows);
    exact_sum_add_all(&summary->entropy, moments->entropy, rows);
    for (size_t r = 0; r < rows; r++)
        summary->top5 += moments->rank[r] < TOP;
}

void summary_add(struct summary *summary, const struct slab *slab, const int64_t *truth,
                 const bool *kept)
{
    struct confidences confidences;
    bool right[SLAB_ROWS];
    size_t rows = slab->rows;

    if (slab->sums.moments)
        add_moments(summary, slab, kept);
    memcpy(confidences.value, slab->sums.peak, rows * sizeof *confidences.value);
    for (size_t r = 0; r < rows; r++)
        right[r] = slab->sums.top[r] == truth[r];
    if (kept)
        rows = keep_confidences(confidences.value, right, kept, rows);
    summary->count += (int64_t)rows;
    add_confidences(summary, slab, &confidences, right, rows);
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
        summary->bins[i].count += other->bins[i].count;
        summary->bins[i].correct += other->bins[i].correct;
        summary->bins[i].confidence += other->bins[i].confidence;
    }
}

/* ---- what they come to ------------------------------------------------------------ */

/* |number right - sum of confidences| of a bin. */
static confidence_sum difference(const struct bin *bin)
{
    confidence_sum correct = (confidence_sum)bin->correct << CONFIDENCE_BITS;

    return correct > bin->confidence ? correct - bin->confidence
                                     : bin->confidence - correct;
}

static double number_of(confidence_sum sum)
{
    return ldexp((double)sum, -CONFIDENCE_BITS);
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
        correct += bin->correct;
        confidence += bin->confidence;
        differences += difference(bin);
        if (bin->count > 0)
            worst = fmax(worst, number_of(difference(bin)) / (double)bin->count);
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
        double n = (double)bin->count;
        out->edges[i] = bin->above;
        out->count[i] = bin->count;
        out->accuracy[i] = bin->count ? (double)bin->correct / n : (double)NAN;
        out->confidence[i] = bin->count ? number_of(bin->confidence) / n : (double)NAN;
    }
}
