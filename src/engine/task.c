/* TABLE: what a route, or a part of what it is sent, knows and can give. */
#include "lossd/engine/batch.h"

#define BIT(n) (UINT32_C(1) << (n))

const struct task task_loss = {
    .name = "loss",
    .members = (BIT(MEMBERS) - 1) & ~BIT(MEMBER_on_error),
    .outputs = (BIT(OUTPUTS) - 1) & ~BIT(OUTPUT_RECORDS),
    .standard_outputs = BIT(OUTPUT_LOSS) | BIT(OUTPUT_PROBABILITIES),
    .needs_truth = true,
};

const struct task task_softmax = {
    .name = "softmax",
    .members = BIT(MEMBER_logits) | BIT(MEMBER_temperature) | BIT(MEMBER_softcap) |
               BIT(MEMBER_axis) | BIT(MEMBER_dtype) | BIT(MEMBER_return) | BIT(MEMBER_id),
    .outputs = BIT(OUTPUT_PROBABILITIES) | BIT(OUTPUT_LOG_PROBABILITIES) |
               BIT(OUTPUT_LOGSUMEXP) | BIT(OUTPUT_PREDICTIONS),
    .standard_outputs = BIT(OUTPUT_PROBABILITIES),
};

const struct task task_merge = {
    .name = "merge",
    .members = BIT(MEMBER_return) | BIT(MEMBER_id),
    .outputs = BIT(OUTPUT_LOSS) | BIT(OUTPUT_METRICS) | BIT(OUTPUT_PER_CLASS) |
               BIT(OUTPUT_CALIBRATION) | BIT(OUTPUT_STATE),
    .standard_outputs = BIT(OUTPUT_LOSS) | BIT(OUTPUT_METRICS),
    .needs_truth = true,
};

#define OF_RECORD                                                    \
    (BIT(MEMBER_logits) | BIT(MEMBER_labels) | BIT(MEMBER_targets) | \
     BIT(MEMBER_sample_weights) | BIT(MEMBER_id))
#define OF_DATASET                                                    \
    (BIT(OUTPUT_LOSS) | BIT(OUTPUT_METRICS) | BIT(OUTPUT_PER_CLASS) | \
     BIT(OUTPUT_CALIBRATION) | BIT(OUTPUT_STATE))

const struct task task_dataset = {
    .name = "dataset",
    .members = BIT(MEMBER_loss) | BIT(MEMBER_reduction) | BIT(MEMBER_ignore_index) |
               BIT(MEMBER_label_smoothing) | BIT(MEMBER_temperature) |
               BIT(MEMBER_softcap) | BIT(MEMBER_z_loss) | BIT(MEMBER_focal_gamma) |
               BIT(MEMBER_poly_epsilon) | BIT(MEMBER_margin) | BIT(MEMBER_p) |
               BIT(MEMBER_divisor) | BIT(MEMBER_ece_bins) | BIT(MEMBER_dtype) |
               BIT(MEMBER_return) | BIT(MEMBER_on_error) | BIT(MEMBER_id),
    .outputs = OF_DATASET | BIT(OUTPUT_RECORDS),
    .standard_outputs = BIT(OUTPUT_LOSS) | BIT(OUTPUT_METRICS),
    .needs_truth = true,
};

const struct task task_record = {
    .name = "record",
    .by_codec = {"label", "weight"},
    .members = OF_RECORD,
    .outputs = OF_DATASET,
    .needs_truth = true,
};

const struct task task_state = {
    .name = "state",
    .members = BIT(MEMBER_loss) | BIT(MEMBER_reduction) | BIT(MEMBER_label_smoothing) |
               BIT(MEMBER_temperature) | BIT(MEMBER_softcap) | BIT(MEMBER_z_loss) |
               BIT(MEMBER_focal_gamma) | BIT(MEMBER_poly_epsilon) | BIT(MEMBER_l2) |
               BIT(MEMBER_margin) | BIT(MEMBER_p) | BIT(MEMBER_divisor) |
               BIT(MEMBER_ece_bins) | BIT(MEMBER_dtype) | BIT(MEMBER_class_weights) |
               BIT(MEMBER_pos_weight),
};
