#include "lossd/engine/state.h"

static bool count_from_zero(struct state *state, size_t classes, struct arena *mem,
                            struct err *err)
{
    int64_t *counts = arena_zalloc(mem, classes, 3 * sizeof *counts, err);

    if (!counts)
        return false;
    state->support = counts;
    state->predicted = counts + classes;
    state->correct = counts + 2 * classes;
    return true;
}

bool state_init(struct state *state, size_t bins, size_t classes, struct arena *mem,
                struct err *err)
{
    *state = (struct state){0};
    if (bins > 0) {
        struct bin *room = arena_alloc(mem, bins, sizeof *room, err);
        if (!room)
            return false;
        summary_init(&state->summary, room, bins);
    }
    return classes == 0 || count_from_zero(state, classes, mem, err);
}

/* Positions without weights weigh 1. */
static void weigh(struct state *state)
{
    if (!state->is_weighted)
        exact_sum_add(&state->weights, (double)state->count);
    state->is_weighted = true;
}

static void merge_weights(struct state *state, struct state *other)
{
    if (!state->is_weighted && !other->is_weighted)
        return;
    weigh(state);
    weigh(other);
    exact_sum_merge(&state->weights, &other->weights);
}

void state_merge(struct state *state, struct state *other, size_t classes)
{
    merge_weights(state, other); /* which look at the counts */
    state->count += other->count;
    state->ignored += other->ignored;
    state->look.has_other |= other->look.has_other;
    state->look.has_fraction |= other->look.has_fraction;
    exact_sum_merge(&state->losses, &other->losses);
    exact_sum_merge(&state->penalties, &other->penalties);
    if (state->summary.bins)
        summary_merge(&state->summary, &other->summary);
    for (size_t c = 0; state->support && other->support && c < classes; c++) {
        state->support[c] += other->support[c];
        state->predicted[c] += other->predicted[c];
        state->correct[c] += other->correct[c];
    }
}
