/* The best of a row so far are a heap with the worst of them on top, so that most classes
 * are passed over with one comparison, and that all of them are wanted costs no square. */
#include "codec/ranking.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "lossd/base/number.h"
#include "lossd/engine/place.h"

static double value_at(const struct ranking *r, size_t place)
{
    return r->is_float ? (double)((const float *)r->values)[place]
                       : ((const double *)r->values)[place];
}

struct ranked {
    double value;
    size_t place; /* within a row in the order of the classes */
};

static bool comes_before(struct ranked a, struct ranked b)
{
    return a.value > b.value || (a.value == b.value && a.place < b.place);
}

/* Puts `one` where it belongs in the heap, from the top on down. */
static void sift(struct ranked *heap, size_t count, size_t top, struct ranked one)
{
    size_t child;

    while ((child = 2 * top + 1) < count) {
        if (child + 1 < count && comes_before(heap[child], heap[child + 1]))
            child++;
        if (!comes_before(one, heap[child]))
            break;
        heap[top] = heap[child];
        top = child;
    }
    heap[top] = one;
}

/* The best `count` classes of the row that begins at `first`, in order.  What is equal to
 * the worst of them comes behind it. */
static void rank_row(const struct ranking *r, size_t first, struct ranked *best,
                     size_t count)
{
    const size_t end = first + r->classes * r->inner;
    size_t place = first;

    for (size_t i = 0; i < count; i++, place += r->inner)
        best[i] = (struct ranked){value_at(r, place), place};
    for (size_t i = count / 2; i-- > 0;)
        sift(best, count, i, best[i]);
    for (; place < end; place += r->inner) {
        double value = value_at(r, place);
        if (value > best[0].value)
            sift(best, count, 0, (struct ranked){value, place});
    }
    for (size_t last = count - 1; last > 0; last--) {
        struct ranked one = best[last];
        best[last] = best[0];
        sift(best, last, 0, one);
    }
}

static void rank_rows(struct ranking *r, const struct batch *batch, size_t kept,
                      struct ranked *best)
{
    for (size_t row = 0; row < batch->positions; row++) {
        size_t first = row / r->inner * kept * r->inner + row % r->inner;
        rank_row(r, batch_row(batch, row), best, kept);
        for (size_t i = 0; i < kept; i++)
            r->places[first + i * r->inner] = best[i].place;
    }
}

const struct ranking *ranking_new(const struct batch *batch, const void *values,
                                  bool is_float, size_t most, struct arena *mem,
                                  struct err *err)
{
    struct ranking *r = arena_alloc(mem, 1, sizeof *r, err);
    size_t kept = most < batch->classes ? most : batch->classes;
    const struct shape *shape = &batch->logits.shape;
    int64_t axis = batch->axis < 0 ? batch->axis + shape->rank : batch->axis;

    if (!r)
        return NULL;
    *r = (struct ranking){.values = values,
                          .is_float = is_float,
                          .classes = batch->classes,
                          .inner = batch->inner,
                          .shape = *shape};
    r->shape.dim[axis] = kept;
    r->count = shape_count(&r->shape);
    r->places = arena_alloc(mem, r->count, sizeof *r->places, err);
    struct ranked *best = arena_alloc(mem, kept, sizeof *best, err);
    if (!r->places || !best)
        return NULL;
    rank_rows(r, batch, kept, best);
    return r;
}

static size_t write_value(const struct ranking *r, size_t place, char out[PLACE_SIZE])
{
    double value = value_at(r, place);

    if (r->is_float && isfinite(value))
        return number_write_float(out, (float)value);
    number_words(out, value);
    return strlen(out);
}

size_t ranking_write(const struct ranking *r, size_t index, char out[RANKED_MAX])
{
    char text[PLACE_SIZE];
    size_t place = r->places[index], len = write_value(r, place, text);

    text[len++] = ':';
    len += number_write_uint64(text + len, place / r->inner % r->classes);
    assert(len <= RANKED_MAX); /* no memory holds 1e12 classes */
    memcpy(out, text, len);
    return len;
}

size_t ranking_write_bytes(const struct ranking *r, size_t index,
                           char out[RANKED_BYTES_MAX])
{
    uint32_t len = (uint32_t)ranking_write(r, index, out + sizeof len);

    memcpy(out, &len, sizeof len);
    return sizeof len + len;
}

size_t ranking_bytes(const struct ranking *r)
{
    char text[RANKED_BYTES_MAX];
    size_t bytes = 0;

    for (size_t i = 0; i < r->count; i++)
        bytes += ranking_write_bytes(r, i, text);
    return bytes;
}
