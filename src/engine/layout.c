#include "engine/layout.h"

#include <string.h>

/* Copies elements of one size between a packed row and a strided one. */
static void copy_in(const char *from, size_t stride, size_t n, size_t size, char *to)
{
    if (size == sizeof(float))
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * sizeof(float), from + i * stride * sizeof(float),
                   sizeof(float));
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * sizeof(double), from + i * stride * sizeof(double),
                   sizeof(double));
}

static void copy_out(const char *from, size_t stride, size_t n, size_t size, char *to)
{
    if (size == sizeof(float))
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * stride * sizeof(float), from + i * sizeof(float),
                   sizeof(float));
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * stride * sizeof(double), from + i * sizeof(double),
                   sizeof(double));
}

const void *layout_gather(const struct batch *batch, const void *array, size_t size,
                          size_t from, size_t rows, void *room)
{
    size_t classes = batch->classes;

    if (layout_is_plain(batch))
        return (const char *)array + from * classes * size;
    for (size_t r = 0; r < rows; r++)
        copy_in((const char *)array + batch_row(batch, from + r) * size, batch->inner,
                classes, size, (char *)room + r * classes * size);
    return room;
}

void layout_scatter(const struct batch *batch, const void *packed, size_t size,
                    size_t from, size_t rows, void *array)
{
    size_t classes = batch->classes;

    if (layout_is_plain(batch)) {
        char *to = (char *)array + from * classes * size;
        if (packed != to)
            memcpy(to, packed, rows * classes * size);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        copy_out((const char *)packed + r * classes * size, batch->inner, classes, size,
                 (char *)array + batch_row(batch, from + r) * size);
}
