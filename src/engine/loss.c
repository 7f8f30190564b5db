#include "lossd/engine/loss.h"

#define LOSS(name) extern const struct loss loss_##name;
#include "lossd/engine/losses.def"
#undef LOSS

const struct loss *const loss_table[] = {
#define LOSS(name) &loss_##name,
#include "lossd/engine/losses.def"
#undef LOSS
};

const size_t loss_count = sizeof loss_table / sizeof *loss_table;

const char *const loss_names[] = {
#define LOSS(name) #name,
#include "lossd/engine/losses.def"
#undef LOSS
    NULL};

bool losses_are_nll(const struct batch *batch)
{
    const struct loss *loss = batch->loss;

    return loss->is_nll && loss->is_nll(batch) && !batch->sample_weights.data;
}

uint32_t loss_options(const struct loss *loss)
{
    const uint32_t of_every_loss =
        UINT32_C(1) << MEMBER_reduction | UINT32_C(1) << MEMBER_sample_weights |
        UINT32_C(1) << MEMBER_divisor | UINT32_C(1) << MEMBER_l2;
    const uint32_t of_labels = UINT32_C(1) << MEMBER_ignore_index;

    return loss->options | of_every_loss | (loss->truths & TRUTH_LABELS ? of_labels : 0);
}
