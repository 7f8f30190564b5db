/* The arithmetic of rows, on vectors, in each dtype.
 *
 * Built from kernel.c once for each instruction set; all builds give the same
 * bits, they differ in speed.  Rows lie one behind the other, [rows, classes];
 * void pointers are to float or to double, as the arithmetic is. */
#ifndef LOSSD_ENGINE_KERNEL_KERNEL_H
#define LOSSD_ENGINE_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLICES = 3, SLICED_MAX = 1024 };

/* What the softmax of each of some rows leaves, [rows] each. */
struct sums {
    double *max;     /* the largest logit; -INFINITY when all classes are masked */
    double *rest;    /* sum of exp(z_c - max) over all classes but `top` */
    double *log_sum; /* log1p(rest): log-sum-exp is max + log_sum; NULL when nobody wants
                        it */
    double *peak;    /* 1 / (1 + rest): the largest probability; 0 without one */
    double *factor;  /* makes an exp a probability */
    int64_t *top;    /* the first class with the largest logit */
    const struct moments *moments; /* filled too, unless it is NULL */
};

/* What metrics need to know of each row and the class that is true of it, [rows] each.
 * It takes log_sum. */
struct moments {
    const int64_t *labels;
    double *nll;     /* - log p of the label: as label_losses makes it */
    double *entropy; /* - sum_c p_c log p_c */
    double *brier;   /* sum_c (p_c - [c = label])^2 */
    int64_t *rank;   /* classes that stand before the label: larger, or equal and
                        earlier */
};

/* The shares u_c = w_c (a q_c + b) of each row's classes. */
struct shares {
    const double *q; /* [rows, classes]; NULL: all 0 */
    const double *w; /* [classes]; NULL: all 1 */
    double a, b;
};

/* Elements that exps of some rows need, whatever the order they are kept in. */
static inline size_t exps_room(size_t rows, size_t classes)
{
    return (rows + 15) / 16 * 16 * ((classes + 3) / 4 * 4);
}

/* What a row falls short of: m_c = max(0, margin - z_label + z_c) for the other classes;
 * p is 2 when it is squared, else 1. */
struct margins {
    double margin;
    bool is_squared;
    const int64_t *labels; /* [rows] */
    const double *scale;   /* [rows], of what is written */
};

struct slopes;
struct confidences;
struct odds;

struct arithmetic {
    /* Exps of rows with more classes stand as logits do, and what is made of them may
     * stand in their place; those of others have an order of their own. */
    size_t tiled_classes;

    /* Fills sums, and exps[exps_room()] unless it is NULL: exp(z_c - max) times a power
     * of two that factor takes back. */
    void (*softmax)(const void *logits, size_t rows, size_t classes, void *exps,
                    const struct sums *sums);

    /* Each row's probabilities, those that are subnormal within a unit; or times
     * by[row], less less[row] unless that is NULL.  Or their logarithms. */
    void (*probabilities)(const void *logits, const void *exps, size_t rows,
                          size_t classes, const struct sums *sums, void *out);
    void (*scaled)(const void *exps, size_t rows, size_t classes, const struct sums *sums,
                   const double *by, const double *less, void *out);
    void (*log_probabilities)(const void *logits, size_t rows, size_t classes,
                              const struct sums *sums, void *out);

    /* For each row: -log of the label's probability, and 1 minus that probability, both
     * without cancellation. */
    void (*label_losses)(const void *logits, size_t rows, size_t classes,
                         const struct sums *sums, const int64_t *labels, double *losses);
    void (*label_misses)(const void *exps, size_t rows, size_t classes,
                         const struct sums *sums, const int64_t *labels, double *misses);

    /* For each row the sum over classes of max - z_c. */
    void (*gap_sums)(const void *logits, size_t rows, size_t classes,
                     const struct sums *sums, double *out);

    /* For each row sum_c m_c^p and sum_c p m_c^(p-1), [m_c > 0] when p is 1; infinite
     * where the type has no room for a difference of logits, or for its square.  And,
     * unless out is NULL, scale[row] p m_c^(p-1), 0 for the label. */
    void (*shortfalls)(const void *logits, size_t rows, size_t classes,
                       const struct margins *margins, double *values, double *slopes,
                       void *out);

    /* Each row's probabilities times by[row], less its shares times scale[row]. */
    void (*mix)(const void *exps, size_t rows, size_t classes, const struct sums *sums,
                const double *by, const double *scale, const struct shares *shares,
                void *out);

    /* For each row: sum_c (p_c - q_c)^2.  `room` is for [classes]. */
    void (*briers)(const void *exps, size_t rows, size_t classes, const struct sums *sums,
                   const double *q, double *room, double *out);

    /* For each row: the sum over classes of u_c (max - z_c), and that of u_c.  A class
     * without a share counts nothing, masked or not. */
    void (*gaps)(const void *logits, size_t rows, size_t classes, const double *max,
                 const struct shares *shares, double *gaps, double *totals);

    /* For each row: sum_c q_c (log q_c - log p_c), within 3e-16 sum_c q_c and a unit of
     * its terms, and sum_c q_c; NAN where a class with a share is so far below the maximum
     * that its exp is nothing, or has too large a share.  `room` is for [classes].
     *
     * And of one row, of doubles, where the q sum to about 1, in several times the time,
     * within 2^-50 of itself and 2^-69 sum_c |p_c - q_c|, which is what the rounding of p
     * comes to. */
    void (*divergences)(const void *logits, size_t rows, size_t classes,
                        const double *max, const double *q, double *room, double *totals,
                        double *out);
    double (*close_divergence)(const double *z, const double *q, size_t classes,
                               double max);

    /* Of each row, of doubles: what the label's probability is short of 1 to the power
     * y > 0, within a unit for y up to 2^16, in several times the time of a softmax.  The
     * rows are as they were when it is done. */
    void (*miss_powers)(double *logits, size_t rows, size_t classes,
                        const int64_t *labels, double y, double *powers);

    /* One row, of doubles: max + log(sum_c exp(z_c - max)), within a unit also where the
     * two nearly cancel, in several times the time of a softmax. */
    double (*close_log_sum_exp)(const double *z, size_t classes, double max);

    /* softcap * tanh(x / softcap) (NAN: x) over temperature, rounded once: in float32 from
     * a double within some units.  What is too large is the largest
     * there is, what is too small -INFINITY. */
    void (*temper)(const void *from, size_t n, double softcap, double temperature,
                   void *to);
    /* d / d x: what the slope is of softcap * tanh(x / softcap), times `by`, is what
     * the gradient is multiplied with. */
    void (*uncap)(const void *logits, size_t n, double softcap, double by,
                  void *gradient);

    /* odds.h: what logits tell, at most ODDS_MOST of them; and what follows with their
     * targets, weights and scales. */
    void (*odds)(const void *logits, size_t count, struct odds *odds);
    void (*odds_losses)(struct odds *odds, size_t count);
    void (*odds_gradient)(struct odds *odds, size_t count);
    void (*odds_probabilities)(struct odds *odds, size_t count);

    void (*widen)(const void *from, size_t n, double *to);
    void (*narrow)(const double *from, size_t n, void *to);

    /* Of doubles, whatever the dtype: exp(-|x|), that and 1 - exp(-x) for x >= 0,
     * log(x) for x > 0 (0 for 0, which is what q log q wants), x^y for 0 <= x <= 1 and
     * y > 0, and their sum. */
    void (*decays)(const double *x, size_t n, double *out);
    void (*chances)(const double *x, size_t n, double *p, double *miss);
    void (*powers)(const double *x, size_t n, double y, double *out);
    void (*logs)(const double *x, size_t n, double *out);
    void (*slopes)(struct slopes *slopes, size_t rows, bool of_labels); /* slopes.h */
    void (*count_confidences)(const struct confidences *of, size_t rows);
    /* Moments of rows that are not kept become 0 (NULL: all are kept); returns how many
     * of the others have a rank below `top`. */
    int64_t (*keep_moments)(const struct moments *of, const bool *kept, size_t rows,
                            int64_t top);
    bool (*are_finite)(const double *x, size_t n);
    double (*sum)(const double *x, size_t n);

    /* Cuts numbers into slices that add up without rounding: the sum of x, n of at most
     * SLICED_MAX, is that of the slices.  False, and no slices, when one of x is too large
     * for that or has bits below the last slice. */
    bool (*slice)(const double *x, size_t n, double slices[SLICES]);
};

struct product;

struct kernel {
    const char *name;
    const struct arithmetic *in[2]; /* by enum dtype */

    /* Makes a block of a product of matrices: matmul.h.  `room` is for
     * matmul_room() doubles, best aligned to 64 bytes. */
    void (*multiply)(const struct product *product, size_t block, double *room);
};

/* The fastest kernel that runs here; LOSSD_KERNEL in the environment names
 * another, for tests.  Decided once; thread-safe. */
const struct kernel *kernel_here(void);

/* The kernels that run here, the plainest first; returns how many. */
size_t kernels_here(const struct kernel *out[4]);

#endif
