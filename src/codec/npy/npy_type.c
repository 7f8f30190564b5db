#include "codec/npy/npy_type.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "lossd/engine/place.h"

#include "codec/half.h"

enum { BLOCK = 256 };

/* The upper half of a float. */
static double bfloat16_read(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;

    memcpy(&value, &wide, sizeof value);
    return (double)value;
}

static bool truth(uint8_t byte)
{
    return byte != 0;
}

static int64_t integer_of_double(double value)
{
    bool is_integer = fabs(value) < 0x1p63 && value == trunc(value);

    return is_integer ? (int64_t)value : INT64_MIN;
}

static int64_t integer_of_half(uint16_t bits)
{
    return integer_of_double(half_read(bits));
}

static int64_t integer_of_bfloat16(uint16_t bits)
{
    return integer_of_double(bfloat16_read(bits));
}

static int64_t integer_of_unsigned(uint64_t value)
{
    return value <= INT64_MAX ? (int64_t)value : INT64_MIN;
}

static int64_t integer_of_truth(uint8_t byte)
{
    (void)byte;
    return INT64_MIN;
}

/*   name, as it is stored, the number it is, the integer it is */
#define TYPES                                      \
    TYPE(f2, uint16_t, half_read, integer_of_half) \
    TYPE(f4, float, , integer_of_double)           \
    TYPE(f8, double, , integer_of_double)          \
    TYPE(i1, int8_t, , )                           \
    TYPE(i2, int16_t, , )                          \
    TYPE(i4, int32_t, , )                          \
    TYPE(i8, int64_t, , )                          \
    TYPE(u1, uint8_t, , )                          \
    TYPE(u2, uint16_t, , )                         \
    TYPE(u4, uint32_t, , )                         \
    TYPE(u8, uint64_t, , integer_of_unsigned)      \
    TYPE(b1, uint8_t, truth, integer_of_truth)

#define READ(name, stored, value_of, number)                             \
    static void name(const char *from, size_t count, void *to)           \
    {                                                                    \
        for (size_t i = 0; i < count; i++) {                             \
            stored bits;                                                 \
            memcpy(&bits, from + i * sizeof bits, sizeof bits);          \
            number value = (number)value_of(bits);                       \
            memcpy((char *)to + i * sizeof value, &value, sizeof value); \
        }                                                                \
    }

#define TYPE(name, stored, value_of, integer_of)      \
    READ(name##_to_doubles, stored, value_of, double) \
    READ(name##_to_floats, stored, value_of, float)   \
    READ(name##_to_integers, stored, integer_of, int64_t)
TYPES
TYPE(bfloat16, uint16_t, bfloat16_read, integer_of_bfloat16)
#undef TYPE

#define OBJECT(type, stored)                                                    \
    {                                                                           \
        .name = #type, .size = sizeof(stored), .to_doubles = type##_to_doubles, \
        .to_floats = type##_to_floats, .to_integers = type##_to_integers        \
    }
#define TYPE(name, stored, value_of, integer_of) OBJECT(name, stored),
static const struct npy_type types[] = {TYPES};
#undef TYPE

const struct npy_type npy_bfloat16 = OBJECT(bfloat16, uint16_t);

const struct npy_type *npy_type_find(struct span name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_is(name, types[i].name))
            return &types[i];
    return NULL;
}

bool npy_type_is_truth(const struct npy_type *type)
{
    return type->to_doubles == b1_to_doubles;
}

static void swap(char *out, const char *from, size_t count, size_t size)
{
    for (size_t i = 0; i < count * size; i += size)
        for (size_t b = 0; b < size; b++)
            out[i + b] = from[i + size - 1 - b];
}

void npy_type_read(const struct npy_type *type, bool swapped, const char *from,
                   size_t count, enum element element, void *to)
{
    void (*read)(const char *, size_t, void *) =
        element == ELEMENT_FLOAT32 ? type->to_floats
        : element == ELEMENT_INT64 ? type->to_integers
                                   : type->to_doubles;
    size_t size = element == ELEMENT_FLOAT32 ? sizeof(float) : sizeof(double);
    char turned[BLOCK * NPY_NUMBER_MAX];

    if (!swapped || type->size == 1) {
        read(from, count, to);
        return;
    }
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < BLOCK ? count - done : BLOCK;
        swap(turned, from + done * type->size, n, type->size);
        read(turned, n, (char *)to + done * size);
    }
}

struct excerpt npy_type_words(const struct npy_type *type, bool swapped, const char *at)
{
    char words[PLACE_SIZE], turned[NPY_NUMBER_MAX];
    double value;
    uint64_t exact; /* which a double is not, from 2^53 on */

    npy_type_read(type, swapped, at, 1, ELEMENT_FLOAT64, &value);
    number_words(words, value);
    if (type->to_doubles == u8_to_doubles) {
        swap(turned, at, 1, sizeof exact);
        memcpy(&exact, swapped ? turned : at, sizeof exact);
        snprintf(words, sizeof words, "%" PRIu64, exact);
    }
    return excerpt_of(span_of(words));
}
