/* Settings from the environment. */
#ifndef LOSSD_CONFIG_VARIABLES_H
#define LOSSD_CONFIG_VARIABLES_H

#include "config_source.h"

/* Reads the variables of the environment, the file's name among them. */
bool config_variables_read(struct sources *sources, char *const env[],
                           struct asked *asked);

#endif
