/* The environment.
 *
 * Two habits of platforms are honoured.  PORT is what many of them tell a service to
 * listen on.  And Kubernetes puts LOSSD_PORT=tcp://10.0.0.1:80, LOSSD_SERVICE_HOST
 * and more of that kind into every container beside a Service named "lossd": that is
 * not a setting, and must not keep the server from starting. */
#include "config_variables.h"

#include <string.h>

static bool starts_with(struct span text, const char *start)
{
    size_t len = strlen(start);

    return text.len >= len && memcmp(text.at, start, len) == 0;
}

/* Turns LOSSD_MAX_BODY into max-body.  False when it is no such name. */
static bool variable_key(struct span name, char out[OPTION_NAME_SIZE])
{
    static const char prefix[] = "LOSSD_";
    size_t skip = sizeof prefix - 1;

    if (!starts_with(name, prefix) || name.len - skip >= OPTION_NAME_SIZE)
        return false;
    for (size_t i = skip; i < name.len; i++) {
        char c = name.at[i];
        if (c >= 'a' && c <= 'z')
            return false;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        else if (c == '_')
            c = '-';
        out[i - skip] = c;
    }
    out[name.len - skip] = '\0';
    return true;
}

static void variable_warn(struct sources *sources, struct span name, const char *key)
{
    const struct option *nearest = key ? option_nearest(span_of(key)) : NULL;
    char variable[OPTION_NAME_SIZE];

    if (nearest) {
        option_variable(nearest, variable);
        sources_warn(sources, "%.*s is not a setting; did you mean %s?", (int)name.len,
                     name.at, variable);
    } else {
        sources_warn(sources, "%.*s is not a setting", (int)name.len, name.at);
    }
}

static bool is_service_link(struct span name, struct span value)
{
    return starts_with(name, "LOSSD_SERVICE_") || starts_with(name, "LOSSD_PORT_") ||
           (span_is(name, "LOSSD_PORT") && starts_with(value, "tcp://"));
}

static bool variable_read(struct sources *sources, const char *variable,
                          struct asked *asked)
{
    struct span name = {variable, strcspn(variable, "=")};
    struct span value = span_of(variable[name.len] ? variable + name.len + 1 : "");
    char key[OPTION_NAME_SIZE];
    char where[OPTION_TEXT_SIZE];

    if (value.len == 0 && span_is(name, "LOSSD_API_KEY_FILE"))
        asked->has_empty_keys = true;
    if (value.len == 0 || is_service_link(name, value))
        return true;
    if (span_is(name, "PORT")) {
        return sources_set(sources, ORIGIN_PLATFORM, &options[CONFIG_OPTION_port], value,
                           "PORT");
    }
    if (span_is(name, "LOSSD_CONFIG")) {
        asked->file = asked->file ? asked->file : value.at;
        return true;
    }
    if (!starts_with(name, "LOSSD_") || span_is(name, "LOSSD_KERNEL"))
        return true; /* that one is for tests */
    bool is_key = variable_key(name, key);
    const struct option *option = is_key ? option_find(span_of(key)) : NULL;
    if (!option) {
        variable_warn(sources, name, is_key ? key : NULL);
        return true;
    }
    snprintf(where, sizeof where, "%.*s", (int)name.len, name.at);
    return sources_set(sources, ORIGIN_VARIABLE, option, value, where);
}

bool config_variables_read(struct sources *sources, char *const env[],
                           struct asked *asked)
{
    for (; *env; env++)
        if (!variable_read(sources, *env, asked))
            return false;
    return true;
}
