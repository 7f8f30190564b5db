#include "lossd/engine/merge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/kernel/confidences.h"
#include "engine/merge_check.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/place.h"

/* ---- is it a state? ------------------------------------------------------------ */

static bool fail_sum(const char *name, int64_t sum, size_t count, struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    return fail(err, ERR_CONFLICTING_MEMBERS, pointer,
                "%s sums to %" PRId64 ", but count is %zu", name, sum, count);
}

static bool fail_more(const char *name, size_t at, const char *than, struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s/%zu", name, at);
    return fail(err, ERR_CONFLICTING_MEMBERS, pointer, "%s[%zu] is more than %s[%zu]",
                name, at, than, at);
}

/* What is right is told of bins and of classes. */
static bool check_bins(const struct state *state, int64_t *correct, struct err *err)
{
    const struct summary *summary = &state->summary;
    int64_t count = 0;

    *correct = 0;

    for (size_t i = 0; i < summary->bin_count; i++) {
        const struct bin *bin = &summary->bins[i];
        if (bin->tally.rows[1] > bin->tally.rows[0])
            return fail_more("bin_correct", i, "bin_count", err);
        if (bin->confidence > (confidence_sum)bin->tally.rows[0] << CONFIDENCE_BITS)
            return fail_more("bin_confidence", i, "bin_count", err);
        count += bin->tally.rows[0];
        *correct += bin->tally.rows[1];
    }
    if (count != (int64_t)state->count)
        return fail_sum("bin_count", count, state->count, err);
    return summary->top5 <= count ||
           fail(err, ERR_CONFLICTING_MEMBERS, "/top5",
                "top5 is %" PRId64 ", but count is %zu", summary->top5, state->count);
}

static bool fail_correct(int64_t of_bins, int64_t of_classes, struct err *err)
{
    return fail(err, ERR_CONFLICTING_MEMBERS, "/class_correct",
                "class_correct sums to %" PRId64 ", but bin_correct to %" PRId64,
                of_classes, of_bins);
}

static bool check_classes(const struct state *state, size_t classes, int64_t of_bins,
                          struct err *err)
{
    int64_t support = 0, predicted = 0, correct = 0;

    for (size_t c = 0; c < classes; c++) {
        if (state->correct[c] > state->support[c])
            return fail_more("class_correct", c, "class_support", err);
        if (state->correct[c] > state->predicted[c])
            return fail_more("class_correct", c, "class_predicted", err);
        support += state->support[c];
        predicted += state->predicted[c];
        correct += state->correct[c];
    }
    if (support != (int64_t)state->count)
        return fail_sum("class_support", support, state->count, err);
    if (predicted != (int64_t)state->count)
        return fail_sum("class_predicted", predicted, state->count, err);
    return correct == of_bins || fail_correct(of_bins, correct, err);
}

/* Of what is finite and not negative. */
static bool check_sum(const char *name, const struct exact_sum *sum, const char *of,
                      struct err *err)
{
    uint32_t limbs[EXACT_SUM_LIMBS];
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    return (sum->beyond == 0 && !exact_sum_limbs(sum, limbs)) ||
           fail(err, ERR_INVALID_OPTION, pointer,
                "%s is no sum of %s, which are finite and not negative", name, of);
}

/* An nll may be infinite, of a class that is masked. */
static bool check_nll(const struct exact_sum *nll, struct err *err)
{
    uint32_t limbs[EXACT_SUM_LIMBS];

    return (!(nll->beyond < 0) && !exact_sum_limbs(nll, limbs)) ||
           fail(err, ERR_INVALID_OPTION, "/nll",
                "nll is no sum of -log p, which are not negative");
}

static bool check_metrics(const struct state *state, size_t classes, struct err *err)
{
    const struct summary *summary = &state->summary;
    int64_t correct;

    return check_bins(state, &correct, err) && check_nll(&summary->nll, err) &&
           check_sum("brier", &summary->brier, "squares", err) &&
           check_sum("entropy", &summary->entropy, "entropies", err) &&
           check_classes(state, classes, correct, err);
}

static bool check_state(const struct state *state, size_t classes, struct err *err)
{
    if (state->is_weighted && !check_sum("weights", &state->weights, "weights", err))
        return false;
    return !state->summary.bins || check_metrics(state, classes, err);
}

/* ---- is it a part of this? ------------------------------------------------------- */

static const void *field_of(const struct batch *batch, enum member member)
{
    return (const char *)batch + member_infos[member].offset;
}

/* The first element that the arrays do not have in common; as many as there are when there
 * is none. */
static size_t first_other(const struct array *a, const struct array *b)
{
    const double *of_a = a->data, *of_b = b->data;
    size_t i = 0;

    while (i < a->count && of_a[i] == of_b[i])
        i++;
    return i;
}

static bool has_same(const struct batch *a, const struct batch *b, enum member member)
{
    const struct member_info *info = &member_infos[member];
    const void *of_a = field_of(a, member), *of_b = field_of(b, member);

    if (info->type == MEMBER_ARRAY)
        return batch_has(a, member) == batch_has(b, member) &&
               first_other(of_a, of_b) == ((const struct array *)of_a)->count;
    if (info->type != MEMBER_NUMBER)
        return *(const int64_t *)of_a == *(const int64_t *)of_b;
    double x = *(const double *)of_a, y = *(const double *)of_b;
    return x == y || (x != x && y != y); /* both are not there */
}

static void option_words(const struct batch *batch, enum member member,
                         char out[PLACE_SIZE])
{
    const struct member_info *info = &member_infos[member];
    const void *field = field_of(batch, member);

    if (info->type == MEMBER_NUMBER && isnan(*(const double *)field))
        snprintf(out, PLACE_SIZE, "not given");
    else if (info->type == MEMBER_NUMBER)
        number_words(out, *(const double *)field);
    else if (info->type == MEMBER_CHOICE)
        snprintf(out, PLACE_SIZE, "%s", info->choices[*(const int64_t *)field]);
    else
        snprintf(out, PLACE_SIZE, "%" PRId64, *(const int64_t *)field);
}

static bool fail_other(const struct batch *whole, const struct batch *part,
                       enum member member, struct err *err)
{
    char pointer[PLACE_SIZE], here[PLACE_SIZE], there[PLACE_SIZE];
    const char *name = member_infos[member].name;

    snprintf(pointer, sizeof pointer, "/%s", name);
    option_words(part, member, here);
    option_words(whole, member, there);
    return fail(err, ERR_CONFLICTING_MEMBERS, pointer,
                "%s is %s, but %s in the first state: they are of different datasets",
                name, here, there);
}

static bool fail_other_array(const struct batch *whole, const struct batch *part,
                             enum member member, struct err *err)
{
    const struct array *here = field_of(part, member), *there = field_of(whole, member);
    const char *name = member_infos[member].name;
    char pointer[PLACE_SIZE], found[PLACE_SIZE], first[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    if (!there->data)
        return fail(err, ERR_CONFLICTING_MEMBERS, pointer,
                    "it has %s, which the first state has not", name);
    if (!here->data)
        return fail(err, ERR_CONFLICTING_MEMBERS, "",
                    "it has no %s, which the first state has", name);
    size_t at = first_other(here, there);
    snprintf(pointer, sizeof pointer, "/%s/%zu", name, at);
    number_words(found, ((const double *)here->data)[at]);
    number_words(first, ((const double *)there->data)[at]);
    return fail(err, ERR_CONFLICTING_MEMBERS, pointer,
                "%s[%zu] is %s, but %s in the first state: they are of different losses",
                name, at, found, first);
}

static bool fail_penalty(double found, double wanted, struct err *err)
{
    char words[PLACE_SIZE], first[PLACE_SIZE];

    number_words(words, found);
    number_words(first, wanted);
    return fail(
        err, ERR_CONFLICTING_MEMBERS, "/l2_penalty",
        "l2_penalty is %s, but %s in the first state: they are of different models",
        words, first);
}

static bool is_part(const struct batch *whole, const struct batch *part,
                    const struct state *state, struct err *err)
{
    if (part->classes != whole->classes)
        return fail(err, ERR_CONFLICTING_MEMBERS, "/classes",
                    "classes is %zu, but %zu in the first state: they are of different "
                    "datasets",
                    part->classes, whole->classes);
    for (enum member m = 0; m < MEMBERS; m++)
        if (part->task->members >> m & 1 && !has_same(whole, part, m))
            return member_infos[m].type == MEMBER_ARRAY
                       ? fail_other_array(whole, part, m, err)
                       : fail_other(whole, part, m, err);
    if (state->l2_penalty != whole->state->l2_penalty)
        return fail_penalty(state->l2_penalty, whole->state->l2_penalty, err);
    return true;
}

/* ---- adding ---------------------------------------------------------------------- */

static void take_options(struct batch *whole, const struct batch *part)
{
    for (enum member m = 0; m < MEMBERS; m++)
        if (part->task->members >> m & 1)
            memcpy((char *)whole + member_infos[m].offset, field_of(part, m),
                   member_infos[m].type == MEMBER_ARRAY ? sizeof(struct array)
                                                        : sizeof(double));
    whole->given |= part->given & part->task->members;
    whole->loss = part->loss;
    whole->classes = part->classes;
}

static bool begin_whole(struct batch *whole, const struct batch *part,
                        const struct state *state, struct arena *mem, struct err *err)
{
    size_t bins = state->summary.bin_count, classes = state->support ? part->classes : 0;
    struct state *sums = arena_alloc(mem, 1, sizeof *sums, err);

    if (!sums || !state_init(sums, bins, classes, mem, err))
        return false;
    sums->l2_penalty = state->l2_penalty;
    take_options(whole, part);
    whole->state = sums;
    return true;
}

static bool check_room(const char *name, size_t have, size_t more, struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    return have + more <= POSITIONS_MAX ||
           fail(err, ERR_INVALID_OPTION, pointer,
                "%s is %zu, and %zu before; together at most %" PRId64 " positions are "
                "allowed",
                name, more, have, POSITIONS_MAX);
}

bool merge_add(struct batch *whole, const struct batch *part, struct state *state,
               struct arena *mem, struct err *err)
{
    if (!check_state(state, part->classes, err))
        return false;
    if (!whole->state && !begin_whole(whole, part, state, mem, err))
        return false;
    if (!is_part(whole, part, state, err))
        return false;
    if (!check_room("count", whole->state->count, state->count, err) ||
        !check_room("ignored", whole->state->ignored, state->ignored, err))
        return false;
    state_merge(whole->state, state, part->classes);
    return true;
}

/* ---- is there an answer? ----------------------------------------------------------- */

bool merge_check(struct batch *whole, struct err *err)
{
    const uint32_t metrics = UINT32_C(1) << OUTPUT_METRICS;

    if (err->kind != ERR_NONE)
        return false;
    if (whole->classes == 0)
        return fail(err, ERR_EMPTY_BATCH, NULL, "there is no %s; at least one is wanted",
                    whole->task == &task_merge ? "state" : "record");
    if (whole->bad_option.kind != ERR_NONE) {
        *err = whole->bad_option;
        return false;
    }
    if (!whole->loss->is_elementwise)
        return true;
    if (!batch_has(whole, MEMBER_return))
        whole->outputs &= ~metrics;
    for (enum output o = OUTPUT_METRICS; o < OUTPUT_STATE; o++)
        if (batch_wants(whole, o))
            return fail(err, ERR_INVALID_OPTION, "/return",
                        "return has %s, which needs one class to be true; the loss %s "
                        "has many",
                        output_names[o], whole->loss->name);
    return true;
}
