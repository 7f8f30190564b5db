#include "engine/slab.h"

#include <math.h>
#include <string.h>

#include "engine/kernel/vmath.h"
#include "engine/layout.h"

enum {
    SLAB_LOGITS = 4096, /* of several rows together: they stay near the processor */
    TOGETHER = 16       /* rows that kernels like to have at a time */
};

size_t slab_rows(const struct batch *batch)
{
    size_t rows = SLAB_LOGITS / batch->classes;
    size_t all = (batch->positions + TOGETHER - 1) / TOGETHER * TOGETHER;

    if (rows >= TOGETHER)
        rows = rows / TOGETHER * TOGETHER;
    if (rows > SLAB_ROWS)
        rows = SLAB_ROWS;
    if (rows > all)
        rows = all;
    return rows > 0 ? rows : 1;
}

static size_t bytes_of(const struct slab *slab, size_t count)
{
    return count * layout_size(slab->batch);
}

static size_t row_bytes(const struct slab *slab)
{
    return bytes_of(slab, slab->classes);
}

const void *slab_logits_from(const struct slab *slab, size_t from)
{
    return (const char *)slab->logits + bytes_of(slab, from);
}

void slab_give(const struct slab *slab, const double *values, size_t from, size_t count,
               void *array)
{
    slab->real->narrow(values, count, (char *)array + bytes_of(slab, from));
}

const void *slab_logits_row(const struct slab *slab, size_t row)
{
    return (const char *)slab->logits + row * row_bytes(slab);
}

double slab_logit(const struct slab *slab, size_t row, size_t class)
{
    size_t at = row * slab->classes + class;

    if (slab->batch->dtype == DTYPE_FLOAT32)
        return (double)((const float *)slab->logits)[at];
    return ((const double *)slab->logits)[at];
}

const double *slab_logits(const struct slab *slab, size_t row, double *room)
{
    if (slab->batch->dtype == DTYPE_FLOAT64)
        return slab_logits_row(slab, row);
    slab->real->widen(slab_logits_row(slab, row), slab->classes, room);
    return room;
}

void slab_copy_logits(const struct slab *slab, size_t row, double *copy)
{
    const double *logits = slab_logits(slab, row, copy);

    if (logits != copy)
        memcpy(copy, logits, slab->classes * sizeof *copy);
}

double slab_log_sum_exp(const struct slab *slab, size_t row)
{
    double max = slab->sums.max[row], log_sum = slab->sums.log_sum[row];
    double near = max + log_sum;
    double cancels = slab->batch->dtype == DTYPE_FLOAT32 ? 1 : 0.5;

    if (!(fabs(near) < cancels * log_sum))
        return near;
    return slab->real->close_log_sum_exp(slab_logits(slab, row, slab->row), slab->classes,
                                         max);
}

void slab_label_losses(const struct slab *slab, double *losses)
{
    const struct moments *moments = slab->sums.moments;

    if (moments)
        memcpy(losses, moments->nll, slab->rows * sizeof *losses);
    else
        slab->real->label_losses(slab->logits, slab->rows, slab->classes, &slab->sums,
                                 slab->labels, losses);
}

void *slab_row_of(const struct slab *slab, size_t row, void *array)
{
    return (char *)array + row * row_bytes(slab);
}

void slab_put_row(const struct slab *slab, const double *from, size_t row, void *array)
{
    slab->real->narrow(from, slab->classes, slab_row_of(slab, row, array));
}

void slab_put_zeros(const struct slab *slab, size_t row, void *array)
{
    memset(slab_row_of(slab, row, array), 0, row_bytes(slab));
}

void slab_put(const struct slab *slab, double value, size_t row, size_t class,
              void *array)
{
    size_t at = row * slab->classes + class;

    if (slab->batch->dtype == DTYPE_FLOAT32)
        ((float *)array)[at] = (float)value + 0;
    else
        ((double *)array)[at] = value + 0;
}

void slab_put_labels(const struct slab *slab, const double *values, void *array)
{
    float *floats = array;
    double *doubles = array;

    if (slab->batch->dtype == DTYPE_FLOAT32)
        for (size_t r = 0; r < slab->rows; r++)
            floats[r * slab->classes + (size_t)slab->labels[r]] = (float)values[r] + 0;
    else
        for (size_t r = 0; r < slab->rows; r++)
            doubles[r * slab->classes + (size_t)slab->labels[r]] = values[r] + 0;
}

double slab_probability(const struct slab *slab, size_t row, size_t class)
{
    double max = slab->sums.max[row], logit = slab_logit(slab, row, class);
    double d = logit - max;

    if (max == -INFINITY)
        return 0;
    if ((int64_t) class == slab->sums.top[row])
        return 1 / (1 + slab->sums.rest[row]);
    return exp_scaled(d, difference_tail(logit, max, d)) / (1 + slab->sums.rest[row]) *
           (1 / EXPS_SCALE);
}

double slab_complement(const struct slab *slab, size_t row, size_t class)
{
    bool is_top = (int64_t) class == slab->sums.top[row];

    return slab_complement_of(slab, row, class,
                              is_top ? 0 : slab_probability(slab, row, class));
}
