#include "codec/oip/oip_options.h"

#include <stdio.h>

#include "codec/oip/oip_parameters.h"
#include "lossd/base/excerpt.h"

enum { NAME_POINTER = 64 };

static const int64_t TIMEOUT_MAX_US = INT64_C(3600000000); /* as in the address */

static bool is_option(enum member member, const struct task *task)
{
    enum member_type type = member_infos[member].type;

    return task->members >> member & 1 && member != MEMBER_dtype &&
           (type == MEMBER_NUMBER || type == MEMBER_INTEGER || type == MEMBER_CHOICE);
}

/* MEMBERS when there is none. */
static enum member find_option(struct span name, const struct task *task)
{
    enum member m = 0;

    while (m < MEMBERS && !(is_option(m, task) && span_is(name, member_infos[m].name)))
        m++;
    return m;
}

bool options_note(const struct err *found, const char *pointer, struct err *err)
{
    if (found->kind == ERR_NONE)
        return true;
    if (err_by(found, PHASE_TRANSPORT)) {
        *err = *found;
        return false;
    }
    fail(err, found->kind, pointer, "%s", found->detail);
    return true;
}

static bool set_option(struct options *o, enum member member, const struct value *value,
                       struct err *err)
{
    struct span name = span_of(member_infos[member].name);
    struct err found = {.kind = ERR_NONE};
    char pointer[NAME_POINTER];

    snprintf(pointer, sizeof pointer, "/parameters/%s", name.at);
    if (batch_begin(o->batch, name, false, o->mem, &member, &found))
        batch_set(o->batch, member, *value, &found);
    return options_note(&found, pointer, err);
}

static void set_binary(struct inference *inference, const struct value *value,
                       struct err *err)
{
    if (!parameter_is_bool(value, &inference->bytes_unless_told))
        fail(err, ERR_WRONG_TYPE, "/parameters/binary_data_output",
             "binary_data_output is %s; true or false is wanted", value->kind);
}

/* As Triton has it: microseconds, of which 0 are none. */
static void set_timeout(struct inference *inference, const struct value *value,
                        struct err *err)
{
    int64_t us = value->integer < TIMEOUT_MAX_US ? value->integer : TIMEOUT_MAX_US;

    if (value->type != VALUE_NUMBER || !value->is_integer || us < 0) {
        fail(err, ERR_WRONG_TYPE, "/parameters/timeout",
             "timeout is %s; microseconds, an integer of 0 or more, are wanted",
             value->type == VALUE_NUMBER ? excerpt_of(value->text).text : value->kind);
        return;
    }
    inference->timeout_ns = us * 1000;
}

static bool take(void *ctx, struct span name, const struct value *value, struct err *err)
{
    struct options *o = ctx;
    enum member member = find_option(name, o->batch->task);

    if (member != MEMBERS)
        return set_option(o, member, value, err);
    if (span_is(name, "binary_data_output"))
        set_binary(o->inference, value, err);
    else if (span_is(name, "timeout"))
        set_timeout(o->inference, value, err);
    else
        return ignored_add(o->ignored, OIP_TOP, 0, name);
    return true;
}

bool options_read(struct options *o, struct span text, struct err *err)
{
    const struct parameter_reader reader = {take, o, "", ""};

    return parameters_read(text, &reader, o->batch->limits, o->mem, err) ||
           !err_by(err, PHASE_TRANSPORT);
}
