#include "codec/json/json_sent.h"

#include <math.h>
#include <stdio.h>

#include "codec/json/json_state.h"
#include "lossd/engine/dyadic.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/place.h"

enum row_type { ROW_COUNT, ROW_NUMBER, ROW_SUM, ROW_COUNTS, ROW_TEXTS };

enum row_part { PART_ALWAYS, PART_WEIGHTS, PART_Z_LOSS, PART_L2, PART_METRICS };

struct row {
    const char *name;
    enum row_type type;
    size_t offset;
    enum row_part part;
};

#define ROW(name, type, part)                                       \
    {                                                               \
#name, ROW_##type, offsetof(struct sent, name), PART_##part \
    }

static const struct row rows[] = {
    ROW(version, COUNT, ALWAYS),
    ROW(classes, COUNT, ALWAYS),
    ROW(count, COUNT, ALWAYS),
    ROW(ignored, COUNT, ALWAYS),
    ROW(losses, SUM, ALWAYS),
    ROW(penalties, SUM, Z_LOSS),
    ROW(weights, SUM, WEIGHTS),
    ROW(l2_penalty, NUMBER, L2),
    ROW(nll, SUM, METRICS),
    ROW(brier, SUM, METRICS),
    ROW(entropy, SUM, METRICS),
    ROW(top5, COUNT, METRICS),
    ROW(bin_count, COUNTS, METRICS),
    ROW(bin_correct, COUNTS, METRICS),
    {"bin_confidence", ROW_TEXTS, 0, PART_METRICS},
    ROW(class_support, COUNTS, METRICS),
    ROW(class_predicted, COUNTS, METRICS),
    ROW(class_correct, COUNTS, METRICS),
};

_Static_assert(sizeof rows / sizeof rows[0] == SENT_ROWS, "a bit for each row");

static void *field_of(struct sent *sent, size_t row)
{
    return (char *)sent + rows[row].offset;
}

/* ---- members -------------------------------------------------------------------- */

void sent_init(struct sent *sent)
{
    *sent = (struct sent){.version = STATE_VERSION};
}

size_t sent_row(struct span name)
{
    size_t row = 0;

    while (row < SENT_ROWS && !span_is(name, rows[row].name))
        row++;
    return row;
}

const char *sent_name(size_t row)
{
    return rows[row].name;
}

bool sent_begin(struct sent *sent, size_t row, struct err *err)
{
    char pointer[PLACE_SIZE];

    if (sent->given >> row & 1) {
        snprintf(pointer, sizeof pointer, "/%s", rows[row].name);
        return fail(err, ERR_DUPLICATE_MEMBER, pointer, "%s is given twice",
                    rows[row].name);
    }
    sent->given |= UINT32_C(1) << row;
    return true;
}

struct array *sent_array(struct sent *sent, size_t row)
{
    return rows[row].type == ROW_COUNTS ? field_of(sent, row) : NULL;
}

/* What was found: a text is shown where one is wanted, and is a string elsewhere. */
static struct excerpt found_in(size_t row, const struct value *value)
{
    bool is_shown = value->type == VALUE_NUMBER ||
                    (value->type == VALUE_TEXT && rows[row].type == ROW_SUM);

    return excerpt_of(is_shown ? value->text : span_of(value->kind));
}

static bool fail_row(size_t row, const struct value *value, const char *wanted,
                     struct err *err)
{
    char pointer[PLACE_SIZE];
    const char *name = rows[row].name;

    snprintf(pointer, sizeof pointer, "/%s", name);
    return fail(err, ERR_WRONG_TYPE, pointer, "%s is %s; %s is wanted", name,
                found_in(row, value).text, wanted);
}

#define A_COUNT "an integer from 0 to 137438953472"
_Static_assert(POSITIONS_MAX == 137438953472, "what A_COUNT says");

static bool is_count(double value)
{
    return value >= 0 && value <= (double)POSITIONS_MAX && value == floor(value);
}

bool sent_set(struct sent *sent, size_t row, const struct value *value, struct err *err)
{
    void *field = field_of(sent, row);

    switch (rows[row].type) {
    case ROW_COUNT:
        if (value->type != VALUE_NUMBER || !is_count(value->number))
            return fail_row(row, value, A_COUNT, err);
        *(int64_t *)field = (int64_t)value->number;
        return true;
    case ROW_NUMBER:
        if (value->type != VALUE_NUMBER || !isfinite(value->number))
            return fail_row(row, value, "a finite number", err);
        *(double *)field = value->number;
        return true;
    case ROW_SUM:
        return (value->type == VALUE_TEXT && dyadic_read_sum(value->text, field)) ||
               fail_row(row, value, "an exact sum, like \"0x1f3p-1042\",", err);
    case ROW_TEXTS:
        if (value->type != VALUE_NAMES || value->no_name)
            return fail_row(row, value, "an array of exact sums", err);
        sent->bin_confidence = value->names;
        sent->bin_confidences = value->count;
        return true;
    case ROW_COUNTS:
        break;
    }
    return false;
}

/* ---- the state ------------------------------------------------------------------- */

static bool belongs(const struct batch *options, enum row_part part)
{
    switch (part) {
    case PART_Z_LOSS:
        return options->z_loss > 0;
    case PART_L2:
        return options->l2 > 0;
    case PART_METRICS:
        return !options->loss->is_elementwise;
    case PART_ALWAYS:
    case PART_WEIGHTS:
        break;
    }
    return true;
}

static bool check_version(const struct sent *sent, struct err *err)
{
    if (sent->version == STATE_VERSION)
        return true;
    *err = (struct err){0};
    return fail(err, ERR_INVALID_OPTION, "/version", "version is %lld; %d is wanted",
                (long long)sent->version, STATE_VERSION);
}

static bool fail_presence(size_t row, bool given, struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", rows[row].name);
    return given
               ? fail(err, ERR_CONFLICTING_MEMBERS, pointer,
                      "%s is given, but goes with none of the options", rows[row].name)
               : fail(err, ERR_MISSING_MEMBER, pointer, "%s is missing", rows[row].name);
}

bool sent_check(const struct sent *sent, const struct batch *part, struct err *err)
{
    if (err_by(err, PHASE_DUPLICATE) || !check_version(sent, err))
        return false;
    for (size_t row = 0; row < SENT_ROWS; row++) {
        bool given = sent->given >> row & 1;
        bool is_open =
            rows[row].part == PART_WEIGHTS || (rows[row].part != PART_ALWAYS && !part);
        if (!is_open && given != belongs(part, rows[row].part))
            fail_presence(row, given, err);
    }
    return err->kind == ERR_NONE;
}

static bool check_head(const struct sent *sent, const struct batch *part, struct err *err)
{
    const struct limits *limits = part->limits;

    if (sent->classes == 0)
        return fail(err, ERR_INVALID_OPTION, "/classes",
                    "classes is 0; at least one is wanted");
    if ((uint64_t)sent->classes > limits->max_classes)
        return fail_limit(err, ERR_TOO_LARGE, "/classes", limits->max_classes,
                          "--max-classes", "classes is %lld; at most %zu are allowed",
                          (long long)sent->classes, limits->max_classes);
    if (part->bad_option.kind != ERR_NONE) {
        *err = part->bad_option;
        return false;
    }
    return part->reduction != REDUCTION_NONE ||
           fail(
               err, ERR_INVALID_OPTION, "/reduction",
               "reduction is none; a state is of losses that are summed up, with mean or "
               "sum");
}

static bool check_length(const char *name, size_t count, unsigned rank, size_t wanted,
                         struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    return (rank == 1 && count == wanted) ||
           fail(err, ERR_SHAPE_MISMATCH, pointer,
                "%s has %zu element%s; a plain list of %zu is wanted", name, count,
                count == 1 ? "" : "s", wanted);
}

/* The counts of an array, `stride` bytes from one to the next. */
static bool take_counts(const char *name, const struct array *from, size_t count,
                        int64_t *to, size_t stride, struct err *err)
{
    const double *values = from->data;
    char pointer[PLACE_SIZE], found[PLACE_SIZE];

    if (!check_length(name, from->count, from->shape.rank, count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_count(values[i])) {
            snprintf(pointer, sizeof pointer, "/%s/%zu", name, i);
            number_words(found, values[i]);
            return fail(err, ERR_WRONG_TYPE, pointer,
                        "%s[%zu] is %s; " A_COUNT " is wanted", name, i, found);
        }
        *(int64_t *)(void *)((char *)to + i * stride) = (int64_t)values[i];
    }
    return true;
}

static bool take_confidences(const struct sent *sent, struct summary *summary,
                             struct err *err)
{
    char pointer[PLACE_SIZE];

    if (!check_length("bin_confidence", sent->bin_confidences, 1, summary->bin_count,
                      err))
        return false;
    for (size_t i = 0; i < summary->bin_count; i++) {
        struct span text = sent->bin_confidence[i];
        if (dyadic_read_confidences(text, &summary->bins[i].confidence))
            continue;
        snprintf(pointer, sizeof pointer, "/bin_confidence/%zu", i);
        return fail(err, ERR_WRONG_TYPE, pointer,
                    "bin_confidence[%zu] is %s; an exact sum, like \"0x1f3p-90\", is "
                    "wanted",
                    i, excerpt_of(text).text);
    }
    return true;
}

static bool take_metrics(const struct sent *sent, struct state *state, struct err *err)
{
    struct summary *summary = &state->summary;
    size_t bins = summary->bin_count, classes = (size_t)sent->classes;

    summary->count = sent->count;
    summary->top5 = sent->top5;
    summary->nll = sent->nll;
    summary->brier = sent->brier;
    summary->entropy = sent->entropy;
    return take_counts("bin_count", &sent->bin_count, bins, &summary->bins->tally.rows[0],
                       sizeof *summary->bins, err) &&
           take_counts("bin_correct", &sent->bin_correct, bins,
                       &summary->bins->tally.rows[1], sizeof *summary->bins, err) &&
           take_confidences(sent, summary, err) &&
           take_counts("class_support", &sent->class_support, classes, state->support,
                       sizeof *state->support, err) &&
           take_counts("class_predicted", &sent->class_predicted, classes,
                       state->predicted, sizeof *state->predicted, err) &&
           take_counts("class_correct", &sent->class_correct, classes, state->correct,
                       sizeof *state->correct, err);
}

/* An option that has a number for each class. */
static bool check_option(struct batch *part, enum member member, struct err *err)
{
    const struct array *array = batch_array(part, member);
    const char *name = member_infos[member].name;
    const double *values = array->data;
    char pointer[PLACE_SIZE], found[PLACE_SIZE];

    if (!check_length(name, array->count, array->shape.rank, part->classes, err))
        return false;
    for (size_t i = 0; i < array->count; i++) {
        if (isfinite(values[i]) && values[i] >= 0)
            continue;
        snprintf(pointer, sizeof pointer, "/%s/%zu", name, i);
        number_words(found, values[i]);
        return fail(err, ERR_INVALID_OPTION, pointer,
                    "%s[%zu] is %s; a weight is finite and not negative", name, i, found);
    }
    return true;
}

static bool check_options(struct batch *part, struct err *err)
{
    for (enum member m = 0; m < MEMBERS; m++)
        if (batch_has(part, m) && member_infos[m].type == MEMBER_ARRAY &&
            !check_option(part, m, err))
            return false;
    return true;
}

bool sent_state(const struct sent *sent, struct batch *part, struct arena *mem,
                struct state *state, struct err *err)
{
    bool has_metrics = belongs(part, PART_METRICS);
    size_t bins = has_metrics ? (size_t)part->ece_bins : 0;
    size_t classes = has_metrics ? (size_t)sent->classes : 0;

    if (!check_head(sent, part, err) || !state_init(state, bins, classes, mem, err))
        return false;
    part->classes = (size_t)sent->classes;
    if (!check_options(part, err))
        return false;
    state->count = (size_t)sent->count;
    state->ignored = (size_t)sent->ignored;
    state->losses = sent->losses;
    state->penalties = sent->penalties;
    state->weights = sent->weights;
    state->is_weighted = sent->given >> sent_row(span_of("weights")) & 1;
    state->l2_penalty = sent->l2_penalty;
    return !has_metrics || take_metrics(sent, state, err);
}
