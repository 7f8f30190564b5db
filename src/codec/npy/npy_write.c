#include "codec/npy/npy_write.h"

#include "codec/output_array.h"
#include "codec/reply.h"

enum {
    PREFIX = 10,
    HEAD_MAX = 512, /* more than RANK_MAX dimensions take */
    ALIGNMENT = 64  /* of the data: readers may map a file */
};

/* The first of the outputs in `bits`, OUTPUTS when there is none. */
static enum output first_of(uint32_t bits)
{
    enum output output = 0;

    while (output < OUTPUTS && !(bits >> output & 1))
        output++;
    return output;
}

/* "loss, probabilities" */
static void name_outputs(char out[HEAD_MAX], uint32_t bits)
{
    struct buf names;

    buf_over(&names, out, HEAD_MAX - 1);
    for (enum output output = 0; output < OUTPUTS; output++) {
        if (!(bits >> output & 1))
            continue;
        buf_text(&names, names.len > 0 ? ", " : "");
        buf_text(&names, output_names[output]);
    }
    buf_text(&names, names.len > 0 ? "" : "nothing");
    out[names.len] = '\0';
}

/* What to ask for instead of all these: one of them, or the losses that a loss is made
 * of. */
static enum output instead_of(uint32_t bits)
{
    enum output array = first_of(bits & output_arrays());

    if (array != OUTPUTS)
        return array;
    return first_of(bits) == OUTPUT_LOSS ? OUTPUT_LOSSES : OUTPUT_PROBABILITIES;
}

bool npy_can_write(const struct batch *batch, struct err *err)
{
    uint32_t wanted = batch->outputs;
    bool is_one = wanted != 0 && (wanted & (wanted - 1)) == 0;
    char names[HEAD_MAX];

    if (is_one && (wanted & output_arrays()))
        return true;
    name_outputs(names, wanted);
    if (!(batch->task->outputs & output_arrays()))
        return fail(err, ERR_NOT_ACCEPTABLE, NULL,
                    "Accept asks for application/x-npy, which holds one array, but the "
                    "answer is to have %s; a %s has no array to ask for",
                    names, batch->task->name);
    return fail(
        err, ERR_NOT_ACCEPTABLE, NULL,
        "Accept asks for application/x-npy, which holds one array, but the answer "
        "is to have %s; ask for one array, such as ?return=%s",
        names, output_names[instead_of(wanted)]);
}

static const char *descr_of(enum reply_numbers numbers)
{
    switch (numbers) {
    case REPLY_DOUBLES:
        return "<f8";
    case REPLY_DOUBLES_AS_FLOATS:
    case REPLY_FLOATS:
        return "<f4";
    case REPLY_INTEGERS:
    case REPLY_RANKED: /* of tensors only */
        break;
    }
    return "<i8";
}

static void add_header(struct buf *head, const struct output_array *array)
{
    const struct shape *shape = &array->shape;

    buf_format(head, "{'descr': '%s', 'fortran_order': False, 'shape': (",
               descr_of(array->numbers));
    for (unsigned d = 0; d < shape->rank; d++)
        buf_format(head, "%s%zu", d > 0 ? ", " : "", shape->dim[d]);
    buf_text(head, shape->rank == 1 ? ",), }" : "), }");
    while ((head->len + 1) % ALIGNMENT != 0)
        buf_char(head, ' ');
    buf_char(head, '\n');
}

struct reply *npy_write(const struct batch *batch, const struct result *result,
                        bool pretty, struct arena *mem, struct err *err)
{
    static const char prefix[PREFIX + 1] = "\x93NUMPY\x01\x00__";
    struct output_array array = output_array(first_of(batch->outputs), batch, result);
    char text[HEAD_MAX];
    struct buf head;

    (void)pretty;
    buf_over(&head, text, sizeof text);
    buf_add(&head, (struct span){prefix, PREFIX});
    add_header(&head, &array);
    text[PREFIX - 2] = (char)((head.len - PREFIX) & 0xFF);
    text[PREFIX - 1] = (char)((head.len - PREFIX) >> 8);
    return reply_of_bytes(buf_span(&head), array.numbers, array.data,
                          shape_count(&array.shape), mem, err);
}
