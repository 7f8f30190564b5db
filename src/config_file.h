/* Settings from a file. */
#ifndef LOSSD_CONFIG_FILE_H
#define LOSSD_CONFIG_FILE_H

#include "config_source.h"

/* Reads a configuration file: `key = value` lines, comments from # to the end. */
bool config_file_read(struct sources *sources, const char *path);

#endif
