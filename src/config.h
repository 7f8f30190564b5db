/* Settings: flags over environment over file over defaults.
 *
 * Only main sees this; it passes plain values down.  The rows are in
 * options.def, and a struct config has one field for each:
 *
 *     struct config config;
 *     switch (config_load(&config, argc, argv, environ, &build, stdout, stderr)) {
 *     case CONFIG_DONE: return 0;
 *     case CONFIG_BAD: return 2;
 *     case CONFIG_CHECK: // to look at what it says, and to start nothing
 *     case CONFIG_RUN: break;
 *     }
 *     config_settle(&config, log_fd);
 *
 * A struct config is a plain value: it owns nothing and points nowhere. */
#ifndef LOSSD_CONFIG_H
#define LOSSD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lossd/api/api.h"
#include "lossd/obs/log.h"

/* Values of log_format: those of enum log_format, and one more. */
enum { CONFIG_LOG_AUTO = LOG_TEXT + 1 };

enum { CONFIG_STRING_SIZE = 256, CONFIG_FLAG_SIZE = 40 };

/* STRING, LIST: terminated text.  DURATION: nanoseconds.  CHOICE: its index. */
#define CONFIG_FIELD_STRING(field) char field[CONFIG_STRING_SIZE];
#define CONFIG_FIELD_LIST(field) char field[CONFIG_STRING_SIZE];
#define CONFIG_FIELD_UINT(field) size_t field;
#define CONFIG_FIELD_SIZE(field) size_t field;
#define CONFIG_FIELD_DURATION(field) int64_t field;
#define CONFIG_FIELD_BOOL(field) bool field;
#define CONFIG_FIELD_CHOICE(field) unsigned field;

struct config {
#define OPTION(field, TYPE, ...) CONFIG_FIELD_##TYPE(field)
#include "options.def"
};

enum {
#define OPTION(field, ...) CONFIG_OPTION_##field,
#include "options.def"
    CONFIG_OPTIONS /* how many there are */
};

enum config_outcome {
    CONFIG_RUN,   /* go on with `config` */
    CONFIG_CHECK, /* --check-config: say whether the rest of them is sound, exit 0 or 2 */
    CONFIG_DONE,  /* --help and the like have been answered on `out`: exit 0 */
    CONFIG_BAD    /* what is wrong has been written to `err`: exit 2 */
};

/* What --version tells. */
struct config_build {
    const char *version, *commit, *compiler, *http_library;
};

/* Reads the settings.  `argv` and `env` end with NULL.  Warnings go to `err` too.  A
 * setting that is 0 for "as the machine is" stays 0. */
enum config_outcome config_load(struct config *config, int argc, char *const argv[],
                                char *const env[], const struct config_build *build,
                                FILE *out, FILE *err);

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

/* The ceilings in force, for GET /v1/limits.  Holds texts of its own that the
 * limits point to, so it stays where it was filled. */
struct config_ceilings {
    struct api_limit limits[CONFIG_OPTIONS];
    size_t count;
    char flags[CONFIG_OPTIONS][CONFIG_FLAG_SIZE];
};

void config_ceilings(const struct config *config, struct config_ceilings *out);

#endif
