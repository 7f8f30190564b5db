/* Products of matrices, for the linear model.
 *
 * A product is a table of dot products: out[i][j] is the sum over k of
 * left_i[k] right_j[k].  Which way the vectors lie in their arrays is a matter of
 * two steps, so A B^T, A B and A^T B are all the same product.
 *
 * Each sum starts at 0 and runs over k = 0, 1, 2, ... in double, every product and
 * every sum rounded: an element has the same bits whatever block or tile it is in, for
 * any number of threads and any instruction set.  With u = 2^-53 it is within
 * depth u / (1 - depth u) of the sum of the |left_i[k] right_j[k]|.  Products of
 * numbers that float32 can hold are exact, so fusing them with their sums changes no
 * bit; where a part of both factors has no others, they are, in half the time. */
#ifndef LOSSD_ENGINE_KERNEL_MATMUL_H
#define LOSSD_ENGINE_KERNEL_MATMUL_H

#include <stddef.h>

#include "lossd/engine/batch.h"

/* Vectors that are multiplied: element k of the i-th is data[i * step + k * deep]. */
struct factor {
    const void *data; /* doubles or floats */
    enum dtype dtype;
    size_t step, deep;
};

struct product {
    struct factor left, right;
    size_t rows, columns; /* vectors on the left, on the right */
    size_t depth;         /* elements of each */

    /* times * plus[i * plus_step + j] is added at the end, unless plus is NULL. */
    const double *plus;
    size_t plus_step;
    double times;

    void *out; /* [rows, columns], rounded to `dtype`; -0 becomes 0 */
    enum dtype dtype;
};

/* A product is made in blocks of rows and columns, each by one thread; one after
 * another, depths of both factors are packed for a block. */
enum {
    BLOCK_ROWS = 192,
    BLOCK_COLUMNS = 240,
    BLOCK_DEPTH = 192,
    TILE_ROWS_MOST = 8, /* of any instruction set: packed vectors are so many */
    TILE_COLUMNS_MOST = 24
};

static inline size_t blocks_of(size_t n, size_t block)
{
    return n / block + (n % block > 0);
}

static inline size_t matmul_blocks(const struct product *product)
{
    return blocks_of(product->rows, BLOCK_ROWS) *
           blocks_of(product->columns, BLOCK_COLUMNS);
}

/* Doubles that making a block takes, a multiple of 64 bytes. */
static inline size_t matmul_room(size_t rows, size_t columns, size_t depth)
{
    size_t most_rows = rows < BLOCK_ROWS ? rows : BLOCK_ROWS;
    size_t most_columns = columns < BLOCK_COLUMNS ? columns : BLOCK_COLUMNS;
    size_t most_depth = depth < BLOCK_DEPTH ? depth : BLOCK_DEPTH;
    size_t tiled_rows = blocks_of(most_rows, TILE_ROWS_MOST) * TILE_ROWS_MOST;
    size_t tiled_columns = blocks_of(most_columns, TILE_COLUMNS_MOST) * TILE_COLUMNS_MOST;

    return (tiled_rows + TILE_COLUMNS_MOST) * most_depth + tiled_rows * tiled_columns;
}

#endif
