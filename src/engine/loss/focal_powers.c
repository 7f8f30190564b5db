/* Three ways to a power, each as close as it must be: of what is known already; of
 * float32 rows, made once more in double; of the logits in twice the precision of
 * double. */
#include "engine/loss/focal_powers.h"

enum { WIDE_LOGITS = 1024 }; /* rows of fewer classes are made together */

static bool is_single(const struct slab *slab)
{
    return slab->batch->dtype == DTYPE_FLOAT32;
}

static const double least_miss = 0x1p-1000; /* smaller ones, subnormal, have few digits */

/* The p from which what the miss is off by is too much, times focal_gamma.  Of a likely
 * label it is off by as much as exponentials are, of another by p times that, and by its
 * rounding. */
static double most_likely(const struct slab *slab)
{
    double gamma = slab->batch->focal_gamma;

    return gamma > (is_single(slab) ? 0x1p20 : 8) ? -1
                                                  : (is_single(slab) ? 1.5 : 2.5) / gamma;
}

static bool is_close_in_double(const struct slab *slab, double miss)
{
    return is_single(slab) && slab->batch->focal_gamma <= 0x1p20 && miss >= least_miss;
}

/* By the exponent that nearly everybody takes, or another. */
static void raise_to_gamma(const struct slab *slab, const double *misses, size_t count,
                           double *powers)
{
    double gamma = slab->batch->focal_gamma;

    if (gamma != 2)
        slab->real->powers(misses, count, gamma, powers);
    else
        for (size_t r = 0; r < count; r++)
            powers[r] = misses[r] * misses[r];
}

/* ---- rows once more -------------------------------------------------------------- */

/* Some rows of doubles, one behind the other. */
typedef void make_powers(const struct slab *slab, double *logits, size_t count,
                         const int64_t *labels, double *powers);

/* Whatever the exponent. */
static void make_by_pairs(const struct slab *slab, double *logits, size_t count,
                          const int64_t *labels, double *powers)
{
    slab->real->miss_powers(logits, count, slab->classes, labels,
                            slab->batch->focal_gamma, powers);
}

/* Where the logits are floats. */
static void make_in_double(const struct slab *slab, double *logits, size_t count,
                           const int64_t *labels, double *powers)
{
    const struct arithmetic *wide = kernel_here()->in[DTYPE_FLOAT64];
    double max[SLAB_ROWS], rest[SLAB_ROWS], log_sum[SLAB_ROWS], peak[SLAB_ROWS];
    double factor[SLAB_ROWS], losses[SLAB_ROWS], p[SLAB_ROWS];
    int64_t top[SLAB_ROWS];
    struct sums sums = {max, rest, log_sum, peak, factor, top, NULL};

    wide->softmax(logits, count, slab->classes, NULL, &sums);
    wide->label_losses(logits, count, slab->classes, &sums, labels, losses);
    wide->chances(losses, count, p, powers);
    raise_to_gamma(slab, powers, count, powers);
}

/* Those of some rows. */
static void make_again(const struct slab *slab, const size_t *rows, size_t count,
                       make_powers *make, double *powers)
{
    _Alignas(64) double few[WIDE_LOGITS];
    double *logits = slab->classes <= WIDE_LOGITS ? few : slab->row;
    size_t together = slab->classes <= WIDE_LOGITS ? WIDE_LOGITS / slab->classes : 1;
    int64_t labels[SLAB_ROWS];

    for (size_t r = 0; r < count; r++)
        labels[r] = slab->labels[rows[r]];
    for (size_t from = 0; from < count; from += together) {
        size_t n = count - from < together ? count - from : together;
        for (size_t r = 0; r < n; r++)
            slab_copy_logits(slab, rows[from + r], logits + r * slab->classes);
        make(slab, logits, n, labels + from, powers + from);
    }
}

/* ---- powers ---------------------------------------------------------------------- */

static void mend(const struct slab *slab, const size_t *rows, size_t count,
                 make_powers *make, double *powers)
{
    double mended[SLAB_ROWS];

    make_again(slab, rows, count, make, mended);
    for (size_t r = 0; r < count; r++)
        powers[rows[r]] = mended[r];
}

void focal_powers(const struct slab *slab, const double *p, const double *miss,
                  double *powers)
{
    size_t wide[SLAB_ROWS], pairs[SLAB_ROWS], wide_rows = 0, pair_rows = 0;
    double most = most_likely(slab);

    raise_to_gamma(slab, miss, slab->rows, powers);
    for (size_t r = 0; r < slab->rows; r++) {
        if (!(p[r] > most || miss[r] < least_miss) || slab->weights[r] == 0)
            continue;
        if (is_close_in_double(slab, miss[r]))
            wide[wide_rows++] = r;
        else
            pairs[pair_rows++] = r;
    }
    mend(slab, wide, wide_rows, make_in_double, powers);
    mend(slab, pairs, pair_rows, make_by_pairs, powers);
}

double focal_power(const struct slab *slab, size_t row, double p, double miss)
{
    double power;

    if (p > most_likely(slab) || miss < least_miss)
        make_again(slab, &row, 1,
                   is_close_in_double(slab, miss) ? make_in_double : make_by_pairs,
                   &power);
    else
        raise_to_gamma(slab, &miss, 1, &power);
    return power;
}
