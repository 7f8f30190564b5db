/* Settings: flags over environment over file over defaults.
 *
 *     struct config config;
 *     switch (config_load(&config, argc, argv, environ, &build, stdout, stderr)) {
 *     case CONFIG_DONE: return 0;
 *     case CONFIG_BAD: return 2;
 *     case CONFIG_CHECK: // to look at what it says, and to start nothing
 *     case CONFIG_RUN: break;
 *     }
 *     config_settle(&config, log_fd); */
#ifndef LOSSD_CONFIG_LOAD_H
#define LOSSD_CONFIG_LOAD_H

#include <stdio.h>

#include "config.h"
#include "config_print.h"

enum config_outcome {
    CONFIG_RUN,   /* go on with `config` */
    CONFIG_CHECK, /* --check-config: say whether the rest of them is sound, exit 0 or 2 */
    CONFIG_DONE,  /* --help and the like have been answered on `out`: exit 0 */
    CONFIG_BAD    /* what is wrong has been written to `err`: exit 2 */
};

/* Reads the settings.  `argv` and `env` end with NULL.  Warnings go to `err` too.  A
 * setting that is 0 for "as the machine is" stays 0. */
enum config_outcome config_load(struct config *config, int argc, char *const argv[],
                                char *const env[], const struct config_build *build,
                                FILE *out, FILE *err);

#endif
