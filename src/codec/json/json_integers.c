#include "codec/json/json_integers.h"

#include "lossd/base/number.h"

static bool grow(struct json_integers *n, struct arena *mem, struct err *err)
{
    void *notes = arena_grow(mem, n->notes, &n->capacity, sizeof *n->notes, err);

    if (notes)
        n->notes = notes;
    return notes != NULL;
}

bool integers_note(struct json_integers *n, size_t index, struct span text,
                   struct arena *mem, struct err *err)
{
    int64_t value;

    if (!number_read_integer(text, &value))
        return true;
    if (n->count == n->capacity && !grow(n, mem, err))
        return false;
    n->notes[n->count++] = (struct integer_note){index, value};
    return true;
}

bool integers_find(const struct json_integers *n, size_t index, int64_t *value)
{
    size_t low = 0, high = n->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (n->notes[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n->count || n->notes[low].index != index)
        return false;
    *value = n->notes[low].value;
    return true;
}
