/* The products of a linear model beside OpenBLAS, when it is there: it is looked for
 * while running, so nothing has to be installed to build.
 *
 * It multiplies floats as floats, and fused, where the engine has doubles throughout
 * and one order of additions; twice its time is what that costs by itself.  Which
 * processor it takes this one for is printed: versions that are older than the
 * processor take an older one, and OPENBLAS_CORETYPE=SkylakeX names another. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../noise.h"
#include "../timing.h"
#include "engine/kernel/kernel.h"
#include "engine/linear.h"
#include "lossd/base/arena.h"

static const struct shape_case {
    size_t rows, depth, classes;
    struct race race;
} shape_cases[] = {
    {1024, 512, 1000, {1.5, 9, 41}},
    {64, 768, 8192, {1.5, 9, 41}},
    {1024, 64, 10, {0.3, 9, 41}},
};

enum { LIMIT = 3 }; /* times as long as OpenBLAS, of the first case's float32 logits */

/* ---- OpenBLAS ---------------------------------------------------------------------- */

enum { ROW_MAJOR = 101, AS_IT_IS = 111, TRANSPOSED = 112 };

struct blas {
    void (*sgemm)(int, int, int, int, int, int, float, const float *, int, const float *,
                  int, float, float *, int);
    void (*dgemm)(int, int, int, int, int, int, double, const double *, int,
                  const double *, int, double, double *, int);
    char *(*core)(void);
};

static bool find(void *library, const char *name, void *function)
{
    void *found = library ? dlsym(library, name) : NULL;

    memcpy(function, &found, sizeof found);
    return found;
}

static bool find_blas(struct blas *blas)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *library = dlopen("libopenblas.so.0", RTLD_NOW);

    return find(library, "cblas_sgemm", &blas->sgemm) &&
           find(library, "cblas_dgemm", &blas->dgemm) &&
           find(library, "openblas_get_corename", &blas->core);
}

/* ---- a model ------------------------------------------------------------------------ */

struct model {
    struct batch batch;
    struct result result;
    struct arena mem;
    enum dtype dtype;
    int rows, depth, classes;
    void *features, *W, *gradient, *out; /* OpenBLAS's, in the dtype */
};

static void *room(struct model *model, size_t count, size_t size)
{
    struct err err = {0};
    void *array = arena_alloc(&model->mem, count, size, &err);

    if (!array) {
        fprintf(stderr, "bench_matmul: %s\n", err.detail);
        exit(1);
    }
    return array;
}

static void *in_dtype(struct model *model, const double *from, size_t count)
{
    float *floats = room(model, count, sizeof *floats);

    for (size_t i = 0; i < count; i++)
        floats[i] = (float)from[i];
    return model->dtype == DTYPE_FLOAT32
               ? (void *)floats
               : memcpy(room(model, count, sizeof *from), from, count * sizeof *from);
}

static void give(struct model *model, const char *name, struct shape shape, void *data)
{
    enum member member;
    struct err err = {0};

    if (!batch_begin(&model->batch, span_of(name), false, NULL, &member, &err))
        exit(1);
    size_t count = 1;
    for (unsigned d = 0; d < shape.rank; d++)
        count *= shape.dim[d];
    *batch_array(&model->batch, member) = (struct array){
        .element = member == MEMBER_labels ? ELEMENT_INT64 : ELEMENT_FLOAT64,
        .shape = shape,
        .count = count,
        .data = data};
}

static double *draw(struct model *model, size_t count)
{
    struct noise noise = {count};
    double *array = room(model, count, sizeof *array);

    for (size_t i = 0; i < count; i++) {
        double value = noise_logit(&noise) / 16;
        /* so that both work on the same */
        array[i] = model->dtype == DTYPE_FLOAT32 ? (double)(float)value : value;
    }
    return array;
}

static void model_init(struct model *model, const struct shape_case *shape,
                       enum dtype dtype, size_t width)
{
    static const struct limits limits = {.max_elements = (size_t)1 << 40,
                                         .max_classes = (size_t)1 << 40};
    size_t rows = shape->rows, depth = shape->depth, classes = shape->classes;
    struct err err = {0};

    memset(model, 0, sizeof *model);
    arena_init(&model->mem, SIZE_MAX, "", NULL);
    batch_init(&model->batch, &task_loss, &limits);
    model->dtype = dtype;
    model->rows = (int)rows;
    model->depth = (int)depth;
    model->classes = (int)classes;
    double *features = draw(model, rows * depth), *W = draw(model, classes * depth);
    int64_t *labels = room(model, rows, sizeof *labels);
    memset(labels, 0, rows * sizeof *labels);
    give(model, "features", (struct shape){2, {rows, depth}}, features);
    give(model, "W", (struct shape){2, {classes, depth}}, W);
    give(model, "labels", (struct shape){1, {rows}}, labels);
    model->batch.dtype = dtype;
    model->batch.outputs =
        1u << OUTPUT_GRADIENT | 1u << OUTPUT_GRADIENT_FEATURES | 1u << OUTPUT_GRADIENT_W;
    if (!batch_check(&model->batch, &err) ||
        !result_init(&model->result, &model->batch, width, &model->mem, &err)) {
        fprintf(stderr, "bench_matmul: %s\n", err.detail);
        exit(1);
    }
    score(&model->batch, &model->result, NULL);
    model->features = in_dtype(model, features, rows * depth);
    model->W = in_dtype(model, W, classes * depth);
    model->gradient = model->result.gradient;
    size_t most = rows > classes ? rows : classes;
    model->out = room(model, most * (classes > depth ? classes : depth), sizeof(double));
}

/* ---- the race ------------------------------------------------------------------------ */

enum operation { LOGITS, GRADIENT_FEATURES, GRADIENT_W, OPERATIONS };

static const char *const operation_names[] = {"logits", "gradient_features",
                                              "gradient_W"};

struct run {
    struct model *model;
    enum operation operation;
    struct pool *pool;
    const struct blas *blas; /* NULL: the engine */
};

static void run_engine(const struct run *run)
{
    struct result result = run->model->result;

    if (run->operation == LOGITS) {
        linear_logits(&run->model->batch, &result, run->pool);
        return;
    }
    if (run->operation == GRADIENT_W)
        result.gradient_features = NULL;
    else
        result.gradient_W = NULL;
    linear_gradients(&run->model->batch, &result, run->pool);
}

static void multiply(const struct run *run, int a, int b, const int of[3],
                     const void *left, const void *right)
{
    int m = of[0], n = of[1], k = of[2];
    int down = a == AS_IT_IS ? k : m, across = b == AS_IT_IS ? n : k;

    if (run->model->dtype == DTYPE_FLOAT32)
        run->blas->sgemm(ROW_MAJOR, a, b, m, n, k, 1, left, down, right, across, 0,
                         run->model->out, n);
    else
        run->blas->dgemm(ROW_MAJOR, a, b, m, n, k, 1, left, down, right, across, 0,
                         run->model->out, n);
}

static void run_blas(const struct run *run)
{
    const struct model *m = run->model;

    if (run->operation == LOGITS)
        multiply(run, AS_IT_IS, TRANSPOSED, (int[]){m->rows, m->classes, m->depth},
                 m->features, m->W);
    else if (run->operation == GRADIENT_FEATURES)
        multiply(run, AS_IT_IS, AS_IT_IS, (int[]){m->rows, m->depth, m->classes},
                 m->gradient, m->W);
    else
        multiply(run, TRANSPOSED, AS_IT_IS, (int[]){m->classes, m->depth, m->rows},
                 m->gradient, m->features);
}

static void run_any(void *ctx)
{
    const struct run *run = ctx;

    if (run->blas)
        run_blas(run);
    else
        run_engine(run);
}

enum { ONE, ALL, BLAS, CONTENDERS };

static void bench(const struct shape_case *shape, enum dtype dtype, struct pool *pool,
                  const struct blas *blas)
{
    struct model model;

    model_init(&model, shape, dtype, pool_width(pool));
    for (enum operation o = 0; o < OPERATIONS; o++) {
        struct run runs[CONTENDERS] = {
            {&model, o, NULL, NULL}, {&model, o, pool, NULL}, {&model, o, NULL, blas}};
        struct contender at[CONTENDERS];
        for (size_t i = 0; i < CONTENDERS; i++)
            at[i] = (struct contender){.run = run_any, .ctx = &runs[i]};
        race(at, blas ? CONTENDERS : BLAS, shape->race);
        double flops =
            2.0 * (double)shape->rows * (double)shape->depth * (double)shape->classes;
        printf("  %-18s %8.3f %8.1f   %8.3f %5.2fx", operation_names[o],
               at[ONE].least / 1e6, flops / at[ONE].least, at[ALL].least / 1e6,
               at[ONE].least / at[ALL].least);
        if (blas)
            printf("   %8.3f %5.2fx", at[BLAS].least / 1e6,
                   at[ONE].least / at[BLAS].least);
        if (blas && o == LOGITS && dtype == DTYPE_FLOAT32 && shape == shape_cases)
            printf(" (limit %dx)", LIMIT);
        printf("\n");
        fflush(stdout);
    }
    arena_release(&model.mem);
}

int main(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct pool *pool = cores > 1 ? pool_new((size_t)cores - 1, 0) : NULL;
    struct blas blas;
    bool has_blas = find_blas(&blas);

    printf("products of a linear model, kernel %s\n", kernel_here()->name);
    if (has_blas)
        printf("OpenBLAS takes this processor for %s\n", blas.core());
    else
        printf("skipped: OpenBLAS: there is no libopenblas.so.0\n");
    printf(
        "1 thread: ms, GFLOP/s; %zu threads: ms, times as fast; OpenBLAS with 1 thread: "
        "ms,\nand how many times as long the engine takes\n",
        pool_width(pool));
    for (size_t i = 0; i < sizeof shape_cases / sizeof shape_cases[0]; i++)
        for (enum dtype dtype = DTYPE_FLOAT64; dtype <= DTYPE_FLOAT32; dtype++) {
            printf("\n%zux%zu . %zux%zu %s\n", shape_cases[i].rows, shape_cases[i].depth,
                   shape_cases[i].depth, shape_cases[i].classes,
                   dtype == DTYPE_FLOAT32 ? "float32" : "float64");
            bench(&shape_cases[i], dtype, pool, has_blas ? &blas : NULL);
        }
    pool_free(pool);
    return 0;
}
