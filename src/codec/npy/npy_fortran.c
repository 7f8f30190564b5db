/* The first dimension is contiguous here, the last one there.  Both are gone through
 * together in squares that fit the cache, for each index of those in between. */
#include "codec/npy/npy_fortran.h"

#include <string.h>

enum { SIDE = 32 };

size_t npy_fortran_index(const struct shape *shape, size_t index)
{
    size_t at[RANK_MAX], row_major = 0;

    for (unsigned d = 0; d < shape->rank; d++) {
        at[d] = index % shape->dim[d];
        index /= shape->dim[d];
    }
    for (unsigned d = 0; d < shape->rank; d++)
        row_major = row_major * shape->dim[d] + at[d];
    return row_major;
}

/* Two dimensions of an array; strides are in elements. */
struct plane {
    size_t rows, columns;
    size_t row_stride;    /* in `to`, whose columns are contiguous */
    size_t column_stride; /* in `from`, whose rows are contiguous */
};

static inline void turn_square(const struct plane *plane, const char *from, char *to,
                               size_t rows, size_t columns, size_t size)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            memcpy(to + (r * plane->row_stride + c) * size,
                   from + (c * plane->column_stride + r) * size, size);
}

static inline size_t side(size_t left)
{
    return left < SIDE ? left : SIDE;
}

static inline void turn_plane(const struct plane *plane, const char *from, char *to,
                              size_t size)
{
    for (size_t r = 0; r < plane->rows; r += SIDE)
        for (size_t c = 0; c < plane->columns; c += SIDE)
            turn_square(plane, from + (c * plane->column_stride + r) * size,
                        to + (r * plane->row_stride + c) * size, side(plane->rows - r),
                        side(plane->columns - c), size);
}

/* The dimensions between the first and the last; their rank may be 0. */
static struct shape inside(const struct shape *shape)
{
    struct shape middle = {.rank = shape->rank - 2};

    memcpy(middle.dim, shape->dim + 1, middle.rank * sizeof middle.dim[0]);
    return middle;
}

static void turn(const struct shape *shape, size_t count, const char *from, char *to,
                 size_t size)
{
    size_t rows = shape->dim[0], columns = shape->dim[shape->rank - 1];
    struct plane plane = {rows, columns, count / rows, count / columns};
    struct shape middle = inside(shape);
    size_t planes = shape_count(&middle);

    for (size_t i = 0; i < planes; i++) {
        const char *source = from + i * rows * size;
        char *place = to + npy_fortran_index(&middle, i) * columns * size;
        if (size == sizeof(float)) /* so that a copy is one instruction */
            turn_plane(&plane, source, place, sizeof(float));
        else
            turn_plane(&plane, source, place, sizeof(double));
    }
}

bool npy_fortran_turn(struct array *array, struct arena *mem, struct err *err)
{
    size_t size = array_element_size(array);

    if (array->shape.rank < 2 || array->count == 0)
        return true;
    void *turned = arena_resize(mem, NULL, array->count * size, err);
    if (!turned)
        return false;
    turn(&array->shape, array->count, array->data, turned, size);
    arena_drop(mem, array->data);
    array->data = turned;
    return true;
}
