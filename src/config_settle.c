#include "config_settle.h"

#include <stdio.h>
#include <unistd.h>

#include "lossd/http/server.h"
#include "machine.h"
#include "option.h"

/* So many requests of a thread: none idles for want of one, and the last does not wait
 * for long. */
enum { PLACES_A_THREAD = 24 };

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
