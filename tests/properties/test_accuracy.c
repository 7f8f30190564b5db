/* How far probabilities, log-probabilities and losses are from the exact values,
 * over everything that logits may look like; the worst case of each is printed
 * and held to what the API promises (section 8): 4e-15 relative for float64,
 * 1e-6 for float32, one unit for a subnormal result. */
#include <float.h>
#include <stdlib.h>

#include "../unit/engine/made.h"
#include "../unit/engine/random.h"
#include "reference.h"

enum { CLASSES_MAX = 128256, ROUNDS = 40, LOGITS_PER_SIZE = 16000 };

static const size_t sizes[] = {2, 3, 10, 48, 1000, 32000, CLASSES_MAX};

/* ---- what logits look like --------------------------------------------------- */

struct scene {
    const char *name;
    void (*fill)(struct random *random, double parameter, double *logits, size_t classes);
    double parameter;
    bool fits_float;
};

static void normal(struct random *random, double deviation, double *logits,
                   size_t classes)
{
    for (size_t c = 0; c < classes; c++)
        logits[c] = deviation * random_normal(random);
}

/* One class stands out by up to the margin. */
static void confident(struct random *random, double margin, double *logits,
                      size_t classes)
{
    size_t top = random_below(random, classes);

    normal(random, 1, logits, classes);
    logits[top] += margin;
}

/* The spread is that of a normal row, as far as doubles so far out have one. */
static void offset(struct random *random, double by, double *logits, size_t classes)
{
    normal(random, 10, logits, classes);
    for (size_t c = 0; c < classes; c++)
        logits[c] = by + logits[c];
}

/* Up to the range given, both signs, all magnitudes. */
static void wide(struct random *random, double range, double *logits, size_t classes)
{
    for (size_t c = 0; c < classes; c++)
        logits[c] = range * exp(-random_within(random, 0, 60)) *
                    (random_below(random, 2) ? 1 : -1);
}

/* Gaps of 700 to 760: probabilities around and below the smallest normal number. */
static void vanishing(struct random *random, double depth, double *logits, size_t classes)
{
    for (size_t c = 0; c < classes; c++)
        logits[c] = -depth - 60 * random_unit(random);
    logits[random_below(random, classes)] = random_normal(random);
}

/* One class stands out, a second far below, and all others far below that: too
 * little, each for itself, to change the sum, and not all together. */
static void levels(struct random *random, double gap, double *logits, size_t classes)
{
    size_t top = random_below(random, classes);
    double low = random_within(random, -1, 1);

    for (size_t c = 0; c < classes; c++)
        logits[c] = low;
    logits[random_below(random, classes < 64 ? classes : 64)] = low + gap;
    logits[top] = low + 2 * gap;
}

static void subnormal(struct random *random, double unit, double *logits, size_t classes)
{
    for (size_t c = 0; c < classes; c++)
        logits[c] = unit * random_normal(random);
}

static void equal(struct random *random, double range, double *logits, size_t classes)
{
    double value = range * random_normal(random);

    for (size_t c = 0; c < classes; c++)
        logits[c] = value;
}

static const struct scene scenes[] = {
    {"N(0,1)", normal, 1, true},
    {"N(0,10)", normal, 10, true},
    {"N(0,40)", normal, 40, true},
    {"margin 5", confident, 5, true},
    {"margin 17", confident, 17, true},
    {"margin 37", confident, 37, true},
    {"margin 80", confident, 80, true},
    {"margin 300", confident, 300, true},
    {"margin 700", confident, 700, true},
    {"vanishing (float32)", vanishing, 60, true},
    {"vanishing (float64)", vanishing, 700, true},
    {"levels 7", levels, 7, true},
    {"levels 36.8", levels, 36.8, true},
    {"levels 37", levels, 37, true},
    {"offset 1e4", offset, 1e4, true},
    {"offset -1e8", offset, -1e8, true},
    {"offset 1e8", offset, 1e8, true},
    {"offset 1e300", offset, 1e300, false},
    {"range 1e3", wide, 1e3, true},
    {"range 1e30", wide, 1e30, true},
    {"range 1.6e38", wide, 1.6e38, true},
    {"range 8e307", wide, 8e307, false},
    {"range 1.7e308", wide, 1.7e308, false},
    {"subnormal", subnormal, 1e-310, true},
    {"all equal", equal, 1e3, true},
};

/* ---- how far off --------------------------------------------------------------- */

struct worst {
    double relative; /* of normal results */
    double units;    /* of subnormal results */
    const char *scene;
    size_t classes;
};

struct precision {
    const char *name;
    enum dtype dtype;
    double bound, smallest, unit;
};

static const struct precision float64 = {"float64", DTYPE_FLOAT64, 4e-15, DBL_MIN,
                                         0x1p-1074};
static const struct precision float32 = {"float32", DTYPE_FLOAT32, 1e-6, (double)FLT_MIN,
                                         0x1p-149};
/* Losses are float64 even then, and have more digits than are promised down to where a unit
 * is as much. */
static const struct precision float32_loss = {"float32", DTYPE_FLOAT32, 1e-6,
                                              0x1p-1074 * 1e6, 0x1p-1074};

static void judge(struct worst *worst, const struct precision *precision,
                  const struct scene *scene, size_t classes, double found,
                  long double exact)
{
    long double off = fabsl((long double)found - exact);

    if (fabsl(exact) > (long double)DBL_MAX && isinf(found)) /* nothing else is left */
        return;
    if (!isfinite(found))
        fail_msg("%s, %zu classes: %g where %Lg is right", scene->name, classes, found,
                 exact);
    if (fabsl(exact) < (long double)precision->smallest) {
        worst->units = fmax(worst->units, (double)(off / (long double)precision->unit));
        return;
    }
    double relative = (double)(off / fabsl(exact));
    if (relative > worst->relative)
        *worst = (struct worst){relative, worst->units, scene->name, classes};
}

static void print_worst(const struct worst *worst, const struct precision *precision,
                        const char *what, double bound, double units)
{
    print_message("  %s %-24s %8.2e at %s, %zu classes; subnormal: %.2f units\n",
                  precision->name, what, worst->relative,
                  worst->scene ? worst->scene : "-", worst->classes, worst->units);
    assert_true(worst->relative > 0);
    assert_true(worst->relative <= bound);
    assert_true(worst->units <= units);
}

static double element(const void *array, enum dtype dtype, size_t i)
{
    return dtype == DTYPE_FLOAT32 ? (double)((const float *)array)[i]
                                  : ((const double *)array)[i];
}

/* ---- rows ---------------------------------------------------------------------- */

/* Room for one row, as the sender has it and as the reference takes it. */
struct bench {
    double logits[CLASSES_MAX], targets[CLASSES_MAX], weights[CLASSES_MAX];
    float narrow[CLASSES_MAX];
    long double exact[CLASSES_MAX];
};

static struct bench *bench;

static int set_up(void **state)
{
    (void)state;
    bench = malloc(sizeof *bench);
    return bench ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(bench);
    return 0;
}

static void fill(const struct scene *scene, const struct precision *precision,
                 struct random *random, size_t classes)
{
    scene->fill(random, scene->parameter, bench->logits, classes);
    for (size_t c = 0; c < classes; c++) {
        bench->narrow[c] = (float)bench->logits[c];
        bench->exact[c] = precision->dtype == DTYPE_FLOAT32
                              ? (long double)bench->narrow[c]
                              : (long double)bench->logits[c];
    }
}

static void make_row(struct made *made, const struct precision *precision, size_t classes)
{
    if (precision->dtype == DTYPE_FLOAT32) {
        make_floats(made, "logits", SHAPE(classes), bench->narrow);
        make_text(made, "dtype", "float32");
    } else {
        make_doubles(made, "logits", SHAPE(classes), bench->logits);
    }
}

/* Calls `row` for some rows of every scene and size: few where they are long. */
static void for_all_rows(const struct precision *precision,
                         void (*row)(const struct scene *, const struct precision *,
                                     struct random *, size_t classes,
                                     struct worst *worst),
                         struct worst *worst)
{
    struct random random = {20240229};

    for (size_t i = 0; i < LENGTH(scenes); i++) {
        if (precision->dtype == DTYPE_FLOAT32 && !scenes[i].fits_float)
            continue;
        for (size_t s = 0; s < LENGTH(sizes); s++) {
            size_t rounds = LOGITS_PER_SIZE / sizes[s] + 1;
            for (size_t n = 0; n < rounds && n < ROUNDS; n++) {
                fill(&scenes[i], precision, &random, sizes[s]);
                row(&scenes[i], precision, &random, sizes[s], worst);
            }
        }
    }
}

/* ---- probabilities ------------------------------------------------------------- */

enum { PROBABILITY, LOG_PROBABILITY, KINDS };

static void softmax_row_is_near(const struct scene *scene,
                                const struct precision *precision, struct random *random,
                                size_t classes, struct worst *worst)
{
    struct made made = make(&task_softmax);

    (void)random;
    make_row(&made, precision, classes);
    make_return(&made, "probabilities,log_probabilities");
    assert_scores(&made, NULL);
    struct reference_row row = reference_softmax(bench->exact, classes);
    for (size_t c = 0; c < classes; c++) {
        judge(&worst[PROBABILITY], precision, scene, classes,
              element(made.result.probabilities, precision->dtype, c),
              reference_probability(&row, c));
        judge(&worst[LOG_PROBABILITY], precision, scene, classes,
              element(made.result.log_probabilities, precision->dtype, c),
              reference_log_probability(&row, c));
    }
    unmake(&made);
}

static void probabilities__are_as_near_as_promised(void **state)
{
    (void)state;
    static const struct precision *const precisions[] = {&float64, &float32};

    for (size_t i = 0; i < LENGTH(precisions); i++) {
        struct worst worst[KINDS] = {{0}};
        for_all_rows(precisions[i], softmax_row_is_near, worst);
        print_worst(&worst[PROBABILITY], precisions[i], "probability",
                    precisions[i]->bound, 1);
        print_worst(&worst[LOG_PROBABILITY], precisions[i], "log-probability",
                    precisions[i]->bound, 1);
    }
}

/* ---- losses -------------------------------------------------------------------- */

enum { WEIGHT_MAX = 3 };

/* What a loss is asked for with. */
struct kind {
    const char *name, *loss;
    bool has_targets, is_weighted; /* by class_weights or pos_weight */
    double option[MEMBERS];        /* 0: not given */
};

static const struct kind kinds[] = {
    {.name = "label", .loss = "cross_entropy"},
    {.name = "smoothed",
     .loss = "cross_entropy",
     .option = {[MEMBER_label_smoothing] = 0.1}},
    {.name = "smoothed, weights",
     .loss = "cross_entropy",
     .is_weighted = true,
     .option = {[MEMBER_label_smoothing] = 0.7}},
    {.name = "targets", .loss = "cross_entropy", .has_targets = true},
    {.name = "targets, weights",
     .loss = "cross_entropy",
     .has_targets = true,
     .is_weighted = true},
    {.name = "focal", .loss = "cross_entropy", .option = {[MEMBER_focal_gamma] = 2}},
    {.name = "focal, of 5",
     .loss = "cross_entropy",
     .option = {[MEMBER_focal_gamma] = 5}},
    {.name = "focal, of 100",
     .loss = "cross_entropy",
     .option = {[MEMBER_focal_gamma] = 100}},
    {.name = "focal, of 0.01, smoothed",
     .loss = "cross_entropy",
     .option = {[MEMBER_focal_gamma] = 0.01, [MEMBER_label_smoothing] = 0.1}},
    {.name = "focal, smoothed, weights",
     .loss = "cross_entropy",
     .is_weighted = true,
     .option = {[MEMBER_focal_gamma] = 0.5, [MEMBER_label_smoothing] = 0.1}},
    {.name = "poly", .loss = "cross_entropy", .option = {[MEMBER_poly_epsilon] = 10}},
    {.name = "poly, targets",
     .loss = "cross_entropy",
     .has_targets = true,
     .option = {[MEMBER_poly_epsilon] = 1000}},
    {.name = "nll, weights", .loss = "nll", .is_weighted = true},
    {.name = "bce", .loss = "bce_with_logits", .has_targets = true},
    {.name = "bce, weights",
     .loss = "bce_with_logits",
     .has_targets = true,
     .is_weighted = true},
    {.name = "hinge", .loss = "hinge", .option = {[MEMBER_margin] = 2.5}},
    {.name = "hinge squared, weights",
     .loss = "hinge",
     .is_weighted = true,
     .option = {[MEMBER_p] = 2}},
    {.name = "kl_div", .loss = "kl_div", .has_targets = true},
};

static void draw_distribution(struct random *random, size_t classes)
{
    double sum = 0;

    for (size_t c = 0; c < classes; c++)
        sum += bench->targets[c] = exp(3 * random_normal(random));
    for (size_t c = 0; c < classes; c++)
        bench->targets[c] /= sum;
}

static void draw_truth(struct random *random, const struct loss *loss, size_t classes)
{
    draw_distribution(random, classes);
    for (size_t c = 0; c < classes; c++) {
        size_t side = random_below(random, 4);
        bench->weights[c] = random_within(random, 0, WEIGHT_MAX);
        if (loss->is_elementwise)
            bench->targets[c] = side < 2 ? (double)side : random_unit(random);
    }
}

/* The label is the likeliest class half of the time: that is where it is hard. */
static int64_t draw_label(struct random *random, size_t classes)
{
    size_t top = 0;

    for (size_t c = 1; c < classes; c++)
        top = bench->exact[c] > bench->exact[top] ? c : top;
    return (int64_t)(random_below(random, 2) ? top : random_below(random, classes));
}

static void make_kind(struct made *made, const struct kind *kind,
                      const struct precision *precision, size_t classes, int64_t *label,
                      struct reference_truth *truth)
{
    bool is_pos = false;

    make_text(made, "loss", kind->loss);
    make_row(made, precision, classes);
    make_return(made, "losses");
    if (kind->has_targets)
        make_doubles(made, "targets", SHAPE(classes), bench->targets);
    else
        make_labels(made, SHAPE_SCALAR, label);
    if (kind->is_weighted) {
        is_pos = made->batch.loss->options >> MEMBER_pos_weight & 1;
        make_doubles(made, is_pos ? "pos_weight" : "class_weights", SHAPE(classes),
                     bench->weights);
    }
    *truth = (struct reference_truth){
        .label = kind->has_targets ? -1 : *label,
        .targets = kind->has_targets ? bench->targets : NULL,
        .class_weights = kind->is_weighted && !is_pos ? bench->weights : NULL,
        .pos_weight = is_pos ? bench->weights : NULL};
    for (enum member m = 0; m < MEMBERS; m++) {
        truth->option[m] =
            kind->option[m] != 0 ? kind->option[m] : member_infos[m].standard;
        if (kind->option[m] != 0)
            make_number(made, member_infos[m].name, kind->option[m]);
    }
}

/* Relative to the sum of the sizes of its terms, which is the loss itself but where
 * terms cancel: there no more can be promised. */
static void judge_value(struct worst *worst, const struct precision *precision,
                        const struct scene *scene, size_t classes, double found,
                        const struct reference_value *exact)
{
    long double value = reference_total(&exact->value);
    long double size = reference_total(&exact->size);

    if (size > fabsl(value) && isfinite(found))
        judge(worst, precision, scene, classes,
              (double)(size + ((long double)found - value)), size);
    else
        judge(worst, precision, scene, classes, found, value);
}

static void loss_is_near(const struct scene *scene, const struct precision *precision,
                         struct random *random, size_t classes, struct worst *worst)
{
    for (size_t k = 0; k < LENGTH(kinds); k++) {
        const struct reference_loss *reference = reference_find(kinds[k].loss);
        struct made made = make(&task_loss);
        struct reference_truth truth;
        int64_t label = draw_label(random, classes);
        make_kind(&made, &kinds[k], precision, classes, &label, &truth);
        draw_truth(random, made.batch.loss, classes);
        assert_scores(&made, NULL);
        for (size_t c = 0; reference->element && c < classes; c++)
            judge(&worst[k], precision, scene, classes, made.result.losses[c],
                  reference->element(bench->exact[c], c, &truth));
        if (!reference->element) {
            struct reference_value exact =
                reference->value(bench->exact, classes, &truth);
            judge_value(&worst[k], precision, scene, classes, made.result.losses[0],
                        &exact);
        }
        unmake(&made);
    }
}

/* Units that a subnormal result may be off by: what factors make of one of them. */
static double units_of(const struct kind *kind)
{
    return (1 + kind->option[MEMBER_poly_epsilon]) * (kind->is_weighted ? WEIGHT_MAX : 1);
}

static void losses__are_as_near_as_promised(void **state)
{
    (void)state;
    static const struct precision *const precisions[] = {&float64, &float32_loss};

    for (size_t i = 0; i < LENGTH(precisions); i++) {
        struct worst worst[LENGTH(kinds)] = {{0}};
        for_all_rows(precisions[i], loss_is_near, worst);
        for (size_t k = 0; k < LENGTH(kinds); k++)
            print_worst(&worst[k], precisions[i], kinds[k].name, precisions[i]->bound,
                        units_of(&kinds[k]));
    }
}

/* ---- means --------------------------------------------------------------------- */

/* A mean over many positions of both large and tiny losses is no worse than one. */
static void mean__is_as_near_as_a_single_loss(void **state)
{
    (void)state;
    enum { POSITIONS = 40000, CLASSES = 3 };
    static double logits[POSITIONS * CLASSES];
    static int64_t labels[POSITIONS];
    struct random random = {7};
    struct reference_sum sum = {0};
    struct made made = make(&task_loss);

    for (size_t n = 0; n < POSITIONS; n++) {
        long double exact[CLASSES];
        labels[n] = (int64_t)random_below(&random, CLASSES);
        for (size_t c = 0; c < CLASSES; c++) {
            logits[n * CLASSES + c] = 30 * random_normal(&random);
            exact[c] = (long double)logits[n * CLASSES + c];
        }
        struct reference_truth truth = {.label = labels[n]};
        struct reference_value loss = reference_cross_entropy(exact, CLASSES, &truth);
        reference_add(&sum, reference_total(&loss.value));
    }
    make_doubles(&made, "logits", SHAPE(POSITIONS, CLASSES), logits);
    make_labels(&made, SHAPE(POSITIONS), labels);
    make_return(&made, "loss");
    assert_scores(&made, NULL);
    long double mean = reference_total(&sum) / POSITIONS;
    double off = (double)fabsl(((long double)made.result.loss - mean) / mean);
    print_message("  float64 mean of %d losses      %8.2e\n", POSITIONS, off);
    assert_true(off <= float64.bound);
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities__are_as_near_as_promised),
        cmocka_unit_test(losses__are_as_near_as_promised),
        cmocka_unit_test(mean__is_as_near_as_a_single_loss),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
