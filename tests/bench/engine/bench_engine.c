/* The engine: nanoseconds per logit of each operation, on one thread and on all of
 * the machine's, beside two things that make a number mean something: the plain loop
 * over the C library's exp() and log(), and the speed of the memory itself.
 *
 *     bench_engine            the tables
 *     bench_engine --step     one measurement for each line of standard input,
 *                             "OPERATION DTYPE ROWS CLASSES": how peers.py puts
 *                             other libraries into the same race
 *
 *     bench_engine --losses   every loss, option and result, beside the plain one
 *     bench_engine --kernels  those that run here, the fastest last
 *
 * LOSSD_KERNEL=avx2 measures another of the kernels. */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../timing.h"
#include "engine/kernel/kernel.h"
#include "memory.h"
#include "scene.h"
#include "variants.h"

enum operation { SOFTMAX, LOSS, LOSS_GRADIENT, LOG_SOFTMAX, OPERATIONS };

static const char *const operation_names[OPERATIONS] = {"softmax", "loss",
                                                        "loss+gradient", "log-softmax"};

#define REAL double
#define EXP exp
#define LOG log
#define YARDSTICK(name) plain_##name##_double
#include "yardstick.h"
#undef REAL
#undef EXP
#undef LOG
#undef YARDSTICK
#define REAL float
#define EXP expf
#define LOG logf
#define YARDSTICK(name) plain_##name##_float
#include "yardstick.h"

static const struct shape_case {
    size_t rows, classes;
    struct race race;
} shape_cases[] = {
    {64, 10, {0.6, 15, 41}},    {1024, 10, {0.8, 15, 41}},  {1024, 1000, {2.2, 9, 41}},
    {256, 32000, {3.4, 5, 41}}, {64, 128256, {3.4, 5, 41}},
};

static double sink; /* keeps the yardstick's work from being dropped */

static struct work work_of(enum operation operation)
{
    struct work works[OPERATIONS] = {
        [SOFTMAX] = {.outputs = {"probabilities"}},
        [LOSS] = {.loss = loss_table[0], .outputs = {"loss"}},
        [LOSS_GRADIENT] = {.loss = loss_table[0], .outputs = {"loss", "gradient"}},
        [LOG_SOFTMAX] = {.outputs = {"log_probabilities"}},
    };

    works[operation].option = MEMBERS;
    return works[operation];
}

struct plain_run {
    struct scene *scene;
    enum operation operation;
};

static void run_plain(void *ctx)
{
    struct plain_run *run = ctx;
    struct scene *s = run->scene;

    if (s->dtype == DTYPE_FLOAT32)
        sink += plain_run_float(run->operation, s->logits, s->labels, s->rows, s->classes,
                                s->out);
    else
        sink += plain_run_double(run->operation, s->logits, s->labels, s->rows,
                                 s->classes, s->out);
}

/* ---- the race of one batch --------------------------------------------------- */

/* Who runs: the yardstick once for each operation; the engine and the memory with one
 * thread and with all.  Places in stage.at: */
enum width { ONE, ALL, WIDTHS };
enum {
    PLAIN,                               /* + operation */
    ENGINE = PLAIN + OPERATIONS,         /* + width * OPERATIONS + operation */
    READ = ENGINE + WIDTHS * OPERATIONS, /* + width */
    COPY = READ + WIDTHS,
    CONTENDERS = COPY + WIDTHS
};

struct stage {
    struct scored scored[OPERATIONS];
    struct plain_run plain[OPERATIONS];
    struct engine_run engine[WIDTHS][OPERATIONS];
    struct memory_pass read[WIDTHS], copy[WIDTHS];
    struct contender at[CONTENDERS];
};

static struct contender *engine_at(struct stage *stage, enum width width,
                                   enum operation operation)
{
    return &stage->at[(size_t)ENGINE + width * (size_t)OPERATIONS + operation];
}

static void set_stage(struct stage *stage, struct scene *scene, struct pool *pool)
{
    size_t bytes = scene->count * scene->size;

    for (enum operation o = 0; o < OPERATIONS; o++) {
        struct work work = work_of(o);
        scene_prepare(scene, &work, pool_width(pool), &stage->scored[o]);
        stage->plain[o] = (struct plain_run){scene, o};
        stage->at[PLAIN + o] =
            (struct contender){.run = run_plain, .ctx = &stage->plain[o]};
    }
    for (enum width w = 0; w < WIDTHS; w++) {
        struct pool *threads = w == ALL ? pool : NULL;
        for (enum operation o = 0; o < OPERATIONS; o++) {
            stage->engine[w][o] = (struct engine_run){&stage->scored[o], threads};
            *engine_at(stage, w, o) =
                (struct contender){.run = run_engine, .ctx = &stage->engine[w][o]};
        }
        stage->read[w] = (struct memory_pass){scene->logits, NULL, bytes, threads};
        stage->copy[w] = (struct memory_pass){scene->logits, scene->out, bytes, threads};
        stage->at[READ + w] =
            (struct contender){.run = memory_run, .ctx = &stage->read[w]};
        stage->at[COPY + w] =
            (struct contender){.run = memory_run, .ctx = &stage->copy[w]};
    }
}

/* An operation that only returns a loss has to read; the others write as much. */
static const struct contender *limit_of(const struct stage *stage, enum width width,
                                        enum operation operation)
{
    return &stage->at[operation == LOSS ? READ + width : COPY + width];
}

static void print_operation(struct stage *stage, enum operation o, double count)
{
    struct contender *one = engine_at(stage, ONE, o), *all = engine_at(stage, ALL, o);
    struct contender *plain = &stage->at[PLAIN + o];

    printf("  %-14s %8.3f %8.3f   %6.2fx %7.1f%%  %8.3f   %5.2fx %7.1f%%  %8.3f\n",
           operation_names[o], one->least / count, median(one) / count,
           plain->least / one->least, 100 * limit_of(stage, ONE, o)->least / one->least,
           all->least / count, one->least / all->least,
           100 * limit_of(stage, ALL, o)->least / all->least, plain->least / count);
}

static void print_limit(const char *name, struct contender at[WIDTHS], size_t bytes,
                        double count)
{
    printf(
        "  %-14s %8.3f %8.3f   %7s %8s  %8.3f   %5.2fx          (%.1f and %.1f GB/s)\n",
        name, at[ONE].least / count, median(&at[ONE]) / count, "", "",
        at[ALL].least / count, at[ONE].least / at[ALL].least,
        (double)bytes / at[ONE].least, (double)bytes / at[ALL].least);
}

static void bench(const struct shape_case *shape, enum dtype dtype, struct pool *pool)
{
    struct scene scene;
    struct stage stage;

    scene_init(&scene, dtype, shape->rows, shape->classes);
    set_stage(&stage, &scene, pool);
    unsigned rounds = race(stage.at, CONTENDERS, shape->race);
    double count = (double)scene.count;
    size_t bytes = scene.count * scene.size;
    printf("\n%zux%zu %s, %.1f MB, %u rounds\n", scene.rows, scene.classes,
           dtype == DTYPE_FLOAT32 ? "float32" : "float64", (double)bytes / 1e6, rounds);
    for (enum operation o = 0; o < OPERATIONS; o++)
        print_operation(&stage, o, count);
    print_limit("memory: read", &stage.at[READ], bytes, count);
    print_limit("memory: copy", &stage.at[COPY], bytes, count);
    fflush(stdout);
    scene_release(&scene);
}

/* ---- from memory ----------------------------------------------------------------- */

/* The loss alone of a batch that no cache holds has only to read it. */
static void bench_from_memory(enum dtype dtype, size_t rows, struct pool *pool)
{
    static const struct race limits = {1.5, 7, 41};
    enum { LOSS_AT, READ_AT, ROLES };
    struct scene scene;
    struct scored scored;
    struct work work = work_of(LOSS);
    struct engine_run run[WIDTHS];
    struct memory_pass read[WIDTHS];
    struct contender at[ROLES * WIDTHS];

    scene_init(&scene, dtype, rows, 32000);
    scene_prepare(&scene, &work, pool_width(pool), &scored);
    size_t bytes = scene.count * scene.size;
    for (enum width w = 0; w < WIDTHS; w++) {
        run[w] = (struct engine_run){&scored, w == ALL ? pool : NULL};
        read[w] = (struct memory_pass){scene.logits, NULL, bytes, w == ALL ? pool : NULL};
        at[ROLES * w + LOSS_AT] = (struct contender){.run = run_engine, .ctx = &run[w]};
        at[ROLES * w + READ_AT] = (struct contender){.run = memory_run, .ctx = &read[w]};
    }
    race(at, ROLES * WIDTHS, limits);
    printf("  %zux%zu %s, %.0f MB", scene.rows, scene.classes,
           dtype == DTYPE_FLOAT32 ? "float32" : "float64", (double)bytes / 1e6);
    for (enum width w = 0; w < WIDTHS; w++) {
        const struct contender *pair = at + (size_t)ROLES * w;
        double share = pair[READ_AT].least / pair[LOSS_AT].least;
        printf(";  %zu: %.1f of %.1f GB/s, %.0f%%", pool_width(run[w].pool),
               (double)bytes / pair[LOSS_AT].least, (double)bytes / pair[READ_AT].least,
               100 * share);
        if (w == ALL)
            printf(", 85%% wanted: %s", share >= 0.85 ? "met" : "missed");
    }
    printf("\n");
    fflush(stdout);
    scene_release(&scene);
}

/* ---- everything ------------------------------------------------------------------ */

static int bench_all(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct pool *pool = cores > 1 ? pool_new((size_t)cores - 1, 0) : NULL;

    printf("kernel %s\n", kernel_here()->name);
    printf("ns per logit; 1 thread: least and median, times as fast as plain libm, share "
           "of the\nmemory's speed (read for loss, copy for the rest); %zu threads: "
           "least, times as fast\nas 1, share of the memory's speed; libm: its ns\n",
           pool_width(pool));
    printf("  %-14s %8s %8s   %7s %8s  %8s   %6s %8s  %8s\n", "", "least", "median",
           "vs libm", "of limit", "threads", "vs 1", "of limit", "libm");
    for (enum dtype dtype = DTYPE_FLOAT64; dtype <= DTYPE_FLOAT32; dtype++)
        for (size_t i = 0; i < sizeof shape_cases / sizeof shape_cases[0]; i++)
            bench(&shape_cases[i], dtype, pool);
    printf("\nloss from memory: threads: share of the speed at which they read\n");
    bench_from_memory(DTYPE_FLOAT64, 1024, pool);
    bench_from_memory(DTYPE_FLOAT32, 2048, pool);
    pool_free(pool);
    bench_all_variants();
    return sink == 0.5; /* never; the compiler does not know */
}

/* ---- one measurement at a time ----------------------------------------------- */

/* The operations, and the losses of targets. */
enum { STEPS = OPERATIONS + 4 };

static const struct loss *find_loss(const char *name)
{
    const struct loss *const *loss = loss_table;

    while (strcmp((*loss)->name, name) != 0)
        loss++;
    return *loss;
}

static const char *step_work(size_t step, struct work *work)
{
    static const struct {
        const char *name, *loss, *gradient;
    } of_targets[] = {{"targets", "cross_entropy", NULL},
                      {"targets+gradient", "cross_entropy", "gradient"},
                      {"kl_div", "kl_div", NULL},
                      {"kl_div+gradient", "kl_div", "gradient"}};

    if (step < OPERATIONS) {
        *work = work_of((enum operation)step);
        return operation_names[step];
    }
    step -= OPERATIONS;
    *work = (struct work){.loss = find_loss(of_targets[step].loss),
                          .has_targets = true,
                          .option = MEMBERS,
                          .outputs = {"loss", of_targets[step].gradient}};
    return of_targets[step].name;
}

static bool find_step(const char *name, size_t *step)
{
    struct work work;

    for (*step = 0; *step < STEPS; ++*step)
        if (strcmp(name, step_work(*step, &work)) == 0)
            return true;
    return false;
}

/* "loss float32 1024 10" on each line; its batch is kept for the next line. */
static int serve_steps(void)
{
    char name[32], type[32], line[128];
    size_t rows, classes, step;
    struct scene scene = {0};
    struct scored scored[STEPS];
    bool is_ready[STEPS] = {false};
    struct work work;

    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%31s %31s %zu %zu", name, type, &rows, &classes) != 4 ||
            !find_step(name, &step) || rows == 0 || classes == 0) {
            fprintf(stderr, "bench_engine: not a step: %s", line);
            return 2;
        }
        enum dtype dtype = strcmp(type, "float32") == 0 ? DTYPE_FLOAT32 : DTYPE_FLOAT64;
        if (scene.rows != rows || scene.classes != classes || scene.dtype != dtype) {
            scene_release(&scene);
            scene_init(&scene, dtype, rows, classes);
            memset(is_ready, 0, sizeof is_ready);
        }
        step_work(step, &work);
        if (!is_ready[step])
            scene_prepare(&scene, &work, 1, &scored[step]);
        is_ready[step] = true;
        struct engine_run run = {&scored[step], NULL};
        struct contender c = {.run = run_engine, .ctx = &run};
        warm_up(&c);
        take_sample(&c, 1);
        printf("%.6f\n", c.least / (double)scene.count);
        fflush(stdout);
    }
    scene_release(&scene);
    return 0;
}

static int list_kernels(void)
{
    const struct kernel *kernels[4];
    size_t count = kernels_here(kernels);

    for (size_t i = 0; i < count; i++)
        printf("%s\n", kernels[i]->name);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--kernels") == 0)
        return list_kernels();
    if (argc == 2 && strcmp(argv[1], "--step") == 0)
        return serve_steps();
    if (argc == 2 && strcmp(argv[1], "--losses") == 0) {
        bench_all_variants();
        return 0;
    }
    if (argc > 1) {
        fprintf(stderr, "usage: bench_engine [--step | --losses | --kernels]\n");
        return 2;
    }
    return bench_all();
}
