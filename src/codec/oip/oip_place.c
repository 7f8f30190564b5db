#include "codec/oip/oip_place.h"

#include <stdio.h>

#include "lossd/base/buf.h"
#include "lossd/base/number.h"

static unsigned count_steps(struct span path)
{
    unsigned steps = 0;

    for (size_t i = 0; i < path.len; i++)
        steps += path.at[i] == '/';
    return steps;
}

/* "/1/2" in an array of that shape is its element 5, say; axes of 1 behind the path change
 * nothing.  False: it points to none. */
static bool read_index(struct span path, const struct shape *shape, size_t *index)
{
    unsigned d = 0;

    *index = 0;
    span_cut(&path, '/');
    for (; path.len > 0 && d < shape->rank; d++) {
        int64_t at = 0;
        if (!number_read_int64(span_cut(&path, '/'), &at))
            return false;
        *index = *index * shape->dim[d] + (size_t)at;
    }
    while (d < shape->rank && shape->dim[d] == 1)
        d++;
    return path.len == 0 && d == shape->rank && d > 0;
}

/* `rest` points into the tensor, as its shape has it; its data may be one list, in which
 * a row is no element.  Of a column that was taken for a list the path lacks a step. */
static void point_to_tensor(struct buf *out, const struct tensor *t, struct span rest)
{
    const struct shape *shape = &t->header.shape;
    bool lacks_step = t->is_column && count_steps(rest) < shape->rank;
    size_t index;

    buf_format(out, "/inputs/%zu", t->index);
    if (!t->has_data || rest.len == 0)
        return;
    buf_text(out, "/data");
    if (!t->is_flat) {
        buf_add(out, rest);
        buf_text(out, lacks_step ? "/0" : "");
    } else if (read_index(rest, shape, &index)) {
        buf_format(out, "/%zu", index);
    }
}

static const struct tensor *find_tensor(struct span name, const struct tensor *tensors,
                                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tensors[i].is_member && span_equal(tensors[i].name, name))
            return &tensors[i];
    return NULL;
}

static enum member find_member(struct span name)
{
    enum member m = 0;

    while (m < MEMBERS && !span_is(name, member_infos[m].name))
        m++;
    return m;
}

/* Whether it was in the body's parameters; `return` is the address's, and outputs have its
 * place. */
static bool is_parameter(const struct batch *batch, enum member m)
{
    return batch_has(batch, m) && !(batch->from_query >> m & 1) && m != MEMBER_id &&
           m != MEMBER_return;
}

/* An input that is missing is missing among the inputs; an option of the address is none
 * of the body's. */
static void point_to_member(struct buf *out, const struct batch *batch, enum member m)
{
    enum member_type type = member_infos[m].type;

    if (type == MEMBER_ARRAY || type == MEMBER_LABELS)
        buf_text(out, "/inputs");
    else if (is_parameter(batch, m))
        buf_format(out, "/parameters/%s", member_infos[m].name);
    else
        buf_format(out, "/%s", member_infos[m].name);
}

void place_in_body(struct err *err, const struct batch *batch,
                   const struct tensor *tensors, size_t count)
{
    struct span rest = span_of(err->pointer);
    char pointer[POINTER_SIZE];
    struct buf out;

    if (err->kind == ERR_NONE || rest.len == 0)
        return;
    span_cut(&rest, '/');
    const char *end = memchr(rest.at, '/', rest.len);
    struct span name = {rest.at, end ? (size_t)(end - rest.at) : rest.len};
    const struct tensor *tensor = find_tensor(name, tensors, count);
    enum member member = find_member(name);
    if (!tensor && member == MEMBERS)
        return;
    rest = (struct span){rest.at + name.len, rest.len - name.len};
    buf_over(&out, pointer, sizeof pointer - 1);
    if (tensor)
        point_to_tensor(&out, tensor, rest);
    else
        point_to_member(&out, batch, member);
    pointer[out.len] = '\0';
    snprintf(err->pointer, sizeof err->pointer, "%s", buf_ok(&out) ? pointer : "");
}
