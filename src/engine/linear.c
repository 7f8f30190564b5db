/* Logits from features, and gradients from the gradient by the logits: four products
 * of matrices, each made block by block over the pool.
 *
 * A block is one thread's from first to last, and what a block is depends on the
 * shapes alone, so the pool cannot be seen in the result.  What the threads pack
 * factors into is the request's, made before. */
#include "engine/linear.h"

#include <stdint.h>

#include "engine/kernel/kernel.h"
#include "engine/kernel/matmul.h"
#include "engine/layout.h"
#include "lossd/engine/exact_sum.h"

enum {
    INLINE_PRODUCTS = 1 << 21, /* fewer are not worth waking a thread */
    PRODUCTS_PER_NS = 32,
    ROOM_ALIGNMENT = 64 /* bytes */
};

/* ---- the products ------------------------------------------------------------ */

static struct product logits_product(const struct batch *batch,
                                     const struct result *result)
{
    size_t depth = batch->features_of_row;

    return (struct product){
        .left = {batch->features.data, DTYPE_FLOAT64, .step = depth, .deep = 1},
        .right = {batch->W.data, DTYPE_FLOAT64, .step = depth, .deep = 1},
        .rows = batch->positions,
        .columns = batch->classes,
        .depth = depth,
        .plus = batch->b.data,
        .times = 1,
        .out = result->logits,
        .dtype = (enum dtype)batch->dtype};
}

static struct product features_product(const struct batch *batch,
                                       const struct result *result)
{
    enum dtype dtype = (enum dtype)batch->dtype;

    return (struct product){
        .left = {result->gradient, dtype, .step = batch->classes, .deep = 1},
        .right = {batch->W.data, DTYPE_FLOAT64, .step = 1,
                  .deep = batch->features_of_row},
        .rows = batch->positions,
        .columns = batch->features_of_row,
        .depth = batch->classes,
        .out = result->gradient_features,
        .dtype = dtype};
}

/* Is there a loss that its term is part of? */
static bool has_penalty(const struct batch *batch, const struct result *result)
{
    return batch->l2 > 0 && !(batch->reduction == REDUCTION_MEAN && result->divisor == 0);
}

static struct product W_product(const struct batch *batch, const struct result *result)
{
    enum dtype dtype = (enum dtype)batch->dtype;
    size_t columns = batch->features_of_row;

    return (struct product){
        .left = {result->gradient, dtype, .step = 1, .deep = batch->classes},
        .right = {batch->features.data, DTYPE_FLOAT64, .step = 1, .deep = columns},
        .rows = batch->classes,
        .columns = columns,
        .depth = batch->positions,
        .plus = has_penalty(batch, result) ? batch->W.data : NULL,
        .plus_step = columns,
        .times = batch->l2,
        .out = result->gradient_W,
        .dtype = dtype};
}

/* A row of ones times G. */
static struct product b_product(const struct batch *batch, const struct result *result)
{
    static const double one = 1;
    enum dtype dtype = (enum dtype)batch->dtype;

    return (struct product){
        .left = {&one, DTYPE_FLOAT64, .step = 0, .deep = 0},
        .right = {result->gradient, dtype, .step = 1, .deep = batch->classes},
        .rows = 1,
        .columns = batch->classes,
        .depth = batch->positions,
        .out = result->gradient_b,
        .dtype = dtype};
}

/* ---- making one --------------------------------------------------------------- */

/* Threads that make it, of `width`. */
static size_t width_of(const struct product *product, size_t width)
{
    size_t blocks = matmul_blocks(product);
    double products =
        (double)product->rows * (double)product->columns * (double)product->depth;

    if (products < INLINE_PRODUCTS || blocks <= 1)
        return 1;
    return blocks < width ? blocks : width;
}

static size_t room_for_product(const struct product *product)
{
    return matmul_room(product->rows, product->columns, product->depth);
}

/* Doubles for all threads, whichever product they work on. */
static size_t room_for_threads(const struct batch *batch, const struct result *result,
                               size_t width)
{
    const struct product products[] = {
        logits_product(batch, result), features_product(batch, result),
        W_product(batch, result), b_product(batch, result)};
    const bool wanted[] = {true, batch_wants(batch, OUTPUT_GRADIENT_FEATURES),
                           batch_wants(batch, OUTPUT_GRADIENT_W),
                           batch_wants(batch, OUTPUT_GRADIENT_B)};
    size_t most = 0;

    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        size_t room = width_of(&products[i], width) * room_for_product(&products[i]);
        if (wanted[i] && room > most)
            most = room;
    }
    return most;
}

struct making {
    const struct product *product;
    const struct kernel *kernel;
    double *room; /* of all threads */
};

static void make_blocks(void *ctx, size_t from, size_t to, size_t worker)
{
    const struct making *making = ctx;
    double *room = making->room + worker * room_for_product(making->product);

    for (size_t block = from; block < to; block++)
        making->kernel->multiply(making->product, block, room);
}

static void make_product(const struct product *product, double *room, struct pool *pool)
{
    struct making making = {product, kernel_here(), room};

    pool_for(width_of(product, pool_width(pool)) > 1 ? pool : NULL,
             matmul_blocks(product), 1, make_blocks, &making);
}

/* ---- the model ---------------------------------------------------------------- */

static bool room_for_array(void **array, const struct batch *batch, size_t count,
                           struct arena *mem, struct err *err)
{
    *array = arena_alloc(mem, count, layout_size(batch), err);
    return *array;
}

bool linear_init(struct result *result, const struct batch *batch, size_t width,
                 struct arena *mem, struct err *err)
{
    const size_t spare = ROOM_ALIGNMENT / sizeof(double);
    size_t count = room_for_threads(batch, result, width);
    double *room = arena_alloc(mem, count + spare, sizeof *room, err);

    if (!room)
        return false;
    result->room = room + (spare - (uintptr_t)room / sizeof *room % spare) % spare;
    if (!room_for_array(&result->logits, batch, batch->logits.count, mem, err))
        return false;
    if (batch_wants(batch, OUTPUT_GRADIENT_FEATURES) &&
        !room_for_array(&result->gradient_features, batch, batch->features.count, mem,
                        err))
        return false;
    if (batch_wants(batch, OUTPUT_GRADIENT_W) &&
        !room_for_array(&result->gradient_W, batch, batch->W.count, mem, err))
        return false;
    return !batch_wants(batch, OUTPUT_GRADIENT_B) ||
           room_for_array(&result->gradient_b, batch, batch->b.count, mem, err);
}

void linear_logits(const struct batch *batch, struct result *result, struct pool *pool)
{
    struct product logits = logits_product(batch, result);

    make_product(&logits, result->room, pool);
}

void linear_gradients(const struct batch *batch, struct result *result, struct pool *pool)
{
    struct product features = features_product(batch, result);
    struct product W = W_product(batch, result), b = b_product(batch, result);

    if (result->gradient_features)
        make_product(&features, result->room, pool);
    if (result->gradient_W)
        make_product(&W, result->room, pool);
    if (result->gradient_b)
        make_product(&b, result->room, pool);
}

double linear_penalty(const struct batch *batch)
{
    const double *W = batch->W.data;
    struct exact_sum sum = {0};
    double squares[256];
    size_t n = 0;

    if (batch->l2 == 0)
        return 0;
    for (size_t i = 0; i < batch->W.count; i++) {
        squares[n++] = W[i] * W[i];
        if (n == sizeof squares / sizeof squares[0] || i == batch->W.count - 1) {
            exact_sum_add_all(&sum, squares, n);
            n = 0;
        }
    }
    return batch->l2 / 2 * exact_sum_value(&sum);
}

double linear_count(const struct batch *batch)
{
    size_t depth = batch->W.shape.dim[1];
    size_t rows = depth > 0 ? batch->features.count / depth : 0;

    return (double)rows * (double)batch->W.shape.dim[0];
}

double linear_cost_ns(const struct batch *batch)
{
    unsigned products = 1U + batch_wants(batch, OUTPUT_GRADIENT_FEATURES) +
                        batch_wants(batch, OUTPUT_GRADIENT_W);

    return linear_count(batch) * (double)batch->W.shape.dim[1] * products /
           PRODUCTS_PER_NS;
}
