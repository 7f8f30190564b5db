#include "api/reply_size.h"

#include "lossd/engine/loss.h"
#include "lossd/engine/state.h"

/* A line for each position: its number, what is predicted, and the loss, of each class
 * where they have their own. */
static size_t record_numbers(const struct batch *batch)
{
    size_t lines = batch->state->count + batch->state->ignored;

    return lines * ((batch->loss->is_elementwise ? batch->classes : 1) + 2);
}

/* Numbers of one output, about. */
static size_t output_numbers(const struct batch *batch, enum output output)
{
    switch ((unsigned)output) {
    case OUTPUT_PROBABILITIES:
    case OUTPUT_LOG_PROBABILITIES:
    case OUTPUT_GRADIENT:
    case OUTPUT_LOGITS:
        return batch->logits.count;
    case OUTPUT_GRADIENT_FEATURES:
        return batch->features.count;
    case OUTPUT_GRADIENT_W:
        return batch->W.count;
    case OUTPUT_GRADIENT_B:
        return batch->b.count;
    case OUTPUT_PER_CLASS:
        return 5 * batch->classes;
    case OUTPUT_CONFUSION:
        return batch->classes * batch->classes;
    case OUTPUT_CALIBRATION:
        return 4 * (size_t)batch->ece_bins + 1;
    case OUTPUT_STATE:
        return 4 * (size_t)batch->ece_bins + 3 * batch->classes +
               batch->class_weights.count + batch->pos_weight.count + 64;
    case OUTPUT_METRICS:
        return 16;
    case OUTPUT_RECORDS:
        return record_numbers(batch);
    default:
        return batch->loss->is_elementwise ? batch->logits.count : batch->positions + 1;
    }
}

size_t reply_numbers(const struct batch *batch)
{
    size_t numbers = 0;

    for (enum output output = 0; output < OUTPUTS; output++)
        numbers += batch_wants(batch, output) ? output_numbers(batch, output) : 0;
    return numbers;
}
