/* The blocks of a product, for one instruction set: KERNEL is its name.
 *
 * A block of the product is cut into tiles of a size that the registers hold.  The
 * vectors of each tile's factors are packed side by side, element k of all of them
 * together, so that a step of the innermost loop reads forward only:
 *
 *     right panel   k: b0 b1 .. bn         one vector register or more
 *     left panel    k: a0 a1 .. am         each spread over a register
 *     tile          sum[i][j] += ai bj     m n products, m + n numbers read
 *
 * The right panel stays in the first cache while the left panels of the block go by
 * from the second.  Between depths the sums wait in memory, as they are.  Multiplying
 * and adding take turns; on processors with pipes for each they cost no more than
 * fused they would.
 *
 * (The scheme is K. Goto and R. van de Geijn's, "Anatomy of high-performance matrix
 * multiplication", 2008.) */
#include "engine/kernel/matmul.h"

#include <string.h>

#include "engine/kernel/kernel.h"
#include "engine/kernel/vectors.h"

#define PASTED(prefix, name) prefix##name
#define MULTIPLY(name) PASTED(multiply_, name)

enum { WIDTH = VECTOR_BYTES / sizeof(double) };

/* With 32 registers 24 sums, with 16 of them 8; the rest hold what is multiplied. */
#if VECTOR_BYTES == 64
enum { TILE_ROWS = 8, TILE_VECTORS = 3 };
#else
enum { TILE_ROWS = 4, TILE_VECTORS = 2 };
#endif
enum { TILE_COLUMNS = TILE_VECTORS * WIDTH, TILE = TILE_ROWS * TILE_COLUMNS };

_Static_assert(TILE_ROWS_MOST % TILE_ROWS == 0, "the room is enough for the left");
_Static_assert(TILE_COLUMNS_MOST % TILE_COLUMNS == 0, "and for the right");
_Static_assert(BLOCK_ROWS % TILE_ROWS_MOST == 0, "blocks are whole tiles");
_Static_assert(BLOCK_COLUMNS % TILE_COLUMNS_MOST == 0, "either way");
_Static_assert(TILE_ROWS % WIDTH == 0, "panels are packed by vectors");

void MULTIPLY(KERNEL)(const struct product *product, size_t block, double *room);

static inline double_vector load(const double *at)
{
    return (double_vector) * (const loose_doubles *)at;
}

static inline void store(double *at, double_vector value)
{
    *(loose_doubles *)at = (loose_doubles)value;
}

/* ---- packing ---------------------------------------------------------------- */

typedef float half_vector
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(4), may_alias));

static inline double element(const struct factor *factor, size_t at)
{
    return factor->dtype == DTYPE_FLOAT32 ? (double)((const float *)factor->data)[at]
                                          : ((const double *)factor->data)[at];
}

/* WIDTH elements that stand side by side. */
static inline double_vector elements(const struct factor *factor, size_t at)
{
    if (factor->dtype == DTYPE_FLOAT64)
        return load((const double *)factor->data + at);
    const float *floats = (const float *)factor->data + at;
    return __builtin_convertvector(*(const half_vector *)floats, double_vector);
}

/* WIDTH whole vectors from `at` on, into a panel of `wide`; returns how far down. */
static size_t pack_vectors(const struct factor *from, size_t at, size_t depth,
                           size_t wide, double *panel)
{
    size_t k = 0;

    if (from->step == 1)
        for (; k < depth; k++)
            store(panel + k * wide, elements(from, at + k * from->deep));
    return k;
}

/* Elements k, k + 1, ... of `count` vectors from the `first` on, into a panel of
 * `wide`; vectors that are not there are 0. */
static void pack(const struct factor *from, size_t first, size_t count, size_t k,
                 size_t depth, size_t wide, double *panel)
{
    for (size_t v = 0; v < wide; v += WIDTH) {
        size_t at = (first + v) * from->step + k * from->deep, done = 0;
        if (v + WIDTH <= count)
            done = pack_vectors(from, at, depth, wide, panel + v);
        for (; done < depth; done++)
            for (size_t i = 0; i < WIDTH; i++)
                panel[done * wide + v + i] =
                    v + i < count ? element(from, at + i * from->step + done * from->deep)
                                  : 0;
    }
}

/* ---- tiles ------------------------------------------------------------------ */

static void add_products(const double *left, const double *right, size_t depth,
                         double *tile)
{
    double_vector sum[TILE_ROWS][TILE_VECTORS];

    for (size_t i = 0; i < TILE_ROWS; i++)
        for (size_t v = 0; v < TILE_VECTORS; v++)
            sum[i][v] = load(tile + i * TILE_COLUMNS + v * WIDTH);
    for (size_t k = 0; k < depth; k++) {
        double_vector b[TILE_VECTORS];
        for (size_t v = 0; v < TILE_VECTORS; v++)
            b[v] = load(right + v * WIDTH);
        for (size_t i = 0; i < TILE_ROWS; i++) {
            double_vector a = left[i] - (double_vector){0};
            for (size_t v = 0; v < TILE_VECTORS; v++)
                sum[i][v] += a * b[v];
        }
        left += TILE_ROWS;
        right += TILE_COLUMNS;
    }
    for (size_t i = 0; i < TILE_ROWS; i++)
        for (size_t v = 0; v < TILE_VECTORS; v++)
            store(tile + i * TILE_COLUMNS + v * WIDTH, sum[i][v]);
}

/* Part of a row of the product, rounded to its place. */
static void put_sums(const struct product *product, size_t row, size_t column,
                     size_t count, const double *sums)
{
    const double *plus = product->plus;
    double value[TILE_COLUMNS];
    size_t at = row * product->columns + column;

    if (plus)
        plus += row * product->plus_step + column;
    for (size_t j = 0; j < count; j++)
        value[j] = (plus ? sums[j] + product->times * plus[j] : sums[j]);
    if (product->dtype == DTYPE_FLOAT32)
        for (size_t j = 0; j < count; j++)
            ((float *)product->out)[at + j] = (float)value[j] + 0;
    else
        for (size_t j = 0; j < count; j++)
            ((double *)product->out)[at + j] = value[j] + 0;
}

/* ---- a block ---------------------------------------------------------------- */

struct block {
    size_t row, column, rows, columns; /* which part of the product it is */
    double *left, *right;              /* packed: all of the left, a panel of the right */
    double *sums;                      /* tile behind tile, a column of them at a time */
};

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

static struct block make_block(const struct product *product, size_t index, double *room)
{
    size_t across = blocks_of(product->columns, BLOCK_COLUMNS);
    struct block block = {.row = index / across * BLOCK_ROWS,
                          .column = index % across * BLOCK_COLUMNS,
                          .left = room};
    size_t depth = at_most(product->depth, BLOCK_DEPTH);

    block.rows = at_most(product->rows - block.row, BLOCK_ROWS);
    block.columns = at_most(product->columns - block.column, BLOCK_COLUMNS);
    block.right = block.left + blocks_of(block.rows, TILE_ROWS) * TILE_ROWS * depth;
    block.sums = block.right + TILE_COLUMNS * depth;
    return block;
}

static void add_depth(const struct product *product, const struct block *block, size_t k)
{
    size_t depth = at_most(product->depth - k, BLOCK_DEPTH);
    double *tile = block->sums;

    for (size_t i = 0; i < block->rows; i += TILE_ROWS)
        pack(&product->left, block->row + i, at_most(block->rows - i, TILE_ROWS), k,
             depth, TILE_ROWS, block->left + i * depth);
    for (size_t j = 0; j < block->columns; j += TILE_COLUMNS) {
        pack(&product->right, block->column + j,
             at_most(block->columns - j, TILE_COLUMNS), k, depth, TILE_COLUMNS,
             block->right);
        for (size_t i = 0; i < block->rows; i += TILE_ROWS, tile += TILE)
            add_products(block->left + i * depth, block->right, depth, tile);
    }
}

static void put_block(const struct product *product, const struct block *block)
{
    const double *tile = block->sums;

    for (size_t j = 0; j < block->columns; j += TILE_COLUMNS)
        for (size_t i = 0; i < block->rows; i += TILE_ROWS, tile += TILE)
            for (size_t r = 0; r < at_most(block->rows - i, TILE_ROWS); r++)
                put_sums(product, block->row + i + r, block->column + j,
                         at_most(block->columns - j, TILE_COLUMNS),
                         tile + r * TILE_COLUMNS);
}

void MULTIPLY(KERNEL)(const struct product *product, size_t index, double *room)
{
    struct block block = make_block(product, index, room);
    size_t tiles =
        blocks_of(block.rows, TILE_ROWS) * blocks_of(block.columns, TILE_COLUMNS);

    memset(block.sums, 0, tiles * TILE * sizeof *block.sums);
    for (size_t k = 0; k < product->depth; k += BLOCK_DEPTH)
        add_depth(product, &block, k);
    put_block(product, &block);
}
