#include "codec/oip/oip_type.h"

/* TABLE: name, kind, as numpy calls it if it does, whether float32 holds all its numbers, the lowest
 * and the highest of them */
#define TYPES                                             \
    TYPE(FP32, FLOAT, f4, true, 0, 0)                     \
    TYPE(FP64, FLOAT, f8, false, 0, 0)                    \
    TYPE(FP16, HALF, f2, true, 0, 0)                      \
    TYPE(BF16, BFLOAT16, , true, 0, 0)                    \
    TYPE(INT64, INTEGER, i8, false, INT64_MIN, INT64_MAX) \
    TYPE(INT32, INTEGER, i4, false, INT32_MIN, INT32_MAX) \
    TYPE(INT16, INTEGER, i2, false, INT16_MIN, INT16_MAX) \
    TYPE(INT8, INTEGER, i1, false, INT8_MIN, INT8_MAX)    \
    TYPE(UINT64, INTEGER, u8, false, 0, UINT64_MAX)       \
    TYPE(UINT32, INTEGER, u4, false, 0, UINT32_MAX)       \
    TYPE(UINT16, INTEGER, u2, false, 0, UINT16_MAX)       \
    TYPE(UINT8, INTEGER, u1, false, 0, UINT8_MAX)         \
    TYPE(BOOL, TRUTH, b1, false, 0, 1)

static const struct {
    const char *bytes;
    struct oip_type type;
} types[] = {
#define TYPE(name, kind, bytes, is_single, lowest, highest) \
    {#bytes, {#name, OIP_##kind, NULL, is_single, lowest, highest}},
    TYPES
#undef TYPE
};

static const char names[] =
#define TYPE(name, ...) ", " #name
    TYPES
#undef TYPE
    ;

const char *oip_type_names(void)
{
    return names + strlen(", ");
}

bool oip_type_find(struct span name, struct oip_type *type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!span_is(name, types[i].type.name))
            continue;
        *type = types[i].type;
        type->bytes = type->kind == OIP_BFLOAT16 ? &npy_bfloat16
                                                 : npy_type_find(span_of(types[i].bytes));
        return true;
    }
    return false;
}
