#include "codec/json/json_integers.h"

#include "lossd/base/number.h"

enum { FIRST_NOTES = 16 };

static bool grow(struct json_integers *n, struct arena *mem, struct err *err)
{
    size_t capacity = n->capacity ? n->capacity + n->capacity / 2 : FIRST_NOTES;
    struct integer_note *notes =
        arena_resize(mem, n->notes, capacity * sizeof *notes, err);

    if (!notes)
        return false;
    n->notes = notes;
    n->capacity = capacity;
    return true;
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
