/* One setting: a row of options.def, and its value as text. */
#ifndef LOSSD_OPTION_H
#define LOSSD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "lossd/base/span.h"

enum option_type {
    OPTION_STRING,
    OPTION_LIST, /* a STRING of addresses, commas between */
    OPTION_UINT,
    OPTION_SIZE,
    OPTION_DURATION,
    OPTION_BOOL,
    OPTION_CHOICE
};

enum { OPTION_NAME_SIZE = 32, OPTION_TEXT_SIZE = 512 };

struct option {
    const char *name; /* of the field: "max_body" */
    enum option_type type;
    bool is_ceiling;   /* GET /v1/limits shows it */
    size_t offset;     /* of the field in struct config */
    const char *text;  /* STRING: the default, NULL for other types */
    uint64_t standard; /* the default of the other types */
    uint64_t lowest, highest;
    const char *const *choices; /* CHOICE: ends with NULL */
    const char *help;
};

extern const struct option options[CONFIG_OPTIONS];

/* The name as a flag without its dashes and as a key: "max-body". */
void option_key(const struct option *option, char out[OPTION_NAME_SIZE]);

/* The name of its variable: "LOSSD_MAX_BODY". */
void option_variable(const struct option *option, char out[OPTION_NAME_SIZE]);

/* Stands for a value in --help: "SIZE". */
const char *option_placeholder(const struct option *option);

/* Sets the field to the value that `text` means.  False: it means none, or one
 * out of range; the field is as before. */
bool option_set(const struct option *option, struct config *config, struct span text);

/* Its value is text. */
bool option_is_text(const struct option *option);

/* The value of a field that is a number: bytes, nanoseconds, an index, 0 or 1.
 * Not for text. */
uint64_t option_number(const struct option *option, const struct config *config);

/* What a value should look like, for a message: "a size such as 64MiB from 1KiB to 1TiB". */
void option_wanted(const struct option *option, char out[OPTION_TEXT_SIZE]);

/* The value in `config` as text that option_set() reads back. */
void option_text(const struct option *option, const struct config *config,
                 char out[OPTION_TEXT_SIZE]);

/* Sets every field to its default. */
void options_reset(struct config *config);

#endif
