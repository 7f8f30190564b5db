#include "codec/oip/oip_ignored.h"

static bool is_for_others(struct span name)
{
    static const char *const reserved[] = {
        "sequence_id", "sequence_start", "sequence_end",
        "priority",    "headers",        "content_type",
        NULL};
    static const char prefix[] = "triton_";

    for (const char *const *other = reserved; *other; other++)
        if (span_is(name, *other))
            return true;
    return name.len >= sizeof prefix - 1 &&
           memcmp(name.at, prefix, sizeof prefix - 1) == 0;
}

void ignored_begin(struct ignored *ignored, const struct limits *limits,
                   struct arena *mem, struct err *err)
{
    buf_init(&ignored->names, mem, limits->max_text, "--max-text", err);
    ignored->names.what = "the names of parameters";
}

bool ignored_add(struct ignored *ignored, enum oip_scope scope, size_t index,
                 struct span name)
{
    struct buf *names = &ignored->names;
    char words[OIP_PLACE_SIZE];

    if (is_for_others(name))
        return true;
    buf_text(names, names->len > 0 ? ", " : "");
    if (scope != OIP_TOP) {
        oip_words(words, scope, index);
        buf_text(names, words);
        buf_char(names, '.');
    }
    buf_add(names, name);
    return buf_ok(names);
}
