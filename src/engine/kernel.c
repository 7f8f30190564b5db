/* The rows: maximum, sum of exponentials, probabilities.
 *
 *     s_c = z_c - max      rest = sum of exp(s_c) without the first maximum
 *     p_c = exp(s_c) / (1 + rest)       log p_c = s_c - log1p(rest)
 *
 * Two things make confident rows right that usually are not.  The first maximum
 * is counted as 1 and not summed, so log1p(rest) is exact to the last bits when
 * all other classes together are 1e-35.  And what rounding takes from z_c - max
 * is given back inside exp; far from the maximum it is most of the error.
 *
 * Sums run over a fixed number of lanes and fixed blocks, so the order of the
 * additions depends on nothing but the number of classes.
 *
 * This file is compiled once for each instruction set, with KERNEL as the name.
 * It is plain C that a compiler can put on vectors of any width: every lane's
 * additions stand in the source, so all builds give the same bits. */
#include "engine/kernel.h"

#include <math.h>

#include "engine/vmath.h"

#define NAMED(prefix, name) prefix##name
#define OBJECT(name) NAMED(kernel_, name)
#define TEXT(name) #name
#define NAME_OF(name) TEXT(name)

extern const struct kernel OBJECT(KERNEL);

enum { LANES = 8, BLOCK = 64 };

static size_t find_top(const double *logits, size_t classes)
{
    double best[LANES];
    double max = -INFINITY;
    size_t c = 0;

    for (size_t i = 0; i < LANES; i++)
        best[i] = -INFINITY;
    for (; c + LANES <= classes; c += LANES)
        for (size_t i = 0; i < LANES; i++)
            best[i] = logits[c + i] > best[i] ? logits[c + i] : best[i];
    for (; c < classes; c++)
        best[0] = logits[c] > best[0] ? logits[c] : best[0];
    for (size_t i = 0; i < LANES; i++)
        max = best[i] > max ? best[i] : max;
    for (c = 0; c < classes && logits[c] != max;)
        c++;
    return c < classes ? c : 0;
}

/* The sums of n <= BLOCK numbers, every LANES-th of them in one. */
static void sum_block(const double *x, size_t n, double lane[LANES])
{
    size_t c = 0;

    for (size_t i = 0; i < LANES; i++)
        lane[i] = 0;
    for (; c + LANES <= n; c += LANES)
        for (size_t i = 0; i < LANES; i++)
            lane[i] += x[c + i];
    for (size_t i = 0; c < n; c++, i++)
        lane[i] += x[c];
}

static double sum_lanes(const double lane[LANES])
{
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* A number may be too small to change the sum it is added to and yet be one of so
 * many that they count.  So blocks are short, and between blocks what rounding
 * left off is carried along: the error does not grow with the number of classes. */
static double sum_of(const double *x, size_t n)
{
    double sum[LANES] = {0}, tail[LANES] = {0}, lane[LANES];

    if (n <= BLOCK) {
        sum_block(x, n, lane);
        return sum_lanes(lane);
    }
    for (size_t c = 0; c < n; c += BLOCK) {
        sum_block(x + c, n - c < BLOCK ? n - c : BLOCK, lane);
        for (size_t i = 0; i < LANES; i++) {
            double next = sum[i] + lane[i];
            tail[i] += difference_tail(sum[i], -lane[i], next);
            sum[i] = next;
        }
    }
    double total = sum[0], lost = tail[0];
    for (size_t i = 1; i < LANES; i++) {
        double next = total + sum[i];
        lost += difference_tail(total, -sum[i], next) + tail[i];
        total = next;
    }
    return total + lost;
}

static void write_exps(const double *logits, size_t classes, double max, double *exps)
{
    for (size_t c = 0; c < classes; c++) {
        double d = logits[c] - max;
        exps[c] = exp_scaled(d, difference_tail(logits[c], max, d));
    }
}

static void softmax(const double *logits, size_t classes, double *exps, struct row *row)
{
    size_t top = find_top(logits, classes);
    double max = logits[top];

    *row = (struct row){.kernel = &OBJECT(KERNEL),
                        .classes = classes,
                        .logits = logits,
                        .exps = exps,
                        .top = top,
                        .max = max,
                        .rest = 0,
                        .sum = 1,
                        .log_sum = 0};
    if (max == -INFINITY) {
        for (size_t c = 0; c < classes; c++)
            exps[c] = 0;
        return;
    }
    write_exps(logits, classes, max, exps);
    exps[top] = 0;
    row->rest = sum_of(exps, classes) * (1 / EXPS_SCALE);
    exps[top] = EXPS_SCALE;
    row->sum = 1 + row->rest;
    row->log_sum = log1p_of(row->rest);
}

static void probabilities(const struct row *row, double scale, double *out)
{
    double factor = row_factor(row);

    for (size_t c = 0; c < row->classes; c++)
        out[c] = row->exps[c] * factor * scale;
}

static void log_probabilities(const struct row *row, double *out)
{
    for (size_t c = 0; c < row->classes; c++)
        out[c] = row->logits[c] == -INFINITY ? -INFINITY
                                             : (row->logits[c] - row->max) - row->log_sum;
}

static void widen(const float *from, size_t n, double temperature, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (double)(float)((double)from[i] / temperature);
}

static void narrow(const double *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i] + 0; /* -0 becomes 0 */
}

const struct kernel OBJECT(KERNEL) = {
    .name = NAME_OF(KERNEL),
    .softmax = softmax,
    .probabilities = probabilities,
    .log_probabilities = log_probabilities,
    .widen = widen,
    .narrow = narrow,
};
