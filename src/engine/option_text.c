#include "lossd/engine/option_text.h"

#include "lossd/base/number.h"

static struct value number_value(struct span text)
{
    struct value value = {.type = VALUE_TEXT, .text = text, .kind = "a string"};

    if (text.len == 0 || number_length(text) != text.len)
        return value;
    value.type = VALUE_NUMBER;
    value.kind = "a number";
    value.number = number_read_double(text);
    value.is_integer = number_read_integer(text, &value.integer);
    return value;
}

static bool names_value(struct span text, struct arena *mem, struct value *value,
                        struct err *err)
{
    struct span *names = arena_alloc(mem, text.len + 1, sizeof *names, err);
    struct span rest = text;
    size_t count = 0;

    if (!names)
        return false;
    for (bool more = text.len > 0; more;) { /* behind the last comma, too */
        more = memchr(rest.at, ',', rest.len) != NULL;
        names[count++] = span_cut(&rest, ',');
    }
    *value = (struct value){.type = VALUE_NAMES,
                            .text = text,
                            .names = names,
                            .count = count,
                            .kind = "an array"};
    return true;
}

bool option_set_text(struct batch *batch, enum member member, struct span text,
                     struct arena *mem, struct err *err)
{
    struct value value = {.type = VALUE_TEXT, .text = text, .kind = "a string"};

    switch (member_infos[member].type) {
    case MEMBER_NUMBER:
    case MEMBER_INTEGER:
        value = number_value(text);
        break;
    case MEMBER_NAMES:
        if (!names_value(text, mem, &value, err))
            return false;
        break;
    case MEMBER_CHOICE:
    case MEMBER_TEXT:
    case MEMBER_ARRAY:
    case MEMBER_LABELS:
        break;
    }
    return batch_set(batch, member, value, err);
}
