/* What every place that settings come from does with one: finds it, holds it to its type,
 * and weighs it against what others say. */
#include "config_source.h"

#include <stdarg.h>

#include "lossd/base/nearest_name.h"
#include "lossd/http/server.h"

/* Flags that are not settings. */
static const char *const actions[] = {"config",  "check-config", "print-config",
                                      "version", "json",         "help"};
enum { ACTIONS = sizeof actions / sizeof *actions };

static void __attribute__((format(printf, 3, 0)))
message(FILE *err, const char *kind, const char *format, va_list args)
{
    fprintf(err, "lossd: %s", kind);
    vfprintf(err, format, args);
    fputc('\n', err);
}

bool sources_fail(struct sources *sources, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message(sources->err, "", format, args);
    va_end(args);
    return false;
}

void sources_warn(struct sources *sources, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message(sources->err, "warning: ", format, args);
    va_end(args);
}

/* What the field has, and `text` behind it. */
static struct span joined(const struct option *option, const struct config *config,
                          struct span text, char out[2 * OPTION_TEXT_SIZE])
{
    char before[OPTION_TEXT_SIZE];

    option_text(option, config, before);
    int len = snprintf(out, 2 * OPTION_TEXT_SIZE, "%s,%.*s", before,
                       text.len < OPTION_TEXT_SIZE ? (int)text.len : OPTION_TEXT_SIZE - 1,
                       text.at);
    return (struct span){out, (size_t)len};
}

/* All lists are of addresses. */
static bool check_list(struct sources *sources, const struct option *option,
                       const struct config *config, const char *where)
{
    char list[OPTION_TEXT_SIZE];
    struct err err = {0};

    option_text(option, config, list);
    return *list == '\0' || server_check_addresses(list, &err) ||
           sources_fail(sources, "%s: %s", where, err.detail);
}

bool sources_set(struct sources *sources, enum origin origin, const struct option *option,
                 struct span text, const char *where)
{
    enum origin *present = &sources->origin[option - options];
    struct config beaten = *sources->config;
    struct config *config = origin < *present ? &beaten : sources->config;
    char wanted[OPTION_TEXT_SIZE], list[2 * OPTION_TEXT_SIZE];

    if (option->type == OPTION_LIST && origin == *present && origin == ORIGIN_FLAG)
        text = joined(option, sources->config, text, list);
    if (!option_set(option, config, text)) {
        option_wanted(option, wanted);
        return sources_fail(sources, "%s is \"%.*s\"; wanted %s", where, (int)text.len,
                            text.at, wanted);
    }
    if (option->type == OPTION_LIST && !check_list(sources, option, config, where))
        return false;
    if (origin > *present)
        *present = origin;
    return true;
}

const struct option *option_find(struct span key)
{
    char name[OPTION_NAME_SIZE];

    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        option_key(&options[i], name);
        if (span_is(key, name))
            return &options[i];
    }
    return NULL;
}

/* The key that was most likely meant, written to `out`; false when none is near. */
static bool key_nearest(struct span key, bool with_actions, char out[OPTION_NAME_SIZE])
{
    char keys[CONFIG_OPTIONS][OPTION_NAME_SIZE];
    const char *names[CONFIG_OPTIONS + ACTIONS + 1];
    size_t count = 0;

    for (; count < CONFIG_OPTIONS; count++) {
        option_key(&options[count], keys[count]);
        names[count] = keys[count];
    }
    for (size_t i = 0; with_actions && i < ACTIONS; i++)
        names[count++] = actions[i];
    names[count] = NULL;
    const char *nearest = nearest_name(key, names);
    if (!nearest)
        return false;
    snprintf(out, OPTION_NAME_SIZE, "%s", nearest);
    return true;
}

const struct option *option_nearest(struct span key)
{
    char nearest[OPTION_NAME_SIZE];

    return key_nearest(key, false, nearest) ? option_find(span_of(nearest)) : NULL;
}

void option_suggest(struct span key, const char *prefix, char out[OPTION_TEXT_SIZE])
{
    char nearest[OPTION_NAME_SIZE];

    out[0] = '\0';
    if (key_nearest(key, *prefix == '-', nearest))
        snprintf(out, OPTION_TEXT_SIZE, "; did you mean %s%s?", prefix, nearest);
}
