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
#include "engine/summary.h"

#include <math.h>

#include "engine/vmath.h"

enum { CONFIDENCE_BITS = 90, TOP = 5 };

#define LN2 0x1.62e42fefa39efp-1

/* ---- labels --------------------------------------------------------------------- */

/* On a row whose label is likeliest nothing is subtracted; else the result is at least
 * a half: 1 - 2 p_y and the squares. */
static double brier_of(double peak, double miss, double squares, bool is_top)
{
    return is_top ? miss * miss + squares : peak * peak + squares + (2 * miss - 1);
}

static void measure_labels(const struct slab *slab, const struct moments *moments,
                           double *nll, double *brier)
{
    const struct sums *sums = &slab->sums;

    slab->real->label_losses(slab->logits, slab->rows, slab->classes, sums, slab->labels,
                             nll);
    slab->real->label_misses(slab->exps, slab->rows, slab->classes, sums, slab->labels,
                             brier);
    for (size_t r = 0; r < slab->rows; r++) {
        brier[r] = brier_of(sums->peak[r], brier[r], moments->squares[r],
                            slab->labels[r] == sums->top[r]);
    }
}

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

/* A confidence in (0, 1], exactly. */
static confidence_sum fixed_point(double confidence)
{
    uint64_t bits = to_bits(confidence);
    uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    uint64_t below_one = 1023 - (bits >> 52);

    return (confidence_sum)mantissa << (CONFIDENCE_BITS - 52 - below_one);
}

void summary_init(struct summary *summary, struct bin *bins, size_t count)
{
    *summary = (struct summary){.bin_count = count, .bins = bins};
    for (size_t i = 0; i < count; i++)
        bins[i] = (struct bin){.above = (double)i / (double)count};
}

static struct bin *bin_of(const struct summary *summary, double confidence)
{
    struct bin *bins = summary->bins;
    size_t last = summary->bin_count - 1;
    size_t bin = (size_t)(confidence * (double)summary->bin_count);

    bin = bin < last ? bin : last;
    while (bin > 0 && confidence <= bins[bin].above)
        bin--;
    while (bin < last && confidence > bins[bin + 1].above)
        bin++;
    return &bins[bin];
}

static void add_confidence(struct summary *summary, double confidence, bool correct)
{
    struct bin *bin = bin_of(summary, confidence);

    bin->count++;
    bin->correct += correct;
    bin->confidence += fixed_point(confidence);
}

/* The rows that are kept, side by side; returns how many. */
static size_t keep(double *values, const bool *kept, size_t rows)
{
    size_t count = 0;

    for (size_t r = 0; r < rows; r++) {
        values[count] = values[r];
        count += kept[r];
    }
    return count;
}

/* `kept` is NULL when all are. */
static void add_kept(struct exact_sum *sum, double *values, const bool *kept, size_t rows)
{
    exact_sum_add_all(sum, values, kept ? keep(values, kept, rows) : rows);
}

static bool are_all_kept(const bool *kept, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        if (!kept[r])
            return false;
    return true;
}

static void count_rows(struct summary *summary, const struct slab *slab, const bool *kept,
                       const int64_t *rank)
{
    for (size_t r = 0; r < slab->rows; r++) {
        bool correct = rank[r] == 0;
        if (kept && !kept[r])
            continue;
        summary->count++;
        summary->correct += correct;
        summary->top5 += rank[r] < TOP;
        add_confidence(summary, slab->sums.peak[r], correct);
    }
}

void summary_add(struct summary *summary, const struct slab *slab, const bool *kept,
                 const struct moments *moments)
{
    double nll[SLAB_ROWS], brier[SLAB_ROWS];

    if (!slab->targets)
        measure_labels(slab, moments, nll, brier);
    for (size_t r = 0; slab->targets && r < slab->rows; r++) {
        nll[r] = target_nll(slab, r);
        brier[r] = target_brier(slab, r);
    }
    if (are_all_kept(kept, slab->rows))
        kept = NULL;
    add_kept(&summary->nll, nll, kept, slab->rows);
    add_kept(&summary->brier, brier, kept, slab->rows);
    add_kept(&summary->entropy, moments->entropy, kept, slab->rows);
    count_rows(summary, slab, kept, moments->rank);
}

void summary_merge(struct summary *summary, struct summary *other)
{
    summary->count += other->count;
    summary->correct += other->correct;
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

    if (summary->count == 0) {
#define METRIC(name) (double)NAN,
        return (struct metrics){METRICS(METRIC)};
#undef METRIC
    }
    for (size_t i = 0; i < summary->bin_count; i++) {
        const struct bin *bin = &summary->bins[i];
        confidence += bin->confidence;
        differences += difference(bin);
        if (bin->count > 0)
            worst = fmax(worst, number_of(difference(bin)) / (double)bin->count);
    }
    double nll = exact_sum_value(&summary->nll) / n;
    return (struct metrics){
        .accuracy = (double)summary->correct / n,
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

void summary_calibration(const struct summary *summary, struct calibration *out)
{
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
