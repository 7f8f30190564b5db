/* Settings that are left to the machine, and the ceilings that come of all of them. */
#ifndef LOSSD_CONFIG_SETTLE_H
#define LOSSD_CONFIG_SETTLE_H

#include "config.h"
#include "lossd/api/api.h"

/* Replaces what was left to the machine by its numbers: threads and net_threads
 * by the cores we may use, queue_size by the threads, memory_budget by bytes, and
 * log_format auto by text when `log_fd` is a terminal, else json.  A max_request_memory
 * that the budget can never hold comes down to it: too large, rather than forever too
 * early.  max_connections comes down to what descriptors leave, as many of which as may
 * be it takes for this process. */
void config_settle(struct config *config, int log_fd);

/* The part of the whole memory or queue that only small requests may use. */
size_t config_kept(const struct config *config, size_t whole);

/* Raises what one request may hold: "--max-request-memory", or "--memory-budget" where that
 * is what keeps it down, once they are settled. */
const char *config_memory_flag(const struct config *config);

/* Raises how many connections there may be: "--max-connections", or "ulimit -n" where
 * descriptors are what keeps them down, once they are settled. */
const char *config_connections_flag(const struct config *config);

enum { CONFIG_FLAG_SIZE = 40 };

/* The ceilings in force, for GET /v1/limits.  Holds texts of its own that the
 * limits point to, so it stays where it was filled. */
struct config_ceilings {
    struct api_limit limits[CONFIG_OPTIONS];
    size_t count;
    char flags[CONFIG_OPTIONS][CONFIG_FLAG_SIZE];
};

void config_ceilings(const struct config *config, struct config_ceilings *out);

#endif
