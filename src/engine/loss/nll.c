/* Negative log-likelihood of scores that are log-probabilities already:
 *
 *     loss = - w_label z_label        d loss / d z_c = - w_label [c = label]
 *
 * No softmax is applied.  Source: torch.nn.NLLLoss; ONNX
 * NegativeLogLikelihoodLoss. */
#include "engine/slab.h"
#include "lossd/engine/loss.h"

static void put_gradient(const struct slab *slab, size_t row, double weight)
{
    slab_put_zeros(slab, row, slab->gradient);
    slab_put(slab, 0 - weight * slab->scale[row], row, (size_t)slab->labels[row],
             slab->gradient);
}

static void score(const struct slab *slab, double *values, double *penalties)
{
    (void)penalties;
    for (size_t r = 0; r < slab->rows; r++) {
        double weight = batch_class_weight(slab->batch, (size_t)slab->labels[r]);
        values[r] =
            weight == 0 ? 0 : 0 - weight * slab_logit(slab, r, (size_t)slab->labels[r]);
        if (slab->gradient)
            put_gradient(slab, r, weight);
    }
}

const struct loss loss_nll = {
    .name = "nll",
    .formula = "-w_label logits_label, logits being log-probabilities",
    .source = "torch.nn.NLLLoss",
    .options = 1u << MEMBER_class_weights,
    .truths = TRUTH_LABELS,
    .score = score,
};
