/* The shape is found on the way.  The first number says at which depth numbers
 * stand, the first array to end at a depth says how long the others there must
 * be; it is always the one at index 0 of index 0 of ..., which is why an error can
 * name it without having kept anything.
 *
 * Here is one element at a time; json_array_numbers.c takes most of them. */
#include "codec/json/json_array.h"

#include <math.h>

#include "codec/json/json_text.h"
#include "lossd/base/buf.h"
#include "lossd/base/number.h"
#include "lossd/engine/place.h"

enum {
    FIRST_CAPACITY = 64,
    DOUBLE_UP_TO = 1 << 16, /* elements; from there on half as much again */
    FOR_OTHERS = 1 << 16,   /* bytes of what is reserved that one array leaves alone */
    TRIM_FROM = 4096        /* bytes; giving back less costs more than it is worth */
};

void json_array_begin(struct json_array *a, const char *name, struct array *out,
                      enum element element, size_t max_elements, struct arena *mem)
{
    *a = (struct json_array){.name = name,
                             .out = out,
                             .mem = mem,
                             .max_elements = max_elements,
                             .is_labels = element == ELEMENT_INT64};
    *out = (struct array){.element = element};
}

void json_array_begin_member(struct json_array *a, struct batch *batch,
                             enum member member, enum element element,
                             struct json_narrow *narrow, struct arena *mem)
{
    json_array_begin(a, member_infos[member].name, batch_array(batch, member), element,
                     batch->limits->max_elements, mem);
    a->may_be_bare = member_may_be_bare(member);
    a->is_logits = member == MEMBER_logits;
    a->narrow = narrow;
}

/* --- where we are, for errors --- */

/* How many elements of the open array at depth d (from 1) came before. */
static size_t index_at(const struct json_array *a, unsigned depth)
{
    return depth == a->rank ? a->out->count - a->row_from : a->filled[depth - 1];
}

enum path { AS_POINTER, IN_WORDS, FIRST_IN_WORDS };

/* Path of the element that comes next at `depth` (0: the whole member), or of the very first
 * one there. */
static void write_path(char out[PLACE_SIZE], const struct json_array *a, unsigned depth,
                       enum path path)
{
    struct buf buf;

    buf_over(&buf, out, PLACE_SIZE - 1);
    buf_text(&buf, path == AS_POINTER ? "/" : "");
    buf_text(&buf, a->name);
    for (unsigned d = 1; d <= depth; d++)
        buf_format(&buf, path == AS_POINTER ? "/%zu" : "[%zu]",
                   path == FIRST_IN_WORDS ? 0 : index_at(a, d));
    out[buf.len] = '\0';
}

static void give_up(struct json_array *a)
{
    arena_drop(a->mem, a->out->data);
    *a->out = (struct array){.element = a->out->element};
    a->failed = true;
}

struct place {
    char pointer[PLACE_SIZE], words[PLACE_SIZE], first[PLACE_SIZE];
};

static struct place place_at(const struct json_array *a, unsigned depth)
{
    struct place place = {.pointer = ""};

    write_path(place.pointer, a, depth, AS_POINTER);
    write_path(place.words, a, depth, IN_WORDS);
    write_path(place.first, a, depth, FIRST_IN_WORDS);
    return place;
}

static const char *wanted(const struct json_array *a)
{
    if (a->depth > 0)
        return a->is_labels ? "an integer" : "a number";
    if (a->may_be_bare)
        return a->is_labels ? "an integer, or an array of integers,"
                            : "a number, or an array of numbers,";
    return a->is_labels ? "an array of integers" : "an array of numbers";
}

static bool fail_type(struct json_array *a, const char *what, struct err *err)
{
    struct place place = place_at(a, a->depth);

    fail(err, ERR_WRONG_TYPE, place.pointer, "%s is %s; %s is wanted", place.words, what,
         wanted(a));
    give_up(a);
    return true;
}

static bool fail_scalar(struct json_array *a, enum json_scalar scalar, struct span text,
                        struct err *err)
{
    struct place place = place_at(a, a->depth);

    if (scalar != JSON_STRING)
        return fail_type(a, json_scalar_words(scalar), err);
    fail(err, ERR_WRONG_TYPE, place.pointer, "%s is \"%s\"; %s is wanted", place.words,
         excerpt_of(text).text, wanted(a));
    give_up(a);
    return true;
}

/* A label such as 3.5, true, "3". */
static bool fail_label(struct json_array *a, enum json_scalar scalar, struct span text,
                       struct err *err)
{
    struct place place = place_at(a, a->depth);
    const char *quote = scalar == JSON_STRING ? "\"" : "";

    fail(err, ERR_LABEL_NOT_INTEGER, place.pointer, "%s is %s%s%s; an integer is wanted",
         place.words, quote, excerpt_of(text).text, quote);
    give_up(a);
    return true;
}

/* The element at this depth is `what`, unlike the first there. */
static bool fail_mixed(struct json_array *a, const char *what, const char *first,
                       struct err *err)
{
    struct place place = place_at(a, a->depth);

    fail(err, ERR_RAGGED_ARRAY, place.pointer, "%s is %s, %s is %s", place.words, what,
         place.first, first);
    give_up(a);
    return true;
}

static const char *elements(size_t count)
{
    return count == 1 ? "element" : "elements";
}

/* The array at this depth has `count` elements, the first such had another number. */
static bool fail_length(struct json_array *a, size_t count, struct err *err)
{
    struct place place = place_at(a, a->depth - 1);
    size_t other = a->out->shape.dim[a->depth - 1];

    fail(err, ERR_RAGGED_ARRAY, place.pointer, "%s has %zu %s, %s has %zu", place.words,
         count, elements(count), place.first, other);
    give_up(a);
    return true;
}

/* --- memory --- */

static bool resize(struct json_array *a, size_t capacity, struct err *err)
{
    void *data =
        arena_resize(a->mem, a->out->data, capacity * array_element_size(a->out), err);

    if (!data)
        return false;
    a->out->data = data;
    a->capacity = capacity;
    return true;
}

/* What has been reserved, by the length of the body, where that is more: pages that are
 * not reached cost nothing, and those that are need not be moved. */
static size_t large_capacity(const struct json_array *a)
{
    size_t half_more = a->capacity + a->capacity / 2;
    size_t reserved = arena_reserve_left(a->mem);

    if (reserved < FOR_OTHERS + half_more * array_element_size(a->out))
        return half_more;
    return (reserved - FOR_OTHERS) / array_element_size(a->out);
}

bool json_array_grow(struct json_array *a, struct err *err)
{
    size_t most = a->max_elements < SIZE_MAX / 16 ? a->max_elements : SIZE_MAX / 16;
    size_t capacity = a->capacity < FIRST_CAPACITY ? FIRST_CAPACITY
                      : a->capacity < DOUBLE_UP_TO ? a->capacity * 2
                                                   : large_capacity(a);

    if (a->capacity >= most) {
        char pointer[PLACE_SIZE];
        write_path(pointer, a, 0, AS_POINTER);
        return fail_limit(err, ERR_TOO_LARGE, pointer, a->max_elements, "--max-elements",
                          "%s has more than %zu numbers", a->name, a->max_elements);
    }
    return resize(a, capacity < most ? capacity : most, err);
}

/* --- brackets --- */

static bool fail_too_deep(struct json_array *a, struct err *err)
{
    char pointer[PLACE_SIZE];

    write_path(pointer, a, 0, AS_POINTER);
    fail(err, ERR_SHAPE_MISMATCH, pointer, "%s is nested deeper than %d levels of arrays",
         a->name, RANK_MAX);
    give_up(a);
    return true;
}

/* The array is not empty, unlike the first at its depth. */
static bool fail_not_empty(struct json_array *a, struct err *err)
{
    struct place place = place_at(a, a->depth - 1);

    fail(err, ERR_RAGGED_ARRAY, place.pointer, "%s is not empty, %s is", place.words,
         place.first);
    give_up(a);
    return true;
}

bool json_array_open(struct json_array *a, struct err *err)
{
    if (a->rank > 0 && a->depth == a->rank) {
        if (json_array_knows(a, a->rank) && a->out->shape.dim[a->rank - 1] == 0)
            return fail_not_empty(a, err);
        return fail_mixed(a, "an array", "a number", err);
    }
    if (a->depth == RANK_MAX)
        return fail_too_deep(a, err);
    a->filled[a->depth++] = 0;
    a->row_from = a->out->count;
    return true;
}

/* The open array ends.  False: other arrays at its depth have another length. */
static inline bool end_array(struct json_array *a)
{
    size_t *dim = &a->out->shape.dim[a->depth - 1];
    size_t count = index_at(a, a->depth);

    if (!json_array_knows(a, a->depth)) {
        a->known |= 1u << a->depth;
        *dim = count;
    }
    if (*dim != count)
        return false;
    a->depth--;
    if (a->depth > 0)
        a->filled[a->depth - 1]++;
    return true;
}

bool json_array_close(struct json_array *a, struct err *err)
{
    if (a->rank == 0)
        a->rank = a->depth; /* it is empty */
    return end_array(a) || fail_length(a, index_at(a, a->depth), err);
}

bool json_array_object(struct json_array *a, struct err *err)
{
    return fail_type(a, "an object", err);
}

bool json_array_end(struct json_array *a, struct err *err)
{
    a->out->shape.rank = a->rank;
    size_t spare = (a->capacity - a->out->count) * array_element_size(a->out);
    return spare < TRIM_FROM || resize(a, a->out->count, err);
}

/* --- one element --- */

static void note_flaw(struct json_array *a, enum flaw flaw, struct span text)
{
    if (a->out->flaw != FLAW_NONE)
        return;
    a->out->flaw = flaw;
    a->out->flaw_index = a->out->count;
    a->out->flaw_text = excerpt_of(text);
}

/* "NaN" or "Infinity", in quotes. */
static void note_string(struct json_array *a, enum flaw flaw, struct span text)
{
    char quoted[16];
    struct buf buf;

    buf_over(&buf, quoted, sizeof quoted);
    buf_char(&buf, '"');
    buf_add(&buf, text);
    buf_char(&buf, '"');
    note_flaw(a, flaw, buf_span(&buf));
}

static bool make_room(struct json_array *a, struct err *err)
{
    return a->out->count < a->capacity || json_array_grow(a, err);
}

static bool push_integer(struct json_array *a, int64_t value, struct err *err)
{
    if (!make_room(a, err))
        return false;
    ((int64_t *)a->out->data)[a->out->count++] = value;
    return true;
}

static bool push_double(struct json_array *a, double value, struct err *err)
{
    if (!make_room(a, err))
        return false;
    if (a->out->element == ELEMENT_FLOAT32)
        ((float *)a->out->data)[a->out->count++] = (float)value;
    else
        ((double *)a->out->data)[a->out->count++] = value;
    return true;
}

/* Of a number that is no int64: one so large has no fraction in float64 either. */
static bool is_integral(struct span text)
{
    double value = number_read_double(text);

    return fabs(value) >= 0x1p63;
}

static bool push_label(struct json_array *a, enum json_scalar scalar, struct span text,
                       struct err *err)
{
    int64_t value = 0;

    if (scalar == JSON_NULL && a->depth == 0)
        return fail_type(a, "null", err);
    if (scalar != JSON_NUMBER)
        return fail_label(a, scalar, text, err);
    if (!number_read_integer(text, &value)) {
        if (!is_integral(text))
            return fail_label(a, scalar, text, err);
        note_flaw(a, FLAW_BEYOND_INT64, text);
    }
    return push_integer(a, value, err);
}

/* A number that the kernel did not take. */
static bool push_number(struct json_array *a, struct span text, struct err *err)
{
    bool is_float = a->out->element == ELEMENT_FLOAT32;
    double value = is_float ? (double)number_read_float(text) : number_read_double(text);

    if (isinf(value))
        note_flaw(a, FLAW_OVERFLOW, text);
    else if (a->narrow && number_rounds_twice(value) &&
             !narrow_note(a->narrow, a->out->count, text, value, a->mem, err))
        return false;
    if (a->integers && number_loses_digits(value) &&
        !integers_note(a->integers, a->out->count, text, a->mem, err))
        return false;
    return push_double(a, value, err);
}

static enum json_scalar spelled_out(struct span text)
{
    if (span_is(text, "NaN"))
        return JSON_NAN;
    if (span_is(text, "Infinity"))
        return JSON_INFINITY;
    return span_is(text, "-Infinity") ? JSON_MINUS_INFINITY : JSON_STRING;
}

static bool push_logit(struct json_array *a, enum json_scalar scalar, struct span text,
                       struct err *err)
{
    enum json_scalar meant = scalar == JSON_STRING ? spelled_out(text) : scalar;
    enum flaw flaw = meant == JSON_INFINITY ? FLAW_INFINITE : FLAW_NAN;
    double value = meant == JSON_INFINITY         ? (double)INFINITY
                   : meant == JSON_MINUS_INFINITY ? -(double)INFINITY
                                                  : (double)NAN;

    if (meant == JSON_STRING || meant == JSON_TRUE || meant == JSON_FALSE)
        return fail_scalar(a, scalar, text, err);
    if (meant == JSON_MINUS_INFINITY)
        a->out->has_minus_infinity = true;
    else if (scalar == JSON_STRING)
        note_string(a, flaw, text);
    else
        note_flaw(a, flaw, text);
    return push_double(a, value, err);
}

static bool push_truth(struct json_array *a, bool truth, struct err *err)
{
    if (!a->truths->any)
        *a->truths = (struct json_truths){true, a->out->count, truth};
    return push_double(a, truth, err);
}

bool json_array_scalar(struct json_array *a, enum json_scalar scalar, struct span text,
                       struct err *err)
{
    if (a->depth == 0 && a->may_be_null && scalar == JSON_NULL) {
        a->is_null = true;
        return true;
    }
    if (a->depth == 0 && !a->may_be_bare)
        return fail_scalar(a, scalar, text, err);
    if (a->rank == 0)
        a->rank = a->depth;
    if (a->depth != a->rank)
        return fail_mixed(a, json_scalar_words(scalar), "an array", err);
    if (a->is_labels)
        return push_label(a, scalar, text, err);
    if (scalar == JSON_NUMBER)
        return push_number(a, text, err);
    if (a->truths && (scalar == JSON_TRUE || scalar == JSON_FALSE))
        return push_truth(a, scalar == JSON_TRUE, err);
    return a->is_logits ? push_logit(a, scalar, text, err)
                        : fail_scalar(a, scalar, text, err);
}
