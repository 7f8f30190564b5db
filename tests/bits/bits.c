/* What the engine answers, as a few bits: scores batches drawn at random and prints a
 * hash of all that comes out, a line for each group:
 *
 *     cross_entropy float32 48 gradient 0f3a...
 *
 * All builds, kernels and processors have to print the same lines; run.sh compares
 * them.
 *
 *     bits             the lines, or those of one dtype: bits float32
 *     bits --kernels   the kernels that run here, one a line
 */
#include <inttypes.h>

#include "draw.h"
#include "engine/kernel/kernel.h"
#include "lossd/engine/score.h"

enum { BATCHES = 40, TRIES = 200 };

/* Around the widths of vectors and lines, the blocks, and where rows of few classes
 * become rows of many. */
static const size_t class_counts[] = {1,  2,  3,   4,   5,   7,   8,   9,   10,   15,
                                      16, 17, 24,  31,  33,  47,  48,  49,  63,   65,
                                      96, 97, 127, 129, 160, 255, 257, 513, 1000, 3001};

/* ---- hashes ------------------------------------------------------------------- */

enum { TOTALS = OUTPUTS, HASHES };

struct hashes {
    uint64_t of[HASHES];
    bool used[HASHES];
};

static void hash_word(struct hashes *hashes, size_t which, uint64_t word)
{
    uint64_t h = ((hashes->of[which] + 1) ^ word) * UINT64_C(0x9E3779B97F4A7C15);

    hashes->of[which] = h ^ h >> 32;
    hashes->used[which] = true;
}

/* The one thing that is left open: IEEE 754 does not say which NaN comes of infinity
 * less infinity, and processors differ.  No answer has a NaN that could be told from
 * another. */
static void hash_double(struct hashes *hashes, size_t which, double value)
{
    uint64_t word;

    memcpy(&word, &value, sizeof word);
    hash_word(hashes, which, isnan(value) ? UINT64_MAX : word);
}

/* NULL: not asked for. */
static void hash_doubles(struct hashes *hashes, size_t which, const double *array,
                         size_t count)
{
    for (size_t i = 0; array && i < count; i++)
        hash_double(hashes, which, array[i]);
}

static void hash_integers(struct hashes *hashes, size_t which, const int64_t *array,
                          size_t count)
{
    for (size_t i = 0; array && i < count; i++)
        hash_word(hashes, which, (uint64_t)array[i]);
}

/* An array of the batch's dtype; a float as the double it is. */
static void hash_reals(struct hashes *hashes, size_t which, const struct batch *batch,
                       const void *array, size_t count)
{
    if (batch->dtype == DTYPE_FLOAT64)
        hash_doubles(hashes, which, array, count);
    else
        for (size_t i = 0; array && i < count; i++)
            hash_double(hashes, which, (double)((const float *)array)[i]);
}

static void hash_totals(struct hashes *hashes, const struct result *result)
{
    hash_double(hashes, TOTALS, result->loss);
    hash_double(hashes, TOTALS, result->loss_sum);
    hash_double(hashes, TOTALS, result->divisor);
    hash_word(hashes, TOTALS, result->count);
    hash_word(hashes, TOTALS, result->ignored);
}

static void hash_result(struct hashes *hashes, const struct batch *batch,
                        const struct result *result)
{
    size_t count = batch->logits.count, rows = batch->positions;

    if (batch->task->needs_truth)
        hash_totals(hashes, result);
    hash_doubles(hashes, OUTPUT_LOSSES, result->losses,
                 batch->loss->is_elementwise ? count : rows);
    hash_reals(hashes, OUTPUT_PROBABILITIES, batch, result->probabilities, count);
    hash_reals(hashes, OUTPUT_LOG_PROBABILITIES, batch, result->log_probabilities, count);
    hash_reals(hashes, OUTPUT_GRADIENT, batch, result->gradient, count);
    hash_reals(hashes, OUTPUT_LOGITS, batch, result->logits, count);
    hash_reals(hashes, OUTPUT_GRADIENT_FEATURES, batch, result->gradient_features,
               batch->features.count);
    hash_reals(hashes, OUTPUT_GRADIENT_W, batch, result->gradient_W, batch->W.count);
    hash_reals(hashes, OUTPUT_GRADIENT_B, batch, result->gradient_b, batch->b.count);
    hash_doubles(hashes, OUTPUT_LOGSUMEXP, result->logsumexp, rows);
    hash_integers(hashes, OUTPUT_PREDICTIONS, result->predictions, rows);
}

static void hash_tables(struct hashes *hashes, const struct batch *batch,
                        const struct result *result)
{
    const struct calibration *bins = &result->calibration;
    size_t classes = batch->classes;

    if (batch_wants(batch, OUTPUT_METRICS)) {
#define METRIC(name) hash_doubles(hashes, OUTPUT_METRICS, &result->metrics.name, 1);
        METRICS(METRIC)
#undef METRIC
    }
    if (batch_wants(batch, OUTPUT_PER_CLASS)) {
        hash_doubles(hashes, OUTPUT_PER_CLASS, result->per_class.precision, classes);
        hash_doubles(hashes, OUTPUT_PER_CLASS, result->per_class.recall, classes);
        hash_doubles(hashes, OUTPUT_PER_CLASS, result->per_class.f1, classes);
    }
    if (batch_wants(batch, OUTPUT_CONFUSION))
        hash_integers(hashes, OUTPUT_CONFUSION, result->confusion, classes * classes);
    if (batch_wants(batch, OUTPUT_CALIBRATION)) {
        hash_doubles(hashes, OUTPUT_CALIBRATION, bins->edges, bins->bins + 1);
        hash_integers(hashes, OUTPUT_CALIBRATION, bins->count, bins->bins);
        hash_doubles(hashes, OUTPUT_CALIBRATION, bins->accuracy, bins->bins);
        hash_doubles(hashes, OUTPUT_CALIBRATION, bins->confidence, bins->bins);
    }
}

/* ---- groups ------------------------------------------------------------------- */

/* What is drawn may contradict itself, a masked class and a smoothing say; then
 * another batch is drawn. */
static void score_one(struct random *random, const struct loss *loss, bool is_float,
                      size_t classes, struct hashes *hashes)
{
    struct err err = {0};

    for (int i = 0; i < TRIES; i++) {
        struct arena mem;
        struct batch batch;
        struct result result;
        arena_init(&mem, SIZE_MAX, "", NULL);
        err = (struct err){0};
        draw_batch(random, loss, is_float, classes, &mem, &batch);
        bool sound = batch_check(&batch, &err);
        if (sound && !result_init(&result, &batch, 1, &mem, &err))
            draw_fail(&err);
        if (sound) {
            score(&batch, &result, NULL);
            hash_result(hashes, &batch, &result);
            hash_tables(hashes, &batch, &result);
        }
        arena_release(&mem);
        if (sound)
            return;
    }
    draw_fail(&err);
}

static void print_group(const char *loss, bool is_float, size_t classes,
                        const struct hashes *hashes)
{
    for (size_t i = 0; i < HASHES; i++)
        if (hashes->used[i])
            printf("%s %s %zu %s %016" PRIx64 "\n", loss,
                   is_float ? "float32" : "float64", classes,
                   i < OUTPUTS ? output_names[i] : "totals", hashes->of[i]);
}

static void score_groups(const struct loss *loss, bool is_float)
{
    struct random random = {is_float};

    for (size_t i = 0; i < sizeof class_counts / sizeof class_counts[0]; i++) {
        struct hashes hashes = {0};
        for (int n = 0; n < BATCHES; n++)
            score_one(&random, loss, is_float, class_counts[i], &hashes);
        print_group(loss ? loss->name : "softmax", is_float, class_counts[i], &hashes);
    }
}

/* ---- kernels ------------------------------------------------------------------ */

static int list_kernels(void)
{
    const struct kernel *kernels[4];
    size_t count = kernels_here(kernels);

    for (size_t i = 0; i < count; i++)
        printf("%s\n", kernels[i]->name);
    return 0;
}

/* A kernel that was asked for and did not run would compare another with itself. */
static void check_kernel(void)
{
    const char *wanted = getenv("LOSSD_KERNEL");

    if (!wanted || strcmp(kernel_here()->name, wanted) == 0)
        return;
    fprintf(stderr, "bits: the kernel %s does not run here\n", wanted);
    exit(2);
}

static const char *const dtypes[] = {"float64", "float32"};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--kernels") == 0)
        return list_kernels();
    const char *only = argc == 2 ? argv[1] : NULL;
    if (argc > 2 ||
        (only && strcmp(only, dtypes[0]) != 0 && strcmp(only, dtypes[1]) != 0)) {
        fprintf(stderr, "usage: bits [--kernels | float64 | float32]\n");
        return 2;
    }
    check_kernel();
    for (int is_float = 0; is_float < 2; is_float++) {
        if (only && strcmp(only, dtypes[is_float]) != 0)
            continue;
        score_groups(NULL, is_float);
        for (size_t i = 0; i < loss_count; i++)
            score_groups(loss_table[i], is_float);
    }
    return 0;
}
