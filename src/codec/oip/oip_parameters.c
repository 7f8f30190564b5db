#include "codec/oip/oip_parameters.h"

#include <stdio.h>

#include "codec/json/json_read.h"
#include "codec/json/json_value.h"
#include "lossd/engine/place.h"

struct parameters {
    struct json_reader reader;
    const struct parameter_reader *told;
    struct arena *mem;
    struct span name; /* of the value that comes next */
};

static enum json_way take_name(void *ctx, struct json_reader *reader, struct span name,
                               struct err *err)
{
    struct parameters *p = ctx;
    char *kept = arena_text(p->mem, name, err);

    /* as in the address: it is out of every range, which says more than bad syntax */
    reader->bare_tokens = true;
    p->name = (struct span){kept, name.len};
    return kept ? JSON_COPY : JSON_SKIP;
}

static bool take_text(void *ctx, struct span text, struct err *err)
{
    struct parameters *p = ctx;
    struct value value;

    return json_value(text, p->mem, &value, err) &&
           p->told->take(p->told->ctx, p->name, &value, err);
}

bool parameters_read(struct span text, const struct parameter_reader *told,
                     const struct limits *limits, struct arena *mem, struct err *err)
{
    static const struct json_handler handler = {.name = take_name, .text = take_text};
    struct parameters *p = arena_alloc(mem, 1, sizeof *p, err);
    char what[PLACE_SIZE], pointer[PLACE_SIZE];

    if (!p)
        return false;
    *p = (struct parameters){.told = told, .mem = mem};
    if (!json_read_begin(&p->reader, &handler, p, limits, mem, err))
        return false;
    snprintf(what, sizeof what, "%s%sparameters", told->words, *told->words ? "." : "");
    snprintf(pointer, sizeof pointer, "%s/parameters", told->pointer);
    p->reader.what = what;
    p->reader.pointer = pointer;
    return json_read(&p->reader, text, err) && json_read_end(&p->reader, err);
}

bool parameter_is_bool(const struct value *value, bool *truth)
{
    *truth = value->type == VALUE_NOTHING && strcmp(value->kind, "true") == 0;
    return *truth || (value->type == VALUE_NOTHING && strcmp(value->kind, "false") == 0);
}
