/* Cross-entropy of the softmax, for labels and for distributions.
 *
 * One form covers labels, targets, class weights and smoothing:
 *
 *     u_c  = w_c ((1 - e) q_c + e / C)        q: the target, one-hot for a label
 *     loss = - sum_c u_c log p_c              log p_c = (z_c - max) - log1p(rest)
 *     d loss / d z_c = S p_c - u_c            S = sum_c u_c
 *
 * All terms of the loss have one sign, so nothing cancels.  In the gradient the
 * likeliest class does: there S p - u is written with 1 - p = rest / (1 + rest).
 * Terms with u_c = 0 are left out, which makes a masked class without a share
 * count nothing, where 0 * infinity would be NaN.
 *
 * Source: torch.nn.CrossEntropyLoss (class weights, smoothing), whose results it
 * reproduces. */
#include <math.h>

#include "engine/kernel.h"
#include "engine/softmax.h"
#include "engine/vmath.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"

static double weight_of(const struct truth *truth, size_t class)
{
    return truth->class_weights ? truth->class_weights[class] : 1;
}

/* Labels without smoothing touch one class only. */
static bool is_plain(const struct truth *truth)
{
    return !truth->targets && truth->label_smoothing == 0;
}

static double share_of(const struct row *row, const struct truth *truth, size_t class)
{
    double q = truth->targets ? truth->targets[class]
                              : (double)(truth->label == (int64_t) class);
    double e = truth->label_smoothing;

    return weight_of(truth, class) * ((1 - e) * q + e / (double)row->classes);
}

/* `share` times - log p.  The gap may be beyond the largest double where its
 * product with the share is not. */
static double term_of(const struct row *row, double share, size_t class)
{
    double gap = row->max - row->logits[class];

    if (isinf(gap))
        return share * row->max - share * row->logits[class];
    return share * (gap + row->log_sum);
}

static double value(const struct row *row, const struct truth *truth)
{
    if (is_plain(truth)) {
        size_t label = (size_t)truth->label;
        double weight = weight_of(truth, label);
        return weight == 0 ? 0 : term_of(row, weight, label);
    }
    double sum = 0, tail = 0;
    for (size_t c = 0; c < row->classes; c++) {
        double share = share_of(row, truth, c);
        if (share == 0)
            continue;
        double term = term_of(row, share, c);
        double next = sum + term;
        tail += isfinite(next) ? difference_tail(sum, -term, next) : 0;
        sum = next;
    }
    return sum + tail;
}

static void plain_gradient(const struct row *row, const struct truth *truth, double scale,
                           double *out)
{
    size_t label = (size_t)truth->label;
    double weight = weight_of(truth, label) * scale + 0; /* -0 becomes 0 */

    row->kernel->probabilities(row, weight, out);
    out[label] = 0 - weight * row_complement(row, label);
}

static void gradient(const struct row *row, const struct truth *truth, double scale,
                     double *out)
{
    if (is_plain(truth)) {
        plain_gradient(row, truth, scale, out);
        return;
    }
    double others = 0, top = share_of(row, truth, row->top);
    for (size_t c = 0; c < row->classes; c++)
        others += c == row->top ? 0 : share_of(row, truth, c);
    double sum = others + top;
    row->kernel->probabilities(row, 1, out);
    for (size_t c = 0; c < row->classes; c++)
        out[c] = (sum * out[c] - share_of(row, truth, c)) * scale;
    if (2 * top > sum)
        out[row->top] = (others - sum * row_complement(row, row->top)) * scale;
}

const struct loss loss_cross_entropy = {
    .name = "cross_entropy",
    .formula = "-sum_c w_c ((1-e) q_c + e/C) log p_c, p = softmax(logits / temperature)",
    .source = "torch.nn.CrossEntropyLoss",
    .options = 1u << MEMBER_class_weights | 1u << MEMBER_label_smoothing |
               1u << MEMBER_temperature,
    .takes_targets = true,
    .value = value,
    .gradient = gradient,
};
