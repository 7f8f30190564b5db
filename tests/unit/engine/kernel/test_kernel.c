/* Softmax and what follows from it, by every kernel that runs on this machine, in
 * both dtypes, for numbers of classes around those of vectors, tiles and blocks. */
#include "engine/kernel/kernel.h"

#include "../../../properties/reference_row.h"
#include "../made.h"
#include "../random.h"

#include <stdlib.h>

enum {
    KERNELS_MAX = 4,
    CLASSES_MAX = 3000,
    ROWS = 21,
    ARITHMETICS_MAX = 2 * KERNELS_MAX
};

static const size_t sizes[] = {1,   2,   3,    4,    5,    7,    8,    9,   10,  15,
                               16,  17,  23,   31,   32,   33,   63,   64,  65,  71,
                               100, 127, 128,  129,  192,  193,  255,  256, 257, 320,
                               511, 513, 1000, 1023, 1024, 1025, 2048, 2999};

/* One arithmetic of one kernel. */
struct way {
    const char *kernel;
    const struct arithmetic *real;
    enum dtype dtype;
    size_t size;
    double error; /* relative, that its results may have */
};

static size_t all_ways(struct way ways[ARITHMETICS_MAX])
{
    const struct kernel *kernels[KERNELS_MAX];
    size_t count = kernels_here(kernels), n = 0;

    assert_true(count >= 1 && count <= KERNELS_MAX);
    assert_string_equal(kernels[0]->name, "baseline");
    for (enum dtype t = DTYPE_FLOAT64; t <= DTYPE_FLOAT32; t++)
        for (size_t k = 0; k < count; k++)
            ways[n++] = (struct way){kernels[k]->name, kernels[k]->in[t], t,
                                     t == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double),
                                     t == DTYPE_FLOAT32 ? 1e-6 : 4e-15};
    return n;
}

/* Rows and all that is made of them.  Each array ends where its room ends, so that a
 * sanitizer sees who goes beyond. */
struct work {
    size_t rows, classes, count;
    void *logits, *exps, *out;
    struct sums sums;
    long double *exact; /* the logits as they are in the dtype */
};

static void *room(size_t count, size_t size)
{
    void *piece = calloc(count, size);

    assert_non_null(piece);
    return piece;
}

static struct work begin(const struct way *way, size_t rows, size_t classes,
                         const double *logits)
{
    struct work w = {.rows = rows, .classes = classes, .count = rows * classes};
    double **of_rows[] = {&w.sums.max, &w.sums.rest, &w.sums.log_sum, &w.sums.peak,
                          &w.sums.factor};

    w.logits = room(w.count, way->size);
    w.exps = room(exps_room(rows, classes), way->size);
    w.out = room(w.count, way->size);
    w.exact = room(w.count, sizeof *w.exact);
    for (size_t i = 0; i < LENGTH(of_rows); i++)
        *of_rows[i] = room(rows, sizeof(double));
    w.sums.top = room(rows, sizeof(int64_t));
    way->real->narrow(logits, w.count, w.logits);
    for (size_t i = 0; i < w.count; i++)
        w.exact[i] = way->dtype == DTYPE_FLOAT32 ? (long double)((float *)w.logits)[i]
                                                 : (long double)((double *)w.logits)[i];
    way->real->softmax(w.logits, rows, classes, w.exps, &w.sums);
    return w;
}

static void end(struct work *w)
{
    void *pieces[] = {w->logits,   w->exps,        w->out,       w->exact,
                      w->sums.max, w->sums.rest,   w->sums.peak, w->sums.factor,
                      w->sums.top, w->sums.log_sum};

    for (size_t i = 0; i < LENGTH(pieces); i++)
        free(pieces[i]);
}

static double out_at(const struct way *way, const struct work *w, size_t i)
{
    return way->dtype == DTYPE_FLOAT32 ? (double)((float *)w->out)[i]
                                       : ((double *)w->out)[i];
}

/* Within the relative error, or within a unit of the subnormals. */
static void assert_right(const struct way *way, double found, long double wanted)
{
    long double unit = way->dtype == DTYPE_FLOAT32 ? 0x1p-149L : 0x1p-1074L;

    if (!(fabsl((long double)found - wanted) <=
          (long double)way->error * fabsl(wanted) + unit))
        fail_msg("%s: %.17g is not %.20Lg", way->kernel, found, wanted);
}

/* Rows of any kind: the usual, far off, huge, subnormal, confident, masked. */
static void draw(struct random *random, const struct way *way, double *logits,
                 size_t rows, size_t classes)
{
    bool is_float = way->dtype == DTYPE_FLOAT32;
    double magnitudes[] = {
        1, 10, 1e3, 1e30, is_float ? 3e38 : 1e308, is_float ? 1e-40 : 1e-310};

    for (size_t r = 0; r < rows; r++) {
        double magnitude = magnitudes[random_below(random, LENGTH(magnitudes))];
        double offset = random_below(random, 4) ? 0 : random_within(random, -1e4, 1e4);
        bool masked = random_below(random, 3) == 0;
        for (size_t c = 0; c < classes; c++)
            logits[r * classes + c] = masked && random_below(random, 3) == 0
                                          ? (double)-INFINITY
                                          : magnitude * random_within(random, -1, 1) +
                                                (magnitude < 1e4 ? offset : 0);
        if (random_below(random, 3) == 0)
            logits[r * classes + random_below(random, classes)] =
                fmin(magnitude, 1e4) + random_within(random, 0, 800);
    }
}

/* ---- which ------------------------------------------------------------------------ */

static void kernel_here__is_one_of_those_that_run(void **state)
{
    (void)state;
    const struct kernel *kernels[KERNELS_MAX];
    size_t count = kernels_here(kernels);
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        print_message("  %s\n", kernels[i]->name);
        found |= kernels[i] == kernel_here();
    }
    assert_true(found);
}

/* ---- softmax ---------------------------------------------------------------------- */

/* Two equal maxima, at some of all places. */
static void assert_tops(const struct way *way, size_t classes, double *logits)
{
    for (size_t first = 0; first < classes; first += 1 + classes / 40)
        for (size_t second = first; second < classes; second += 1 + classes / 7) {
            for (size_t c = 0; c < classes; c++)
                logits[c] = -(double)(c % 3) - 5;
            logits[first] = logits[second] = -4;
            struct work w = begin(way, 1, classes, logits);
            assert_int_equal(w.sums.top[0], first);
            assert_true(w.sums.max[0] == -4);
            end(&w);
        }
}

static void top__is_the_first_maximum_wherever_it_stands(void **state)
{
    (void)state;
    static const size_t long_sizes[] = {4095, 4096, 5001, 9000};
    static double logits[9000];
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++) {
        for (size_t s = 0; s < LENGTH(sizes); s++)
            assert_tops(&ways[k], sizes[s], logits);
        for (size_t s = 0; s < LENGTH(long_sizes); s++)
            assert_tops(&ways[k], long_sizes[s], logits);
    }
}

static void assert_row(const struct way *way, const struct work *w, size_t r)
{
    struct reference_row wanted =
        reference_softmax(w->exact + r * w->classes, w->classes);

    assert_int_equal(w->sums.top[r], wanted.top);
    assert_true((long double)w->sums.max[r] == wanted.max);
    assert_near(w->sums.rest[r], (double)wanted.rest, way->error);
    assert_near(w->sums.log_sum[r], (double)wanted.log_sum, way->error);
    assert_near(w->sums.peak[r], (double)(1 / (1 + wanted.rest)), way->error);
    for (size_t c = 0; c < w->classes; c++)
        assert_right(way, out_at(way, w, r * w->classes + c),
                     reference_probability(&wanted, c));
}

static void softmax__is_that_of_the_plain_formula_for_every_size(void **state)
{
    (void)state;
    static double logits[ROWS * CLASSES_MAX];
    struct way ways[ARITHMETICS_MAX];
    struct random random = {1};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++)
            for (size_t rows = 1; rows <= ROWS; rows += sizes[s] > 256 ? 10 : 4) {
                draw(&random, &ways[k], logits, rows, sizes[s]);
                struct work w = begin(&ways[k], rows, sizes[s], logits);
                ways[k].real->probabilities(w.logits, w.exps, rows, sizes[s], &w.sums,
                                            w.out);
                for (size_t r = 0; r < rows; r++)
                    if (w.sums.max[r] != -INFINITY)
                        assert_row(&ways[k], &w, r);
                end(&w);
            }
}

/* A rest too small for float32 is found all the same. */
static void rest__of_a_confident_row_is_right_however_small(void **state)
{
    (void)state;
    static const double gaps[] = {20, 80, 87, 104, 200, 700};
    static double logits[CLASSES_MAX];
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 1; s < LENGTH(sizes); s++)
            for (size_t g = 0; g < LENGTH(gaps); g++) {
                for (size_t c = 0; c < sizes[s]; c++)
                    logits[c] = -gaps[g];
                logits[sizes[s] / 2] = 0;
                struct work w = begin(&ways[k], 1, sizes[s], logits);
                assert_near(w.sums.rest[0],
                            (double)((sizes[s] - 1) * expl(-(long double)gaps[g])),
                            ways[k].error);
                assert_near(w.sums.log_sum[0],
                            (double)log1pl((long double)w.sums.rest[0]), ways[k].error);
                end(&w);
            }
}

static void row__of_masked_classes_only_has_no_probabilities(void **state)
{
    (void)state;
    static double logits[3 * CLASSES_MAX];
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++) {
            size_t n = sizes[s];
            for (size_t i = 0; i < 3 * n; i++)
                logits[i] = i / n == 1 ? (double)-INFINITY : 3;
            struct work w = begin(&ways[k], 3, n, logits);
            assert_int_equal(w.sums.top[1], 0);
            assert_true(w.sums.max[1] == -INFINITY && w.sums.log_sum[1] == 0 &&
                        w.sums.rest[1] == 0 && w.sums.peak[1] == 0);
            ways[k].real->probabilities(w.logits, w.exps, 3, n, &w.sums, w.out);
            for (size_t c = 0; c < n; c++) {
                assert_zero(out_at(&ways[k], &w, n + c));
                assert_right(&ways[k], out_at(&ways[k], &w, 2 * n + c),
                             1 / (long double)n);
            }
            ways[k].real->log_probabilities(w.logits, 3, n, &w.sums, w.out);
            for (size_t c = 0; c < n; c++)
                assert_true(out_at(&ways[k], &w, n + c) == -INFINITY);
            end(&w);
        }
}

/* ---- what follows ------------------------------------------------------------------ */

static void probabilities__are_scaled_as_asked(void **state)
{
    (void)state;
    static const double scales[] = {2.5, 0, 1e-30, 1e30, 1e300, 1e-300};
    double logits[] = {1, 2, 3, -INFINITY};
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(scales); s++) {
            struct work w = begin(&ways[k], 1, 4, logits);
            ways[k].real->scaled(w.exps, 1, 4, &w.sums, &scales[s], NULL, w.out);
            for (size_t c = 0; c < 3 && (ways[k].dtype == DTYPE_FLOAT64 || s < 4); c++)
                assert_right(&ways[k], out_at(&ways[k], &w, c),
                             (long double)scales[s] * expl((long double)c + 1) /
                                 (expl(1) + expl(2) + expl(3)));
            assert_zero(out_at(&ways[k], &w, 3)); /* what is masked stays so */
            end(&w);
        }
}

static void log_probabilities__are_those_of_the_plain_formula(void **state)
{
    (void)state;
    static double logits[ROWS * CLASSES_MAX];
    struct way ways[ARITHMETICS_MAX];
    struct random random = {4};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++) {
            for (size_t i = 0; i < ROWS * sizes[s]; i++)
                logits[i] = 20 * random_normal(&random);
            struct work w = begin(&ways[k], ROWS, sizes[s], logits);
            ways[k].real->log_probabilities(w.logits, ROWS, sizes[s], &w.sums, w.out);
            for (size_t r = 0; r < ROWS; r++) {
                struct reference_row wanted =
                    reference_softmax(w.exact + r * sizes[s], sizes[s]);
                for (size_t c = 0; c < sizes[s]; c++)
                    assert_right(&ways[k], out_at(&ways[k], &w, r * sizes[s] + c),
                                 reference_log_probability(&wanted, c));
            }
            end(&w);
        }
}

/* ---- shares of all classes --------------------------------------------------------- */

/* Rows with shares of their classes, what they come to, and that of one row alone. */
struct shared {
    double logits[ROWS * CLASSES_MAX], q[ROWS * CLASSES_MAX], w[CLASSES_MAX];
    double by[ROWS], scale[ROWS];
    double gaps[ROWS], totals[ROWS], divergences[ROWS], masses[ROWS], briers[ROWS];
    double row[CLASSES_MAX];
};

static void draw_shared(struct random *random, size_t rows, size_t classes,
                        struct shared *of)
{
    for (size_t c = 0; c < classes; c++)
        of->w[c] = random_unit(random);
    for (size_t r = 0; r < rows; r++) {
        double *q = of->q + r * classes, sum = 0;
        of->by[r] = 1 + random_unit(random);
        of->scale[r] = 1 + random_unit(random);
        for (size_t c = 0; c < classes; c++) {
            of->logits[r * classes + c] = 3 * random_normal(random);
            q[c] = random_below(random, 3) ? random_unit(random) : 0;
            sum += q[c];
        }
        for (size_t c = 0; c < classes; c++)
            q[c] /= sum > 0 ? sum : 1;
    }
}

static void assert_mixed_row(const struct way *way, const struct work *w, size_t r,
                             const struct shares *shares, const struct shared *of)
{
    size_t n = w->classes;
    struct reference_row row = reference_softmax(w->exact + r * n, n);
    struct reference_sum gaps = {0}, total = {0};

    for (size_t c = 0; c < n; c++) {
        long double q = shares->q ? (long double)shares->q[r * n + c] : 0;
        long double u = (shares->w ? (long double)shares->w[c] : 1) *
                        ((long double)shares->a * q + (long double)shares->b);
        long double p = reference_probability(&row, c);
        long double wanted = (long double)of->by[r] * p - (long double)of->scale[r] * u;
        reference_add(&gaps, u * (row.max - w->exact[r * n + c]));
        reference_add(&total, u);
        assert_true(fabsl((long double)out_at(way, w, r * n + c) - wanted) <=
                    (long double)way->error * 3);
    }
    assert_near(of->gaps[r], (double)reference_total(&gaps), 4e-15);
    assert_near(of->totals[r], (double)reference_total(&total), 4e-15);
}

static void mix_and_gaps__are_those_of_the_shares(void **state)
{
    (void)state;
    static struct shared of;
    struct way ways[ARITHMETICS_MAX];
    struct random random = {5};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++)
            for (unsigned given = 0; given < 4; given++) {
                size_t n = sizes[s], rows = given == 0 ? ROWS : 1 + s % ROWS;
                draw_shared(&random, rows, n, &of);
                struct shares shares = {given & 1 ? of.q : NULL, given & 2 ? of.w : NULL,
                                        0.9, 0.1 / (double)n};
                struct work w = begin(&ways[k], rows, n, of.logits);
                ways[k].real->mix(w.exps, rows, n, &w.sums, of.by, of.scale, &shares,
                                  w.out);
                ways[k].real->gaps(w.logits, rows, n, w.sums.max, &shares, of.gaps,
                                   of.totals);
                for (size_t r = 0; r < rows; r++)
                    assert_mixed_row(&ways[k], &w, r, &shares, &of);
                end(&w);
            }
}

static void assert_compared_row(const struct way *way, const struct work *w, size_t r,
                                const struct shared *of)
{
    size_t n = w->classes;
    struct reference_row row = reference_softmax(w->exact + r * n, n);
    struct reference_sum divergence = {0}, mass = {0}, brier = {0};

    for (size_t c = 0; c < n; c++) {
        long double q = (long double)of->q[r * n + c];
        long double p = reference_probability(&row, c);
        if (q > 0)
            reference_add(&divergence,
                          q * (logl(q) - reference_log_probability(&row, c)));
        reference_add(&mass, q);
        reference_add(&brier, (p - q) * (p - q));
    }
    assert_true(fabsl((long double)of->divergences[r] - reference_total(&divergence)) <
                2e-15L);
    assert_near(of->masses[r], (double)reference_total(&mass), 4e-15);
    assert_true(fabsl((long double)of->briers[r] - reference_total(&brier)) <=
                4 * (long double)way->error);
}

static void divergences_and_briers__are_those_of_the_targets(void **state)
{
    (void)state;
    static struct shared of;
    struct way ways[ARITHMETICS_MAX];
    struct random random = {6};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++)
            for (size_t rows = 1; rows <= ROWS; rows += ROWS - 1) {
                size_t n = sizes[s];
                draw_shared(&random, rows, n, &of);
                struct work w = begin(&ways[k], rows, n, of.logits);
                ways[k].real->divergences(w.logits, rows, n, w.sums.max, of.q, of.row,
                                          of.masses, of.divergences);
                ways[k].real->briers(w.exps, rows, n, &w.sums, of.q, of.row, of.briers);
                for (size_t r = 0; r < rows; r++)
                    assert_compared_row(&ways[k], &w, r, &of);
                end(&w);
            }
}

/* A row has the same bits next to any others, and alone. */
static void shares__of_a_row_are_its_own(void **state)
{
    (void)state;
    static struct shared of;
    struct way ways[ARITHMETICS_MAX];
    struct random random = {7};
    size_t count = all_ways(ways);
    double gap, total, divergence, mass, brier;

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; sizes[s] <= 200; s++) {
            const struct arithmetic *real = ways[k].real;
            size_t n = sizes[s];
            draw_shared(&random, ROWS, n, &of);
            struct work all = begin(&ways[k], ROWS, n, of.logits);
            struct shares shares = {of.q, of.w, 0.9, 0.1};
            real->gaps(all.logits, ROWS, n, all.sums.max, &shares, of.gaps, of.totals);
            real->divergences(all.logits, ROWS, n, all.sums.max, of.q, of.row, of.masses,
                              of.divergences);
            real->briers(all.exps, ROWS, n, &all.sums, of.q, of.row, of.briers);
            real->mix(all.exps, ROWS, n, &all.sums, of.by, of.scale, &shares, all.out);
            for (size_t r = 0; r < ROWS; r++) {
                struct work one = begin(&ways[k], 1, n, of.logits + r * n);
                struct shares own = {of.q + r * n, of.w, 0.9, 0.1};
                real->gaps(one.logits, 1, n, one.sums.max, &own, &gap, &total);
                real->divergences(one.logits, 1, n, one.sums.max, own.q, of.row, &mass,
                                  &divergence);
                real->briers(one.exps, 1, n, &one.sums, own.q, of.row, &brier);
                real->mix(one.exps, 1, n, &one.sums, of.by + r, of.scale + r, &own,
                          one.out);
                assert_true(gap == of.gaps[r] && total == of.totals[r]);
                assert_true(divergence == of.divergences[r] && mass == of.masses[r]);
                assert_true(brier == of.briers[r]);
                assert_memory_equal(one.out, (char *)all.out + r * n * ways[k].size,
                                    n * ways[k].size);
                end(&one);
            }
            end(&all);
        }
}

static void gaps__leave_out_masked_classes_without_a_share(void **state)
{
    (void)state;
    double logits[] = {1, -INFINITY, 3}, q[] = {0.5, 0, 0.5}, max = 3, gap, total;
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++) {
        struct shares shares = {q, NULL, 1, 0};
        struct work w = begin(&ways[k], 1, 3, logits);
        ways[k].real->gaps(w.logits, 1, 3, &max, &shares, &gap, &total);
        assert_true(gap == 1 && total == 1);
        end(&w);
    }
}

/* A share of a masked class, or one beyond bounds, is for somebody else. */
static void divergences__tell_what_is_too_far(void **state)
{
    (void)state;
    double logits[] = {0, 1, 0, -INFINITY, 0, 1}, q[] = {0.5, 0.5, 0.5, 0.5, 1e40, 0.5};
    double room[2], totals[3], found[3];
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++) {
        struct work w = begin(&ways[k], 3, 2, logits);
        ways[k].real->divergences(w.logits, 3, 2, w.sums.max, q, room, totals, found);
        assert_true(found[0] < 1);
        assert_true(isnan(found[1]) && isnan(found[2]));
        end(&w);
    }
}

static void temper__rounds_once(void **state)
{
    (void)state;
    double logits[] = {1, -2.5, 0.001, 300, -INFINITY};
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++) {
        struct work w = begin(&ways[k], 1, LENGTH(logits), logits);
        ways[k].real->temper(w.logits, LENGTH(logits), (double)NAN, 3, w.out);
        for (size_t c = 0; c < LENGTH(logits); c++) {
            double z = (double)w.exact[c] / 3;
            assert_true(out_at(&ways[k], &w, c) ==
                        (ways[k].dtype == DTYPE_FLOAT32 ? (double)(float)z : z));
        }
        ways[k].real->temper(w.logits, LENGTH(logits), 5, 2, w.out);
        for (size_t c = 0; c + 1 < LENGTH(logits); c++)
            assert_right(
                &(struct way){.kernel = ways[k].kernel,
                              .dtype = ways[k].dtype,
                              .error = ways[k].dtype == DTYPE_FLOAT32 ? 6e-8 : 1.2e-16},
                out_at(&ways[k], &w, c), 5 * tanhl(w.exact[c] / 5) / 2);
        assert_true(out_at(&ways[k], &w, LENGTH(logits) - 1) == -(double)INFINITY);
        end(&w);
    }
}

/* Of a float z: is it the one that is nearest to x / by?  fma() tells the sign of what
 * the middles to its neighbours times `by` differ from x. */
static bool is_nearest_quotient(float z, double x, double by)
{
    double below = ((double)z + (double)nextafterf(z, -INFINITY)) / 2;
    double above = ((double)z + (double)nextafterf(z, INFINITY)) / 2;

    return fma(below, by, -x) <= 0 && fma(above, by, -x) >= 0;
}

/* Quotients, though they are made as products with the inverse where that can be told
 * from nothing; extremes have no inverse.  What is divided by less than 1 does not become +INFINITY. */
static void temper__is_a_quotient_whatever_the_temperature(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static const double temperatures[] = {0.7, 2, 3,     1e-3,   1e-300,
                                          1e3, 7, 1e308, 3e-309, 0x1p-1074};
    static double logits[COUNT];
    struct way ways[ARITHMETICS_MAX];
    struct random random = {8};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t t = 0; t < LENGTH(temperatures); t++) {
            double temperature = temperatures[t];
            for (size_t i = 0; i < COUNT; i++)
                logits[i] = i % 7 ? 20 * random_normal(&random)
                                  : random_normal(&random) * temperature * 0x1p-140;
            logits[0] = 0;
            logits[1] = -INFINITY;
            struct work w = begin(&ways[k], 1, COUNT, logits);
            ways[k].real->temper(w.logits, COUNT, (double)NAN, temperature, w.out);
            for (size_t i = 0; i < COUNT; i++) {
                double x = (double)w.exact[i], z = out_at(&ways[k], &w, i);
                if (ways[k].dtype == DTYPE_FLOAT32)
                    assert_true(fabs(z) >= (double)FLT_MAX ||
                                is_nearest_quotient((float)z, x, temperature));
                else
                    assert_true(z == (temperature < 1 ? fmin(x / temperature, DBL_MAX)
                                                      : x / temperature));
                assert_true(temperature >= 1 || z < (double)INFINITY);
            }
            end(&w);
        }
}

/* A quotient in double that is the middle of two floats, or nearly, rounds to the wrong
 * one of them when it is rounded again: with some temperatures that is many. */
static void temper__rounds_floats_once(void **state)
{
    (void)state;
    enum { COUNT = 3001 };
    static const double temperatures[] = {0.8,  0.1, 0.05,  0.7,   3,
                                          1e-3, 1.6, 1e150, 1e-150};
    static double logits[COUNT];
    struct way ways[ARITHMETICS_MAX];
    struct random random = {9};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t t = 0; ways[k].dtype == DTYPE_FLOAT32 && t < LENGTH(temperatures);
             t++) {
            double by = temperatures[t], size = by > 1e100    ? 1e20
                                                : by < 1e-100 ? 1e-40
                                                              : 20;
            for (size_t i = 0; i < COUNT; i++)
                logits[i] = size * random_normal(&random);
            struct work w = begin(&ways[k], 1, COUNT, logits);
            ways[k].real->temper(w.logits, COUNT, (double)NAN, by, w.out);
            for (size_t i = 0; i < COUNT; i++) {
                float z = ((float *)w.out)[i];
                assert_true(fabsf(z) >= FLT_MAX ||
                            is_nearest_quotient(z, (double)w.exact[i], by));
            }
            ways[k].real->temper(w.logits, COUNT, (double)NAN, by, w.logits);
            assert_memory_equal(w.logits, w.out, COUNT * sizeof(float));
            end(&w);
        }
}

static void temper__rounds_capped_floats_once(void **state)
{
    (void)state;
    enum { COUNT = 3001 };
    static const double caps[] = {30, 1, 1e4, 1e300, 1e-300},
                        temperatures[] = {1, 0.1, 0.8};
    static double logits[COUNT];
    struct way ways[ARITHMETICS_MAX];
    struct random random = {10};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t j = 0; ways[k].dtype == DTYPE_FLOAT32 && j < LENGTH(caps) * 3; j++) {
            double cap = caps[j / 3], by = temperatures[j % 3];
            for (size_t i = 0; i < COUNT; i++)
                logits[i] = (i % 2 ? 20 : 1e-6) * random_normal(&random);
            struct work w = begin(&ways[k], 1, COUNT, logits);
            ways[k].real->temper(w.logits, COUNT, cap, by, w.out);
            for (size_t i = 0; i < COUNT; i++) {
                float z = ((float *)w.out)[i], up = nextafterf(fabsf(z), INFINITY);
                long double x = w.exact[i], exact = cap * tanhl(x / cap) / by;
                long double half = ((long double)up - (long double)fabsf(z)) / 2;
                assert_true(fabsl((long double)z - exact) <= half * (1 + 0x1p-38L));
            }
            end(&w);
        }
}

static void narrow__rounds_and_has_no_minus_zero(void **state)
{
    (void)state;
    enum { N = 37 };
    struct random random = {3};
    struct way ways[ARITHMETICS_MAX];
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (int round = 0; round < 200; round++) {
            double from[N], back[N];
            double to[N];
            for (size_t i = 0; i < N; i++)
                from[i] =
                    i % 2 ? 1e30 * random_normal(&random) : -random_unit(&random) * 1e-46;
            ways[k].real->narrow(from, N, to);
            ways[k].real->widen(to, N, back);
            for (size_t i = 0; i < N; i++)
                assert_true(back[i] == (ways[k].dtype == DTYPE_FLOAT32
                                            ? (double)(float)from[i]
                                            : from[i]) &&
                            (back[i] != 0 || !signbit(back[i])));
        }
}

/* ---- the same bits -------------------------------------------------------------------- */

static void assert_same_work(const struct way *way, const struct work *a,
                             const struct work *b)
{
    const struct sums *x = &a->sums, *y = &b->sums;
    size_t bytes = a->rows * sizeof(double);

    if (memcmp(x->max, y->max, bytes) || memcmp(x->rest, y->rest, bytes) ||
        memcmp(x->log_sum, y->log_sum, bytes) || memcmp(x->peak, y->peak, bytes) ||
        memcmp(x->factor, y->factor, bytes) || memcmp(x->top, y->top, bytes))
        fail_msg("%s: other sums, %zu classes", way->kernel, a->classes);
    if (a->classes > way->real->tiled_classes &&
        memcmp(a->exps, b->exps, a->count * way->size))
        fail_msg("%s: other exps, %zu classes", way->kernel, a->classes);
    if (memcmp(a->out, b->out, a->count * way->size))
        fail_msg("%s: other results, %zu classes", way->kernel, a->classes);
}

static void every_kernel__gives_the_same_bits(void **state)
{
    (void)state;
    static double logits[ROWS * CLASSES_MAX];
    struct way ways[ARITHMETICS_MAX];
    struct random random = {2};
    size_t count = all_ways(ways), kernels = count / 2;

    if (kernels == 1) {
        print_message("skipped: this processor runs one kernel only\n");
        skip();
    }
    for (int round = 0; round < 400; round++) {
        size_t n = sizes[random_below(&random, LENGTH(sizes))];
        size_t rows = 1 + random_below(&random, ROWS);
        size_t first = round % 2 ? kernels : 0;
        double by[ROWS], shares[ROWS], *less = round % 3 ? shares : NULL;
        for (size_t r = 0; r < rows; r++) {
            by[r] = random_unit(&random);
            shares[r] = random_unit(&random);
        }
        draw(&random, &ways[first], logits, rows, n);
        struct work a = begin(&ways[first], rows, n, logits);
        ways[first].real->scaled(a.exps, rows, n, &a.sums, by, less, a.out);
        for (size_t k = first + 1; k < first + kernels; k++) {
            struct work b = begin(&ways[k], rows, n, logits);
            ways[k].real->scaled(b.exps, rows, n, &b.sums, by, less, b.out);
            assert_same_work(&ways[k], &a, &b);
            ways[k].real->probabilities(b.logits, b.exps, rows, n, &b.sums, b.out);
            ways[first].real->probabilities(a.logits, a.exps, rows, n, &a.sums, a.out);
            assert_same_work(&ways[k], &a, &b);
            ways[k].real->log_probabilities(b.logits, rows, n, &b.sums, b.out);
            ways[first].real->log_probabilities(a.logits, rows, n, &a.sums, a.out);
            assert_same_work(&ways[k], &a, &b);
            ways[first].real->scaled(a.exps, rows, n, &a.sums, by, less, a.out);
            end(&b);
        }
        end(&a);
    }
}

/* And without exps the same sums. */
static void sums__do_not_depend_on_who_wants_the_exps(void **state)
{
    (void)state;
    static double logits[ROWS * CLASSES_MAX];
    struct way ways[ARITHMETICS_MAX];
    struct random random = {7};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++) {
            draw(&random, &ways[k], logits, ROWS, sizes[s]);
            struct work a = begin(&ways[k], ROWS, sizes[s], logits);
            struct work b = begin(&ways[k], ROWS, sizes[s], logits);
            ways[k].real->softmax(b.logits, ROWS, sizes[s], NULL, &b.sums);
            assert_same_work(&ways[k], &a, &b);
            end(&a);
            end(&b);
        }
}

struct found_moments {
    int64_t labels[ROWS], rank[ROWS];
    double nll[ROWS], entropy[ROWS], brier[ROWS];
};

static void assert_moments(const struct way *way, const struct work *w, size_t r,
                           const struct found_moments *found)
{
    struct reference_row row = reference_softmax(w->exact + r * w->classes, w->classes);
    struct reference_sum entropy = {0}, brier = {0};
    size_t label = (size_t)found->labels[r];
    long double own = row.logits[label];
    struct way loose = *way; /* of sums of squares, which may be subnormal */
    int64_t before = 0;

    loose.error *= 4;
    for (size_t c = 0; c < w->classes; c++) {
        long double p = reference_probability(&row, c), z = row.logits[c];
        long double miss = c == row.top ? row.rest / (1 + row.rest) : 1 - p;
        reference_add(&entropy, p > 0 ? -p * reference_log_probability(&row, c) : 0);
        reference_add(&brier, c == label ? miss * miss : p * p);
        before += z > own || (z == own && c < label);
    }
    assert_near(found->nll[r], (double)-reference_log_probability(&row, label),
                way->error);
    assert_near(found->entropy[r], (double)reference_total(&entropy), way->error);
    assert_right(&loose, found->brier[r], reference_total(&brier));
    assert_int_equal(found->rank[r], before);
}

/* Logits of `width`, with ties, some of them masked. */
static void find_moments(struct random *random, const struct way *way, size_t classes,
                         double width)
{
    static double logits[ROWS * CLASSES_MAX];
    struct found_moments found;
    struct moments moments = {found.labels, found.nll, found.entropy, found.brier,
                              found.rank};

    for (size_t i = 0; i < ROWS * classes; i++)
        logits[i] = random_below(random, 8)
                        ? (double)(int)(6 * random_normal(random)) * width
                        : (double)-INFINITY;
    for (size_t r = 0; r < ROWS; r++) {
        found.labels[r] = (int64_t)random_below(random, classes);
        logits[r * classes + (size_t)found.labels[r]] = random_normal(random) * width;
    }
    struct work a = begin(way, ROWS, classes, logits);
    struct work b = begin(way, ROWS, classes, logits);
    b.sums.moments = &moments;
    way->real->softmax(b.logits, ROWS, classes, b.exps, &b.sums);
    assert_same_work(way, &a, &b);
    for (size_t r = 0; r < ROWS; r++)
        assert_moments(way, &b, r, &found);
    end(&a);
    end(&b);
}

/* And they change nothing else. */
static void moments__are_those_of_the_plain_formula(void **state)
{
    (void)state;
    struct way ways[ARITHMETICS_MAX];
    struct random random = {6};
    size_t count = all_ways(ways);

    for (size_t k = 0; k < count; k++)
        for (size_t s = 0; s < LENGTH(sizes); s++) {
            double most = ways[k].dtype == DTYPE_FLOAT32 ? 1e37 : 1e306;
            find_moments(&random, &ways[k], sizes[s], 1);
            find_moments(&random, &ways[k], sizes[s], 3);
            find_moments(&random, &ways[k], sizes[s], 1e5);
            find_moments(&random, &ways[k], sizes[s], most);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_here__is_one_of_those_that_run),
        cmocka_unit_test(top__is_the_first_maximum_wherever_it_stands),
        cmocka_unit_test(softmax__is_that_of_the_plain_formula_for_every_size),
        cmocka_unit_test(rest__of_a_confident_row_is_right_however_small),
        cmocka_unit_test(row__of_masked_classes_only_has_no_probabilities),
        cmocka_unit_test(probabilities__are_scaled_as_asked),
        cmocka_unit_test(log_probabilities__are_those_of_the_plain_formula),
        cmocka_unit_test(mix_and_gaps__are_those_of_the_shares),
        cmocka_unit_test(divergences_and_briers__are_those_of_the_targets),
        cmocka_unit_test(shares__of_a_row_are_its_own),
        cmocka_unit_test(gaps__leave_out_masked_classes_without_a_share),
        cmocka_unit_test(divergences__tell_what_is_too_far),
        cmocka_unit_test(moments__are_those_of_the_plain_formula),
        cmocka_unit_test(temper__rounds_once),
        cmocka_unit_test(temper__is_a_quotient_whatever_the_temperature),
        cmocka_unit_test(temper__rounds_floats_once),
        cmocka_unit_test(temper__rounds_capped_floats_once),
        cmocka_unit_test(narrow__rounds_and_has_no_minus_zero),
        cmocka_unit_test(every_kernel__gives_the_same_bits),
        cmocka_unit_test(sums__do_not_depend_on_who_wants_the_exps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
