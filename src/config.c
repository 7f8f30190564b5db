/* Where settings come from: flags, environment, file, defaults.
 *
 * They are read from the weightiest to the lightest, because a flag may name the
 * file; each value remembers its origin, and a lighter one does not replace it but
 * must be good all the same.
 *
 * Two habits of platforms are honoured.  PORT is what many of them tell a service to
 * listen on.  And Kubernetes puts LOSSD_PORT=tcp://10.0.0.1:80, LOSSD_SERVICE_HOST
 * and more of that kind into every container beside a Service named "lossd": that is
 * not a setting, and must not keep the server from starting. */
#include "config.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "config_source.h"
#include "lossd/base/nearest_name.h"
#include "lossd/http/server.h"
#include "machine.h"
#include "option.h"

/* Flags that are not settings. */
static const char *const actions[] = {"config",  "check-config", "print-config",
                                      "version", "json",         "help"};
enum { ACTIONS = sizeof actions / sizeof *actions };

/* So many requests of a thread: none idles for want of one, and the last does not wait
 * for long. */
enum { PLACES_A_THREAD = 24 };

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

void option_suggest(struct span key, const char *prefix, char out[OPTION_TEXT_SIZE])
{
    char nearest[OPTION_NAME_SIZE];

    out[0] = '\0';
    if (key_nearest(key, *prefix == '-', nearest))
        snprintf(out, OPTION_TEXT_SIZE, "; did you mean %s%s?", prefix, nearest);
}

/* What the command line asks for besides settings. */
struct asked {
    const char *file;
    bool help, version, json, print, check;
    bool has_empty_keys; /* LOSSD_API_KEY_FILE, without a name */
};

/* The answer to a flag that is not a setting and has no value; NULL for others. */
static bool *asked_for(struct asked *asked, struct span name)
{
    return span_is(name, "help")           ? &asked->help
           : span_is(name, "version")      ? &asked->version
           : span_is(name, "json")         ? &asked->json
           : span_is(name, "print-config") ? &asked->print
           : span_is(name, "check-config") ? &asked->check
                                           : NULL;
}

/* A flag as it was given: --name, --name=value, or --name with a value to come. */
struct flag {
    struct span text; /* "--max-body" */
    struct span name; /* "max-body" */
    const char *value;
};

static bool flag_split(const char *text, struct flag *flag)
{
    if (strcmp(text, "-h") == 0)
        text = "--help";
    size_t len = strcspn(text, "=");
    if (strncmp(text, "--", 2) != 0 || len <= 2)
        return false;
    flag->text = (struct span){text, len};
    flag->name = (struct span){text + 2, len - 2};
    flag->value = text[len] == '=' ? text + len + 1 : NULL;
    return true;
}

/* Sets the setting that the flag names, or the file. */
static bool flag_set(struct sources *sources, const struct flag *flag,
                     struct asked *asked)
{
    const struct option *option = option_find(flag->name);
    bool is_file = span_is(flag->name, "config");
    char text[OPTION_TEXT_SIZE];
    int len = (int)flag->text.len;

    if (!is_file && !option) {
        option_suggest(flag->name, "--", text);
        return sources_fail(sources, "unknown flag %.*s%s", len, flag->text.at,
                            *text ? text : "; see lossd --help");
    }
    if (!flag->value) {
        snprintf(text, sizeof text, "a file's name");
        if (option)
            option_wanted(option, text);
        return sources_fail(sources, "%.*s needs a value; wanted %s", len, flag->text.at,
                            text);
    }
    if (is_file) {
        asked->file = flag->value;
        return true;
    }
    snprintf(text, sizeof text, "%.*s", len, flag->text.at);
    return sources_set(sources, ORIGIN_FLAG, option, span_of(flag->value), text);
}

/* Reads the flag at argv[*i] and moves *i over a value that follows it. */
static bool flag_read(struct sources *sources, char *const argv[], int *i,
                      struct asked *asked)
{
    struct flag flag;

    if (!flag_split(argv[*i], &flag))
        return sources_fail(sources, "\"%s\" is not a flag; see lossd --help", argv[*i]);
    bool *action = asked_for(asked, flag.name);
    if (action && flag.value)
        return sources_fail(sources, "%.*s takes no value", (int)flag.text.len,
                            flag.text.at);
    if (action) {
        *action = true;
        return true;
    }
    if (!flag.value && argv[*i + 1])
        flag.value = argv[++*i];
    return flag_set(sources, &flag, asked);
}

static bool flags_read(struct sources *sources, int argc, char *const argv[],
                       struct asked *asked)
{
    for (int i = 1; i < argc; i++) {
        if (!flag_read(sources, argv, &i, asked))
            return false;
        if (asked->help)
            return true;
    }
    if (asked->version && argc > 2 + asked->json)
        return sources_fail(sources, "--version goes with --json alone");
    return !asked->json || asked->version ||
           sources_fail(sources, "--json goes with --version alone");
}

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
    char nearest[OPTION_NAME_SIZE];
    char variable[OPTION_NAME_SIZE];

    if (key && key_nearest(span_of(key), false, nearest)) {
        option_variable(option_find(span_of(nearest)), variable);
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

static bool variables_read(struct sources *sources, char *const env[],
                           struct asked *asked)
{
    for (; *env; env++)
        if (!variable_read(sources, *env, asked))
            return false;
    return true;
}

/* "--port 80" over LOSSD_LISTEN: what stands instead of host and port must not beat them
 * where each of them would beat it. */
static void listen_settle(struct sources *sources)
{
    enum origin *listen = &sources->origin[CONFIG_OPTION_listen];

    if (sources->origin[CONFIG_OPTION_host] <= *listen &&
        sources->origin[CONFIG_OPTION_port] <= *listen)
        return;
    *sources->config->listen = '\0';
    *listen = ORIGIN_DEFAULT;
}

/* An empty variable is one that is not set, and an empty flag takes back what another
 * source has set; but with keys more often than not a name is missing, of a secret say. */
static void warn_of_open_doors(struct sources *sources, const struct asked *asked)
{
    bool is_flag = sources->origin[CONFIG_OPTION_api_key_file] == ORIGIN_FLAG;

    if (!*sources->config->api_key_file && (is_flag || asked->has_empty_keys))
        sources_warn(sources, "%s is empty: everybody may ask",
                     is_flag ? "--api-key-file" : "LOSSD_API_KEY_FILE");
}

enum config_outcome config_load(struct config *config, int argc, char *const argv[],
                                char *const env[], const struct config_build *build,
                                FILE *out, FILE *err)
{
    struct sources sources = {.config = config, .err = err};
    struct asked asked = {0};

    options_reset(config);
    if (!flags_read(&sources, argc, argv, &asked))
        return CONFIG_BAD;
    if (asked.help) {
        config_help(out);
        return CONFIG_DONE;
    }
    if (asked.version) {
        config_version(build, asked.json, out);
        return CONFIG_DONE;
    }
    if (!variables_read(&sources, env, &asked) ||
        (asked.file && !config_file_read(&sources, asked.file)))
        return CONFIG_BAD;
    listen_settle(&sources);
    warn_of_open_doors(&sources, &asked);
    if (asked.print)
        config_print(&sources, out);
    return asked.print ? CONFIG_DONE : asked.check ? CONFIG_CHECK : CONFIG_RUN;
}

size_t config_kept(const struct config *config, size_t whole)
{
    return config->small_body > 0 ? whole / 4 : 0;
}

/* What one request that is not small can have at all. */
static size_t most_memory(const struct config *config)
{
    return config->memory_budget - config_kept(config, config->memory_budget);
}

/* As many connections as descriptors leave. */
static size_t most_connections(const struct config *config)
{
    return server_connections(SIZE_MAX, machine_descriptors(), config->net_threads);
}

void config_settle(struct config *config, int log_fd)
{
    size_t cores = machine_cores("");
    uint64_t limit = machine_memory_limit("");
    uint64_t memory = machine_memory();

    if (config->threads == 0)
        config->threads = cores;
    if (config->net_threads == 0)
        config->net_threads = cores;
    if (config->queue_size == 0)
        config->queue_size = PLACES_A_THREAD * config->threads;
    if (config->memory_budget == 0)
        config->memory_budget = limit && limit < memory ? limit / 2 : memory / 4;
    if (config->max_request_memory > most_memory(config))
        config->max_request_memory = most_memory(config);
    if (config->max_connections > most_connections(config))
        config->max_connections = most_connections(config);
    if (config->log_format == CONFIG_LOG_AUTO)
        config->log_format = isatty(log_fd) ? LOG_TEXT : LOG_JSON;
}

const char *config_memory_flag(const struct config *config)
{
    bool is_tight =
        config->memory_budget > 0 && config->max_request_memory >= most_memory(config);

    return is_tight ? "--memory-budget" : "--max-request-memory";
}

const char *config_connections_flag(const struct config *config)
{
    return config->max_connections < most_connections(config) ? "--max-connections"
                                                              : "ulimit -n";
}

/* Seconds, as clients say them; a number of anything else as it is. */
static double ceiling_value(const struct option *option, const struct config *config)
{
    enum { NS_A_SECOND = 1000000000 };
    double value = (double)option_number(option, config);

    return option->type == OPTION_DURATION ? value / NS_A_SECOND : value;
}

void config_ceilings(const struct config *config, struct config_ceilings *out)
{
    static const char *const units[] = {
        [OPTION_UINT] = NULL, [OPTION_SIZE] = "bytes", [OPTION_DURATION] = "seconds"};
    char key[OPTION_NAME_SIZE];

    out->count = 0;
    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        if (!options[i].is_ceiling)
            continue;
        char *flag = out->flags[out->count];
        option_key(&options[i], key);
        snprintf(flag, CONFIG_FLAG_SIZE, "--%s", key);
        if (i == CONFIG_OPTION_max_request_memory)
            snprintf(flag, CONFIG_FLAG_SIZE, "%s", config_memory_flag(config));
        if (i == CONFIG_OPTION_max_connections)
            snprintf(flag, CONFIG_FLAG_SIZE, "%s", config_connections_flag(config));
        out->limits[out->count++] =
            (struct api_limit){.name = options[i].name,
                               .flag = flag,
                               .value = ceiling_value(&options[i], config),
                               .unit = units[options[i].type],
                               .help = options[i].help};
    }
}
