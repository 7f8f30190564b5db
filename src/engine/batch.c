/* Filling a batch: the table of members, and the setting of one from a value.
 *
 * batch_set() knows no member but the loss by name: what it does follows from the row. */
#include "lossd/engine/batch.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/name_set.h"
#include "lossd/base/buf.h"
#include "lossd/base/nearest_name.h"
#include "lossd/engine/loss.h"
#include "lossd/engine/place.h"

const char *const output_names[OUTPUTS + 1] = {
    "loss",       "losses",     "probabilities", "log_probabilities",
    "logsumexp",  "gradient",   "logits",        "gradient_features",
    "gradient_W", "gradient_b", "predictions",   "metrics",
    "per_class",  "confusion",  "calibration",   "state",
    "records",    NULL};

static const char *const reduction_names[] = {"mean", "sum", "none", NULL};
static const char *const on_error_names[] = {"abort", "skip", NULL};
static const char *const dtype_names[] = {"float64", "float32", NULL};

const struct member_info member_infos[MEMBERS] = {
#define MEMBER(name, type, field, lowest, highest, above_lowest, standard, choices, \
               help)                                                                \
    {#name,    MEMBER_##type, offsetof(struct batch, field),                        \
     lowest,   highest,       above_lowest,                                         \
     standard, choices,       help},
#include "lossd/engine/members.def"
#undef MEMBER
};

static const struct span member_names[MEMBERS] = {
#define MEMBER(name, ...) {#name, sizeof #name - 1},
#include "lossd/engine/members.def"
#undef MEMBER
};

#define BIT(n) (UINT32_C(1) << (n))

enum { CHOICES_MAX = 32 }; /* of one member: they are bits of a word */

static void *field_of(struct batch *batch, enum member member)
{
    return (char *)batch + member_infos[member].offset;
}

void batch_init(struct batch *batch, const struct task *task, const struct limits *limits)
{
    memset(batch, 0, sizeof *batch);
    batch->task = task;
    batch->limits = limits;
    batch->outputs = task->standard_outputs;
    for (enum member m = 0; m < MEMBERS; m++) {
        if (member_infos[m].type == MEMBER_NUMBER)
            *(double *)field_of(batch, m) = member_infos[m].standard;
        else if (member_infos[m].type == MEMBER_INTEGER)
            *(int64_t *)field_of(batch, m) = (int64_t)member_infos[m].standard;
    }
    batch->loss = loss_table[batch->loss_choice];
}

struct array *batch_array(struct batch *batch, enum member member)
{
    return field_of(batch, member);
}

enum element batch_element(const struct batch *batch, enum member member)
{
    if (member_infos[member].type == MEMBER_LABELS)
        return ELEMENT_INT64;
    if (member == MEMBER_logits && batch->dtype == DTYPE_FLOAT32)
        return ELEMENT_FLOAT32;
    return ELEMENT_FLOAT64;
}

/* It is known, but not of this task. */
static bool fail_foreign(const struct batch *batch, enum member member, struct err *err)
{
    bool is_of_all = batch->task == &task_record && task_dataset.members >> member & 1;
    const char *name = member_names[member].at;
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", name);
    return fail(err, ERR_UNKNOWN_MEMBER, pointer, "%s is not a member of a %s request%s",
                name, batch->task->name,
                is_of_all ? "; it is one of the dataset's, and goes into the address"
                          : "");
}

static bool fail_unknown(const struct batch *batch, struct span name, bool from_query,
                         struct err *err)
{
    enum { ADDRESS_NAMES_MAX = 4 };
    char pointer[POINTER_SIZE];
    const char *known[MEMBERS + TASK_NAMES_MAX + ADDRESS_NAMES_MAX + 1];
    const char *const *own = from_query ? batch->address_names : NULL;
    size_t count = 0;

    /* what is not told need not be found out: that takes long, and names may be many */
    if (err_by(err, PHASE_UNKNOWN))
        return false;
    place_member(pointer, "", name);
    for (enum member m = 0; m < MEMBERS; m++) {
        if (!(batch->task->members >> m & 1)) {
            if (span_equal(name, member_names[m]))
                return fail_foreign(batch, m, err);
            continue;
        }
        known[count++] = member_names[m].at;
    }
    for (size_t i = 0; i < TASK_NAMES_MAX && batch->task->by_codec[i]; i++)
        known[count++] = batch->task->by_codec[i];
    for (size_t i = 0; own && i < ADDRESS_NAMES_MAX && own[i]; i++)
        known[count++] = own[i];
    known[count] = NULL;
    const char *near = nearest_name(name, known);
    if (near)
        return fail(err, ERR_UNKNOWN_MEMBER, pointer,
                    "unknown member \"%s\"; did you mean \"%s\"?", excerpt_of(name).text,
                    near);
    return fail(err, ERR_UNKNOWN_MEMBER, pointer,
                "unknown member \"%s\"; a %s request knows no such name",
                excerpt_of(name).text, batch->task->name);
}

static bool fail_twice(struct span name, bool from_query, struct err *err)
{
    char pointer[POINTER_SIZE];

    place_member(pointer, "", name);
    return fail(err, ERR_DUPLICATE_MEMBER, pointer, "%s is given twice%s",
                excerpt_of(name).text, from_query ? " in the address" : "");
}

/* A name that the task does not know: is it at least the first of its kind? */
static bool take_unknown(struct batch *batch, struct span name, bool from_query,
                         struct arena *mem, struct err *err)
{
    bool twice = false;

    if (!err_by(err, PHASE_DUPLICATE) &&
        !name_set_add(&batch->unknown[from_query], name, mem, &twice, err))
        return false;
    return twice ? fail_twice(name, from_query, err)
                 : fail_unknown(batch, name, from_query, err);
}

bool batch_begin(struct batch *batch, struct span name, bool from_query,
                 struct arena *mem, enum member *member, struct err *err)
{
    enum member m = 0;

    while (m < MEMBERS &&
           !(batch->task->members >> m & 1 && span_equal(name, member_names[m])))
        m++;
    if (m == MEMBERS)
        return take_unknown(batch, name, from_query, mem, err);
    *member = m;
    if (batch_has(batch, m)) {
        if (from_query || !(batch->from_query >> m & 1))
            return fail_twice(name, from_query, err);
        batch->from_query &= ~BIT(m);
        return true;
    }
    batch->given |= BIT(m);
    batch->from_query |= from_query ? BIT(m) : 0;
    batch->order[batch->members++] = m;
    return true;
}

/* A number that JSON has not, in quotes or without. */
static bool is_number_word(struct span text)
{
    return span_is(text, "NaN") || span_is(text, "Infinity") ||
           span_is(text, "-Infinity");
}

static bool fail_type(enum member member, const struct value *value, const char *wanted,
                      struct err *err)
{
    char pointer[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s", member_names[member].at);
    if (value->type == VALUE_TEXT && !is_number_word(value->text))
        return fail(err, ERR_WRONG_TYPE, pointer, "%s is \"%s\"; %s is wanted",
                    member_names[member].at, excerpt_of(value->text).text, wanted);
    return fail(err, ERR_WRONG_TYPE, pointer, "%s is %s; %s is wanted",
                member_names[member].at, value->kind, wanted);
}

/* The place of a member in the order of the text. */
static unsigned turn_of(const struct batch *batch, enum member member)
{
    unsigned turn = 0;

    while (batch->order[turn] != member)
        turn++;
    return turn;
}

/* Where a value error of this member goes: the batch keeps the first. */
static struct err *value_error(struct batch *batch, enum member member)
{
    unsigned turn = turn_of(batch, member);

    if (batch->bad_option.kind == ERR_NONE || turn < batch->bad_option_at) {
        batch->bad_option.kind = ERR_NONE;
        batch->bad_option_at = turn;
    }
    return &batch->bad_option;
}

void batch_note_value(struct batch *batch, enum member member, const struct err *found)
{
    struct err *err = value_error(batch, member);

    if (err->kind == ERR_NONE)
        *err = *found;
}

static void range_words(char *out, size_t size, const struct member_info *info)
{
    if (isinf(info->lowest))
        snprintf(out, size, "a finite number");
    else if (isinf(info->highest))
        snprintf(out, size, "a finite number %s %g",
                 info->above_lowest ? "above" : "of at least", info->lowest);
    else
        snprintf(out, size, "a number from %g to %g", info->lowest, info->highest);
}

static bool set_number(struct batch *batch, enum member member, const struct value *value,
                       double *number, struct err *err)
{
    const struct member_info *info = &member_infos[member];
    bool spelled = value->type == VALUE_TEXT && is_number_word(value->text);

    if (value->type == VALUE_NUMBER && isfinite(value->number) &&
        value->number >= info->lowest && value->number <= info->highest &&
        !(info->above_lowest && value->number == info->lowest)) {
        *number = value->number;
        return true;
    }
    char wanted[64], pointer[PLACE_SIZE];
    range_words(wanted, sizeof wanted, info);
    if (value->type != VALUE_NUMBER && !spelled)
        return fail_type(member, value, wanted, err);
    snprintf(pointer, sizeof pointer, "/%s", info->name);
    return fail(value_error(batch, member), ERR_INVALID_OPTION, pointer,
                "%s is %s; %s is wanted", info->name, excerpt_of(value->text).text,
                wanted);
}

static void integer_words(char *out, size_t size, const struct member_info *info)
{
    if (info->lowest < info->highest)
        snprintf(out, size, "an integer from %g to %g", info->lowest, info->highest);
    else
        snprintf(out, size, "an integer of 64 bits");
}

static bool set_integer(struct batch *batch, enum member member,
                        const struct value *value, int64_t *number, struct err *err)
{
    const struct member_info *info = &member_infos[member];
    char pointer[PLACE_SIZE], wanted[64];

    integer_words(wanted, sizeof wanted, info);
    snprintf(pointer, sizeof pointer, "/%s", info->name);
    if (value->type != VALUE_NUMBER)
        return fail_type(member, value, wanted, err);
    if (!value->is_integer)
        return fail(err, ERR_WRONG_TYPE, pointer, "%s is %s; %s is wanted", info->name,
                    excerpt_of(value->text).text, wanted);
    if (info->lowest < info->highest &&
        ((double)value->integer < info->lowest || (double)value->integer > info->highest))
        return fail(value_error(batch, member), ERR_INVALID_OPTION, pointer,
                    "%s is %" PRId64 "; %s is wanted", info->name, value->integer,
                    wanted);
    *number = value->integer;
    return true;
}

/* The index of the text among the member's choices that are allowed, or -1. */
static int64_t find_choice(enum member member, struct span text, uint32_t allowed)
{
    const char *const *names = member_infos[member].choices;

    for (int64_t i = 0; names[i]; i++)
        if (allowed >> i & 1 && span_is(text, names[i]))
            return i;
    return -1;
}

/* The text at `place` is none of the choices. */
static bool fail_choice(struct batch *batch, enum member member, const char *place,
                        const char *pointer, struct span text, uint32_t allowed)
{
    const char *const *names = member_infos[member].choices;
    const char *known[CHOICES_MAX + 1];
    char list[256] = "";
    size_t count = 0;
    int len = 0;

    for (int64_t i = 0; names[i]; i++) {
        assert(i < CHOICES_MAX);
        if (!(allowed >> i & 1))
            continue;
        known[count++] = names[i];
        if (len < (int)sizeof list)
            len += snprintf(list + len, sizeof list - (size_t)len, "%s%s",
                            len ? ", " : "", names[i]);
    }
    known[count] = NULL;
    const char *near = nearest_name(text, known);
    return fail(value_error(batch, member), ERR_INVALID_OPTION, pointer,
                "%s is \"%s\"; one of %s is wanted%s%s%s", place, excerpt_of(text).text,
                list, near ? " (did you mean \"" : "", near ? near : "",
                near ? "\"?)" : "");
}

static bool set_choice(struct batch *batch, enum member member, const struct value *value,
                       int64_t *index, struct err *err)
{
    char pointer[PLACE_SIZE];

    if (value->type != VALUE_TEXT)
        return fail_type(member, value, "a name", err);
    int64_t found = find_choice(member, value->text, UINT32_MAX);
    if (found >= 0) {
        *index = found;
        return true;
    }
    snprintf(pointer, sizeof pointer, "/%s", member_names[member].at);
    return fail_choice(batch, member, member_names[member].at, pointer, value->text,
                       UINT32_MAX);
}

/* Element `at` of a list of names is no name, or none that is allowed. */
static bool fail_name(struct batch *batch, enum member member, const struct value *value,
                      size_t at, struct err *err)
{
    char pointer[PLACE_SIZE], place[PLACE_SIZE];

    snprintf(pointer, sizeof pointer, "/%s/%zu", member_names[member].at, at);
    snprintf(place, sizeof place, "%s[%zu]", member_names[member].at, at);
    if (at < value->count)
        return fail_choice(batch, member, place, pointer, value->names[at],
                           batch->task->outputs);
    return fail(err, ERR_WRONG_TYPE, pointer, "%s is %s; a name is wanted", place,
                value->no_name);
}

static bool set_names(struct batch *batch, enum member member, const struct value *value,
                      uint32_t *bits, struct err *err)
{
    uint32_t found = 0;

    if (value->type != VALUE_NAMES)
        return fail_type(member, value, "an array of names", err);
    for (size_t i = 0; i < value->count; i++) {
        int64_t index = find_choice(member, value->names[i], batch->task->outputs);
        if (index < 0)
            return fail_name(batch, member, value, i, err);
        found |= BIT(index);
    }
    if (value->no_name)
        return fail_name(batch, member, value, value->count, err);
    *bits = found;
    return true;
}

static bool set_text(struct batch *batch, enum member member, const struct value *value,
                     struct span *text, struct err *err)
{
    const struct member_info *info = &member_infos[member];
    char pointer[PLACE_SIZE];

    if (value->type != VALUE_TEXT)
        return fail_type(member, value, "a string", err);
    if ((double)value->text.len > info->highest) {
        snprintf(pointer, sizeof pointer, "/%s", info->name);
        return fail(value_error(batch, member), ERR_INVALID_OPTION, pointer,
                    "%s has %zu bytes; at most %g are wanted", info->name,
                    value->text.len, info->highest);
    }
    *text = value->text;
    return true;
}

/* A member that the address gave already, in the body once more. */
static bool agree(const struct batch *batch, enum member member, struct span text,
                  bool same, struct err *err)
{
    char pointer[PLACE_SIZE];
    struct span other = batch->spelled[member];

    snprintf(pointer, sizeof pointer, "/%s", member_names[member].at);
    return same ||
           fail(err, ERR_CONFLICTING_MEMBERS, pointer,
                "%s is %s in the body but %s in the address; one value is wanted",
                member_names[member].at, excerpt_of(text).text, excerpt_of(other).text);
}

/* The address gave it and batch_begin() let the body give it again. */
static bool given_again(const struct batch *batch, enum member member)
{
    return batch->set >> member & 1;
}

bool batch_set(struct batch *batch, enum member member, struct value value,
               struct err *err)
{
    void *field = field_of(batch, member);
    bool again = given_again(batch, member), same = true;

    batch->set |= BIT(member);
    if (!again)
        batch->spelled[member] = value.text;
    switch (member_infos[member].type) {
    case MEMBER_NUMBER: {
        double number = 0;
        if (!set_number(batch, member, &value, &number, err))
            return false;
        same = number == *(double *)field;
        *(double *)field = number;
        break;
    }
    case MEMBER_INTEGER:
    case MEMBER_CHOICE: {
        int64_t number = 0;
        if (member_infos[member].type == MEMBER_INTEGER
                ? !set_integer(batch, member, &value, &number, err)
                : !set_choice(batch, member, &value, &number, err))
            return false;
        same = number == *(int64_t *)field;
        *(int64_t *)field = number;
        break;
    }
    case MEMBER_NAMES: {
        uint32_t bits = 0;
        if (!set_names(batch, member, &value, &bits, err))
            return false;
        same = bits == *(uint32_t *)field;
        *(uint32_t *)field = bits;
        break;
    }
    case MEMBER_TEXT: {
        struct span text = {0};
        if (!set_text(batch, member, &value, &text, err))
            return false;
        same = span_equal(text, *(struct span *)field);
        *(struct span *)field = text;
        break;
    }
    case MEMBER_ARRAY:
    case MEMBER_LABELS:
        return fail_type(member, &value, "an array of numbers", err);
    }
    if (member == MEMBER_loss)
        batch->loss = loss_table[batch->loss_choice];
    return !again || agree(batch, member, value.text, same, err);
}
