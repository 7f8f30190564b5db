/* Every loss with every option of it, and every further result, beside the plain
 * default loss of the same batch in the same race.  Nothing is named here: a new row
 * of the tables of losses and members is a new row of these. */
#ifndef LOSSD_BENCH_VARIANTS_H
#define LOSSD_BENCH_VARIANTS_H

#include "../timing.h"
#include "scene.h"

/* A work of the same shape as the default loss should not take longer than this. */
#define VARIANT_LIMIT 1.5

enum { VARIANTS_MAX = 64 };

/* Alone, and with the gradient. */
struct variant {
    char name[64];
    struct work work[2];
    struct scored scored[2];
    struct engine_run run[2];
};

struct variants {
    size_t count;
    struct variant at[VARIANTS_MAX];
    struct contender contenders[2 * VARIANTS_MAX];
};

static inline void add_variant(struct variants *variants, const struct loss *loss,
                               bool has_targets, enum member option, const char *further)
{
    struct variant *variant = &variants->at[variants->count++];

    if (variants->count > VARIANTS_MAX) {
        fprintf(stderr, "bench_engine: more than %d variants\n", VARIANTS_MAX);
        exit(1);
    }
    snprintf(variant->name, sizeof variant->name, "%s%s%s%s%s", loss->name,
             has_targets ? ", targets" : "", option < MEMBERS ? ", " : "",
             option < MEMBERS ? member_infos[option].name : "", further ? ", + " : "");
    if (further)
        snprintf(variant->name + strlen(variant->name),
                 sizeof variant->name - strlen(variant->name), "%s", further);
    for (int i = 0; i < 2; i++) {
        variant->work[i] = (struct work){loss, has_targets, option, {"loss"}};
        if (i == 1)
            variant->work[i].outputs[1] = "gradient";
        variant->work[i].outputs[1 + i] = further;
    }
}

static inline void list_variants(struct variants *variants)
{
    variants->count = 0;
    for (size_t i = 0; i < loss_count; i++) {
        const struct loss *loss = loss_table[i];
        bool takes_labels = loss->truths & TRUTH_LABELS;
        add_variant(variants, loss, !takes_labels, MEMBERS, NULL);
        for (enum member m = 0; m < MEMBERS; m++)
            if (loss->options >> m & 1)
                add_variant(variants, loss, !takes_labels, m, NULL);
        if (takes_labels && loss->truths & TRUTH_TARGETS)
            add_variant(variants, loss, true, MEMBERS, NULL);
    }
    for (enum output o = OUTPUT_PREDICTIONS; o < OUTPUTS; o++)
        if (task_loss.outputs >> o & 1)
            add_variant(variants, loss_table[0], false, MEMBERS, output_names[o]);
}

static inline void print_variant(const struct variants *variants, size_t at, double count)
{
    printf("  %-38s", variants->at[at].name);
    for (size_t i = 0; i < 2; i++) {
        double ns = variants->contenders[2 * at + i].least;
        double ratio = ns / variants->contenders[i].least;
        printf(" %8.3f %6.2fx %-4s", ns / count, ratio,
               ratio > VARIANT_LIMIT ? "over" : "");
    }
    printf("\n");
}

static inline void bench_variants(enum dtype dtype, size_t rows, size_t classes,
                                  struct race limits)
{
    static struct variants variants;
    struct scene scene;

    scene_init(&scene, dtype, rows, classes);
    list_variants(&variants);
    for (size_t v = 0; v < variants.count; v++)
        for (size_t i = 0; i < 2; i++) {
            struct variant *variant = &variants.at[v];
            scene_prepare(&scene, &variant->work[i], 1, &variant->scored[i]);
            variant->run[i] = (struct engine_run){&variant->scored[i], NULL};
            variants.contenders[2 * v + i] =
                (struct contender){.run = run_engine, .ctx = &variant->run[i]};
        }
    unsigned rounds = race(variants.contenders, 2 * variants.count, limits);
    printf("\n%zux%zu %s, %u rounds\n", rows, classes,
           dtype == DTYPE_FLOAT32 ? "float32" : "float64", rounds);
    for (size_t v = 0; v < variants.count; v++)
        print_variant(&variants, v, (double)scene.count);
    fflush(stdout);
    scene_release(&scene);
}

static inline void bench_all_variants(void)
{
    static const struct race limits = {0.8, 9, 41};

    printf("\nlosses, options and results, 1 thread: ns per logit for the loss, and for "
           "loss and\ngradient; times as long as the plain %s, \"over\" beyond %.1f "
           "(what reads targets, or\ntakes a tanh of each logit, is not the same work)\n",
           loss_table[0]->name, VARIANT_LIMIT);
    for (enum dtype dtype = DTYPE_FLOAT64; dtype <= DTYPE_FLOAT32; dtype++)
        for (size_t classes = 10; classes <= 1000; classes *= 100)
            bench_variants(dtype, 1024, classes, limits);
}

#endif
