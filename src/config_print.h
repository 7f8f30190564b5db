/* The settings as text. */
#ifndef LOSSD_CONFIG_PRINT_H
#define LOSSD_CONFIG_PRINT_H

#include <stdbool.h>
#include <stdio.h>

struct sources;

/* What --version tells. */
struct config_build {
    const char *version, *commit, *compiler, *http_library;
};

/* What --help, --version and --print-config write. */
void config_help(FILE *out);
void config_version(const struct config_build *build, bool as_json, FILE *out);
void config_print(const struct sources *sources, FILE *out);

#endif
