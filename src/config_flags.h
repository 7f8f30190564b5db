/* Settings from the command line. */
#ifndef LOSSD_CONFIG_FLAGS_H
#define LOSSD_CONFIG_FLAGS_H

#include "config_source.h"

/* Reads the flags, and what they ask for; of `help` nothing that stands behind it. */
bool config_flags_read(struct sources *sources, int argc, char *const argv[],
                       struct asked *asked);

#endif
