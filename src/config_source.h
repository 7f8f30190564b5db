/* A place that settings come from, and the weight its word has. */
#ifndef LOSSD_CONFIG_SOURCE_H
#define LOSSD_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stdio.h>

#include "config.h"
#include "lossd/base/span.h"
#include "option.h"

/* The later one wins. */
enum origin {
    ORIGIN_DEFAULT,
    ORIGIN_FILE,
    ORIGIN_PLATFORM, /* the variable PORT, which platforms set for any service */
    ORIGIN_VARIABLE,
    ORIGIN_FLAG
};

/* Settings while they are being read. */
struct sources {
    struct config *config;
    enum origin origin[CONFIG_OPTIONS]; /* of each value in `config` */
    FILE *err;
};

/* What flags and variables ask for besides settings. */
struct asked {
    const char *file;
    bool help, version, json, print, check;
    bool has_empty_keys; /* LOSSD_API_KEY_FILE, without a name */
};

/* Sets an option unless a weightier origin has.  `where` names the place for the
 * message about a bad value: "--max-body", "lossd.conf:3: max-body".  A bad value is
 * an error even where another one wins. */
bool sources_set(struct sources *sources, enum origin origin, const struct option *option,
                 struct span text, const char *where);

/* Writes "lossd: ...\n" and returns false. */
bool sources_fail(struct sources *sources, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for what is odd but no error. */
void sources_warn(struct sources *sources, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The option with that key, NULL when there is none. */
const struct option *option_find(struct span key);

/* The option whose key was most likely meant, NULL when none is near. */
const struct option *option_nearest(struct span key);

/* Writes "; did you mean PREFIXkey?" when a key is near, else nothing. */
void option_suggest(struct span key, const char *prefix, char out[OPTION_TEXT_SIZE]);

#endif
