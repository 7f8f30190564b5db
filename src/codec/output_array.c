#include "codec/output_array.h"

uint32_t output_arrays(void)
{
    const uint32_t all = (UINT32_C(1) << OUTPUTS) - 1;

    return all & ~(UINT32_C(1) << OUTPUT_LOSS | UINT32_C(1) << OUTPUT_METRICS |
                   UINT32_C(1) << OUTPUT_PER_CLASS | UINT32_C(1) << OUTPUT_CALIBRATION |
                   UINT32_C(1) << OUTPUT_STATE | UINT32_C(1) << OUTPUT_RECORDS);
}

/* Of the batch's dtype, as the engine has it. */
static struct output_array typed(const struct batch *batch, const void *data,
                                 const struct shape *shape)
{
    bool is_float = batch->dtype == DTYPE_FLOAT32;

    return (struct output_array){is_float ? REPLY_FLOATS : REPLY_DOUBLES, data, *shape};
}

/* Of the batch's dtype, but doubles in the engine. */
static struct output_array rounded(const struct batch *batch, const double *data,
                                   const struct shape *shape)
{
    bool is_float = batch->dtype == DTYPE_FLOAT32;

    return (struct output_array){is_float ? REPLY_DOUBLES_AS_FLOATS : REPLY_DOUBLES, data,
                                 *shape};
}

struct output_array output_array(enum output output, const struct batch *batch,
                                 const struct result *result)
{
    const struct shape *logits = &batch->logits.shape;

    switch ((unsigned)output) {
    case OUTPUT_LOSS:
        return (struct output_array){REPLY_DOUBLES, result->losses, *result->loss_shape};
    case OUTPUT_LOSSES:
        return rounded(batch, result->losses, result->loss_shape);
    case OUTPUT_PROBABILITIES:
        return typed(batch, result->probabilities, logits);
    case OUTPUT_LOG_PROBABILITIES:
        return typed(batch, result->log_probabilities, logits);
    case OUTPUT_LOGSUMEXP:
        return rounded(batch, result->logsumexp, &batch->position_shape);
    case OUTPUT_GRADIENT:
        return typed(batch, result->gradient, logits);
    case OUTPUT_LOGITS:
        return typed(batch, result->logits, logits);
    case OUTPUT_GRADIENT_FEATURES:
        return typed(batch, result->gradient_features, &batch->features.shape);
    case OUTPUT_GRADIENT_W:
        return typed(batch, result->gradient_W, &batch->W.shape);
    case OUTPUT_GRADIENT_B:
        return typed(batch, result->gradient_b, &batch->b.shape);
    case OUTPUT_CONFUSION:
        return (struct output_array){
            REPLY_INTEGERS, result->confusion, {2, {batch->classes, batch->classes}}};
    case OUTPUT_PREDICTIONS:
        return (struct output_array){REPLY_INTEGERS, result->predictions,
                                     batch->position_shape};
    default: /* no array */
        break;
    }
    return (struct output_array){REPLY_DOUBLES, NULL, {0}};
}
