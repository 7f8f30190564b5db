#include "codec/json/json_narrow.h"

#include <math.h>

#include "lossd/base/number.h"

enum { BLOCK = 256 };

static bool grow(struct json_narrow *n, struct arena *mem, struct err *err)
{
    void *notes = arena_grow(mem, n->notes, &n->capacity, sizeof *n->notes, err);

    if (notes)
        n->notes = notes;
    return notes != NULL;
}

bool narrow_note_float(struct json_narrow *n, size_t index, struct span text,
                       double value, float right, struct arena *mem, struct err *err)
{
    if (isinf(right) && (!n->overflows || index < n->overflow_index)) {
        n->overflows = true;
        n->overflow_index = index;
        n->overflow_text = excerpt_of(text);
    }
    if (right == (float)value)
        return true;
    if (n->count == n->capacity && !grow(n, mem, err))
        return false;
    n->notes[n->count++] = (struct narrow_note){index, right};
    return true;
}

bool narrow_note(struct json_narrow *n, size_t index, struct span text, double value,
                 struct arena *mem, struct err *err)
{
    return narrow_note_float(n, index, text, value, number_read_float(text), mem, err);
}

/* In place, front to back: a float is written where a double was read already. */
static void convert(void *data, size_t count)
{
    const char *from = data;
    char *to = data;
    double wide[BLOCK];
    float slim[BLOCK];

    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < BLOCK ? count - done : BLOCK;
        memcpy(wide, from + done * sizeof *wide, n * sizeof *wide);
        for (size_t i = 0; i < n; i++)
            slim[i] = (float)wide[i];
        memcpy(to + done * sizeof *slim, slim, n * sizeof *slim);
    }
}

static void note_overflow(const struct json_narrow *n, struct array *array,
                          enum flaw flaw)
{
    if (!n->overflows ||
        (array->flaw != FLAW_NONE && n->overflow_index >= array->flaw_index))
        return;
    array->flaw = flaw;
    array->flaw_index = n->overflow_index;
    array->flaw_text = n->overflow_text;
}

bool narrow_array(struct json_narrow *n, struct array *array, struct arena *mem,
                  struct err *err)
{
    array->element = ELEMENT_FLOAT32;
    if (!array->data)
        return true;
    convert(array->data, array->count);
    float *data = arena_resize(mem, array->data, array->count * sizeof *data, err);
    if (!data)
        return false;
    array->data = data;
    for (size_t i = 0; i < n->count; i++)
        data[n->notes[i].index] = n->notes[i].value;
    note_overflow(n, array, FLAW_OVERFLOW);
    return true;
}

void narrow_round(struct json_narrow *n, struct array *array)
{
    double *values = array->data;

    if (!values)
        return;
    for (size_t i = 0; i < array->count; i++)
        values[i] = (double)(float)values[i];
    for (size_t i = 0; i < n->count; i++)
        values[n->notes[i].index] = (double)n->notes[i].value;
    note_overflow(n, array, FLAW_BEYOND_FLOAT32);
}
