#include "codec/oip/oip_output.h"

#include "codec/oip/oip_names.h"
#include "codec/oip/oip_parameters.h"
#include "lossd/base/excerpt.h"
#include "lossd/engine/place.h"

/* ---- parameters --------------------------------------------------------------------- */

/* A parameter of it. */
static void parameter_pointer(char out[POINTER_SIZE], const struct wanted_output *o,
                              const char *name)
{
    char object[OIP_PLACE_SIZE], parameters[POINTER_SIZE];

    oip_pointer(object, OIP_OUTPUT, o->index);
    place_member(parameters, object, span_of("parameters"));
    place_member(out, parameters, span_of(name));
}

static void take_binary(struct wanted_output *o, const struct value *value,
                        struct err *err)
{
    char pointer[POINTER_SIZE];

    o->is_told = parameter_is_bool(value, &o->in_bytes);
    if (o->is_told)
        return;
    parameter_pointer(pointer, o, "binary_data");
    fail(err, ERR_WRONG_TYPE, pointer,
         "the binary_data of outputs[%zu] is %s; true or false is wanted", o->index,
         value->kind);
}

static void take_classification(struct wanted_output *o, const struct value *value,
                                struct err *err)
{
    char pointer[POINTER_SIZE];

    o->classes = value->integer;
    if (value->type == VALUE_NUMBER && value->is_integer && value->integer >= 0)
        return;
    parameter_pointer(pointer, o, "classification");
    fail(err, ERR_WRONG_TYPE, pointer,
         "the classification of outputs[%zu] is %s; an integer of 0 or more is wanted",
         o->index,
         value->type == VALUE_NUMBER ? excerpt_of(value->text).text : value->kind);
}

bool output_take(struct wanted_output *o, struct span name, const struct value *value,
                 struct err *err)
{
    if (span_is(name, "binary_data"))
        take_binary(o, value, err);
    else if (span_is(name, "classification"))
        take_classification(o, value, err);
    else
        return false;
    return true;
}

/* ---- which one ---------------------------------------------------------------------- */

static enum output find_output(struct span name, const struct task *task)
{
    enum output o = 0;

    while (o < OUTPUTS &&
           !(inference_outputs(task) >> o & 1 && span_is(name, output_names[o])))
        o++;
    return o;
}

static bool fail_unknown(const struct wanted_output *o, const struct task *task,
                         struct err *err)
{
    char pointer[OIP_PLACE_SIZE], list[OUTPUT_LIST_SIZE];

    oip_pointer(pointer, OIP_OUTPUT, o->index);
    inference_output_list(list, inference_outputs(task));
    return fail(err, ERR_BAD_TENSOR, pointer,
                "outputs[%zu] is \"%s\"; one of %s is wanted", o->index,
                excerpt_of(o->name).text, list);
}

static bool fail_twice(const struct wanted_output *o, enum output output, struct err *err)
{
    char pointer[OIP_PLACE_SIZE];

    oip_pointer(pointer, OIP_OUTPUT, o->index);
    return fail(
        err, ERR_BAD_TENSOR, pointer,
        "outputs[%zu] is %s, which is asked for already; each output once is wanted",
        o->index, output_names[output]);
}

static bool fail_rank(const struct wanted_output *o, enum output output,
                      const struct task *task, struct err *err)
{
    char pointer[POINTER_SIZE], list[OUTPUT_LIST_SIZE];

    parameter_pointer(pointer, o, "classification");
    inference_output_list(list, inference_rankable(task));
    return fail(err, ERR_BAD_TENSOR, pointer,
                "outputs[%zu] is %s, which has no classes for a classification; one of "
                "%s is wanted",
                o->index, output_names[output], list);
}

bool output_want(const struct wanted_output *o, const struct task *task,
                 struct inference *inference, struct err *err)
{
    enum output output = find_output(o->name, task);
    uint32_t bit = UINT32_C(1) << output;

    if (output == OUTPUTS)
        return fail_unknown(o, task, err);
    if (inference->outputs & bit)
        return fail_twice(o, output, err);
    if (o->classes > 0 && !(inference_rankable(task) & bit))
        return fail_rank(o, output, task, err);
    inference->outputs |= bit;
    inference->order[inference->count++] = output;
    if (o->is_told)
        *(o->in_bytes ? &inference->in_bytes : &inference->in_text) |= bit;
    inference->ranked[output] = o->classes > 0 ? (size_t)o->classes : 0;
    return true;
}
