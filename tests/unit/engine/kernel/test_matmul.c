/* Products of matrices: every kernel gives the bits of the plain loop, whichever way
 * the vectors lie, at sizes on both sides of tiles, blocks and depths. */
#include "../made.h"
#include "../random.h"

#include "engine/kernel/kernel.h"
#include "engine/kernel/matmul.h"

#include <stdlib.h>

static const struct size {
    size_t rows, depth, columns;
} sizes[] = {
    {1, 1, 1},
    {3, 5, 7},
    {8, 8, 24},
    {65, 33, 17},
    {1, 200, 50},
    {50, 200, 1},
    {BLOCK_ROWS, BLOCK_DEPTH, BLOCK_COLUMNS},
    {BLOCK_ROWS - 1, BLOCK_DEPTH - 1, BLOCK_COLUMNS - 1},
    {BLOCK_ROWS + 1, BLOCK_DEPTH + 1, BLOCK_COLUMNS + 1},
    {2 * BLOCK_ROWS + 5, 3, 7},
    {7, 2 * BLOCK_DEPTH + 3, 9},
    {5, 3, 2 * BLOCK_COLUMNS + 11},
};

enum { GUARDS = 32 }; /* elements behind what may be written */

static const double guard = -123456789;

/* ---- a product and its arrays ----------------------------------------------------- */

/* The ways two matrices may lie: A B^T, A B, A^T B, A^T B^T. */
struct way {
    bool left_down, right_down; /* do the elements of a vector stand below each other? */
};

struct sheet {
    struct product product;
    double *left, *right, *plus, *room;
    float *left_floats;
    void *out;
};

static struct factor lay(const void *data, enum dtype dtype, size_t count, size_t depth,
                         bool down)
{
    return down ? (struct factor){data, dtype, .step = 1, .deep = count}
                : (struct factor){data, dtype, .step = depth, .deep = 1};
}

static double *draw(struct random *random, size_t count)
{
    double *array = malloc(count * sizeof *array);

    for (size_t i = 0; i < count; i++)
        array[i] = random_normal(random);
    return array;
}

/* What the factors hold: of what float32 can hold, products are exact. */
enum values { DOUBLES, FLOATS, FLOATS_BUT_ONE, VALUES };

static void round_to_floats(double *array, size_t count)
{
    for (size_t i = 0; i < count; i++)
        array[i] = (double)(float)array[i];
}

/* `left` is of floats when the result is: a gradient of float32 times features. */
static struct sheet make_sheet(struct random *random, struct size size, struct way way,
                               enum dtype dtype, enum values values)
{
    size_t count = size.rows * size.depth, out = size.rows * size.columns + GUARDS;
    size_t right_count = size.columns * size.depth;
    struct sheet sheet = {.left = draw(random, count),
                          .right = draw(random, right_count),
                          .plus = draw(random, size.rows * size.columns)};
    bool floats = dtype == DTYPE_FLOAT32, has_plus = random_below(random, 2);

    if (values != DOUBLES || floats)
        round_to_floats(sheet.left, count);
    if (values != DOUBLES)
        round_to_floats(sheet.right, right_count);
    if (values == FLOATS_BUT_ONE)
        sheet.right[random_below(random, right_count)] += 0x1p-40;
    sheet.left_floats = malloc(count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        sheet.left_floats[i] = (float)sheet.left[i];
    sheet.room = aligned_alloc(64, matmul_room(size.rows, size.columns, size.depth) *
                                       sizeof(double));
    sheet.out = malloc(out * sizeof(double));
    sheet.product = (struct product){
        .left = lay(floats ? (void *)sheet.left_floats : (void *)sheet.left, dtype,
                    size.rows, size.depth, way.left_down),
        .right =
            lay(sheet.right, DTYPE_FLOAT64, size.columns, size.depth, way.right_down),
        .rows = size.rows,
        .columns = size.columns,
        .depth = size.depth,
        .plus = has_plus ? sheet.plus : NULL,
        .plus_step = size.columns,
        .times = 0.75,
        .out = sheet.out,
        .dtype = dtype};
    return sheet;
}

static void unmake_sheet(struct sheet *sheet)
{
    free(sheet->left);
    free(sheet->left_floats);
    free(sheet->right);
    free(sheet->plus);
    free(sheet->room);
    free(sheet->out);
}

static double out_at(const struct product *product, size_t i)
{
    return product->dtype == DTYPE_FLOAT32 ? (double)((const float *)product->out)[i]
                                           : ((const double *)product->out)[i];
}

static void make_with(const struct kernel *kernel, struct sheet *sheet)
{
    struct product *product = &sheet->product;
    size_t count = product->rows * product->columns;

    for (size_t i = 0; i < count + GUARDS; i++)
        if (product->dtype == DTYPE_FLOAT32)
            ((float *)product->out)[i] = (float)guard;
        else
            ((double *)product->out)[i] = guard;
    for (size_t block = 0; block < matmul_blocks(product); block++)
        kernel->multiply(product, block, sheet->room);
    for (size_t i = count; i < count + GUARDS; i++)
        assert_true(out_at(product, i) ==
                    (product->dtype == DTYPE_FLOAT32 ? (double)(float)guard : guard));
}

/* ---- against plain loops ----------------------------------------------------------- */

/* Where element k of vector i stands, from what the ways mean. */
static size_t place(bool down, size_t count, size_t depth, size_t i, size_t k)
{
    return down ? k * count + i : i * depth + k;
}

static double plain_sum(const struct sheet *sheet, struct way way, size_t i, size_t j)
{
    const struct product *p = &sheet->product;
    double sum = 0;

    for (size_t k = 0; k < p->depth; k++)
        sum += sheet->left[place(way.left_down, p->rows, p->depth, i, k)] *
               sheet->right[place(way.right_down, p->columns, p->depth, j, k)];
    return sum;
}

/* In long double, with the sum of the absolute products. */
static long double wide_sum(const struct sheet *sheet, struct way way, size_t i, size_t j,
                            long double *absolute)
{
    const struct product *p = &sheet->product;
    long double sum = 0;

    *absolute = 0;
    for (size_t k = 0; k < p->depth; k++) {
        long double one =
            (long double)sheet->left[place(way.left_down, p->rows, p->depth, i, k)] *
            (long double)sheet->right[place(way.right_down, p->columns, p->depth, j, k)];
        sum += one;
        *absolute += fabsl(one);
    }
    return sum;
}

static void assert_plain(const struct sheet *sheet, struct way way, const char *kernel)
{
    const struct product *p = &sheet->product;

    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->columns; j++) {
            double wanted = plain_sum(sheet, way, i, j);
            double found = out_at(p, i * p->columns + j);
            if (p->plus)
                wanted += p->times * p->plus[i * p->columns + j];
            if (p->dtype == DTYPE_FLOAT32)
                wanted = (double)(float)wanted;
            if (memcmp(&found, &wanted, sizeof found) != 0)
                fail_msg("%s, %zux%zux%zu: [%zu][%zu] is %a, not %a", kernel, p->rows,
                         p->depth, p->columns, i, j, found, wanted);
        }
}

static void each_sheet(void (*check)(struct sheet *sheet, struct way way))
{
    const struct way ways[] = {
        {false, false}, {false, true}, {true, true}, {true, false}};
    struct random random = {1};

    for (size_t s = 0; s < LENGTH(sizes); s++)
        for (size_t w = 0; w < LENGTH(ways); w++)
            for (enum dtype dtype = DTYPE_FLOAT64; dtype <= DTYPE_FLOAT32; dtype++)
                for (enum values values = DOUBLES; values < VALUES; values++) {
                    struct sheet sheet =
                        make_sheet(&random, sizes[s], ways[w], dtype, values);
                    check(&sheet, ways[w]);
                    unmake_sheet(&sheet);
                }
}

static void check_bits(struct sheet *sheet, struct way way)
{
    const struct kernel *kernels[4];
    size_t count = kernels_here(kernels);

    for (size_t i = 0; i < count; i++) {
        make_with(kernels[i], sheet);
        assert_plain(sheet, way, kernels[i]->name);
    }
}

static void product__has_the_bits_of_the_plain_loop_with_every_kernel(void **state)
{
    (void)state;
    each_sheet(check_bits);
}

static void check_bound(struct sheet *sheet, struct way way)
{
    const struct product *p = &sheet->product;
    double u = 0x1p-53, bound = (double)p->depth * u / (1 - (double)p->depth * u);

    sheet->product.plus = NULL;
    make_with(kernel_here(), sheet);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->columns; j++) {
            long double absolute, exact = wide_sum(sheet, way, i, j, &absolute);
            long double off = fabsl((long double)out_at(p, i * p->columns + j) - exact);
            long double most = bound * absolute * (1 + 1e-3L);
            if (p->dtype == DTYPE_FLOAT32)
                most += fabsl(exact) * 0x1p-24L * (1 + 1e-3L);
            assert_true(off <= most);
        }
}

static void product__is_as_near_the_exact_one_as_matmul_h_says(void **state)
{
    (void)state;
    each_sheet(check_bound);
}

static void float32_product__is_rounded_once(void **state)
{
    (void)state;
    /* In float the small one would be lost before the large ones cancel. */
    double left[] = {0x1p30, 1, -0x1p30}, right[] = {1, 0x1p-10, 1};
    double room[2048];
    float out[1];
    struct product product = {.left = {left, DTYPE_FLOAT64, 3, 1},
                              .right = {right, DTYPE_FLOAT64, 3, 1},
                              .rows = 1,
                              .columns = 1,
                              .depth = 3,
                              .out = out,
                              .dtype = DTYPE_FLOAT32};

    assert_true(matmul_room(1, 1, 3) <= LENGTH(room));
    kernel_here()->multiply(&product, 0, room);
    assert_true(out[0] == 0x1p-10f);
}

static void product__has_no_negative_zero(void **state)
{
    (void)state;
    double left[] = {-0x1p-600, -0x1p-100}, right[] = {0x1p-600, 0x1p-100}, room[2048];
    const struct kernel *kernels[4];
    size_t count = kernels_here(kernels);

    for (size_t i = 0; i < count; i++) {
        double wide[2] = {1, 1};
        float narrow[1] = {1};
        struct product product = {.left = {left, DTYPE_FLOAT64, 1, 1},
                                  .right = {right, DTYPE_FLOAT64, 1, 1},
                                  .rows = 1,
                                  .columns = 1,
                                  .depth = 1,
                                  .out = wide,
                                  .dtype = DTYPE_FLOAT64};
        kernels[i]->multiply(&product, 0, room);
        assert_zero(wide[0]);
        product.left.data = left + 1;
        product.right.data = right + 1;
        product.out = narrow;
        product.dtype = DTYPE_FLOAT32;
        kernels[i]->multiply(&product, 0, room);
        assert_zero((double)narrow[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product__has_the_bits_of_the_plain_loop_with_every_kernel),
        cmocka_unit_test(product__is_as_near_the_exact_one_as_matmul_h_says),
        cmocka_unit_test(float32_product__is_rounded_once),
        cmocka_unit_test(product__has_no_negative_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
