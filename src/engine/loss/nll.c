/* Negative log-likelihood of scores that are log-probabilities already:
 *
 *     loss = - w_label z_label        d loss / d z_c = - w_label [c = label]
 *
 * No softmax is applied.  Source: torch.nn.NLLLoss; ONNX
 * NegativeLogLikelihoodLoss. */
#include "lossd/engine/batch.h"
#include "lossd/engine/loss.h"

static double weight_of(const struct truth *truth)
{
    return truth->class_weights ? truth->class_weights[truth->label] : 1;
}

static double value(const struct row *row, const struct truth *truth)
{
    double weight = weight_of(truth);

    return weight == 0 ? 0 : 0 - weight * row->logits[truth->label];
}

static void gradient(const struct row *row, const struct truth *truth, double scale,
                     double *out)
{
    for (size_t c = 0; c < row->classes; c++)
        out[c] = 0;
    out[truth->label] = 0 - weight_of(truth) * scale;
}

const struct loss loss_nll = {
    .name = "nll",
    .formula = "-w_label logits_label, logits being log-probabilities",
    .source = "torch.nn.NLLLoss",
    .options = 1u << MEMBER_class_weights,
    .takes_targets = false,
    .value = value,
    .gradient = gradient,
};
