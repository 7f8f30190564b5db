#include "oip_type.h"

/* TABLE: name, as numpy calls it, whether float32 holds all its numbers */
#define TYPES               \
    TYPE(FP32, f4, true)    \
    TYPE(FP64, f8, false)   \
    TYPE(FP16, f2, true)    \
    TYPE(INT64, i8, false)  \
    TYPE(INT32, i4, false)  \
    TYPE(INT16, i2, false)  \
    TYPE(INT8, i1, false)   \
    TYPE(UINT64, u8, false) \
    TYPE(UINT32, u4, false) \
    TYPE(UINT16, u2, false) \
    TYPE(UINT8, u1, false)  \
    TYPE(BOOL, b1, false)

static const struct {
    const char *name, *bytes;
    bool is_single;
} types[] = {
#define TYPE(name, bytes, is_single) {#name, #bytes, is_single},
    TYPES
#undef TYPE
};

static const char names[] =
#define TYPE(name, bytes, is_single) ", " #name
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
        if (!span_is(name, types[i].name))
            continue;
        *type = (struct oip_type){types[i].name, npy_type_find(span_of(types[i].bytes)),
                                  types[i].is_single};
        return true;
    }
    return false;
}
