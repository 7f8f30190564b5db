/* A batch drawn at random for a loss that need not be named: logits of every
 * kind, labels or targets, and every option of the loss, each given half of the
 * time.  What is drawn is always sound: batch_check() accepts it. */
#ifndef LOSSD_TESTS_PROBLEM_H
#define LOSSD_TESTS_PROBLEM_H

#include "../unit/engine/made.h"
#include "../unit/engine/random.h"
#include "engine/kernel/kernel.h"
#include "reference.h"

enum { ROWS_MAX = 8, ROW_MAX = 40 };

enum scene {
    SCENE_NORMAL,
    SCENE_CONFIDENT, /* one class far above the others */
    SCENE_EQUAL,
    SCENE_TINY,
    SCENE_MASKED,   /* some classes are -Infinity */
    SCENES_TAME,    /* above: slopes can be told from differences */
    SCENE_HUGE = 5, /* 1e30 */
    SCENE_HUGEST,   /* 3e38 in float32, 1e300 in float64 */
    SCENE_SUBNORMAL,
    SCENES
};

struct problem {
    const struct loss *loss;
    size_t rows, classes;
    enum dtype dtype;
    enum reduction reduction;
    enum scene scene[ROWS_MAX];
    bool has_targets, has_class_weights, has_sample_weights, has_divisor;
    double logits[ROWS_MAX * ROW_MAX];
    float narrow[ROWS_MAX * ROW_MAX]; /* the same, for float32 */
    double targets[ROWS_MAX * ROW_MAX];
    int64_t labels[ROWS_MAX];
    double class_weights[ROW_MAX], pos_weight[ROW_MAX], sample_weights[ROWS_MAX];
    bool has_pos_weight;
    double option[MEMBERS]; /* NAN: not given */
};

/* ---- drawing -------------------------------------------------------------------- */

/* A number within the range of an option, its ends among them where they belong. */
static inline double draw_number(struct random *random, const struct member_info *info)
{
    double lowest = fmax(info->lowest, -3),
           highest = fmin(info->highest, fmax(lowest + 3, 3));
    size_t side = random_below(random, 8);

    if (info->type == MEMBER_INTEGER)
        return lowest + (double)random_below(random, (size_t)(highest - lowest) + 1);
    if (side == 0 && !info->above_lowest)
        return lowest;
    return side == 1 ? highest : random_within(random, lowest, highest);
}

static inline void draw_option(struct problem *problem, struct random *random,
                               enum member member)
{
    const struct member_info *info = &member_infos[member];

    if (info->type == MEMBER_ARRAY) {
        bool is_pos = member == MEMBER_pos_weight;
        double *weights = is_pos ? problem->pos_weight : problem->class_weights;
        *(is_pos ? &problem->has_pos_weight : &problem->has_class_weights) = true;
        for (size_t c = 0; c < problem->classes; c++)
            weights[c] = random_below(random, 8) ? random_within(random, 0, 3) : 0;
    } else if (info->type == MEMBER_NUMBER || info->type == MEMBER_INTEGER) {
        problem->option[member] = draw_number(random, info);
    } else {
        fail_msg("%s is an option now: this must learn to draw it", info->name);
    }
}

static inline double option_or(const struct problem *problem, enum member member)
{
    return isnan(problem->option[member]) ? member_infos[member].standard
                                          : problem->option[member];
}

static inline double magnitude_of(const struct problem *problem, enum scene scene)
{
    bool is_float = problem->dtype == DTYPE_FLOAT32;

    switch (scene) {
    case SCENE_TINY:
        return 1e-30;
    case SCENE_SUBNORMAL:
        return is_float ? 1e-40 : 1e-310;
    case SCENE_HUGE:
        return 1e30;
    case SCENE_HUGEST:
        return is_float ? 3e38 : 1e300;
    default:
        return 3;
    }
}

/* May the class be masked without harm to the truth of the row? */
static inline bool may_mask(const struct problem *problem, size_t row, size_t c)
{
    if (option_or(problem, MEMBER_label_smoothing) > 0)
        return false;
    return problem->has_targets || problem->labels[row] != (int64_t)c;
}

static inline void draw_logits(struct problem *problem, struct random *random, size_t row)
{
    enum scene scene = problem->scene[row];
    double *logits = problem->logits + row * problem->classes;
    double temperature = option_or(problem, MEMBER_temperature);
    double magnitude = magnitude_of(problem, scene) * fmin(temperature, 1);
    size_t kept = random_below(random, problem->classes);

    for (size_t c = 0; c < problem->classes; c++) {
        logits[c] = magnitude * (scene >= SCENE_HUGE ? random_within(random, -1, 1)
                                                     : random_normal(random));
        if (scene == SCENE_EQUAL)
            logits[c] = logits[0];
        if (scene == SCENE_MASKED && c != kept && random_below(random, 2) &&
            may_mask(problem, row, c))
            logits[c] = -INFINITY;
    }
    if (scene == SCENE_CONFIDENT)
        logits[kept] += temperature * random_within(random, 5, 700);
    for (size_t c = 0; c < problem->classes; c++) {
        size_t at = row * problem->classes + c;
        problem->narrow[at] = (float)logits[c];
        if (problem->dtype == DTYPE_FLOAT32)
            logits[c] = (double)problem->narrow[at];
    }
}

/* How true each class is by itself; a masked one is not. */
static inline void draw_truths(struct random *random, const double *logits,
                               size_t classes, double *targets)
{
    for (size_t c = 0; c < classes; c++) {
        size_t side = random_below(random, 4);
        targets[c] = side < 2 ? (double)side : random_unit(random);
        if (logits[c] == -INFINITY)
            targets[c] = 0;
    }
}

/* A distribution over the classes that are not masked. */
static inline void draw_targets(struct problem *problem, struct random *random,
                                size_t row)
{
    const double *logits = problem->logits + row * problem->classes;
    double *targets = problem->targets + row * problem->classes;
    double sum = 0;

    if (problem->loss->is_elementwise) {
        draw_truths(random, logits, problem->classes, targets);
        return;
    }
    for (size_t c = 0; c < problem->classes; c++) {
        bool is_open = logits[c] != -INFINITY;
        targets[c] =
            is_open && random_below(random, 3) ? exp(2 * random_normal(random)) : 0;
        sum += targets[c];
    }
    if (problem->loss->target_rule == TARGETS_MEASURE && random_below(random, 2))
        return;
    for (size_t c = 0; c < problem->classes; c++) {
        if (sum > 0)
            targets[c] /= sum;
        else if (logits[c] != -INFINITY)
            sum = targets[c] = 1;
    }
}

static inline struct problem draw_problem(struct random *random, const struct loss *loss,
                                          size_t scenes)
{
    struct problem problem = {.loss = loss,
                              .rows = 1 + random_below(random, ROWS_MAX),
                              .classes = 1 + random_below(random, ROW_MAX),
                              .dtype =
                                  random_below(random, 2) ? DTYPE_FLOAT32 : DTYPE_FLOAT64,
                              .reduction = (enum reduction)random_below(random, 3)};

    problem.has_targets = loss->truths & TRUTH_TARGETS &&
                          (!(loss->truths & TRUTH_LABELS) || random_below(random, 2));
    problem.has_sample_weights = random_below(random, 2);
    problem.has_divisor = random_below(random, 4) == 0;
    for (enum member m = 0; m < MEMBERS; m++) {
        problem.option[m] = (double)NAN;
        bool of_labels = m == MEMBER_focal_gamma && problem.has_targets;
        if (loss->options >> m & 1 && random_below(random, 2) && !of_labels)
            draw_option(&problem, random, m);
    }
    if (problem.has_divisor)
        problem.option[MEMBER_divisor] = random_within(random, 0.1, 100);
    for (size_t n = 0; n < problem.rows; n++) {
        problem.scene[n] = (enum scene)random_below(random, scenes);
        problem.labels[n] = random_below(random, 6)
                                ? (int64_t)random_below(random, problem.classes)
                                : -100;
        problem.sample_weights[n] =
            random_below(random, 6) ? random_within(random, 0, 3) : 0;
        draw_logits(&problem, random, n);
        draw_targets(&problem, random, n);
    }
    return problem;
}

/* ---- asking the engine ------------------------------------------------------------ */

static inline void score_problem(struct problem *problem, const char *outputs,
                                 struct made *made)
{
    static const char *const reductions[] = {"mean", "sum", "none"};
    struct shape shape = SHAPE(problem->rows, problem->classes);

    *made = make(&task_loss);
    make_text(made, "loss", problem->loss->name);
    make_text(made, "reduction", reductions[problem->reduction]);
    if (problem->dtype == DTYPE_FLOAT32) {
        make_text(made, "dtype", "float32");
        make_floats(made, "logits", shape, problem->narrow);
    } else {
        make_doubles(made, "logits", shape, problem->logits);
    }
    if (problem->has_targets)
        make_doubles(made, "targets", shape, problem->targets);
    else
        make_labels(made, SHAPE(problem->rows), problem->labels);
    if (problem->has_class_weights)
        make_doubles(made, "class_weights", SHAPE(problem->classes),
                     problem->class_weights);
    if (problem->has_pos_weight)
        make_doubles(made, "pos_weight", SHAPE(problem->classes), problem->pos_weight);
    if (problem->has_sample_weights)
        make_doubles(made, "sample_weights", SHAPE(problem->rows),
                     problem->sample_weights);
    for (enum member m = 0; m < MEMBERS; m++)
        if (!isnan(problem->option[m]))
            make_number(made, member_infos[m].name, problem->option[m]);
    make_return(made, outputs);
    assert_scores(made, NULL);
}

/* ---- what is right ----------------------------------------------------------------- */

static inline bool is_kept_row(const struct problem *problem, size_t row)
{
    return problem->has_targets || problem->labels[row] != -100;
}

static inline double row_weight(const struct problem *problem, size_t row)
{
    if (!is_kept_row(problem, row))
        return 0;
    return problem->has_sample_weights ? problem->sample_weights[row] : 1;
}

static inline struct reference_truth row_truth(const struct problem *problem, size_t row)
{
    struct reference_truth truth = {
        .label = problem->has_targets ? -1 : problem->labels[row],
        .targets =
            problem->has_targets ? problem->targets + row * problem->classes : NULL,
        .class_weights = problem->has_class_weights ? problem->class_weights : NULL,
        .pos_weight = problem->has_pos_weight ? problem->pos_weight : NULL,
    };

    for (enum member m = 0; m < MEMBERS; m++)
        truth.option[m] = option_or(problem, m);
    return truth;
}

/* Largest sum that the shares of a row can have: the scale of its loss. */
static inline double truth_scale(const struct problem *problem)
{
    double largest = problem->has_class_weights ? 0 : 1;

    for (size_t c = 0; problem->has_class_weights && c < problem->classes; c++)
        largest = fmax(largest, problem->class_weights[c]);
    return largest;
}

static inline long double tempered(const struct problem *problem, long double logit)
{
    long double cap = option_or(problem, MEMBER_softcap);
    long double temperature = option_or(problem, MEMBER_temperature);

    if (isnan(cap) || logit == -(long double)INFINITY)
        return logit / temperature;
    return cap * tanhl(logit / cap) / temperature;
}

/* The row's logits after softcap and temperature, rounded once to the dtype as the
 * engine does: the same numbers that softmax's log-probabilities are made of.  They
 * are asked of the engine, for they may differ in the last bit. */
static inline void row_logits(const struct problem *problem, size_t row,
                              long double out[ROW_MAX])
{
    const struct arithmetic *real = kernel_here()->in[problem->dtype];
    double cap = option_or(problem, MEMBER_softcap);
    double temperature = option_or(problem, MEMBER_temperature);
    size_t from = row * problem->classes;
    double room[ROW_MAX], wide[ROW_MAX];
    const void *logits = problem->dtype == DTYPE_FLOAT32
                             ? (const void *)(problem->narrow + from)
                             : (const void *)(problem->logits + from);

    real->temper(logits, problem->classes, cap, temperature, room);
    real->widen(room, problem->classes, wide);
    for (size_t c = 0; c < problem->classes; c++) {
        long double z = tempered(problem, (long double)problem->logits[from + c]);
        double rounding = problem->dtype == DTYPE_FLOAT32 ? 7e-8 : 1.12e-16;
        out[c] = (long double)wide[c];
        if (isfinite(z) && fabsl(z) > 1e-300L &&
            !(fabsl(z - out[c]) <= (long double)rounding * fabsl(z) + 0x1p-149L))
            fail_msg("%.20Lg is tempered to %.20Lg", z, out[c]);
    }
}

static inline double result_element(const struct problem *problem, const void *array,
                                    size_t i)
{
    return problem->dtype == DTYPE_FLOAT32 ? (double)((const float *)array)[i]
                                           : ((const double *)array)[i];
}

/* For messages: which problem it is. */
static inline const char *problem_words(const struct problem *problem, size_t row)
{
    static char text[512];

    snprintf(text, sizeof text,
             "%s, row %zu of %zu, %zu classes, scene %d, %s, reduction %d%s%s%s%s",
             problem->loss->name, row, problem->rows, problem->classes,
             (int)problem->scene[row],
             problem->dtype == DTYPE_FLOAT32 ? "float32" : "float64",
             (int)problem->reduction, problem->has_targets ? ", targets" : "",
             problem->has_class_weights ? ", class weights" : "",
             problem->has_pos_weight ? ", pos_weight" : "",
             problem->has_sample_weights ? ", sample weights" : "");
    for (enum member m = 0; m < MEMBERS; m++)
        if (!isnan(problem->option[m]) && strlen(text) < sizeof text - 64)
            sprintf(text + strlen(text), ", %s %g", member_infos[m].name,
                    problem->option[m]);
    return text;
}

#endif
