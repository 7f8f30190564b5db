/* Where settings come from: flags, environment, file, defaults.
 *
 * They are read from the weightiest to the lightest, because a flag may name the
 * file; each value remembers its origin, and a lighter one does not replace it but
 * must be good all the same. */
#include "config_load.h"

#include "config_file.h"
#include "config_flags.h"
#include "config_print.h"
#include "config_variables.h"

/* "--port 80" over LOSSD_LISTEN: what stands instead of host and port must not beat them
 * where each of them would beat it. */
static void listen_settle(struct sources *sources)
{
    enum origin *listen = &sources->origin[CONFIG_OPTION_listen];

    if (sources->origin[CONFIG_OPTION_host] <= *listen &&
        sources->origin[CONFIG_OPTION_port] <= *listen)
        return;
    if (*listen == ORIGIN_FILE)
        sources_warn(sources, "listen of the file is passed over: a flag or a variable "
                              "(LOSSD_HOST, LOSSD_PORT, PORT) tells host or port");
    *sources->config->listen = '\0';
    *listen = ORIGIN_DEFAULT;
}

/* 0 is a share of the machine; but with less than that nothing at all could be answered. */
static bool check_budget(struct sources *sources)
{
    enum { LEAST = 1 << 16 };
    size_t budget = sources->config->memory_budget;

    return budget == 0 || budget >= LEAST ||
           sources_fail(sources, "--memory-budget is %zu; wanted 0 or at least 64KiB",
                        budget);
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
    if (!config_flags_read(&sources, argc, argv, &asked))
        return CONFIG_BAD;
    if (asked.help) {
        config_help(out);
        return CONFIG_DONE;
    }
    if (asked.version) {
        config_version(build, asked.json, out);
        return CONFIG_DONE;
    }
    if (!config_variables_read(&sources, env, &asked) ||
        (asked.file && !config_file_read(&sources, asked.file)) ||
        !check_budget(&sources))
        return CONFIG_BAD;
    listen_settle(&sources);
    warn_of_open_doors(&sources, &asked);
    if (asked.print)
        config_print(&sources, out);
    return asked.print ? CONFIG_DONE : asked.check ? CONFIG_CHECK : CONFIG_RUN;
}
