/* The range of a linear model.
 *
 * Scoring cannot fail, so what it computes must be finite beforehand, but for what a
 * temperature makes of rows that are ignored.  Numbers at the
 * end of the range are rare, and a bound is told easily: a logit is at most depth
 * times the largest of the features times the largest of W, plus the largest of b.
 *
 * Where that is too much, the logits may be finite all the same.  They are computed
 * then, one after another as the kernel will (matmul.h), unless they are so many that
 * it would take a thread for long: then the bound decides, whatever is ignored. */
#include <math.h>
#include <stdio.h>

#include "engine/linear.h"
#include "lossd/engine/place.h"

enum { EACH_MOST = 1 << 24 }; /* products: some hundredths of a second */

static size_t largest_of(const struct array *array)
{
    const double *data = array->data;
    size_t largest = 0;

    for (size_t i = 1; i < array->count; i++)
        if (fabs(data[i]) > fabs(data[largest]))
            largest = i;
    return largest;
}

/* "W[2][0] is 1e200" */
static void say_number(char out[PLACE_SIZE], const char *name, const struct array *array,
                       size_t index)
{
    char words[PLACE_SIZE], number[PLACE_SIZE];

    place_words(words, name, &array->shape, index);
    number_words(number, ((const double *)array->data)[index]);
    snprintf(out, PLACE_SIZE, "%.150s is %.30s", words, number);
}

/* Does the temperature make logits larger? */
static bool is_hot(const struct batch *batch, double range)
{
    return batch->temperature < 1 && !(batch->softcap <= range * batch->temperature);
}

static const char *dtype_word(const struct batch *batch)
{
    return batch->dtype == DTYPE_FLOAT32 ? "float32" : "float64";
}

static bool fail_bound(const struct batch *batch, size_t feature, size_t weight,
                       double bias, bool hot, struct err *err)
{
    char pointer[PLACE_SIZE], left[PLACE_SIZE], right[PLACE_SIZE];
    char b[PLACE_SIZE] = "", number[PLACE_SIZE], temperature[96] = "";

    place_pointer(pointer, "features", &batch->features.shape, feature);
    say_number(left, "features", &batch->features, feature);
    say_number(right, "W", &batch->W, weight);
    number_words(number, bias);
    if (bias > 0)
        snprintf(b, sizeof b, " and b of %.30s", number);
    if (hot)
        snprintf(temperature, sizeof temperature, " over temperature %s",
                 batch_spelling(batch, MEMBER_temperature).text);
    return fail(err, ERR_NON_FINITE_VALUE, pointer,
                "%s and %s: logits of %zu such product%s%s%s may leave the range of %s",
                left, right, batch->features_of_row,
                batch->features_of_row == 1 ? "" : "s", b, temperature,
                dtype_word(batch));
}

static bool fail_logit(const struct batch *batch, size_t row, size_t class, double logit,
                       bool hot, struct err *err)
{
    char pointer[PLACE_SIZE], words[PLACE_SIZE], b[32] = "", number[PLACE_SIZE];

    place_pointer(pointer, "features", &batch->position_shape, row);
    place_words(words, "features", &batch->position_shape, row);
    if (batch_has(batch, MEMBER_b))
        snprintf(b, sizeof b, " plus b[%zu]", class);
    number_words(number, logit);
    if (hot)
        return fail(err, ERR_NON_FINITE_VALUE, pointer,
                    "%s times W[%zu]%s is %s; divided by temperature %s it leaves the "
                    "range of %s",
                    words, class, b, number,
                    batch_spelling(batch, MEMBER_temperature).text, dtype_word(batch));
    return fail(err, ERR_NON_FINITE_VALUE, pointer,
                "%s times W[%zu]%s is %s, beyond the range of %s", words, class, b,
                number, dtype_word(batch));
}

static double logit_of(const struct batch *batch, size_t row, size_t class)
{
    size_t depth = batch->features_of_row;
    const double *x = (const double *)batch->features.data + row * depth;
    const double *w = (const double *)batch->W.data + class * depth;
    const double *b = batch->b.data;
    double logit = 0;

    for (size_t k = 0; k < depth; k++)
        logit += x[k] * w[k];
    return b ? logit + b[class] : logit;
}

/* What the temperature makes of a row that is ignored nobody minds. */
static bool check_each_logit(const struct batch *batch, double range, bool hot,
                             struct err *err)
{
    for (size_t row = 0; row < batch->positions; row++) {
        bool is_hot_row = hot && batch_keeps(batch, row);
        double largest = is_hot_row ? range * batch->temperature : range;
        for (size_t class = 0; class < batch->classes; class ++) {
            double logit = logit_of(batch, row, class), stored = logit;
            if (batch->dtype == DTYPE_FLOAT32)
                stored = (double)(float)logit;
            if (!(fabs(stored) <= largest))
                return fail_logit(batch, row, class, logit, is_hot_row, err);
        }
    }
    return true;
}

static bool check_logits(const struct batch *batch, struct err *err)
{
    const double range =
        batch->dtype == DTYPE_FLOAT32 ? 0x1.fffffep127 : 0x1.fffffffffffffp1023;
    const double slack = 1 + 0x1p-20; /* what rounding may add in 2^30 sums */
    const double *features = batch->features.data, *W = batch->W.data;
    size_t feature = largest_of(&batch->features), weight = largest_of(&batch->W);
    double bias = 0;
    bool hot = is_hot(batch, range);

    if (batch_has(batch, MEMBER_b))
        bias = fabs(((const double *)batch->b.data)[largest_of(&batch->b)]);
    double products = fabs(features[feature]) * fabs(W[weight]) *
                      (double)batch->features_of_row * slack;
    double bound = products + bias;
    if (hot)
        bound /= batch->temperature;
    if (bound <= range)
        return true;
    if (linear_count(batch) * (double)batch->features_of_row <= EACH_MOST)
        return check_each_logit(batch, range, hot, err);
    return fail_bound(batch, feature, weight, bias, hot, err);
}

static bool check_penalty(const struct batch *batch, struct err *err)
{
    size_t weight = largest_of(&batch->W);
    double largest = ((const double *)batch->W.data)[weight];
    char pointer[PLACE_SIZE], words[PLACE_SIZE];

    if (batch->l2 == 0 ||
        isfinite(largest * largest * (double)batch->W.count * (1 + batch->l2)))
        return true;
    place_pointer(pointer, "W", &batch->W.shape, weight);
    say_number(words, "W", &batch->W, weight);
    return fail(
        err, ERR_NON_FINITE_VALUE, pointer,
        "%s: l2 %s times the square%s of %zu such weight%s may leave the range of "
        "float64",
        words, batch_spelling(batch, MEMBER_l2).text, batch->W.count == 1 ? "" : "s",
        batch->W.count, batch->W.count == 1 ? "" : "s");
}

bool linear_check(const struct batch *batch, struct err *err)
{
    return check_logits(batch, err) && check_penalty(batch, err);
}
