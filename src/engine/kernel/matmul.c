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
 * from the second.  Between depths the sums wait in memory, as they are.
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
    return __builtin_convertvector((float_half) * (const loose_half *)floats,
                                   double_vector);
}

/* `count` whole vectors that stand side by side, from `at` on. */
static void pack_columns(const struct factor *from, size_t at, size_t count, size_t depth,
                         size_t wide, double *panel)
{
    for (size_t k = 0; k < depth; k++)
        for (size_t v = 0; v < count; v += WIDTH)
            store(panel + k * wide + v, elements(from, at + k * from->deep + v));
}

/* WIDTH rows of an even length, `step` apart, as columns. */
static void transpose_rows(const double *rows, size_t step, size_t depth, size_t wide,
                           double *panel)
{
    size_t other = 2 * step * sizeof *rows;

    for (size_t k = 0; k < depth; k += 2) {
        double_vector square[2] = {(double_vector)pieces(rows + k, other),
                                   (double_vector)pieces(rows + step + k, other)};
        double_transpose(square);
        store(panel + k * wide, square[0]);
        store(panel + (k + 1) * wide, square[1]);
    }
}

/* WIDTH whole vectors, each of one piece, from `at` on, down to a depth that is a
 * multiple of WIDTH. */
static void pack_rows(const struct factor *from, size_t at, size_t depth, size_t wide,
                      double *panel)
{
    double rows[WIDTH * BLOCK_DEPTH];

    if (from->dtype == DTYPE_FLOAT64) {
        transpose_rows((const double *)from->data + at, from->step, depth, wide, panel);
        return;
    }
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t k = 0; k < depth; k += WIDTH)
            store(rows + i * BLOCK_DEPTH + k, elements(from, at + i * from->step + k));
    transpose_rows(rows, BLOCK_DEPTH, depth, wide, panel);
}

/* `count` vectors, a multiple of WIDTH, as far down as whole vector registers go;
 * returns how far. */
static size_t pack_whole(const struct factor *from, size_t at, size_t count, size_t depth,
                         size_t wide, double *panel)
{
    size_t whole = depth - depth % WIDTH;

    if (from->step == 1) {
        pack_columns(from, at, count, depth, wide, panel);
        return depth;
    }
    if (from->deep != 1)
        return 0;
    for (size_t v = 0; v < count; v += WIDTH)
        pack_rows(from, at + v * from->step, whole, wide, panel + v);
    return whole;
}

/* Elements k, k + 1, ... of `count` vectors from the `first` on, into a panel of
 * `wide`; vectors that are not there are 0. */
static void pack(const struct factor *from, size_t first, size_t count, size_t k,
                 size_t depth, size_t wide, double *panel)
{
    size_t at = first * from->step + k * from->deep, whole = count - count % WIDTH;
    size_t done = pack_whole(from, at, whole, depth, wide, panel);

    for (size_t v = 0; v < wide; v++)
        for (size_t d = v < whole ? done : 0; d < depth; d++)
            panel[d * wide + v] =
                v < count ? element(from, at + v * from->step + d * from->deep) : 0;
}

/* Are all of these, a multiple of WIDTH, numbers that float32 can hold? */
static bool are_floats(const double *panel, size_t count)
{
    for (size_t i = 0; i < count; i += WIDTH) {
        double_vector wide = load(panel + i);
        float_half narrow = __builtin_convertvector(wide, float_half);
        if (ANY_DOUBLES(__builtin_convertvector(narrow, double_vector) != wide))
            return false;
    }
    return true;
}

/* ---- tiles ------------------------------------------------------------------ */

/* a b added to a sum. */
typedef double_vector adding(double_vector a, double_vector b, double_vector sum);

static inline double_vector add_rounded(double_vector a, double_vector b,
                                        double_vector sum)
{
    return sum + a * b;
}

static inline __attribute__((always_inline)) void
add_tile(adding *add, const double *left, const double *right, size_t depth, double *tile)
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
                sum[i][v] = add(a, b[v], sum[i][v]);
        }
        left += TILE_ROWS;
        right += TILE_COLUMNS;
    }
    for (size_t i = 0; i < TILE_ROWS; i++)
        for (size_t v = 0; v < TILE_VECTORS; v++)
            store(tile + i * TILE_COLUMNS + v * WIDTH, sum[i][v]);
}

typedef void adding_products(const double *left, const double *right, size_t depth,
                             double *tile);

static void add_products(const double *left, const double *right, size_t depth,
                         double *tile)
{
    add_tile(add_rounded, left, right, depth, tile);
}

static void add_products_of_floats(const double *left, const double *right, size_t depth,
                                   double *tile)
{
    add_tile(double_fused, left, right, depth, tile);
}

/* Part of a row of the product, rounded to its place. */
static void put_sums(const struct product *product, size_t row, size_t column,
                     size_t count, const double *sums)
{
    double with_plus[TILE_COLUMNS];
    size_t at = row * product->columns + column;

    if (product->plus) {
        const double *plus = product->plus + row * product->plus_step + column;
        for (size_t j = 0; j < count; j++)
            with_plus[j] = sums[j] + product->times * plus[j];
        sums = with_plus;
    }
    if (product->dtype == DTYPE_FLOAT32)
        for (size_t j = 0; j < count; j++)
            ((float *)product->out)[at + j] = (float)sums[j] + 0;
    else
        for (size_t j = 0; j < count; j++)
            ((double *)product->out)[at + j] = sums[j] + 0;
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
    bool floats =
        are_floats(block->left, blocks_of(block->rows, TILE_ROWS) * TILE_ROWS * depth);
    for (size_t j = 0; j < block->columns; j += TILE_COLUMNS) {
        pack(&product->right, block->column + j,
             at_most(block->columns - j, TILE_COLUMNS), k, depth, TILE_COLUMNS,
             block->right);
        adding_products *add = floats && are_floats(block->right, TILE_COLUMNS * depth)
                                   ? add_products_of_floats
                                   : add_products;
        for (size_t i = 0; i < block->rows; i += TILE_ROWS, tile += TILE)
            add(block->left + i * depth, block->right, depth, tile);
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
