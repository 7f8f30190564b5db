#include "engine/batch_weights.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "lossd/engine/place.h"

static bool is_within(double a, double b)
{
    double product = a * b;

    return isfinite(product) && (product >= DBL_MIN || a == 0 || product / a == b);
}

/* The first class of those that count at a position whose weight is too large or too small
 * for that of the sample; as many as there are classes when there is none. */
static size_t first_beyond(const struct batch *batch, size_t position)
{
    const int64_t *labels = batch->labels.data;
    double weight = batch_sample_weight(batch, position);
    size_t from = labels ? (size_t)labels[position] : 0;
    size_t end = labels ? from + 1 : batch->classes;

    for (size_t c = from; c < end; c++)
        if (!is_within(batch_class_weight(batch, c), weight))
            return c;
    return batch->classes;
}

static bool fail_product(const struct batch *batch, size_t position, size_t class,
                         struct err *err)
{
    const struct shape *shape = &batch->sample_weights.shape;
    char pointer[PLACE_SIZE], words[PLACE_SIZE], found[PLACE_SIZE], other[PLACE_SIZE];

    place_pointer(pointer, "sample_weights", shape, position);
    place_words(words, "sample_weights", shape, position);
    number_words(found, batch_sample_weight(batch, position));
    number_words(other, batch_class_weight(batch, class));
    return fail(err, ERR_INVALID_OPTION, pointer,
                "%s is %s, and class_weights[%zu] %s: a product within the range of "
                "float64 is wanted",
                words, found, class, other);
}

/* The smallest that is not 0, and the largest. */
struct extremes {
    double low, high;
};

static struct extremes extremes_of(const struct array *weights)
{
    struct extremes extremes = {INFINITY, 0};
    const double *values = weights->data;

    for (size_t i = 0; i < weights->count; i++) {
        if (values[i] > 0 && values[i] < extremes.low)
            extremes.low = values[i];
        if (values[i] > extremes.high)
            extremes.high = values[i];
    }
    return extremes;
}

/* All products are, as nearly all are always. */
static bool are_within(const struct batch *batch)
{
    struct extremes samples = extremes_of(&batch->sample_weights);
    struct extremes classes = extremes_of(&batch->class_weights);

    return samples.low * classes.low >= DBL_MIN && isfinite(samples.high * classes.high);
}

bool batch_check_weights(const struct batch *batch, struct err *err)
{
    bool has_both = batch->sample_weights.data && batch->class_weights.data;

    if (!has_both || are_within(batch))
        return true;
    for (size_t n = 0; n < batch->positions; n++) {
        size_t class = batch_keeps(batch, n) ? first_beyond(batch, n) : batch->classes;
        if (class < batch->classes)
            return fail_product(batch, n, class, err);
    }
    return true;
}
